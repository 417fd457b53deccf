/**
 * The rows of a replica in its storage: their keys, and how their values are written.
 *
 * ```text
 * v/<vid>                                   what the replica stands on
 * c/<vid>/<state, 12 hex>                   a local commit
 * p/<vid>/<page, 8 hex>/<state, 12 hex>     a page: see page_codec.ts
 *
 * value := xxh64 of the rest, seeded with that of the key (8 bytes, little-endian) · the rest, JSON
 * ```
 *
 * @module
 */

import { base64 } from "@scure/base";
import { xxh64 } from "../../../src/core/content_digest.ts";
import { GraftError } from "../../../src/core/errors.ts";
import { type ClientId, parseGid, type VolumeId } from "../../../src/core/gid.ts";
import { toLsn } from "../../../src/core/lsn.ts";
import { toPageCount } from "../../../src/core/page.ts";
import { PageSet } from "../../../src/core/page_set.ts";
import { STORED_KEY_CHARACTERS_MAX } from "../../storage/replica_storage.ts";
import type { RemoteSnapshot } from "../remote/remote.ts";

/** A state of a replica: counts its local commits and pulls. 0 is the state of a replica that knows nothing. */
export type State = number;

/** A commit made here. */
export interface LocalCommit {
  /** The state that it made. */
  readonly state: State;
  /** How many pages the volume has from here on. */
  readonly pageCount: number;
  /** The pages that it wrote. */
  readonly pages: PageSet;
}

/** A push that was begun. */
export interface PushUnderWay {
  /** Its id, which the server tells it by. */
  readonly requestId: Uint8Array;
  /** The last state that it carries. */
  readonly last: State;
}

/** What a replica stands on. */
export interface Footing {
  /** Whose commits these are. */
  readonly cid: ClientId;
  /** The snapshot of the server that the line rests on; undefined where the volume has none. */
  readonly base: RemoteSnapshot | undefined;
  /** The last state that the server has. */
  readonly pushed: State;
  /** The number of the newest state. A commit's row may tell of a newer one. */
  readonly newest: State;
  /** The push that was begun and not yet answered. */
  readonly push: PushUnderWay | undefined;
}

const FORMAT = 1;
/** Up to so many pages of a commit are written as their numbers. */
const LISTED_PAGES_MAX = 16;
/** Bytes of the hash that a value begins with. */
export const HASH_BYTES = 8;
/** Room for the bytes of one key, used over and over. */
const KEY_BYTES = new Uint8Array(STORED_KEY_CHARACTERS_MAX);

/** The key of the row that says what a replica stands on. */
export function footingKey(vid: VolumeId): string {
  return `v/${vid}`;
}

/** What the keys of a volume's local commits begin with. */
export function commitPrefix(vid: VolumeId): string {
  return `c/${vid}/`;
}

/** The key of a local commit. */
export function commitKey(vid: VolumeId, state: State): string {
  return commitPrefix(vid) + hex(state, 12);
}

/** What the keys of a volume's pages begin with. */
export function pagePrefix(vid: VolumeId): string {
  return `p/${vid}/`;
}

/** The key of a page as of a state. */
export function pageKey(vid: VolumeId, pageIdx: number, state: State): string {
  return `${pagePrefix(vid)}${hex(pageIdx, 8)}/${hex(state, 12)}`;
}

/** The page and the state in a page's key. */
export function parsePageKey(key: string): { pageIdx: number; state: State } {
  const found = /\/([0-9a-f]{8})\/([0-9a-f]{12})$/.exec(key);
  if (found === null) throw damagedRow(key, "its key is no page's");
  return { pageIdx: parseInt(found[1], 16), state: parseInt(found[2], 16) };
}

/** The value of what a replica stands on. */
export function encodeFooting(vid: VolumeId, footing: Footing): Uint8Array {
  const { cid, base, pushed, newest, push } = footing;
  return sealJson(footingKey(vid), {
    format: FORMAT,
    cid,
    pushed,
    newest,
    base: base && { ...base, digest: base.digest && base64.encode(base.digest) },
    push: push && { last: push.last, requestId: base64.encode(push.requestId) },
  });
}

