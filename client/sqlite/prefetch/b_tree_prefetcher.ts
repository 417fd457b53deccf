/**
 * Guesses which pages SQLite reads next.
 *
 * @module
 */

import { kindOf, PageKind } from "./b_tree_page.ts";
import { KnownBTrees, type Place } from "./known_b_trees.ts";

/** What a {@linkcode BTreePrefetcher} is made of. */
export interface PrefetcherParts {
  /** A page that is local, at once; undefined otherwise. */
  readonly peek: (pageIdx: number) => Uint8Array | undefined;
  /** How many pages the database has. */
  readonly pageCount: () => number;
  /** The most pages that are asked for at a time; default 1,024. */
  readonly pagesMax?: number;
}

/** Siblings that are fetched ahead, for each that was read in a row. */
const AHEAD = 0.5;

/** Fetches the siblings ahead once a second one in a row is read, below one interior page at a time. */
export class BTreePrefetcher {
  readonly #parts: PrefetcherParts;
  readonly #trees = new KnownBTrees();

  /** Nothing is known yet. */
  constructor(parts: PrefetcherParts) {
    this.#parts = parts;
  }

  /** A page is read that is here. */
  hit(pageIdx: number, page: Uint8Array): void {
    const kind = kindOf(pageIdx, page);
    const isInterior = kind === PageKind.TABLE_INTERIOR || kind === PageKind.INDEX_INTERIOR;
    if (isInterior && this.#trees.get(pageIdx) === undefined) {
      this.#trees.learn(pageIdx, page, this.#parts.pageCount());
    }
    if (this.#trees.hasParent(pageIdx)) this.#advance(this.#trees.placeOf(pageIdx)!);
  }

  /** A page is read that is not here: which others to fetch in the same request. */
  missed(pageIdx: number): number[] {
    const place = this.#trees.placeOf(pageIdx);
    if (place === undefined) return [];
    this.#advance(place);
    const { parent, position } = place;
    if (parent.used < 2) return [];
    const window = Math.min(Math.ceil(parent.used * AHEAD), (this.#parts.pagesMax ?? 1024) - 1);
    const ahead: number[] = [];
    for (let at = position + parent.direction; ahead.length < window; at += parent.direction) {
      const sibling = parent.children[at];
      if (sibling === undefined) break;
      if (this.#parts.peek(sibling) === undefined) ahead.push(sibling);
    }
    return ahead;
  }

  /** Pages may be other ones now. */
  reset(): void {
    this.#trees.clear();
  }

  #advance({ parent, position }: Place): void {
    const step = position - parent.last;
    if (step === 0) return;
    const isNext = parent.last >= 0 && Math.abs(step) === 1;
    const isSameWay = isNext && (parent.direction === 0 || parent.direction === step);
    parent.used = isSameWay ? parent.used + 1 : 1;
    parent.direction = isSameWay ? step : 0;
    parent.last = position;
  }
}
