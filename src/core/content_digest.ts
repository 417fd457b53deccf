/**
 * The content digest of a volume's pages, and the digests of commits.
 *
 * STUB: the seam; the body is written with the wasm module.
 *
 * @module
 */

/** 16 bytes. Little-endian where it is a number. */
export type Digest = Uint8Array;

/** Whether two digests are the same. */
export declare function digestsEqual(a: Digest, b: Digest): boolean;
/** (a + b) mod 2^128: the digest of the union of two disjoint page sets. */
export declare function addDigests(a: Digest, b: Digest): Digest;
/** The digest of no pages: 16 zero bytes. */
export declare const EMPTY_DIGEST: Digest;
/** xxh64(bytes, seed 1) ‖ xxh64(bytes, seed 2): the digest of a commit or of any record, little-endian. */
export declare function digestOf(bytes: Uint8Array): Digest;
