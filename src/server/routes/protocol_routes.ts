/**
 * The six calls of the v0.1 protocol.
 *
 * @module
 */

import type { Context, Hono } from "hono";
import { GraftError } from "../../core/errors.ts";
import {
  decodeCommitRequest,
  decodePullRequest,
  decodeReadPagesRequest,
  decodeSnapshotRequest,
  encodeCommitResponse,
  encodePullCommitsResponse,
  encodePullGraftResponse,
  encodeSnapshotResponse,
  ReadPagesEncoder,
} from "../../wire/messages.ts";
import { MEDIA_TYPE, PATHS, type ProtocolPath } from "../../wire/protocol.ts";
import { type Claims, requireRight } from "../auth/claims.ts";
import type { MetastoreApi, PagestoreApi, Role } from "../engines.ts";
import { type Endpoints, otherMethods } from "../http/endpoints.ts";
import { graftErrFormat } from "../http/error_formats.ts";
import type { Exchange } from "../http/exchange.ts";
import { StatusError } from "../http/failure.ts";
import { readBody } from "../http/request_body.ts";
import { writePages } from "./write_pages.ts";

/** What the calls work on. */
export interface ProtocolParts {
  /** Who may call, and how errors are answered. */
  readonly endpoints: Endpoints;
  /** Which of the calls are answered. */
  readonly role: Role;
  /** Answers the metastore's calls. */
  readonly metastore: MetastoreApi;
  /** Answers the pagestore's calls. */
  readonly pagestore: PagestoreApi;
  /** The longest body of `write_pages`, in bytes. */
  readonly bodyLimitBytes: number;
}

/** The longest body of every call but `write_pages`: a commit with 64 large page sets fits. */
const SMALL_BODY_BYTES_MAX = 8 * 1024 * 1024;

const ANSWER: ResponseInit = { headers: { "content-type": MEDIA_TYPE } };

type Bytes = Uint8Array<ArrayBuffer>;
type Call = (exchange: Exchange, claims: Claims) => Promise<Bytes | Response>;

/** Adds the calls to `app`. */
export function addProtocolRoutes(app: Hono, parts: ProtocolParts): void {
  const { role } = parts;
  if (role !== "pagestore") {
    for (const [path, call] of metastoreCalls(parts.metastore)) addCall(app, parts, path, call);
  }
  if (role !== "metastore") {
    for (const [path, call] of pagestoreCalls(parts)) addCall(app, parts, path, call);
  }
}

/** Whether whoever calls this path speaks the v0.1 protocol, so that errors are written in it. */
export function isProtocolPath(path: string): boolean {
  return path.startsWith("/metastore/") || path.startsWith("/pagestore/");
}

/** Answers the paths of the protocol at which there is nothing. */
export function refuseUnknownCall(
  { endpoints, role }: Pick<ProtocolParts, "endpoints" | "role">,
): (context: Context) => Promise<Response> {
  return endpoints.wrap(
    { name: "unknown", errors: graftErrFormat },
    (_exchange, _claims, { req }) => {
      const isOurs = role === "all" || req.path.startsWith(`/${role}/`);
      const state = isOurs
        ? "there is no such call"
        : `this server answers the calls of the ${role} only`;
      throw new StatusError(404, `Cannot call ${req.path}: ${state}`);
    },
  );
}

function metastoreCalls(metastore: MetastoreApi): [ProtocolPath, Call][] {
  return [
    [PATHS.snapshot, async (exchange, claims) => {
      const { vid, lsn } = decodeSnapshotRequest(await readSmallBody(exchange));
      requireRight(claims, "read", vid);
      return encodeSnapshotResponse(await metastore.snapshot(vid, lsn));
    }],
    [PATHS.pullGraft, async (exchange, claims) => {
      const { vid, range } = decodePullRequest(await readSmallBody(exchange));
      requireRight(claims, "read", vid);
      return encodePullGraftResponse(await metastore.pullGraft(vid, range));
    }],
    [PATHS.pullCommits, async (exchange, claims) => {
      const { vid, range } = decodePullRequest(await readSmallBody(exchange));
      requireRight(claims, "read", vid);
      return encodePullCommitsResponse(await metastore.pullCommits(vid, range));
    }],
    [PATHS.commit, async (exchange, claims) => {
      const request = decodeCommitRequest(await readSmallBody(exchange));
      requireRight(claims, "write", request.vid);
      return encodeCommitResponse(await metastore.commit(request));
    }],
  ];
}

function pagestoreCalls({ pagestore, bodyLimitBytes }: ProtocolParts): [ProtocolPath, Call][] {
  const encoder = new ReadPagesEncoder();
  return [
    [PATHS.readPages, async (exchange, claims) => {
      const { vid, lsn, pageSet } = decodeReadPagesRequest(await readSmallBody(exchange));
      requireRight(claims, "read", vid);
      const found = await pagestore.read(vid, lsn, pageSet);
      // a response copies its body when it is made, so the encoder's memory is free again by then
      return new Response(encoder.encode(found), ANSWER);
    }],
    [
      PATHS.writePages,
      (exchange, claims) => writePages(exchange, claims, pagestore, bodyLimitBytes),
    ],
  ];
}

function addCall(app: Hono, { endpoints }: ProtocolParts, path: ProtocolPath, call: Call): void {
  const name = path.slice(path.lastIndexOf("/") + 1);
  const serve = endpoints.wrap({ name, errors: graftErrFormat }, async (exchange, claims) => {
    requireMediaType(exchange.request);
    const answer = await call(exchange, claims);
    return answer instanceof Response ? answer : new Response(answer, ANSWER);
  });
  app.post(path, serve);
  app.on(otherMethods(["POST"]), path, endpoints.refuseMethods(graftErrFormat, ["POST"]));
}

function requireMediaType(request: Request): void {
  const given = request.headers.get("content-type");
  if (given === MEDIA_TYPE) return;
  if (given?.split(";", 1)[0].trim().toLowerCase() === MEDIA_TYPE) return;
  const state = given === null ? "it has no content type" : `its content type is "${given}"`;
  throw new GraftError("invalid", `Cannot read the request: ${state}; "${MEDIA_TYPE}" is needed`);
}

function readSmallBody(exchange: Exchange): Promise<Uint8Array> {
  return readBody(exchange, SMALL_BODY_BYTES_MAX);
}
