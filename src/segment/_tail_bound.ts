// How long a volume's part of a directory can become, known before its pages are sorted or encoded.
//
// A page set is a tree over the bytes of its members (docs/formats/page_set.md). Each distinct key of a
// level costs at most its byte in a key block, one byte of cardinality and one offset (4 bytes at the two
// upper levels, 2 at the third); each block costs at most a byte a member, and at most 32. Read in any
// order, a sequence of members changes from one prefix to another at least as often as there are distinct
// prefixes, so counting changes never counts too few; with the members ascending it counts exactly.

import { FRAME_PAGES_MAX } from "../core/limits.ts";
import { FRAME_ENTRY_BYTES, VOLUME_ENTRY_BYTES } from "./segment_format.ts";

/** Magic and footer of a page set. */
const PAGE_SET_FRAME_BYTES = 8;
const UPPER_KEY_BYTES = 6;
const LOWER_KEY_BYTES = 4;
/** A block is a list of members' low bytes below this many, then a bitmap of as many bytes. */
const BLOCK_BYTES_MAX = 32;

/** Counts the bytes of one volume's entry, its frames' and its page set, page by page. */
export class TailBound {
  #bytes = VOLUME_ENTRY_BYTES + PAGE_SET_FRAME_BYTES;
  #pages = 0;
  #previous = -1;
  #blockBytes = 0;

  /** At most so many bytes. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Pages counted. */
  get pages(): number {
    return this.#pages;
  }

  /** Counts one more page; returns the bytes from then on. */
  add(pageIdx: number): number {
    if (this.#pages++ % FRAME_PAGES_MAX === 0) this.#bytes += FRAME_ENTRY_BYTES;
    // the first page differs from -1 in every prefix
    const changed = pageIdx ^ this.#previous;
    if (changed >>> 24 !== 0) this.#bytes += UPPER_KEY_BYTES;
    if (changed >>> 16 !== 0) this.#bytes += UPPER_KEY_BYTES;
    if (changed >>> 8 !== 0) {
      this.#bytes += LOWER_KEY_BYTES;
      this.#blockBytes = 0;
    }
    if (this.#blockBytes < BLOCK_BYTES_MAX) {
      this.#blockBytes++;
      this.#bytes++;
    }
    this.#previous = pageIdx;
    return this.#bytes;
  }
}

/** The bound for pages in the order given. */
export function tailBytesMax(indexes: Uint32Array): number {
  const bound = new TailBound();
  for (const pageIdx of indexes) bound.add(pageIdx);
  return bound.bytes;
}
