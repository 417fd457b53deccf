/**
 * Pages of one volume on their way in.
 *
 * @module
 */

import { assert } from "./assert.ts";
import { PAGE_SIZE } from "./limits.ts";

/** Pages of a slab: small enough to waste little, large enough that frames of neighbours never straddle. */
const SLAB_PAGES = 256;

/**
 * Pages of one volume in the order of their arrival, in slabs of 1 MiB, so that a growing buffer
 * never copies what it holds and a whole slab can be transferred to a worker.
 */
export class PageBuffer {
  /** The slabs; all but the last are full. There is none before the first page. */
  readonly slabs: Uint8Array<ArrayBuffer>[] = [];
  readonly #firstPages: number;
  #indexes: Uint32Array<ArrayBuffer> = new Uint32Array(0);
  #count = 0;

  /** `expectedPages` sizes the first slab; it is a hint, not a limit. */
  constructor(expectedPages = SLAB_PAGES) {
    this.#firstPages = Math.min(Math.max(expectedPages, 1), SLAB_PAGES);
  }

  /** Pages held. */
  get count(): number {
    return this.#count;
  }

  /** The index of each page, in order of arrival. A view: valid until the next page is added. */
  get indexes(): Uint32Array<ArrayBuffer> {
    return this.#indexes.subarray(0, this.#count);
  }

  /**
   * Makes room for one page and returns the 4,096 bytes to fill. They may hold anything before.
   */
  add(pageIdx: number): Uint8Array<ArrayBuffer> {
    const at = this.#count++;
    if (at === this.#indexes.length) {
      const grown = new Uint32Array(Math.max(at * 2, this.#firstPages));
      grown.set(this.#indexes);
      this.#indexes = grown;
    }
    this.#indexes[at] = pageIdx;
    if (this.#startsSlab(at)) {
      const pages = at === 0 ? this.#firstPages : SLAB_PAGES;
      this.slabs.push(new Uint8Array(pages * PAGE_SIZE));
    }
    return this.page(at);
  }

  /** Takes back the last {@linkcode add}: its page is not coming after all. */
  dropLast(): void {
    assert(this.#count > 0, "A page buffer has no page to drop");
    // "all but the last slab are full" must stay true
    if (this.#startsSlab(--this.#count)) this.slabs.pop();
  }

  /** The page that arrived as number `at`, from 0. A view. */
  page(at: number): Uint8Array<ArrayBuffer> {
    assert(at >= 0 && at < this.#count, "A page buffer has no such page");
    let slab = 0;
    let from = at;
    if (at >= this.#firstPages) {
      slab = 1 + Math.floor((at - this.#firstPages) / SLAB_PAGES);
      from = (at - this.#firstPages) % SLAB_PAGES;
    }
    return this.slabs[slab].subarray(from * PAGE_SIZE, (from + 1) * PAGE_SIZE);
  }

  #startsSlab(at: number): boolean {
    const beyondFirst = at - this.#firstPages;
    return at === 0 || (beyondFirst >= 0 && beyondFirst % SLAB_PAGES === 0);
  }
}
