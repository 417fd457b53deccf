// A record of the log: the rows of one or more batches, which hold together or not at all.
//
// record := header · row… · zeros up to a multiple of 8
// header (40 bytes, integers little-endian)
//    0  u32  magic, "GRFL"
//    4  u32  number of the file
//    8  u32  bytes of the rows
//   12  u32  number of rows
//   16  u32  number of the log's first file: those before it are no longer part of the log
//   20  u32  zero
//   24  u64  bytes of this file that were flushed before this record was written
//   32  u64  xxh64 of the header up to here, then of the rows in pieces of 64 KiB, each seeded by the last
// row    := u8 bytes of the key · u32 bytes of the value, or 0xffffffff: the row goes · key · value

import { xxh64 } from "../../../src/core/content_digest.ts";
import type { RowChanges } from "../_rows.ts";

/** Bytes of a record's header. */
export const HEADER_BYTES = 40;

const MAGIC = 0x4c465247;
/** Bytes of a row beside its key and its value. */
export const ROW_HEADER_BYTES = 5;

const HASH_AT = 32;
const REMOVED = 0xffff_ffff;
const PIECE_BYTES = 64 * 1024;
/** Records begin at multiples of this. */
const ALIGNMENT = 8;

/** What a record says beside its rows. */
export interface RecordPlace {
  /** The number of the file that it stands in. */
  readonly file: number;
  /** The number of the log's first file. */
  readonly firstFile: number;
  /** Bytes of the file that were flushed before. */
  readonly flushedBytes: number;
}

/** Where a row's value stands. */
export interface StoredRow {
  /** The row's key. */
  readonly key: string;
  /** The offset of its value in the file. */
  readonly offset: number;
  /** The bytes of its value; undefined: the row goes. */
  readonly length: number | undefined;
}

/** A record as it was read. */
export interface StoredRecord extends RecordPlace {
  /** Its rows. */
  readonly rows: readonly StoredRow[];
  /** Where the next record begins. */
  readonly end: number;
}

/** How many bytes a record of changes takes. */
export function recordBytes(changes: RowChanges): number {
  return align(HEADER_BYTES + bytesOfRows(changes));
}

/** A record's bytes, and its rows as they will stand at `offset` in the file. */
export function encodeRecord(
  changes: RowChanges,
  place: RecordPlace,
  offset: number,
): { bytes: Uint8Array; rows: StoredRow[] } {
  const rowsBytes = bytesOfRows(changes);
  const bytes = new Uint8Array(align(HEADER_BYTES + rowsBytes));
  const rows = writeRows(bytes, changes, offset);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, MAGIC, true);
  view.setUint32(4, place.file, true);
  view.setUint32(8, rowsBytes, true);
  view.setUint32(12, changes.size, true);
  view.setUint32(16, place.firstFile, true);
  view.setBigUint64(24, BigInt(place.flushedBytes), true);
  view.setBigUint64(HASH_AT, hashOf(bytes.subarray(0, HEADER_BYTES + rowsBytes)), true);
  return { bytes, rows };
}

/** The record that begins at `at` in the bytes of file number `file`; undefined where none is whole. */
export function decodeRecord(
  fileBytes: Uint8Array,
  at: number,
  file: number,
): StoredRecord | undefined {
  const left = fileBytes.length - at;
  if (left < HEADER_BYTES) return undefined;
  const view = new DataView(fileBytes.buffer, fileBytes.byteOffset + at, left);
  if (view.getUint32(0, true) !== MAGIC || view.getUint32(4, true) !== file) return undefined;
  const recordBytes = HEADER_BYTES + view.getUint32(8, true);
  if (align(recordBytes) > left) return undefined;
  const bytes = fileBytes.subarray(at, at + recordBytes);
  if (hashOf(bytes) !== view.getBigUint64(HASH_AT, true)) return undefined;
  return {
    file,
    firstFile: view.getUint32(16, true),
    flushedBytes: Number(view.getBigUint64(24, true)),
    rows: readRows(bytes, view.getUint32(12, true), at),
    end: at + align(recordBytes),
  };
}

/** The next place at which a record may begin, above `at`. */
export function nextPlace(at: number): number {
  return align(at + 1);
}

function bytesOfRows(changes: RowChanges): number {
  let bytes = 0;
  for (const [key, value] of changes) {
    bytes += ROW_HEADER_BYTES + key.length + (value?.length ?? 0);
  }
  return bytes;
}

function writeRows(bytes: Uint8Array, changes: RowChanges, offset: number): StoredRow[] {
  const view = new DataView(bytes.buffer);
  const rows: StoredRow[] = [];
  let at = HEADER_BYTES;
  for (const [key, value] of changes) {
    view.setUint8(at, key.length);
    view.setUint32(at + 1, value?.length ?? REMOVED, true);
    at += ROW_HEADER_BYTES;
    for (let i = 0; i < key.length; i++) bytes[at + i] = key.charCodeAt(i);
    at += key.length;
    rows.push({ key, offset: offset + at, length: value?.length });
    if (value !== undefined) bytes.set(value, at);
    at += value?.length ?? 0;
  }
  return rows;
}

/** The rows of a record whose checksum held, so that they are what was written. */
function readRows(record: Uint8Array, count: number, offset: number): StoredRow[] {
  const view = new DataView(record.buffer, record.byteOffset, record.length);
  const rows: StoredRow[] = [];
  let at = HEADER_BYTES;
  for (let i = 0; i < count; i++) {
    const keyEnd = at + ROW_HEADER_BYTES + record[at];
    const length = view.getUint32(at + 1, true);
    const key = String.fromCharCode(...record.subarray(at + ROW_HEADER_BYTES, keyEnd));
    rows.push({ key, offset: offset + keyEnd, length: length === REMOVED ? undefined : length });
    at = keyEnd + (length === REMOVED ? 0 : length);
  }
  return rows;
}

/** In pieces: the module that hashes would otherwise grow to the largest record for good. */
function hashOf(record: Uint8Array): bigint {
  let hash = xxh64(record.subarray(0, HASH_AT), 0n);
  for (let at = HEADER_BYTES; at < record.length; at += PIECE_BYTES) {
    hash = xxh64(record.subarray(at, at + PIECE_BYTES), hash);
  }
  return hash;
}

function align(bytes: number): number {
  return Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
}
