/**
 * Sets of page indexes, which the original calls grafts.
 *
 * @module
 */

/**
 * An immutable set of u32, held as its canonical Splinter v0.1 encoding (docs/formats/page_set.md).
 * Every set in the program has been validated: the constructor is private to this folder.
 *
 * STUB: the seam that the rooms above build on; the body is written with the wasm module.
 */
export declare class PageSet {
  /** The set without members. */
  static readonly empty: PageSet;
  /** Members in any order, repeated or not. */
  static from(members: Iterable<number> | Uint32Array): PageSet;
  /** Every number from `first` to `last`, both inclusive. */
  static range(first: number, last: number): PageSet;
  /**
   * Validates a Splinter encoding and takes a copy of it (made canonical where it was not).
   * Throws GraftError `invalid` that says what is wrong.
   */
  static decode(bytes: Uint8Array): PageSet;
  /** The union of any number of sets and inclusive ranges, in time linear in their encodings. */
  static union(parts: Iterable<PageSet | { first: number; last: number }>): PageSet;
  /** The canonical encoding. Do not write to it. */
  readonly bytes: Uint8Array;
  /** How many members. */
  readonly size: number;
  /** The smallest member; undefined for the empty set. */
  readonly first: number | undefined;
  /** The largest member; undefined for the empty set. */
  readonly last: number | undefined;
  has(member: number): boolean;
  /** How many members are smaller than `member`. */
  rank(member: number): number;
  /** The member with `rank` smaller ones; undefined beyond the last. */
  select(rank: number): number | undefined;
  equals(other: PageSet): boolean;
  union(other: PageSet): PageSet;
  intersection(other: PageSet): PageSet;
  difference(other: PageSet): PageSet;
  /** The official library's cut: what is in both, and what is left of this one. */
  cut(other: PageSet): { intersection: PageSet; rest: PageSet };
  /** The members, ascending, in a new array. */
  toArray(): Uint32Array<ArrayBuffer>;
  [Symbol.iterator](): IterableIterator<number>;
}
