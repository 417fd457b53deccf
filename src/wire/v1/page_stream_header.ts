/**
 * What a page stream begins with, in an answer and in a commit.
 *
 * ```text
 * answer := "GRAFTPGS" · version (u16, 1) · zeros (6) · volume (16) · LSN (u64)
 * commit := "GRAFTCMT" · version (u16, 1) · flags (u16) · page count (u32) · volume (16) · base LSN (u64, 0: none) ·
 *           client (16) · request id (16) · base digest (16)
 * flags  := 1: the page count is given · 2: the base digest is given
 * ```
 *
 * Integers are little-endian; what is not given is zeros.
 *
 * @module
 */

import { assert } from "../../core/assert.ts";
import { type Digest, DIGEST_BYTES } from "../../core/content_digest.ts";
import { GraftError, isGraftError } from "../../core/errors.ts";
import {
  type ClientId,
  GID_BYTES,
  gidFromBytes,
  gidToBytes,
  type VolumeId,
} from "../../core/gid.ts";
import { type Lsn, toLsn } from "../../core/lsn.ts";
import { type PageCount, toPageCount } from "../../core/page.ts";
import { COMMIT_HEADER_BYTES, STREAM_HEADER_BYTES, VERSION } from "./page_stream_format.ts";

/** Whose pages a stream holds. */
export interface StreamHeader {
  /** The volume. */
  readonly vid: VolumeId;
  /** The LSN that they were read at. */
  readonly lsn: Lsn;
}

/** What a commit says beside its pages. */
export interface CommitHeader {
  /** The volume; its first commit creates it. */
  readonly vid: VolumeId;
  /** Who commits. */
  readonly cid: ClientId;
  /** 16 bytes that the client drew for this commit: a repeat with the same ones is the same commit. */
  readonly requestId: Uint8Array;
  /** The LSN that it is based on; undefined for a volume's first commit. */
  readonly baseLsn: Lsn | undefined;
  /** The digest of the commit there, where the client knows it: another one is a conflict. */
  readonly baseDigest: Digest | undefined;
  /** How many pages the volume has from here on; undefined: as before, or up to the highest page written. */
  readonly pageCount: PageCount | undefined;
}

/** Bytes of a request id. */
export const REQUEST_ID_BYTES = 16;

const STREAM_MAGIC = "GRAFTPGS";
const COMMIT_MAGIC = "GRAFTCMT";
const AT = { version: 8, flags: 10, pageCount: 12, vid: 16, lsn: 32 } as const;
const COMMIT_AT = { cid: 40, requestId: 56, baseDigest: 72 } as const;
const FLAGS = { pageCount: 1, baseDigest: 2 } as const;

/** Encodes the header of an answer. */
export function encodeStreamHeader({ vid, lsn }: StreamHeader): Uint8Array<ArrayBuffer> {
  return begin(STREAM_MAGIC, STREAM_HEADER_BYTES, vid, lsn);
}

/** Encodes the header of a commit. */
export function encodeCommitHeader(header: CommitHeader): Uint8Array<ArrayBuffer> {
  const { vid, cid, requestId, baseLsn, baseDigest, pageCount } = header;
  assert(requestId.length === REQUEST_ID_BYTES, "A request id is not 16 bytes long");
  assert(baseDigest === undefined || baseLsn !== undefined, "A base digest needs a base");
  const bytes = begin(COMMIT_MAGIC, COMMIT_HEADER_BYTES, vid, baseLsn ?? 0);
  const flags = (pageCount === undefined ? 0 : FLAGS.pageCount) |
    (baseDigest === undefined ? 0 : FLAGS.baseDigest);
  const view = new DataView(bytes.buffer);
  view.setUint16(AT.flags, flags, true);
  view.setUint32(AT.pageCount, pageCount ?? 0, true);
  bytes.set(gidToBytes(cid), COMMIT_AT.cid);
  bytes.set(requestId, COMMIT_AT.requestId);
  if (baseDigest !== undefined) bytes.set(baseDigest, COMMIT_AT.baseDigest);
  return bytes;
}

/**
 * Decodes the header of an answer.
 *
 * @param bytes {@linkcode STREAM_HEADER_BYTES} of them.
 * @throws {GraftError} `invalid` that says what is wrong.
 */
