/**
 * Which pages a connection reads: what is counted, what is fetched along, and what a query depends on.
 *
 * @module
 */

import type { PageObserver } from "./vfs/volume_file.ts";

/** Counts of pages since a database was opened. */
export interface PageStatistics {
  /** Pages that SQLite asked for; what it still had in its cache is not among them. */
  readonly read: number;
  /** Those that had to be fetched first. */
  readonly fetched: number;
  /** Pages that were fetched along with others. */
  readonly prefetched: number;
  /** Those of them that were not read, or not before the database became another one. */
  readonly prefetchedUnused: number;
}

/** What knows which pages to fetch along with others. */
export type Prefetcher = PageObserver;

/** Fetches nothing along. */
export const NO_PREFETCHER: Prefetcher = {
  hit: () => {},
  missed: () => [],
  reset: () => {},
};

/** Hears of every page that a connection reads. */
export class PageLog implements PageObserver {
  readonly #prefetcher: Prefetcher;
  /** Pages of this state of the database that were fetched along and not read yet. */
  readonly #unused = new Set<number>();
  /** How many of earlier states were never read. */
  #wasted = 0;
  #recorded: Set<number> | undefined;
  #read = 0;
  #fetched = 0;
  #prefetched = 0;

  /** @param prefetcher Is told what is read, and asked what to fetch along. */
  constructor(prefetcher: Prefetcher = NO_PREFETCHER) {
    this.#prefetcher = prefetcher;
  }

  /** What was counted. */
  get statistics(): PageStatistics {
    return {
      read: this.#read,
      fetched: this.#fetched,
      prefetched: this.#prefetched,
      prefetchedUnused: this.#wasted + this.#unused.size,
    };
  }

  /** Begins to note which pages are read. */
  record(): void {
    this.#recorded = new Set();
  }

  /** Ends that; the pages. */
  takeRecord(): ReadonlySet<number> {
    const recorded = this.#recorded ?? new Set();
    this.#recorded = undefined;
    return recorded;
  }

  /** A page is read. */
  hit(pageIdx: number, page: Uint8Array): void {
    this.#read++;
    if (this.#unused.size > 0) this.#unused.delete(pageIdx);
    this.#recorded?.add(pageIdx);
    this.#prefetcher.hit(pageIdx, page);
  }

  /** A page has to be fetched. */
  *missed(pageIdx: number): Iterable<number> {
    this.#fetched++;
    for (const wanted of this.#prefetcher.missed(pageIdx)) {
      if (wanted === pageIdx) continue;
      // one that is on its way is asked for once more, and not fetched twice
      if (!this.#unused.has(wanted)) this.#prefetched++;
      this.#unused.add(wanted);
      yield wanted;
    }
  }

  /** Pages may be other ones now. */
  reset(): void {
    this.#wasted += this.#unused.size;
    this.#unused.clear();
    this.#prefetcher.reset();
  }
}
