// Every key of the log. Ids stand as text, which sorts by the time in them.
//
// ["store"]                                  the store's id and format
// ["head", vid]                              the newest commit of a volume, or its tombstone
// ["floor", vid]                             the oldest LSN that is readable; not there: 1
// ["record", vid, lsn]                       a commit
// ["segment", sid]                           a segment's registration
// ["reference", sid, "volume", vid]          the last LSN of the volume that names the segment
// ["chunk", …key of the owner, group, n]     part n of a value too large for its key
// ["collection"]                             rewritten by each collector; compared by each commit
// ["feed", versionstamp]                     which volumes one batch moved, and to where
// ["bell"]                                   rewritten by each batch, where other processes watch
//
// Kept free for what comes later: "base", "pin", "fork", "restore", "job".

import type { SegmentId, VolumeId } from "../../core/gid.ts";
import type { Lsn } from "../../core/lsn.ts";
import type { KvKey, KvRange } from "./kv_handle.ts";

export const STORE_KEY = ["store"] as const;
export const COLLECTION_KEY = ["collection"] as const;
export const BELL_KEY = ["bell"] as const;

const ID_CHARACTERS = 22;
/** Sorts after every character of an id. */
const AFTER_IDS = "~";

export function headKey(vid: VolumeId): KvKey {
  return ["head", vid];
}

/** The heads of the volumes whose id starts with `prefix`, from after `after`; undefined where none can be. */
export function headRange(prefix: string, after: string | undefined): KvRange | undefined {
  if (prefix.length > ID_CHARACTERS) return undefined;
  const first = after === undefined || after < prefix ? prefix : `${after}${AFTER_IDS}`;
  const end = `${prefix}${AFTER_IDS}`;
  return first < end ? { start: ["head", first], end: ["head", end] } : undefined;
}

export function floorKey(vid: VolumeId): KvKey {
  return ["floor", vid];
}

/** The floors of the volumes from `first` to `last`, both inclusive. */
export function floorRange(first: VolumeId, last: VolumeId): KvRange {
  return { start: floorKey(first), end: ["floor", `${last}${AFTER_IDS}`] };
}

export function recordKey(vid: VolumeId, lsn: Lsn): KvKey {
  return ["record", vid, lsn];
}

/** The records from `start` to `end`, both inclusive. */
export function recordRange(vid: VolumeId, start: Lsn, end: Lsn): KvRange {
  return { start: recordKey(vid, start), end: ["record", vid, end + 1] };
}

export function registrationKey(sid: SegmentId): KvKey {
  return ["segment", sid];
}

export function referenceKey(sid: SegmentId, vid: VolumeId): KvKey {
  return ["reference", sid, "volume", vid];
}

export function feedKey(versionstamp: symbol): KvKey {
  return ["feed", versionstamp];
}

/** The feed from the entry at `first` (inclusive) on; from its beginning where there is none. */
export function feedRange(first: string | null): KvRange {
  return { start: first === null ? ["feed"] : ["feed", first], end: ["feed", AFTER_IDS] };
}

export function chunkKey(owner: KvKey, group: SegmentId, part: number): KvKey {
  return ["chunk", ...owner, group, part];
}

/** All parts of one chunked value. */
export function chunkRange(owner: KvKey, group: SegmentId): KvRange {
  return { start: chunkKey(owner, group, 0), end: ["chunk", ...owner, `${group}${AFTER_IDS}`] };
}

/** The keys of all that volumes and segments leave behind, tombstones too. */
export const CONTENT_KEYS: KvRange = { start: ["head"], end: ["segment", AFTER_IDS] };

/** Every key there can be, but those that start with `true`, which is the last part of all. */
export const ALL_KEYS: KvRange = { start: [], end: [true] };

/** The key as text, for messages and checksums. */
export function keyText(key: KvKey): string {
  return key.map(String).join("/");
}

/** A versionstamp is text of 20 characters. */
const VERSIONSTAMP_PART_BYTES = 22;

/** Bytes of a key in KV's own encoding. */
export function keyBytes(key: KvKey): number {
  let bytes = 0;
  for (const part of key) {
    bytes += typeof part === "string"
      ? part.length + 2
      : typeof part === "number"
      ? 9
      : VERSIONSTAMP_PART_BYTES;
  }
  return bytes;
}
