/**
 * Volumes as JSON, for people and tools.
 *
 * @module
 */

import type { Context } from "hono";
import { GraftError, isGraftError } from "../../../core/errors.ts";
import { type ClientId, clientIdFromName, parseGid, type VolumeId } from "../../../core/gid.ts";
import { nextLsn } from "../../../core/lsn.ts";
import type { ChainedCommit } from "../../../metastore/metastore.ts";
import { type ChainedSnapshot, changesToJson, snapshotToJson } from "../../../wire/v1/mod.ts";
import { type Claims, requireRight } from "../../auth/claims.ts";
import type { MetastoreApi } from "../../engines.ts";
import { GoneError } from "../../http/failure.ts";
import { parseMoment } from "../../moment.ts";
import { type Asked, optional, parseLsn, permittedVid, type Routes } from "./_asked.ts";
import { readJsonObject } from "./_json_body.ts";

/** Rows of an answer, unless `limit` says otherwise. */
const ROWS_DEFAULT = 100;
const ROWS_MAX = 1000;
/** Who commits the first, empty LSN of a volume that is made here without saying for whom. */
const SERVER_CLIENT = clientIdFromName("graft-server");

/** The routes by path. */
export const VOLUME_ROUTES: Routes = {
  "/v1/volumes": { GET: listVolumes, POST: createVolume },
  "/v1/volumes/:vid": { GET: showVolume, DELETE: deleteVolume },
  "/v1/volumes/:vid/snapshot": { GET: showSnapshot },
  "/v1/volumes/:vid/changes": { GET: showChanges },
  "/v1/volumes/:vid/log": { GET: showLog },
};

async function listVolumes({ context, claims, parts }: Asked): Promise<Response> {
  const prefix = context.req.query("prefix") ?? "";
  if (!/^[1-9A-HJ-NP-Za-km-z]{0,22}$/.test(prefix)) {
    throw new GraftError("invalid", `Cannot list volumes: the prefix "${prefix}" is not base58`);
  }
  const after = optional(context, "after", (text) => parseGid("volume", text));
  const limit = limitOf(context);
  requireReading(claims);
  const rows = await permittedVolumes(parts.metastore, claims, { prefix, after, limit: limit + 1 });
  const volumes = rows.slice(0, limit);
  const next = rows.length > limit ? volumes[limit - 1].vid : null;
  return Response.json({ volumes: volumes.map(snapshotToJson), next });
}

interface ListOptions {
  readonly prefix: string;
  readonly after: VolumeId | undefined;
  readonly limit: number;
}

/** A token for some volumes sees these only: they are looked up one by one, the rest is not walked. */
async function permittedVolumes(
  metastore: MetastoreApi,
  claims: Claims,
  { prefix, after, limit }: ListOptions,
): Promise<ChainedSnapshot[]> {
  if (claims.volumes === "all") return await metastore.volumes({ prefix, after, limit });
  const vids = [...claims.volumes].sort()
    .filter((vid) => vid.startsWith(prefix) && (after === undefined || vid > after));
  const found: ChainedSnapshot[] = [];
  for (const vid of vids) {
    if (found.length === limit) break;
    const snapshot = await orUndefined(metastore.snapshot(vid));
    if (snapshot !== undefined) found.push(snapshot);
  }
  return found;
}

async function createVolume({ exchange, claims, parts }: Asked): Promise<Response> {
  requireCreating(claims);
  const cid = clientOf(await readJsonObject(exchange));
  const snapshot = await parts.metastore.createVolume(cid);
  const location = `/v1/volumes/${snapshot.vid}`;
  return Response.json(snapshotToJson(snapshot), { status: 201, headers: { location } });
}

async function showVolume({ context, claims, parts }: Asked): Promise<Response> {
  const vid = permittedVid(context, claims, "read");
  return Response.json(snapshotToJson(await parts.metastore.snapshot(vid)));
}

