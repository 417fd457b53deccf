// The names of the objects below the log's root; docs/formats/bucket_log.md lists them.

import type { VolumeId } from "../../../core/gid.ts";
import { type Lsn, toLsn } from "../../../core/lsn.ts";

/** Which data the log belongs to. The objects may stand beside it, so it is not their `graft.json`. */
export const IDENTITY_KEY = "log.json";
/** Where records are. */
export const RECORDS_PREFIX = "log/";

const INVERTED_DIGITS = 14;
const RECORD_KEY = /^log\/([1-9A-HJ-NP-Za-km-z]{22})\/([0-9a-f]{14})$/;
/** The character after "/": what sorts after it sorts after all records of a volume. */
const AFTER_SLASH = "0";

/** The name of the object at an LSN: the higher the LSN, the earlier it sorts. */
export function recordKey(vid: VolumeId, lsn: Lsn): string {
  const inverted = Number.MAX_SAFE_INTEGER - lsn;
  return `${volumePrefix(vid)}${inverted.toString(16).padStart(INVERTED_DIGITS, "0")}`;
}

/** What the names of a volume's objects start with. */
export function volumePrefix(vid: VolumeId): string {
  return `${RECORDS_PREFIX}${vid}/`;
}

/** Sorts after all objects of a volume and before those of the next. */
export function afterVolume(vid: VolumeId): string {
  return `${RECORDS_PREFIX}${vid}${AFTER_SLASH}`;
}

/** What a name says; undefined when it is none of a record's. */
export function parseRecordKey(key: string): { vid: VolumeId; lsn: Lsn } | undefined {
  const match = RECORD_KEY.exec(key);
  if (match === null) return undefined;
  const lsn = Number.MAX_SAFE_INTEGER - Number.parseInt(match[2], 16);
  return lsn >= 1 ? { vid: match[1] as VolumeId, lsn: toLsn(lsn) } : undefined;
}