/** Reads what {@linkcode encodeFooting} wrote. @throws {GraftError} `damaged` for anything else. */
export function decodeFooting(vid: VolumeId, value: Uint8Array): Footing {
  return unsealJson(footingKey(vid), value, (row) => {
    if (row.format !== FORMAT) throw new Error(`its format is ${row.format}`);
    return {
      cid: parseGid("client", row.cid),
      pushed: count(row.pushed),
      newest: count(row.newest),
      base: row.base && decodeBase(vid, row.base),
      push: row.push &&
        { last: count(row.push.last), requestId: base64.decode(row.push.requestId) },
    };
  });
}

/** The value of a local commit. */
export function encodeCommit(vid: VolumeId, commit: LocalCommit): Uint8Array {
  return sealJson(commitKey(vid, commit.state), {
    state: commit.state,
    pageCount: commit.pageCount,
    pages: commit.pages.size > LISTED_PAGES_MAX
      ? base64.encode(commit.pages.bytes)
      : [...commit.pages],
  });
}

/** Reads what {@linkcode encodeCommit} wrote. @throws {GraftError} `damaged` for anything else. */
export function decodeCommit(key: string, value: Uint8Array): LocalCommit {
  return unsealJson(key, value, (row) => ({
    state: count(row.state),
    pageCount: toPageCount(row.pageCount),
    pages: typeof row.pages === "string"
      ? PageSet.decode(base64.decode(row.pages))
      : PageSet.from(row.pages),
  }));
}

/** What JSON gives back of a row: its checksum held, so its shape is what this file wrote. */
// deno-lint-ignore no-explicit-any -- a checked row has the shape that was written, format by format
type Row = any;

function decodeBase(vid: VolumeId, row: Row): RemoteSnapshot {
  return {
    vid,
    cid: parseGid("client", row.cid),
    lsn: toLsn(row.lsn),
    pageCount: toPageCount(row.pageCount),
    timestampMs: count(row.timestampMs),
    digest: row.digest && base64.decode(row.digest),
  };
}

function count(value: unknown): number {
  if (Number.isSafeInteger(value) && Number(value) >= 0) return Number(value);
  throw new Error(`${value} is no count`);
}

function sealJson(key: string, row: unknown): Uint8Array {
  const text = JSON.stringify(row);
  const value = new Uint8Array(HASH_BYTES + text.length);
  const bytes = putAscii(text, value.subarray(HASH_BYTES));
  new DataView(value.buffer).setBigUint64(0, hash(key, bytes), true);
  return value;
}

function unsealJson<T>(key: string, value: Uint8Array, read: (row: Row) => T): T {
  const bytes = unseal(key, value);
  try {
    return read(JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes)));
  } catch (cause) {
    throw damagedRow(key, (cause as Error).message, cause);
  }
}

function unseal(key: string, value: Uint8Array): Uint8Array {
  if (value.length < HASH_BYTES) throw damagedRow(key, `it has only ${value.length} bytes`);
  const bytes = value.subarray(HASH_BYTES);
  const expected = new DataView(value.buffer, value.byteOffset).getBigUint64(0, true);
  if (hash(key, bytes) !== expected) throw damagedRow(key, "its checksum differs");
  return bytes;
}

/** The key counts, too: a value that came to stand under another key is damage. */
function hash(key: string, bytes: Uint8Array): bigint {
  return xxh64(bytes, xxh64(putAscii(key, KEY_BYTES), 0n));
}

/** Puts the code units of text that is ASCII: of keys, and of what is written of ids, numbers and base64. */
function putAscii(text: string, target: Uint8Array): Uint8Array {
  for (let i = 0; i < text.length; i++) target[i] = text.charCodeAt(i);
  return target.subarray(0, text.length);
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, "0");
}

/** The error of a row that is not what was written. */
export function damagedRow(key: string, state: string, cause?: unknown): GraftError {
  return new GraftError("damaged", `Cannot use the replica's row "${key}": ${state}`, {
    cause,
    hint: "Unless it holds commits that were never pushed, remove the replica and open it again",
  });
}
