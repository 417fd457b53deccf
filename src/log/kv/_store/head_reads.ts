// Heads as they stand in the store.

import type { VolumeId } from "../../../core/gid.ts";
import { FIRST_LSN, type Lsn, toLsn } from "../../../core/lsn.ts";
import { decodeValue, encodeValue } from "../../codec/sealed_value.ts";
import { readHead, type StoredHead, writeHead } from "../../codec/volume_head.ts";
import type { KnownHead } from "../_head_cache.ts";
import { floorKey, headKey, keyText } from "../_keys.ts";
import type { KvCalls } from "./kv_calls.ts";
import type { KvEntry } from "../kv_handle.ts";

/** The heads of some volumes, each with its floor, as of one moment a volume. */
export async function readHeads(
  calls: KvCalls,
  vids: readonly VolumeId[],
): Promise<KnownHead[]> {
  // ten keys a call: a volume's two never part
  const entries = await calls.getMany(vids.flatMap((vid) => [headKey(vid), floorKey(vid)]));
  return vids.map((vid, i) => {
    const entry = entries[2 * i];
    if (entry.versionstamp === null) return { head: undefined, version: null };
    const floorLsn = decodeFloor(vid, entries[2 * i + 1]);
    return { head: { ...decodeHead(vid, entry.value), floorLsn }, version: entry.versionstamp };
  });
}

/** The value of a volume's head. */
export function encodeHead(vid: VolumeId, head: StoredHead): Uint8Array<ArrayBuffer> {
  return encodeValue(keyText(headKey(vid)), (writer) => writeHead(writer, head));
}

/** Reads what {@linkcode encodeHead} wrote. */
export function decodeHead(vid: VolumeId, value: unknown): StoredHead {
  return decodeValue(keyText(headKey(vid)), value, readHead);
}

/** The value of a volume's floor. */
export function encodeFloor(vid: VolumeId, lsn: Lsn): Uint8Array<ArrayBuffer> {
  return encodeValue(keyText(floorKey(vid)), (writer) => writer.varint(lsn));
}

/** Reads what {@linkcode encodeFloor} wrote; where nothing is, history starts at the first commit. */
export function decodeFloor(vid: VolumeId, entry: KvEntry | undefined): Lsn {
  if (entry === undefined || entry.versionstamp === null) return FIRST_LSN;
  return decodeValue(keyText(floorKey(vid)), entry.value, (reader) => toLsn(reader.varint()));
}
