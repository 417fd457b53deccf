/**
 * Pages as a read answers them.
 *
 * @module
 */

import type { VolumeId } from "../src/core/gid.ts";
import type { Lsn } from "../src/core/lsn.ts";
import type { PageIdx } from "../src/core/page.ts";

/**
 * Some pages of a volume as they were at an LSN. Those that were never written, or were cut off by a
 * smaller page count, are absent.
 *
 * @example
 * ```ts
 * import { PagesRead, parseGid, toLsn } from "./mod.ts";
 *
 * const vid = parseGid("volume", "GonwTRj2SohJzYLLjD9nSq");
 * const pages = new PagesRead(vid, toLsn(7), [[3, new Uint8Array(4096)]]);
 * console.log(pages.size, pages.page(3)?.length, pages.page(4)); // 1 4096 undefined
 * for (const [pageIdx, bytes] of pages) console.log(pageIdx, bytes.length); // 3 4096
 * ```
 */
export class PagesRead implements Iterable<[PageIdx, Uint8Array]> {
  /** The volume. */
  readonly vid: VolumeId;
  /** The LSN that was read at. */
  readonly lsn: Lsn;
  readonly #pages: Map<PageIdx, Uint8Array>;

  /** Takes pages with their indexes; each index at most once. */
  constructor(vid: VolumeId, lsn: Lsn, pages: Iterable<readonly [number, Uint8Array]>) {
    this.vid = vid;
    this.lsn = lsn;
    const ascending = [...pages].sort(([a], [b]) => a - b);
    this.#pages = new Map(ascending as [PageIdx, Uint8Array][]);
  }

  /** How many pages there are. */
  get size(): number {
    return this.#pages.size;
  }

  /**
   * The 4,096 bytes of a page; undefined when it is absent. A view into the server's answer, which it
   * keeps alive: copy what outlives the rest.
   */
  page(pageIdx: number): Uint8Array | undefined {
    return this.#pages.get(pageIdx as PageIdx);
  }

  /** Whether a page is there. */
  has(pageIdx: number): boolean {
    return this.#pages.has(pageIdx as PageIdx);
  }

  /** The indexes of the pages, ascending. */
  indexes(): IterableIterator<PageIdx> {
    return this.#pages.keys();
  }

  /** The pages with their indexes, ascending. */
  [Symbol.iterator](): IterableIterator<[PageIdx, Uint8Array]> {
    return this.#pages.entries();
  }
}
