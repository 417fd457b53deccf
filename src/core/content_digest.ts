/**
 * Checksums: of pages, of the content of a volume, of records.
 *
 * They guard against accidents, not against an adversary.
 *
 * @module
 */

import { alloc, copyIn, copyOut, graft, reset } from "../../wasm/mod.ts";
import { assert } from "./assert.ts";
import { PAGE_SIZE } from "./limits.ts";

/** 16 bytes. Little-endian where it is a number. */
export type Digest = Uint8Array;

/** Bytes of a digest. */
export const DIGEST_BYTES = 16;

/** The digest of no pages: 16 zero bytes. Do not write to it. */
export const EMPTY_DIGEST: Digest = new Uint8Array(DIGEST_BYTES);

/**
 * The content digest of pages of one volume: the sum mod 2^128, over the pages, of a 128-bit value,
 * which is xxh64 of (u32 page index ‖ u64 page hash, both little-endian) with seed 1 in its low half
 * and with seed 2 in its high half. Neither the order of the pages nor how they were split matters.
 *
 * Copies both arrays into the module's memory.
 *
 * @param indexes The index of each page; none occurs twice.
 * @param pageHashes The {@linkcode pageHash} of each, in the same order.
 *
 * @example
 * ```ts
 * import { addDigests, contentDigest, digestsEqual } from "./content_digest.ts";
 *
 * const all = contentDigest(new Uint32Array([1, 2]), new BigUint64Array([11n, 22n]));
 * const first = contentDigest(new Uint32Array([1]), new BigUint64Array([11n]));
 * const second = contentDigest(new Uint32Array([2]), new BigUint64Array([22n]));
 * console.log(digestsEqual(all, addDigests(second, first))); // true
 * ```
 */
export function contentDigest(indexes: Uint32Array, pageHashes: BigUint64Array): Digest {
  assert(indexes.length === pageHashes.length, "A content digest needs one hash for each page");
  reset();
  const indexesAt = copyIn(bytesOf(indexes));
  const hashesAt = copyIn(bytesOf(pageHashes));
  const digestAt = alloc(DIGEST_BYTES);
  graft.contentDigest(indexesAt, hashesAt, indexes.length, digestAt);
  return copyOut(digestAt, DIGEST_BYTES);
}

/** Whether two digests are the same. */
export function digestsEqual(a: Digest, b: Digest): boolean {
  assert(a.length === DIGEST_BYTES && b.length === DIGEST_BYTES, "A digest is not 16 bytes long");
  return a.every((byte, i) => byte === b[i]);
}

/** (a + b) mod 2^128: the content digest of the union of two disjoint sets of pages. */
export function addDigests(a: Digest, b: Digest): Digest {
  assert(a.length === DIGEST_BYTES && b.length === DIGEST_BYTES, "A digest is not 16 bytes long");
  let carry = 0;
  return a.map((byte, i) => {
    const sum = byte + b[i] + carry;
    carry = sum >>> 8;
    return sum;
  });
}

/**
 * xxh64(bytes, seed 1) ‖ xxh64(bytes, seed 2), both little-endian: the digest of a commit or of any
 * record. Copies the bytes into the module's memory.
 */
export function digestOf(bytes: Uint8Array): Digest {
  reset();
  const at = copyIn(bytes);
  const digest = new Uint8Array(DIGEST_BYTES);
  const view = new DataView(digest.buffer);
  view.setBigInt64(0, graft.xxh64(at, bytes.length, 1n), true);
  view.setBigInt64(8, graft.xxh64(at, bytes.length, 2n), true);
  return digest;
}

/**
 * The hash that guards one page: xxh64 with seed 0. Copies the page into the module's memory.
 *
 * @param page 4,096 bytes.
 */
export function pageHash(page: Uint8Array): bigint {
  assert(page.length === PAGE_SIZE, "A page is not 4096 bytes long");
  return xxh64(page, 0n);
}

/**
 * The 64-bit xxHash of `bytes`. Copies them into the module's memory.
 *
 * @param bytes Any number of bytes.
 * @param seed From 0 to 2^64 - 1.
 *
 * @example
 * ```ts
 * import { xxh64 } from "./content_digest.ts";
 *
 * console.log(xxh64(new TextEncoder().encode("abc"), 0n).toString(16)); // "44bc2cf5ad770999"
 * ```
 */
export function xxh64(bytes: Uint8Array, seed: bigint): bigint {
  reset();
  return BigInt.asUintN(64, graft.xxh64(copyIn(bytes), bytes.length, seed));
}

function bytesOf(numbers: Uint32Array | BigUint64Array): Uint8Array {
  return new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength);
}
