/**
 * Changes on top of a snapshot, before they are committed.
 *
 * @module
 */

import { GraftError } from "../../src/core/errors.ts";
import { PAGE_SIZE } from "../../src/core/limits.ts";
import { type PageIdx, toPageCount, toPageIdx } from "../../src/core/page.ts";
import { OwnedPages, ownPage, ZERO_PAGE } from "./local/page_codec.ts";
import type { LocalChanges } from "./local/replica_store.ts";

/** Where a transaction reads what it has not written. */
export interface TransactionBase {
  /** How many pages there are. */
  readonly pageCount: number;
  /** A page. */
  read(pageIdx: number): Promise<Uint8Array>;
}

/** A transaction under way: it reads what it wrote, and nobody else does until it is committed. */
export class Transaction {
  readonly #base: TransactionBase;
  readonly #pages = new Map<PageIdx, Uint8Array>();
  #pageCount: number;
  /** Pages of the base above were cut off. */
  #kept: number;
  #hasEnded = false;

  /** Nothing is written yet; a replica's `transaction()` begins so. */
  constructor(base: TransactionBase) {
    this.#base = base;
    this.#pageCount = base.pageCount;
    this.#kept = base.pageCount;
  }

  /** How many pages the volume has in this transaction. */
  get pageCount(): number {
    return this.#pageCount;
  }

  /** What it changes. */
  get changes(): LocalChanges {
    const pages = new OwnedPages(this.#pages);
    // what was cut off and lies below the page count again is zeros, which only a page can say
    const last = Math.min(this.#pageCount, this.#base.pageCount);
    for (let pageIdx = this.#kept + 1; pageIdx <= last; pageIdx++) {
      if (!pages.has(pageIdx)) pages.set(pageIdx, ZERO_PAGE);
    }
    return { pages, pageCount: this.#pageCount };
  }

  /** Whether it changes anything. */
  get hasChanges(): boolean {
    const { pageCount } = this.#base;
    return this.#pages.size > 0 || this.#pageCount !== pageCount || this.#kept < pageCount;
  }

  /**
   * A page as this transaction sees it.
   *
   * @returns 4,096 bytes, a copy: change it, and write it.
   * @throws {GraftError} `invalid` when the transaction has ended.
   */
  async read(pageIdx: number): Promise<Uint8Array> {
    this.#requireOpen("read from");
    const written = this.#pages.get(toPageIdx(pageIdx));
    if (written !== undefined) return written.slice();
    return pageIdx > this.#kept
      ? new Uint8Array(PAGE_SIZE)
      : (await this.#base.read(pageIdx)).slice();
  }

  /**
   * Several pages, copies; what is not here is fetched together.
   *
   * @returns Each page by its index.
   */
  async readMany(pages: Iterable<number>): Promise<Map<PageIdx, Uint8Array>> {
    const indexes = [...pages].map(toPageIdx);
    const read = await Promise.all(indexes.map((pageIdx) => this.read(pageIdx)));
    return new Map(indexes.map((pageIdx, i) => [pageIdx, read[i]]));
  }

  /**
   * Writes a page; the volume grows where it must.
   *
   * @param pageIdx From 1.
   * @param page 4,096 bytes, which are copied.
   * @throws {GraftError} `invalid` for another size.
   */
  write(pageIdx: number, page: Uint8Array): void {
    this.#requireOpen("write to");
    const index = toPageIdx(pageIdx);
    if (page.length !== PAGE_SIZE) {
      const state = `it has ${page.length} bytes instead of ${PAGE_SIZE}`;
      throw new GraftError("invalid", `Cannot write page ${pageIdx}: ${state}`);
    }
    this.#pages.set(index, ownPage(page));
    this.#pageCount = Math.max(this.#pageCount, index);
  }

  /** Sets the page count: pages above are cut off; where the volume grows there are zeros. */
  truncate(pageCount: number): void {
    this.#requireOpen("write to");
    this.#pageCount = toPageCount(pageCount);
    this.#kept = Math.min(this.#kept, pageCount);
    for (const pageIdx of this.#pages.keys()) {
      if (pageIdx > pageCount) this.#pages.delete(pageIdx);
    }
  }

  /** Nothing can be written any more, which would be lost; nor read, as its pages become the replica's. */
  end(): void {
    this.#hasEnded = true;
  }

  #requireOpen(action: string): void {
    if (!this.#hasEnded) return;
    throw new GraftError("invalid", `Cannot ${action} the transaction: it has ended`, {
      hint: "Await everything that it does within the function that is passed to transaction()",
    });
  }
}
