/**
 * Sets of page indexes, which the original calls grafts.
 *
 * @module
 */

import { encodeFew, FEW_MEMBERS_MAX } from "./_encode_few.ts";
import { GraftError } from "./errors.ts";
import {
  combineSets,
  decodeSet,
  directoryOf,
  type EncodedSet,
  encodeMembers,
  encodeUnion,
  type MemberRange,
  readMembers,
  readMembersAfter,
} from "./page_set_encoding.ts";
import { PageSetLookup } from "./page_set_lookup.ts";

export type { MemberRange } from "./page_set_encoding.ts";

/** The largest member that a set can have. */
const MEMBER_MAX = 2 ** 32 - 1;
/** Members that an iteration reads at a time, at least and at most. */
const STRETCH_MEMBERS_MIN = 1024;
const STRETCH_MEMBERS_MAX = 2 ** 20;

/**
 * An immutable set of numbers from 0 to 2^32 - 1, held as its canonical Splinter v0.1 encoding
 * (docs/formats/page_set.md): equal sets have equal bytes.
 *
 * Every operation but the point lookups `has`, `rank` and `select` copies the encodings that it works
 * on into the WebAssembly module's memory and the new encoding out of it; that copy is the set's own. A set
 * of a few members, as most commits have, is a list, and encoded only when somebody asks for its bytes.
 *
 * Limitations: a set with more than 2^29 members encodes, but its members may not fit one array.
 *
 * @example
 * ```ts
 * import { PageSet } from "./page_set.ts";
 *
 * const written = PageSet.from([1, 2, 3, 900]);
 * const wanted = PageSet.range(3, 1000);
 * console.log(written.size, written.has(900)); // 4 true
 * console.log([...written.intersection(wanted)]); // [3, 900]
 * ```
 */
export class PageSet {
  /** The set without members. */
  static readonly empty: PageSet = new PageSet([]);

  /** How many members. */
  readonly size: number;
  /** The members, ascending, where they are few. */
  readonly #few: readonly number[] | undefined;
  #bytes: Uint8Array<ArrayBuffer> | undefined;
  // Infinities for the empty set, so that it begins after and ends before everything.
  readonly #first: number;
  readonly #last: number;
  #lookup: PageSetLookup | undefined;

  /** @param set An encoding, or a few members, ascending. */
  private constructor(set: EncodedSet | readonly number[]) {
    const isFew = isList(set);
    this.#few = isFew ? set : undefined;
    this.#bytes = isFew ? undefined : set.bytes;
    this.size = isFew ? set.length : set.size;
    const [first, last] = isFew ? [set[0], set[set.length - 1]] : [set.first, set.last];
    this.#first = this.size === 0 ? Infinity : first;
    this.#last = this.size === 0 ? -Infinity : last;
  }

  /**
   * The set of `members`, which come in any order, repeated or not.
   *
   * @throws {GraftError} `invalid` for a member that is not a whole number from 0 to 2^32 - 1.
   */
  static from(members: Iterable<number> | Uint32Array): PageSet {
    if (members instanceof Uint32Array) return PageSet.#of(members);
    return PageSet.#of(Array.from(members, toMember));
  }

  /**
   * Every number from `first` to `last`, both inclusive.
   *
   * @throws {GraftError} `invalid` unless both are whole numbers from 0 to 2^32 - 1, in this order.
   */
  static range(first: number, last: number): PageSet {
    return PageSet.union([{ first, last }]);
  }

  /**
   * Reads an encoding that anyone may have sent. It is validated as a whole, then copied; the copy is
   * made canonical where it was not.
   *
   * @throws {GraftError} `invalid` that says what is wrong, and at which byte.
   */
  static decode(bytes: Uint8Array): PageSet {
    return new PageSet(decodeSet(bytes));
  }

  /**
   * The union of any number of sets and inclusive ranges, in time linear in their encodings.
   *
   * @throws {GraftError} `invalid` for a range that {@linkcode PageSet.range} refuses.
   *
   * @example
   * ```ts
   * import { PageSet } from "./page_set.ts";
   *
   * const changed = PageSet.union([PageSet.from([7]), { first: 1, last: 3 }, PageSet.from([2, 9])]);
   * console.log([...changed]); // [1, 2, 3, 7, 9]
   * ```
   */
  static union(parts: Iterable<PageSet | MemberRange>): PageSet {
    const list = [...parts];
    if (list.length === 1 && list[0] instanceof PageSet) return list[0];
    const sets: Uint8Array[] = [];
    const ranges: MemberRange[] = [];
    const members: number[] = [];
    for (const part of list) {
      if (!(part instanceof PageSet)) ranges.push(toRange(part));
      else if (part.#few !== undefined) members.push(...part.#few);
      else if (part.#isRun()) ranges.push({ first: part.#first, last: part.#last });
      else sets.push(part.bytes);
    }
    if (sets.length + ranges.length === 0) return PageSet.#of(members);
    return new PageSet(encodeUnion(sets, ranges, Uint32Array.from(members)));
  }

  static #of(members: readonly number[] | Uint32Array): PageSet {
    if (members.length > FEW_MEMBERS_MAX) {
      return new PageSet(encodeMembers(isList(members) ? Uint32Array.from(members) : members));
    }
    const ascending = [...members].sort((a, b) => a - b);
    return new PageSet(ascending.filter((member, i) => i === 0 || member !== ascending[i - 1]));
  }

  /** The canonical encoding. Do not write to it. */
  get bytes(): Uint8Array<ArrayBuffer> {
    this.#bytes ??= encodeFew(this.#few ?? []);
    return this.#bytes;
  }

