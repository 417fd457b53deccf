/**
 * The seam to whatever keeps small blobs nearer than the object store does.
 *
 * @module
 */

/**
 * A cache of small immutable blobs. It may forget anything at any time, and what it gives back is to be
 * verified like what comes from the store.
 */
export interface BlobCache {
  /** The bytes of a key, as they were given; undefined when they are not held. Do not write to them. */
  get(key: string): Uint8Array<ArrayBuffer> | undefined;
  /** Keeps a copy of the bytes, in place of the key's others, or does not. Never throws. */
  set(key: string, bytes: Uint8Array): void;
}

/** Keeps nothing. */
export const noBlobs: BlobCache = { get: () => undefined, set() {} };
