/**
 * Pages of a storage that are kept in memory, too.
 *
 * @module
 */

import type { PageRow } from "./page_rows.ts";

/**
 * Pages at hand. They are let go of in the order in which they came: what is read from here costs nothing, not even
 * a look at the order.
 */
export class PageCache {
  readonly #pagesMax: number;
  readonly #rows = new Set<PageRow>();

  /** @param pagesMax How many pages it has, at most. */
  constructor(pagesMax: number) {
    this.#pagesMax = pagesMax;
  }

  /** Keeps the page of a row. */
  add(row: PageRow, page: Uint8Array): void {
    row.page = page;
    this.#rows.add(row);
    if (this.#rows.size <= this.#pagesMax) return;
    const [oldest] = this.#rows;
    this.#rows.delete(oldest);
    oldest.page = undefined;
  }

  /** Leaves the page of a row to whoever needs it from now on. */
  leave(row: PageRow): void {
    this.#rows.delete(row);
  }
}
