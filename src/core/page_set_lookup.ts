/**
 * Looking up single members of an encoded page set.
 *
 * A lookup touches some ten bytes, so it reads them where they are: a call into the WebAssembly module
 * would copy the whole set first. Everything here takes validated bytes.
 *
 * @module
 */

import { blockBytes, blockHas, blockRank, blockSelect } from "./page_set_block.ts";

/** A partition of blocks: how many keys it has, and where its keys, their sizes and offsets lie. */
interface Partition {
  readonly count: number;
  readonly keys: number;
  readonly sizes: number;
  readonly offsets: number;
}

/** A block: where it lies and how many members it has. */
interface Block {
  readonly at: number;
  readonly count: number;
}

// The fields of a directory's entry.
const PREFIX = 0;
const END = 1;
const KEYS = 2;
const MEMBERS_BEFORE = 3;
const FIELDS = 4;

/** Finds members of one set, with a directory of its partitions so that none is walked to. */
export class PageSetLookup {
  readonly #bytes: Uint8Array;
  readonly #directory: Uint32Array;
  readonly #size: number;

  /**
   * @param bytes The encoded set.
   * @param directory For each partition of blocks, ascending: the upper 16 bits of its members, where
   * it ends, how many keys it has, and how many members lie before it.
   * @param size How many members the set has.
   */
  constructor(bytes: Uint8Array, directory: Uint32Array, size: number) {
    this.#bytes = bytes;
    this.#directory = directory;
    this.#size = size;
  }

  /** Whether `member` is in the set. */
  has(member: number): boolean {
    const entry = this.#search(PREFIX, member >>> 16);
    if (this.#directory[entry + PREFIX] !== member >>> 16) return false;
    const partition = this.#partition(entry);
    const key = (member >>> 8) & 0xff;
    if (!blockHas(this.#bytes, partition.keys, partition.count, key)) return false;
    const ordinal = blockRank(this.#bytes, partition.keys, partition.count, key);
    const block = this.#block(partition, ordinal);
    return blockHas(this.#bytes, block.at, block.count, member & 0xff);
  }

  /** How many members are smaller than `member`. */
  rank(member: number): number {
    const entry = this.#search(PREFIX, member >>> 16);
    if (entry === this.#directory.length) return this.#size;
    const before = this.#directory[entry + MEMBERS_BEFORE];
    if (this.#directory[entry + PREFIX] !== member >>> 16) return before;
    const partition = this.#partition(entry);
    const key = (member >>> 8) & 0xff;
    const ordinal = blockRank(this.#bytes, partition.keys, partition.count, key);
    const rank = before + this.#membersBefore(partition, ordinal);
    if (!blockHas(this.#bytes, partition.keys, partition.count, key)) return rank;
    const block = this.#block(partition, ordinal);
    return rank + blockRank(this.#bytes, block.at, block.count, member & 0xff);
  }

  /** The member with `rank` smaller ones; `rank` must be below the set's size. */
  select(rank: number): number {
    const entry = this.#search(MEMBERS_BEFORE, rank + 1) - FIELDS;
    const partition = this.#partition(entry);
    let left = rank - this.#directory[entry + MEMBERS_BEFORE];
    let ordinal = 0;
    for (; left > this.#bytes[partition.sizes + ordinal]; ordinal++) {
      left -= this.#bytes[partition.sizes + ordinal] + 1;
    }
    const key = blockSelect(this.#bytes, partition.keys, partition.count, ordinal);
    const block = this.#block(partition, ordinal);
    const low = blockSelect(this.#bytes, block.at, block.count, left);
    return this.#directory[entry + PREFIX] * 65_536 + key * 256 + low;
  }

  /** The first entry whose `field`, which ascends, is at least `value`; the end if there is none. */
  #search(field: number, value: number): number {
    let low = 0;
    let high = this.#directory.length / FIELDS;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#directory[middle * FIELDS + field] < value) low = middle + 1;
      else high = middle;
    }
    return low * FIELDS;
  }

  #partition(entry: number): Partition {
    const count = this.#directory[entry + KEYS];
    const offsets = this.#directory[entry + END] - count * 2;
    const sizes = offsets - count;
    return { count, keys: sizes - blockBytes(count), sizes, offsets };
  }

  #block(partition: Partition, ordinal: number): Block {
    const count = this.#bytes[partition.sizes + ordinal] + 1;
    const offset = partition.offsets + ordinal * 2;
    const end = partition.keys - (this.#bytes[offset] + this.#bytes[offset + 1] * 256);
    return { at: end - blockBytes(count), count };
  }

  #membersBefore(partition: Partition, ordinal: number): number {
    let members = ordinal;
    for (let i = 0; i < ordinal; i++) members += this.#bytes[partition.sizes + i];
    return members;
  }
}