  /** The smallest member; undefined for the empty set. */
  get first(): number | undefined {
    return this.size === 0 ? undefined : this.#first;
  }

  /** The largest member; undefined for the empty set. */
  get last(): number | undefined {
    return this.size === 0 ? undefined : this.#last;
  }

  /** Whether `member` is in the set. */
  has(member: number): boolean {
    if (member < this.#first || member > this.#last) return false;
    if (!Number.isInteger(member)) return false;
    return this.#isRun() || (this.#few?.includes(member) ?? this.#directory().has(member));
  }

  /** How many members are smaller than `member`, which need not be one itself. */
  rank(member: number): number {
    if (member <= this.#first) return 0;
    if (member > this.#last) return this.size;
    const whole = Math.ceil(member);
    if (this.#isRun()) return whole - this.#first;
    return this.#few?.findIndex((known) => known >= whole) ?? this.#directory().rank(whole);
  }

  /** The member with `rank` smaller ones; undefined where there is none. */
  select(rank: number): number | undefined {
    if (!Number.isInteger(rank) || rank < 0 || rank >= this.size) return undefined;
    if (this.#isRun()) return this.#first + rank;
    return this.#few?.[rank] ?? this.#directory().select(rank);
  }

  /** Whether both sets have the same members. */
  equals(other: PageSet): boolean {
    if (this === other) return true;
    if (this.size !== other.size || this.#first !== other.#first) return false;
    if (this.bytes.length !== other.bytes.length) return false;
    for (let i = 0; i < this.bytes.length; i++) {
      if (this.bytes[i] !== other.bytes[i]) return false;
    }
    return true;
  }

  /** What is in either set. */
  union(other: PageSet): PageSet {
    if (this.size === 0) return other;
    if (other.size === 0) return this;
    if (this.#few && other.#few) return PageSet.#of([...this.#few, ...other.#few]);
    return new PageSet(combineSets(["union"], this.bytes, other.bytes)[0]);
  }

  /** What is in both sets. */
  intersection(other: PageSet): PageSet {
    if (this.#isApartFrom(other)) return PageSet.empty;
    if (this.#few && other.#isSimple()) {
      return new PageSet(this.#few.filter((member) => other.has(member)));
    }
    return new PageSet(combineSets(["intersection"], this.bytes, other.bytes)[0]);
  }

  /** What is in this set and not in the other. */
  difference(other: PageSet): PageSet {
    if (this.#isApartFrom(other)) return this;
    if (this.#few && other.#isSimple()) {
      return new PageSet(this.#few.filter((member) => !other.has(member)));
    }
    return new PageSet(combineSets(["difference"], this.bytes, other.bytes)[0]);
  }

  /** The official library's cut: what is in both, and what is left of this one. */
  cut(other: PageSet): { intersection: PageSet; rest: PageSet } {
    if (this.#isApartFrom(other)) return { intersection: PageSet.empty, rest: this };
    const parts = combineSets(["intersection", "difference"], this.bytes, other.bytes);
    return { intersection: new PageSet(parts[0]), rest: new PageSet(parts[1]) };
  }

  /** The members, ascending, in a new array. */
  toArray(): Uint32Array<ArrayBuffer> {
    if (this.#few) return Uint32Array.from(this.#few);
    if (!this.#isRun()) return readMembers(this.bytes, this.size);
    const members = new Uint32Array(this.size);
    for (let i = 0; i < members.length; i++) members[i] = this.#first + i;
    return members;
  }

  /** The members, ascending. A large set is read in stretches, so leaving early saves the rest. */
  [Symbol.iterator](): IterableIterator<number> {
    if (this.#few) return this.#few.values();
    if (this.size <= STRETCH_MEMBERS_MIN) return this.toArray().values();
    return this.#stretches();
  }

  *#stretches(): Generator<number, undefined> {
    // Each stretch copies the encoding anew, so it must yield members in proportion.
    const inProportion = Math.max(STRETCH_MEMBERS_MIN, this.bytes.length);
    const wanted = Math.min(inProportion, STRETCH_MEMBERS_MAX);
    let after: number | undefined;
    while (after !== this.#last) {
      const members = readMembersAfter(this.bytes, after, wanted);
      yield* members;
      after = members[members.length - 1];
    }
  }

  #directory(): PageSetLookup {
    this.#lookup ??= new PageSetLookup(this.bytes, directoryOf(this.bytes), this.size);
    return this.#lookup;
  }

  /** Whether the members follow each other without a gap: most sets are such, and need no look-up. */
  #isRun(): boolean {
    return this.size === this.#last - this.#first + 1;
  }

  /** Whether a member is looked up without a directory. */
  #isSimple(): boolean {
    return this.#few !== undefined || this.#isRun();
  }

  /** Whether no member of one set lies between the ends of the other. */
  #isApartFrom(other: PageSet): boolean {
    return this.#last < other.#first || this.#first > other.#last;
  }
}

function isList<T>(value: T | readonly number[]): value is readonly number[] {
  return Array.isArray(value);
}

function toMember(value: number): number {
  if (Number.isInteger(value) && value >= 0 && value <= MEMBER_MAX) return value;
  throw new GraftError(
    "invalid",
    `Cannot put ${value} into a page set: members are whole numbers from 0 to ${MEMBER_MAX}`,
  );
}

function toRange(range: MemberRange): MemberRange {
  if (toMember(range.first) <= toMember(range.last)) return range;
  throw new GraftError(
    "invalid",
    `Cannot put ${range.first}-${range.last} into a page set: the range ends before it starts`,
  );
}
