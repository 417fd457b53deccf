/**
 * Changes of volumes as server-sent events.
 *
 * @module
 */

import { GraftError } from "../../../core/errors.ts";
import { parseGid, type VolumeId } from "../../../core/gid.ts";
import { allows, type Claims, requireRight } from "../../auth/claims.ts";
import { EVENT_VOLUMES_MAX } from "../../subscriptions/subscriptions.ts";
import type { Asked, Routes } from "./_asked.ts";
import { readJsonObject } from "./_json_body.ts";

/** The routes by path. */
export const EVENT_ROUTES: Routes = { "/v1/events": { GET: follow, POST: followMany } };

const HEADERS = {
  "content-type": "text/event-stream; charset=utf-8",
  "cache-control": "no-store",
  // nginx would hold events back otherwise
  "x-accel-buffering": "no",
};

function follow(asked: Asked): Promise<Response> | Response {
  const names = asked.context.req.query("volumes") ?? "";
  const vids = parseVids(names === "" ? [] : names.split(","));
  requireAnyRight(asked.claims, vids);
  // nobody would read, or end, the body of an answer to HEAD
  if (asked.exchange.request.method === "HEAD") return new Response(null, { headers: HEADERS });
  return answer(asked, vids, undefined);
}

/** The same with the volumes, and the id of the last event, in a body: both grow with the volumes. */
async function followMany(asked: Asked): Promise<Response> {
  const { volumes, lastEventId } = await readJsonObject(asked.exchange);
  const vids = parseVids(arrayOf(volumes));
  if (lastEventId !== undefined && lastEventId !== null && typeof lastEventId !== "string") {
    throw new GraftError("invalid", 'Cannot follow volumes: the field "lastEventId" is no string');
  }
  requireAnyRight(asked.claims, vids);
  return await answer(asked, vids, lastEventId ?? undefined);
}

async function answer(
  { exchange, claims, parts }: Asked,
  vids: readonly VolumeId[],
  lastEventId: string | undefined,
): Promise<Response> {
  const body = await parts.subscriptions.open({
    vids: vids.filter((vid) => allows(claims, "read", vid)),
    forbidden: vids.filter((vid) => !allows(claims, "read", vid)),
    lastEventId: lastEventId ?? exchange.request.headers.get("last-event-id") ?? undefined,
    expiresAtMs: claims.expiresAtMs,
  });
  return new Response(body, { headers: HEADERS });
}

/** One volume that may not be followed is not to keep the others back. */
function requireAnyRight(claims: Claims, vids: readonly VolumeId[]): void {
  if (!vids.some((vid) => allows(claims, "read", vid))) requireRight(claims, "read", vids[0]);
}

function arrayOf(names: unknown): string[] {
  if (names === undefined) return [];
  if (Array.isArray(names) && names.every((name) => typeof name === "string")) return names;
  throw new GraftError(
    "invalid",
    'Cannot follow volumes: the field "volumes" is no array of strings',
  );
}

function parseVids(names: readonly string[]): VolumeId[] {
  if (names.length === 0) {
    throw new GraftError("invalid", "Cannot follow volumes: none is named", {
      hint: 'Name them as: GET /v1/events?volumes=VID,VID, or POST {"volumes": ["VID"]}',
    });
  }
  if (names.length > EVENT_VOLUMES_MAX) {
    throw new GraftError(
      "invalid",
      `Cannot follow ${names.length} volumes: at most ${EVENT_VOLUMES_MAX} are allowed`,
    );
  }
  return names.map((name) => parseGid("volume", name));
}
