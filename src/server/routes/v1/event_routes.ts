/**
 * Changes of volumes as server-sent events.
 *
 * @module
 */

import { GraftError } from "../../../core/errors.ts";
import { parseGid, type VolumeId } from "../../../core/gid.ts";
import { requireRight } from "../../auth/claims.ts";
import { EVENT_VOLUMES_MAX } from "../../subscriptions/subscriptions.ts";
import type { Asked, Routes } from "./_asked.ts";

/** The routes by path. */
export const EVENT_ROUTES: Routes = { "/v1/events": { GET: follow } };

const HEADERS = {
  "content-type": "text/event-stream; charset=utf-8",
  "cache-control": "no-store",
  // nginx would hold events back otherwise
  "x-accel-buffering": "no",
};

async function follow({ exchange, claims, context, parts }: Asked): Promise<Response> {
  const vids = parseVids(context.req.query("volumes"));
  for (const vid of vids) requireRight(claims, "read", vid);
  // nobody would read, or end, the body of an answer to HEAD
  if (exchange.request.method === "HEAD") return new Response(null, { headers: HEADERS });
  const body = await parts.subscriptions.open({
    vids,
    lastEventId: exchange.request.headers.get("last-event-id") ?? undefined,
    expiresAtMs: claims.expiresAtMs,
  });
  return new Response(body, { headers: HEADERS });
}

function parseVids(text: string | undefined): VolumeId[] {
  if (text === undefined || text === "") {
    throw new GraftError("invalid", "Cannot follow volumes: none is named", {
      hint: "Name them as: /v1/events?volumes=VID,VID",
    });
  }
  const names = text.split(",");
  if (names.length > EVENT_VOLUMES_MAX) {
    throw new GraftError(
      "invalid",
      `Cannot follow ${names.length} volumes: at most ${EVENT_VOLUMES_MAX} are allowed`,
    );
  }
  return names.map((name) => parseGid("volume", name));
}
