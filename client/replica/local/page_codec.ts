/**
 * The values of pages in a storage.
 *
 * ```text
 * value := xxh64 of the page (8 bytes, little-endian), its seed made of volume, page index and state · the page
 * ```
 *
 * A page of zeros is the hash alone.
 *
 * @module
 */

import { xxh64 } from "../../../src/core/content_digest.ts";
import type { GraftError } from "../../../src/core/errors.ts";
import type { VolumeId } from "../../../src/core/gid.ts";
import { PAGE_SIZE } from "../../../src/core/limits.ts";
import { damagedRow, HASH_BYTES, pageKey, type State } from "./rows.ts";

/** A page of zeros. Do not write to it. */
export const ZERO_PAGE: Uint8Array = new Uint8Array(PAGE_SIZE);

const NO_PAGE = new Uint8Array(0);
// odd, so that neither pages nor states that differ give the same seed
const PAGE_FACTOR = 0x9e3779b97f4a7c15n;
const STATE_FACTOR = 0xc2b2ae3d27d4eb4fn;

/** Pages that {@linkcode ownPage} made, each for one index, to which nobody writes any more: they are kept as is. */
export class OwnedPages extends Map<number, Uint8Array> {}

/** Memory of pages that nobody has any more: taking it again spares the collector a page each time. */
const free: Uint8Array[] = [];
/** 1 MiB. */
const FREE_MAX = 256;

/** A copy of a page that can be kept without another copy: there is room for its hash in front of it. */
export function ownPage(page: Uint8Array): Uint8Array {
  const owned = free.pop() ?? new Uint8Array(HASH_BYTES + PAGE_SIZE).subarray(HASH_BYTES);
  owned.set(page);
  return owned;
}

/** Gives the memory of a page back that {@linkcode ownPage} made, and that nobody sees or will ever see. */
export function disown(page: Uint8Array): void {
  if (free.length < FREE_MAX && isRoomy(page)) free.push(page);
}

/**
 * Writes and reads the pages of one volume. Where a page stands counts, too: a value that came to stand
 * under another key is damage.
 */
export class PageCodec {
  readonly #vid: VolumeId;
  readonly #seed: bigint;

  /** The codec of a volume's pages. */
  constructor(vid: VolumeId) {
    this.#vid = vid;
    this.#seed = xxh64(new TextEncoder().encode(vid), 0n);
  }

  /**
   * The value of a page as of a state.
   *
   * @param isOwned Whether the page may be kept as it is, if {@linkcode ownPage} made it; else it is copied.
   */
  encode(pageIdx: number, state: State, page: Uint8Array, isOwned = false): Uint8Array {
    const stored = isZero(page) ? NO_PAGE : page;
    const value = isOwned && isRoomy(stored)
      ? new Uint8Array(stored.buffer)
      : new Uint8Array(HASH_BYTES + stored.length);
    if (value.buffer !== stored.buffer) value.set(stored, HASH_BYTES);
    const view = new DataView(value.buffer);
    view.setBigUint64(0, this.hash(pageIdx, state, stored), true);
    return value;
  }

  /** The hash of what is kept of a page as of a state. */
  hash(pageIdx: number, state: State, page: Uint8Array): bigint {
    const place = BigInt(pageIdx) * PAGE_FACTOR + BigInt(state) * STATE_FACTOR;
    return xxh64(page, BigInt.asUintN(64, this.#seed + place));
  }

  /**
   * The page in a value.
   *
   * @returns A view of the value, 4,096 bytes. Do not write to it.
   * @throws {GraftError} `damaged` when it is not what was written there.
   */
  decode(pageIdx: number, state: State, value: Uint8Array): Uint8Array {
    const stored = value.subarray(HASH_BYTES);
    if (value.length < HASH_BYTES || (stored.length !== 0 && stored.length !== PAGE_SIZE)) {
      throw this.damaged(pageIdx, state, `it has ${value.length} bytes`);
    }
    const expected = new DataView(value.buffer, value.byteOffset).getBigUint64(0, true);
    if (this.hash(pageIdx, state, stored) !== expected) {
      throw this.damaged(pageIdx, state, "its checksum differs");
    }
    return stored.length === 0 ? ZERO_PAGE : stored;
  }

  /** The error of a page that is not what was written. */
  damaged(pageIdx: number, state: State, what: string): GraftError {
    return damagedRow(pageKey(this.#vid, pageIdx, state), what);
  }
}

/** The page in a value that {@linkcode PageCodec.encode} has just made. */
export function pageOf(value: Uint8Array): Uint8Array {
  return value.length === HASH_BYTES ? ZERO_PAGE : value.subarray(HASH_BYTES);
}

function isRoomy(page: Uint8Array): boolean {
  return page.byteOffset === HASH_BYTES && page.buffer.byteLength === HASH_BYTES + PAGE_SIZE;
}

/** Whether a page has nothing but zeros. */
export function isZero(page: Uint8Array): boolean {
  for (let i = 0; i < page.length; i++) {
    if (page[i] !== 0) return false;
  }
  return true;
}
