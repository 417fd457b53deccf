/**
 * What is known of a database's b-trees: the interior pages that were read.
 *
 * @module
 */

import { type InteriorPage, parseInterior } from "./b_tree_page.ts";

/** An interior page. */
export interface BTreeNode extends InteriorPage {
  /** Its index. */
  readonly pageIdx: number;
}

/** A page below an interior page. */
export interface Place {
  /** The interior page. */
  readonly node: BTreeNode;
  /** Where among its children. */
  readonly position: number;
}

/** The rowids below a page of a table. */
export interface RowidRange {
  /** Below the smallest. */
  readonly above: number;
  /** The largest. */
  readonly upTo: number;
}

/** Before or after. */
export type Direction = 1 | -1;

/** Interior pages that are remembered: of a database of some 600 MB all. */
const NODES_MAX = 512;
/** No b-tree is deeper; damaged pages may make it seem so. */
const DEPTH_MAX = 20;

interface Slot {
  readonly node: BTreeNode;
  /** What it was read from. */
  readonly page: Uint8Array;
  /** The positions of its children are counted from here. */
  readonly number: number;
}

/** More children than a page has room for. */
const SLOT_PLACES = 2048;

/** Interior pages, and which pages are below them. */
export class BTreeMap {
  readonly #peek: (pageIdx: number) => Uint8Array | undefined;
  readonly #pageCount: () => number;
  /** By page, the oldest first. */
  readonly #slots = new Map<number, Slot>();
  readonly #byNumber = new Map<number, Slot>();
  /** Of a child: its slot's number and its position, in one number. */
  readonly #places = new Map<number, number>();
  #nextNumber = 0;

  /**
   * Nothing is known.
   *
   * @param peek A page that is here, at once.
   */
  constructor(peek: (pageIdx: number) => Uint8Array | undefined, pageCount: () => number) {
    this.#peek = peek;
    this.#pageCount = pageCount;
  }

  /** Reads an interior page. What was read from the same bytes is known already. */
  learn(pageIdx: number, page: Uint8Array): BTreeNode | undefined {
    const known = this.#slots.get(pageIdx);
    if (known?.page === page) return known.node;
    if (known !== undefined) this.#forget(known);
    const interior = parseInterior(pageIdx, page, this.#pageCount());
    if (interior === undefined) return undefined;
    const slot = { node: { ...interior, pageIdx }, page, number: this.#nextNumber++ };
    this.#slots.set(pageIdx, slot);
    this.#byNumber.set(slot.number, slot);
    const { children } = interior;
    const base = slot.number * SLOT_PLACES;
    for (let i = 0; i < children.length; i++) this.#places.set(children[i], base + i);
    if (this.#slots.size > NODES_MAX) {
      const [oldest] = this.#slots.values();
      this.#forget(oldest);
    }
    return slot.node;
  }

  /** An interior page: known, or here; undefined for what is elsewhere, or none. */
  node(pageIdx: number): BTreeNode | undefined {
    const known = this.#slots.get(pageIdx);
    if (known !== undefined) return known.node;
    const page = this.#peek(pageIdx);
    return page && this.learn(pageIdx, page);
  }

  /** Where a page is, in one number, which is the next one's but one; undefined for a page that is below none. */
  placeNumber(pageIdx: number): number | undefined {
    return this.#places.get(pageIdx);
  }

  /** Where a page is. */
  place(pageIdx: number): Place | undefined {
    const number = this.#places.get(pageIdx);
    if (number === undefined) return undefined;
    const slot = this.#byNumber.get(Math.floor(number / SLOT_PLACES));
    return slot && { node: slot.node, position: number % SLOT_PLACES };
  }

  /**
   * The interior page beside one, on the same level.
   *
   * @returns Its index; that of a page above it where that has to be read first; undefined where there is
   * none, or nobody knows.
   */
  beside(node: BTreeNode, direction: Direction, depth = 0): number | undefined {
    const place = this.place(node.pageIdx);
    if (place === undefined || depth > DEPTH_MAX) return undefined;
    const sibling = place.node.children[place.position + direction];
    if (sibling !== undefined) return sibling;
    const aboveIdx = this.beside(place.node, direction, depth + 1);
    const above = aboveIdx === undefined ? undefined : this.node(aboveIdx);
    return above === undefined ? aboveIdx : above.children.at(direction === 1 ? 0 : -1);
  }

  /** The rowids below a page of a table, as far as is known. */
  rowidsBelow({ node, position }: Place, depth = 0): RowidRange {
    const { rowids } = node;
    const isFirst = position === 0;
    const isLast = position >= rowids.length;
    const outer = isFirst || isLast ? this.#outerRange(node, depth) : EVERYTHING;
    return {
      above: isFirst ? outer.above : rowids[position - 1],
      upTo: isLast ? outer.upTo : rowids[position],
    };
  }

  /**
   * The leaf of a rowid, in the tree of a table of which one leaf is known.
   *
   * @returns Its index, or that of a page above it that has to be read first; undefined where nobody knows.
   */
  leafOf(rowid: number, { node }: Place): number | undefined {
    let top = node;
    let steps = 1;
    for (; steps <= DEPTH_MAX; steps++) {
      const place = this.place(top.pageIdx);
      const range = place === undefined ? EVERYTHING : this.rowidsBelow(place);
      if (place === undefined || (range.above < rowid && rowid <= range.upTo)) break;
      top = place.node;
    }
    return this.#descend(top, rowid, steps);
  }

  /** Forgets everything. */
  clear(): void {
    this.#slots.clear();
    this.#byNumber.clear();
    this.#places.clear();
  }

  #descend(top: BTreeNode, rowid: number, steps: number): number | undefined {
    let node: BTreeNode = top;
    for (let step = 1;; step++) {
      const child = node.children[lowerBound(node.rowids, rowid)];
      if (step === steps) return child;
      const next = this.node(child);
      if (next === undefined || !next.isTable) return child;
      node = next;
    }
  }

  #outerRange(node: BTreeNode, depth: number): RowidRange {
    const place = this.place(node.pageIdx);
    return place === undefined || depth > DEPTH_MAX
      ? EVERYTHING
      : this.rowidsBelow(place, depth + 1);
  }

  #forget({ node, number }: Slot): void {
    this.#slots.delete(node.pageIdx);
    this.#byNumber.delete(number);
    const base = number * SLOT_PLACES;
    for (let i = 0; i < node.children.length; i++) {
      // another page may have come to be above it
      if (this.#places.get(node.children[i]) === base + i) this.#places.delete(node.children[i]);
    }
  }
}

const EVERYTHING: RowidRange = { above: -Infinity, upTo: Infinity };

/** The first of ascending numbers that is not smaller; their count where all are. */
function lowerBound(numbers: Float64Array, wanted: number): number {
  let [low, high] = [0, numbers.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (numbers[middle] < wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}
