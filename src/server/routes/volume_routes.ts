/**
 * Volumes as JSON, for people and tools.
 *
 * @module
 */

import type { Context, Hono } from "hono";
import type { Clock } from "../../core/clock.ts";
import { GraftError, isGraftError } from "../../core/errors.ts";
import { type ClientId, clientIdFromName, parseGid, type VolumeId } from "../../core/gid.ts";
import { type Lsn, nextLsn, toLsn } from "../../core/lsn.ts";
import type { Snapshot } from "../../core/snapshot.ts";
import type { Commit } from "../../wire/messages.ts";
import { type Claims, requireRight } from "../auth/claims.ts";
import type { MetastoreApi } from "../engines.ts";
import { type Endpoints, type Handler, otherMethods } from "../http/endpoints.ts";
import { problemFormat } from "../http/error_formats.ts";
import type { Exchange } from "../http/exchange.ts";
import { readBody } from "../http/request_body.ts";
import { parseMoment } from "../moment.ts";

/** What the routes work on. */
export interface VolumeParts {
  /** Who may call, and how errors are answered. */
  readonly endpoints: Endpoints;
  /** Where volumes are. */
  readonly metastore: MetastoreApi;
  /** What "2h ago" counts from. */
  readonly clock: Clock;
}

/** Rows of an answer, unless `limit` says otherwise. */
const ROWS_DEFAULT = 100;
const ROWS_MAX = 1000;
const BODY_BYTES_MAX = 64 * 1024;
/** Who commits the first, empty LSN of a volume that is made here without saying for whom. */
const SERVER_CLIENT = clientIdFromName("graft-server");

/** What an answer is made from. */
interface Asked {
  readonly exchange: Exchange;
  readonly claims: Claims;
  readonly context: Context;
  readonly parts: VolumeParts;
}

type Answer = (asked: Asked) => Promise<Response>;

/** Adds the routes to `app`. */
export function addVolumeRoutes(app: Hono, parts: VolumeParts): void {
  add(app, parts, "/v1/volumes", { GET: listVolumes, POST: createVolume });
  add(app, parts, "/v1/volumes/:vid", { GET: showVolume });
  add(app, parts, "/v1/volumes/:vid/snapshot", { GET: showSnapshot });
  add(app, parts, "/v1/volumes/:vid/log", { GET: showLog });
}

function add(app: Hono, parts: VolumeParts, path: string, methods: Record<string, Answer>): void {
  const { endpoints } = parts;
  for (const [method, answer] of Object.entries(methods)) {
    const route = { name: `${method} ${path}`, errors: problemFormat };
    const handler: Handler = (exchange, claims, context) =>
      answer({ exchange, claims, context, parts });
    app.on(method, path, endpoints.wrap(route, handler));
  }
  const served = Object.keys(methods);
  app.on(otherMethods(served), path, endpoints.refuseMethods(problemFormat, served));
}

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
): Promise<Snapshot[]> {
  if (claims.volumes === "all") return await metastore.volumes({ prefix, after, limit });
  const vids = [...claims.volumes].sort()
    .filter((vid) => vid.startsWith(prefix) && (after === undefined || vid > after));
  const found: Snapshot[] = [];
  for (const vid of vids) {
    if (found.length === limit) break;
    const snapshot = await orUndefined(metastore.snapshot(vid));
    if (snapshot !== undefined) found.push(snapshot);
  }
  return found;
}

async function createVolume({ exchange, claims, parts }: Asked): Promise<Response> {
  requireCreating(claims);
  const cid = clientOf(await readBody(exchange, BODY_BYTES_MAX));
  const snapshot = await parts.metastore.createVolume(cid);
  const location = `/v1/volumes/${snapshot.vid}`;
  return Response.json(snapshotToJson(snapshot), { status: 201, headers: { location } });
}

async function showVolume({ context, claims, parts }: Asked): Promise<Response> {
  const vid = permittedVid(context, claims);
  return Response.json(snapshotToJson(await parts.metastore.snapshot(vid)));
}

async function showSnapshot({ context, claims, parts }: Asked): Promise<Response> {
  const vid = permittedVid(context, claims);
  const at = optional(context, "at", (text) => parseMoment(text, parts.clock.now()));
  const snapshot = at !== undefined && "timestampMs" in at
    ? await parts.metastore.snapshotAt(vid, at.timestampMs)
    : await parts.metastore.snapshot(vid, at?.lsn);
  return Response.json(snapshotToJson(snapshot));
}

async function showLog({ context, claims, parts }: Asked): Promise<Response> {
  const vid = permittedVid(context, claims);
  const from = optional(context, "from", (text) => parseLsn("from", text));
  const limit = limitOf(context);
  const head = await parts.metastore.snapshot(vid);
  const commits = await parts.metastore.log(vid, { from, limit });
  const last = commits.at(-1)?.snapshot.lsn;
  const next = last !== undefined && last < head.lsn ? nextLsn(last) : null;
  return Response.json({ commits: commits.map(commitToJson), next });
}

function permittedVid(context: Context, claims: Claims): VolumeId {
  const vid = parseGid("volume", context.req.param("vid") ?? "");
  requireRight(claims, "read", vid);
  return vid;
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

function clientOf(body: Uint8Array): ClientId {
  if (body.length === 0) return SERVER_CLIENT;
  const { cid } = parseJsonObject(body);
  if (cid === undefined) return SERVER_CLIENT;
  if (typeof cid === "string") return parseGid("client", cid);
  throw new GraftError("invalid", 'Cannot create a volume: the field "cid" is no string');
}

function parseJsonObject(body: Uint8Array): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body));
    if (typeof value === "object" && value !== null) return value as Record<string, unknown>;
  } catch (cause) {
    throw new GraftError("invalid", "Cannot read the request: its body is not JSON", { cause });
  }
  throw new GraftError("invalid", "Cannot read the request: its body is no JSON object");
}

function optional<T>(context: Context, name: string, parse: (text: string) => T): T | undefined {
  const text = context.req.query(name);
  return text === undefined ? undefined : parse(text);
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

function parseLsn(name: string, text: string): Lsn {
  if (/^\d+$/.test(text)) return toLsn(Number(text));
  throw new GraftError("invalid", `Cannot use "${text}" as "${name}": it is no LSN`);
}

async function orUndefined(snapshot: Promise<Snapshot>): Promise<Snapshot | undefined> {
  try {
    return await snapshot;
  } catch (error) {
    if (isGraftError(error, "missing")) return undefined;
    throw error;
  }
}

function snapshotToJson(snapshot: Snapshot) {
  const { vid, cid, lsn, checkpointLsn, pageCount, timestampMs } = snapshot;
  const timestamp = new Date(timestampMs).toISOString();
  return { vid, cid, lsn, checkpointLsn, pageCount, timestamp };
}

function commitToJson({ snapshot, segments }: Commit) {
  return {
    ...snapshotToJson(snapshot),
    pagesChanged: segments.reduce((sum, { pageSet }) => sum + pageSet.size, 0),
    segments: segments.map(({ sid, pageSet }) => ({ sid, pages: pageSet.size })),
  };
}
