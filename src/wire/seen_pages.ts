/**
 * Finds a page index that occurs twice.
 *
 * @module
 */

const BLOCK_PAGES = 256;
const BLOCK_WORDS = BLOCK_PAGES / 32;

/**
 * The page indexes of one request so far, for finding the first that occurs twice.
 *
 * A bitmap in blocks of 256 pages, allocated from one growing array: neighbours cost a bit each, and
 * the worst case (every page in a block of its own) about 80 bytes, next to the page's own 4,096.
 *
 * @example
 * ```ts
 * import { SeenPages } from "./seen_pages.ts";
 *
 * const seen = new SeenPages();
 * console.log(seen.add(7), seen.add(8), seen.add(7)); // true true false
 * ```
 */
export class SeenPages {
  readonly #offsetOf = new Map<number, number>();
  #words: Uint32Array<ArrayBuffer> = new Uint32Array(BLOCK_WORDS);
  #block = -1;
  #offset = 0;

  /** Remembers a page index; false if it was there already. */
  add(pageIdx: number): boolean {
    const block = pageIdx >>> 8;
    // pages come in order as a rule, so the block of the last one is almost always the right one
    if (block !== this.#block) this.#open(block);
    const word = this.#offset + ((pageIdx >>> 5) & (BLOCK_WORDS - 1));
    const bit = 1 << (pageIdx & 31);
    if ((this.#words[word] & bit) !== 0) return false;
    this.#words[word] |= bit;
    return true;
  }

  #open(block: number): void {
    let offset = this.#offsetOf.get(block);
    if (offset === undefined) {
      offset = this.#offsetOf.size * BLOCK_WORDS;
      this.#offsetOf.set(block, offset);
      if (offset === this.#words.length) this.#grow();
    }
    this.#block = block;
    this.#offset = offset;
  }

  #grow(): void {
    const grown = new Uint32Array(this.#words.length * 2);
    grown.set(this.#words);
    this.#words = grown;
  }
}
