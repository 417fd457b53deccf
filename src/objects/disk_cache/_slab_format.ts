// The bytes of a slab; docs/formats/disk_cache.md draws them.
//
//   slab  := entry… · footer?            (a slab that is being written, or was when the process died, has none)
//   entry := xxh64 of the rest (8) · "GDC1" · hash of the key (4) · key bytes (4) · body bytes (4) · key · body
//   footer := (hash of the key (4) · offset (4) · length (4))… · count (4) · "GDF1" · xxh64 of the rest (8)

import { assert } from "../../core/assert.ts";
import { xxh64 } from "../../core/content_digest.ts";

/** Bytes of an entry before its key. */
export const ENTRY_HEADER_BYTES = 24;
/** Bytes of a footer for each entry. */
export const FOOTER_ENTRY_BYTES = 12;
/** Bytes of a footer after its list. */
export const FOOTER_END_BYTES = 16;

const ENTRY_MAGIC = 0x3143_4447;
const FOOTER_MAGIC = 0x3146_4447;
const CHECKSUM_BYTES = 8;

/** An entry as it is written. */
export interface Entry {
  /** See {@linkcode hashKey}. */
  readonly keyHash: number;
  /** All its bytes. */
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** What the index needs to know of an entry in a slab. */
export interface ListedEntry {
  /** See {@linkcode hashKey}. */
  readonly keyHash: number;
  /** Where it starts in the slab. */
  readonly offset: number;
  /** Its length. */
  readonly length: number;
}

/** The number from 0 to 2^32 - 1 that a key is found by. */
export function hashKey(key: Uint8Array): number {
  return Number(BigInt.asUintN(32, xxh64(key, 0n)));
}

/** Bytes of the entry of a body. */
export function entryBytes(keyLength: number, bodyLength: number): number {
  return ENTRY_HEADER_BYTES + keyLength + bodyLength;
}

/** Bytes of the footer of so many entries. */
export function footerBytes(count: number): number {
  return count * FOOTER_ENTRY_BYTES + FOOTER_END_BYTES;
}

/** Makes an entry. */
export function encodeEntry(key: Uint8Array, body: Uint8Array): Entry {
  const bytes = new Uint8Array(entryBytes(key.length, body.length));
  const view = new DataView(bytes.buffer);
  const keyHash = hashKey(key);
  view.setUint32(8, ENTRY_MAGIC, true);
  view.setUint32(12, keyHash, true);
  view.setUint32(16, key.length, true);
  view.setUint32(20, body.length, true);
  bytes.set(key, ENTRY_HEADER_BYTES);
  bytes.set(body, ENTRY_HEADER_BYTES + key.length);
  view.setBigUint64(0, xxh64(bytes.subarray(CHECKSUM_BYTES), 0n), true);
  return { keyHash, bytes };
}

/** Whether bytes are a whole entry as it was written. */
export function isIntact(bytes: Uint8Array): boolean {
  const header = readHeader(bytes, 0);
  return header?.length === bytes.length &&
    viewOf(bytes).getBigUint64(0, true) === xxh64(bytes.subarray(CHECKSUM_BYTES), 0n);
}

/** The body of an intact entry; undefined when it is another key's. */
export function bodyOf(
  bytes: Uint8Array<ArrayBuffer>,
  key: Uint8Array,
): Uint8Array<ArrayBuffer> | undefined {
  if (viewOf(bytes).getUint32(16, true) !== key.length) return undefined;
  if (key.some((byte, i) => byte !== bytes[ENTRY_HEADER_BYTES + i])) return undefined;
  return bytes.subarray(ENTRY_HEADER_BYTES + key.length);
}

/** What the header at `at` says; undefined when there is none. */
export function readHeader(
  bytes: Uint8Array,
  at: number,
): { readonly keyHash: number; readonly length: number } | undefined {
  if (at + ENTRY_HEADER_BYTES > bytes.length) return undefined;
  const view = viewOf(bytes);
  if (view.getUint32(at + 8, true) !== ENTRY_MAGIC) return undefined;
  const length = entryBytes(view.getUint32(at + 16, true), view.getUint32(at + 20, true));
  return { keyHash: view.getUint32(at + 12, true), length };
}

/** Makes a footer. */
export function encodeFooter(entries: readonly ListedEntry[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(footerBytes(entries.length));
  const view = new DataView(bytes.buffer);
  for (const [i, { keyHash, offset, length }] of entries.entries()) {
    view.setUint32(i * FOOTER_ENTRY_BYTES, keyHash, true);
    view.setUint32(i * FOOTER_ENTRY_BYTES + 4, offset, true);
    view.setUint32(i * FOOTER_ENTRY_BYTES + 8, length, true);
  }
  const end = entries.length * FOOTER_ENTRY_BYTES;
  view.setUint32(end, entries.length, true);
  view.setUint32(end + 4, FOOTER_MAGIC, true);
  view.setBigUint64(end + 8, xxh64(bytes.subarray(0, end + 8), 0n), true);
  return bytes;
}

/** The length of the footer that ends with these bytes; undefined when they are no footer's end. */
export function footerLength(end: Uint8Array): number | undefined {
  assert(end.length === FOOTER_END_BYTES, "A footer's end has another length");
  const view = viewOf(end);
  return view.getUint32(4, true) === FOOTER_MAGIC
    ? footerBytes(view.getUint32(0, true))
    : undefined;
}

/** What a footer lists; undefined when it is not as it was written. */
export function decodeFooter(bytes: Uint8Array): ListedEntry[] | undefined {
  const view = viewOf(bytes);
  const end = bytes.length - CHECKSUM_BYTES;
  if (view.getBigUint64(end, true) !== xxh64(bytes.subarray(0, end), 0n)) return undefined;
  const count = (bytes.length - FOOTER_END_BYTES) / FOOTER_ENTRY_BYTES;
  return Array.from({ length: count }, (_, i) => ({
    keyHash: view.getUint32(i * FOOTER_ENTRY_BYTES, true),
    offset: view.getUint32(i * FOOTER_ENTRY_BYTES + 4, true),
    length: view.getUint32(i * FOOTER_ENTRY_BYTES + 8, true),
  }));
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}
