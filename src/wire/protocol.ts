/**
 * What surrounds the messages of the v0.1 protocol: paths, the media type, and error codes.
 *
 * @module
 */

import type { GraftErrorCode } from "../core/errors.ts";

/** The media type of every request and every response, errors included. */
export const MEDIA_TYPE = "application/x-protobuf";

/** The path of each call. All are `POST`. */
export const PATHS = {
  /** A volume's snapshot: the latest, or the one at an LSN. */
  snapshot: "/metastore/v1/snapshot",
  /** Which pages changed over a range of LSNs. */
  pullGraft: "/metastore/v1/pull_graft",
  /** The commits of a range of LSNs. */
  pullCommits: "/metastore/v1/pull_commits",
  /** Lands a commit. */
  commit: "/metastore/v1/commit",
  /** Pages as they were at an LSN. */
  readPages: "/pagestore/v1/read_pages",
  /** Stores pages for a commit to name. */
  writePages: "/pagestore/v1/write_pages",
} as const;

/** One of the protocol's paths. */
export type ProtocolPath = (typeof PATHS)[keyof typeof PATHS];

/** The error codes of the protocol, as `GraftErr.code` carries them. */
export const GRAFT_ERR_CODES = {
  /** Never sent. */
  unspecified: 0,
  /** The request is malformed. */
  client: 1,
  /** The volume or the LSN is not there. */
  snapshotMissing: 2,
  /** The commit's base is not the latest snapshot. */
  commitRejected: 3,
  /** No token, or one that fails; with HTTP 403: a token that does not allow this. */
  unauthorized: 4,
  /** A bug or a broken store. */
  server: 100,
  /** Overload, or a store that cannot be reached. */
  serviceUnavailable: 101,
} as const;

/** How an error goes over the wire. */
export interface WireError {
  /** The HTTP status. */
  readonly status: 400 | 401 | 403 | 404 | 409 | 500 | 503;
  /** The number in `GraftErr.code`. */
  readonly code: number;
}

const CODES = GRAFT_ERR_CODES;
const WIRE_ERRORS: Readonly<Record<GraftErrorCode, WireError>> = {
  invalid: { status: 400, code: CODES.client },
  missing: { status: 404, code: CODES.snapshotMissing },
  conflict: { status: 409, code: CODES.commitRejected },
  unauthorized: { status: 401, code: CODES.unauthorized },
  // the protocol has no code for it; the status tells the two apart
  forbidden: { status: 403, code: CODES.unauthorized },
  unavailable: { status: 503, code: CODES.serviceUnavailable },
  // whoever aborted does not read the answer, but a proxy in between may
  aborted: { status: 503, code: CODES.serviceUnavailable },
  damaged: { status: 500, code: CODES.server },
  internal: { status: 500, code: CODES.server },
};

/**
 * The status and the code that stand for an error of ours.
 *
 * @example
 * ```ts
 * import { toWireError } from "./protocol.ts";
 *
 * console.log(toWireError("conflict")); // { status: 409, code: 3 }
 * ```
 */
export function toWireError(code: GraftErrorCode): WireError {
  return WIRE_ERRORS[code];
}

const ERROR_CODES: ReadonlyMap<number, GraftErrorCode> = new Map([
  [CODES.client, "invalid"],
  [CODES.snapshotMissing, "missing"],
  [CODES.commitRejected, "conflict"],
  [CODES.unauthorized, "unauthorized"],
  [CODES.server, "internal"],
  [CODES.serviceUnavailable, "unavailable"],
]);

/**
 * The error of ours that an answer stands for.
 *
 * The code of the body decides; where there is none (a proxy answered), or an unknown one, the status
 * does.
 *
 * @param status The HTTP status of the answer, 400 to 599.
 * @param code The number in `GraftErr.code`; undefined when the body is no `GraftErr`.
 *
 * @example
 * ```ts
 * import { fromWireError } from "./protocol.ts";
 *
 * console.log(fromWireError(409, 3)); // "conflict"
 * console.log(fromWireError(502, undefined)); // "unavailable"
 * ```
 */
export function fromWireError(status: number, code: number | undefined): GraftErrorCode {
  if (status === 403) return "forbidden";
  return (code === undefined ? undefined : ERROR_CODES.get(code)) ?? fromStatus(status);
}

function fromStatus(status: number): GraftErrorCode {
  if (status === 401) return "unauthorized";
  // 404 and 409 from something else than a Graft server say nothing about a snapshot or a commit
  if (status === 408 || status === 429) return "unavailable";
  if (status >= 502 && status <= 504) return "unavailable";
  return status < 500 ? "invalid" : "internal";
}