export function decodeStreamHeader(bytes: Uint8Array): StreamHeader {
  const subject = "the page stream";
  const view = check(subject, STREAM_MAGIC, bytes);
  requireZeros(subject, bytes.subarray(AT.flags, AT.vid));
  const lsn = readLsn(subject, view);
  if (lsn === undefined) throw malformed(subject, "its LSN is 0");
  return { vid: readGid(subject, "volume", bytes, AT.vid), lsn };
}

/**
 * Decodes the header of a commit.
 *
 * @param bytes {@linkcode COMMIT_HEADER_BYTES} of them.
 * @throws {GraftError} `invalid` that says what is wrong.
 */
export function decodeCommitHeader(bytes: Uint8Array): CommitHeader {
  const subject = "the commit";
  const view = check(subject, COMMIT_MAGIC, bytes);
  const flags = view.getUint16(AT.flags, true);
  if (flags > (FLAGS.pageCount | FLAGS.baseDigest)) {
    throw malformed(subject, `its flags are ${flags}`);
  }
  const baseLsn = readLsn(subject, view);
  const pageCount = view.getUint32(AT.pageCount, true);
  const digest = bytes.slice(COMMIT_AT.baseDigest, COMMIT_AT.baseDigest + DIGEST_BYTES);
  const givesCount = (flags & FLAGS.pageCount) !== 0;
  const givesDigest = (flags & FLAGS.baseDigest) !== 0;
  if (!givesCount && pageCount !== 0) throw malformed(subject, "it has a page count and says no");
  if (!givesDigest) requireZeros(subject, digest);
  if (givesDigest && baseLsn === undefined) {
    throw malformed(subject, "it names the digest of a base and no base");
  }
  return {
    vid: readGid(subject, "volume", bytes, AT.vid),
    cid: readGid(subject, "client", bytes, COMMIT_AT.cid),
    requestId: bytes.slice(COMMIT_AT.requestId, COMMIT_AT.requestId + REQUEST_ID_BYTES),
    baseLsn,
    baseDigest: givesDigest ? digest : undefined,
    pageCount: givesCount
      ? convert(subject, "page count", () => toPageCount(pageCount))
      : undefined,
  };
}

function begin(
  magic: string,
  length: number,
  vid: VolumeId,
  lsn: number,
): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  new TextEncoder().encodeInto(magic, bytes);
  const view = new DataView(bytes.buffer);
  view.setUint16(AT.version, VERSION, true);
  bytes.set(gidToBytes(vid), AT.vid);
  view.setBigUint64(AT.lsn, BigInt(lsn), true);
  return bytes;
}

function check(subject: string, magic: string, bytes: Uint8Array): DataView {
  for (let i = 0; i < magic.length; i++) {
    if (bytes[i] !== magic.charCodeAt(i)) {
      throw malformed(subject, `it does not begin with "${magic}"`);
    }
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const version = view.getUint16(AT.version, true);
  if (version === VERSION) return view;
  throw malformed(subject, `its format version is ${version} instead of ${VERSION}`);
}

function requireZeros(subject: string, bytes: Uint8Array): void {
  if (bytes.some((byte) => byte !== 0)) throw malformed(subject, "its reserved bytes are not zero");
}

/** Undefined for 0. */
function readLsn(subject: string, view: DataView): Lsn | undefined {
  const lsn = view.getBigUint64(AT.lsn, true);
  return lsn === 0n ? undefined : convert(subject, "LSN", () => toLsn(Number(lsn)));
}

function readGid<K extends "volume" | "client">(
  subject: string,
  kind: K,
  bytes: Uint8Array,
  at: number,
) {
  return convert(subject, kind, () => gidFromBytes(kind, bytes.subarray(at, at + GID_BYTES)));
}

function convert<T>(subject: string, what: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!isGraftError(error, "invalid")) throw error;
    const state = error.message.slice(error.message.indexOf(": ") + 2);
    throw malformed(subject, `its ${what} is malformed: ${state}`, error);
  }
}

/** The error of a stream that is none; `subject` is what it was said to be. */
export function malformed(subject: string, state: string, cause?: unknown): GraftError {
  return new GraftError("invalid", `Cannot read ${subject}: ${state}`, { cause });
}
