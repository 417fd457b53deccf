/**
 * The interior pages that were seen, and what lies below them.
 *
 * @module
 */

import { type InteriorPage, parseInterior } from "./b_tree_page.ts";

/** An interior page, and where a scan over its children stands. */
export interface KnownInterior extends InteriorPage {
  readonly pageIdx: number;
  /** The child that was read last; -1 before the first. */
  last: number;
  /** Which way: 1 or -1; 0 while only one was read. */
  direction: number;
  /** How many were read in a row. */
  used: number;
}

/** A page's place below its parent. */
export interface Place {
  readonly parent: KnownInterior;
  readonly position: number;
}

/** Levels that a b-tree can have in a sound file. */
export const DEPTH_MAX = 20;
/** Interior pages that are remembered: those of some 600 MB. */
const INTERIORS_MAX = 512;

/** Remembers interior pages, because SQLite's own cache hides when they are read again. */
export class KnownBTrees {
  readonly #interiors = new Map<number, KnownInterior>();
  readonly #parents = new Map<number, KnownInterior>();

  /** The interior page with this index, if it was seen. */
  get(pageIdx: number): KnownInterior | undefined {
    return this.#interiors.get(pageIdx);
  }

  /** Takes note of a page that may be an interior one. */
  learn(pageIdx: number, page: Uint8Array, pageCount: number): KnownInterior | undefined {
    const parsed = parseInterior(pageIdx, page, pageCount);
    if (parsed === undefined) return undefined;
    const interior = { ...parsed, pageIdx, last: -1, direction: 0, used: 0 };
    this.#interiors.set(pageIdx, interior);
    for (const child of parsed.children) this.#parents.set(child, interior);
    if (this.#interiors.size > INTERIORS_MAX) this.#forgetOldest();
    return interior;
  }

  /** Whether a page lies below an interior page that was seen. */
  hasParent(pageIdx: number): boolean {
    return this.#parents.has(pageIdx);
  }

  /** A page's place. */
  placeOf(pageIdx: number): Place | undefined {
    const parent = this.#parents.get(pageIdx);
    return parent && { parent, position: parent.children.indexOf(pageIdx) };
  }

  /** Forgets all. */
  clear(): void {
    this.#interiors.clear();
    this.#parents.clear();
  }

  #forgetOldest(): void {
    const [[pageIdx, oldest]] = this.#interiors;
    this.#interiors.delete(pageIdx);
    for (const child of oldest.children) {
      if (this.#parents.get(child) === oldest) this.#parents.delete(child);
    }
  }
}
