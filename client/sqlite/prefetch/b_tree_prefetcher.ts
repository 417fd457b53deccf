/**
 * Guesses which pages SQLite reads next.
 *
 * @module
 */

import { BTreeMap } from "./b_tree_map.ts";
import { kindOf, PageKind } from "./b_tree_page.ts";
import { IndexCursors } from "./index_cursors.ts";
import { OverflowChain } from "./overflow_chain.ts";
import { SiblingRuns } from "./sibling_runs.ts";
import { WantedPages } from "./wanted_pages.ts";

/** What a {@linkcode BTreePrefetcher} is made of. */
export interface PrefetcherParts {
  /** A page that is local, at once; undefined otherwise. */
  readonly peek: (pageIdx: number) => Uint8Array | undefined;
  /** How many pages the database has. */
  readonly pageCount: () => number;
  /** The most pages that are asked for at a time, the missed one among them; default 1,024. */
  readonly pagesMax?: number;
}

const PAGES_MAX = 1024;

/**
 * Watches the pages that SQLite reads, and the b-trees they belong to. A page that is looked up brings no other along;
 * what is read on from there does: siblings, the rows that an index leads to, the rest of a long row.
 *
 * It only ever guesses: a damaged page, or one that was changed since, costs a useless page at most.
 */
export class BTreePrefetcher {
  readonly #parts: PrefetcherParts;
  readonly #map: BTreeMap;
  readonly #runs: SiblingRuns;
  readonly #cursors: IndexCursors;
  readonly #chain = new OverflowChain();
  #leafIdx = 0;
  #leaf: Uint8Array | undefined;

  /** Nothing is known yet. */
  constructor(parts: PrefetcherParts) {
    this.#parts = parts;
    this.#map = new BTreeMap(parts.peek, parts.pageCount);
    this.#runs = new SiblingRuns(this.#map);
    this.#cursors = new IndexCursors(this.#map, parts.peek);
  }

  /** A page is read that is here. */
  hit(pageIdx: number, page: Uint8Array): void {
    switch (kindOf(pageIdx, page)) {
      case PageKind.TABLE_INTERIOR:
      case PageKind.INDEX_INTERIOR:
        this.#map.learn(pageIdx, page);
        break;
      case PageKind.INDEX_LEAF:
        this.#cursors.read(pageIdx, page);
        this.#leafIdx = pageIdx;
        this.#leaf = page;
        break;
      case PageKind.TABLE_LEAF:
        this.#leafIdx = pageIdx;
        this.#leaf = page;
        break;
      default:
        return this.#chain.read(pageIdx, page);
    }
    this.#runs.read(pageIdx);
  }

  /** A page is read that is not here: which others to fetch in the same request, those that are not here. */
  missed(pageIdx: number): Iterable<number> {
    const { peek, pageCount, pagesMax = PAGES_MAX } = this.#parts;
    const wanted = new WantedPages(
      (idx) => idx === pageIdx || idx < 1 || idx > pageCount() ? NOT_WANTED : peek(idx),
      pagesMax - 1,
    );
    const place = this.#map.place(pageIdx);
    if (place === undefined) {
      if (!this.#chain.isNext(pageIdx) && this.#leaf !== undefined) {
        this.#chain.begin(pageIdx, this.#leafIdx, this.#leaf);
      }
      if (this.#chain.isNext(pageIdx)) this.#chain.addAhead(pageIdx, pageCount(), wanted);
      return wanted.pages;
    }
    this.#runs.read(pageIdx);
    this.#cursors.addAhead(place, wanted);
    this.#runs.addAhead(pageIdx, wanted);
    return wanted.pages;
  }

  /** Pages may be other ones now. */
  reset(): void {
    this.#map.clear();
    this.#runs.clear();
    this.#cursors.clear();
    this.#chain.clear();
    this.#leaf = undefined;
  }
}

const NOT_WANTED = new Uint8Array(0);