async function deleteVolume({ context, claims, parts }: Asked): Promise<Response> {
  await parts.metastore.deleteVolume(permittedVid(context, claims, "admin"));
  return new Response(null, { status: 204 });
}

async function showChanges({ context, claims, parts }: Asked): Promise<Response> {
  const vid = permittedVid(context, claims, "read");
  const since = optional(context, "since", (text) => text === "0" ? 0 : parseLsn("since", text));
  const to = optional(context, "to", (text) => parseLsn("to", text));
  try {
    return Response.json(changesToJson(await parts.metastore.changes(vid, { since, to })));
  } catch (error) {
    throw await goneIfDeleted(error, vid, parts.metastore);
  }
}

/** Whoever has a copy is to know whether the volume was deleted, or this server has never had it. */
async function goneIfDeleted(
  error: unknown,
  vid: VolumeId,
  metastore: MetastoreApi,
): Promise<unknown> {
  const isGone = isGraftError(error, "missing") && await metastore.find(vid) === "deleted";
  return isGone ? new GoneError(error) : error;
}

async function showSnapshot({ context, claims, parts }: Asked): Promise<Response> {
  const vid = permittedVid(context, claims, "read");
  const at = optional(context, "at", (text) => parseMoment(text, parts.clock.now()));
  const snapshot = at !== undefined && "timestampMs" in at
    ? await parts.metastore.snapshotAt(vid, at.timestampMs)
    : await parts.metastore.snapshot(vid, at?.lsn);
  return Response.json(snapshotToJson(snapshot));
}

async function showLog({ context, claims, parts }: Asked): Promise<Response> {
  const vid = permittedVid(context, claims, "read");
  const from = optional(context, "from", (text) => parseLsn("from", text));
  const limit = limitOf(context);
  const head = await parts.metastore.snapshot(vid);
  const commits = await parts.metastore.log(vid, { from, limit });
  const last = commits.at(-1)?.snapshot.lsn;
  const next = last !== undefined && last < head.lsn ? nextLsn(last) : null;
  return Response.json({ commits: commits.map(commitToJson), next });
}

/** The new volume has an id that no token can name before. */
function requireCreating(claims: Claims): void {
  if (claims.volumes === "all") return requireRight(claims, "write", "all");
  throw new GraftError(
    "forbidden",
    "Cannot create a volume with this token: creating a volume needs a token for all volumes",
  );
}

/** Whoever may read nothing at all is told so, instead of being shown an empty list. */
function requireReading(claims: Claims): void {
  if (claims.can.has("read")) return;
  throw new GraftError(
    "forbidden",
    "Cannot list volumes with this token: it does not allow to read",
  );
}

function clientOf({ cid }: Readonly<Record<string, unknown>>): ClientId {
  if (cid === undefined) return SERVER_CLIENT;
  if (typeof cid === "string") return parseGid("client", cid);
  throw new GraftError("invalid", 'Cannot create a volume: the field "cid" is no string');
}

function limitOf(context: Context): number {
  const text = context.req.query("limit");
  if (text === undefined) return ROWS_DEFAULT;
  const limit = /^\d{1,9}$/.test(text) ? Number(text) : 0;
  if (limit >= 1 && limit <= ROWS_MAX) return limit;
  throw new GraftError(
    "invalid",
    `Cannot use the limit "${text}": limits run from 1 to ${ROWS_MAX}`,
  );
}

async function orUndefined(
  snapshot: Promise<ChainedSnapshot>,
): Promise<ChainedSnapshot | undefined> {
  try {
    return await snapshot;
  } catch (error) {
    if (isGraftError(error, "missing")) return undefined;
    throw error;
  }
}

function commitToJson({ snapshot, segments }: ChainedCommit) {
  return {
    ...snapshotToJson(snapshot),
    pagesChanged: segments.reduce((sum, { pageSet }) => sum + pageSet.size, 0),
    segments: segments.map(({ sid, pageSet }) => ({ sid, pages: pageSet.size })),
  };
}
