/**
 * Rows that are longer than a page.
 *
 * @module
 */

import { overflowPages } from "./b_tree_page.ts";
import type { WantedPages } from "./wanted_pages.ts";

/** Pages that are fetched ahead, for each that was read. */
const AHEAD = 4;

/**
 * Follows the pages on which a long row goes on. Each names the next, so that nobody knows where they are; but
 * they were mostly written one after the other.
 */
export class OverflowChain {
  /** The page that is to come next. */
  #nextIdx = 0;
  /** How many are to come, that one among them. */
  #left = 0;
  #used = 0;

  /** A page is read that is here. */
  read(pageIdx: number, page: Uint8Array): void {
    if (pageIdx !== this.#nextIdx) return;
    this.#used++;
    this.#left--;
    this.#nextIdx = this.#left > 0 ? new DataView(page.buffer, page.byteOffset).getUint32(0) : 0;
  }

  /** A row may begin to go on on a page that is missed. */
  begin(pageIdx: number, leafIdx: number, leaf: Uint8Array): void {
    const pages = overflowPages(leafIdx, leaf, pageIdx);
    if (pages === 0) return;
    this.#nextIdx = pageIdx;
    this.#left = pages;
    this.#used = 0;
  }

  /** Whether a page is the next one. */
  isNext(pageIdx: number): boolean {
    return pageIdx === this.#nextIdx;
  }

  /** Adds the pages that follow, from the second one on. */
  addAhead(pageIdx: number, pageCount: number, wanted: WantedPages): void {
    if (this.#used === 0) return;
    const last = Math.min(pageIdx + this.#left - 1, pageIdx + AHEAD * this.#used, pageCount);
    for (let i = pageIdx + 1; i <= last && !wanted.isFull; i++) wanted.add(i);
  }

  /** Forgets everything. */
  clear(): void {
    this.#nextIdx = 0;
  }
}
