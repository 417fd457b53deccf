// A partition is one inner node of an encoded page set:
//
//   value of each key, in key order · keys (a block) · one byte a key · one offset a key
//
// The three arrays after the values are its index, which is found from its end by the number of keys.
// The byte is the number of keys (or members) in the key's value, less one; the offset is counted back
// from the end of the values to the end of the key's value, in four bytes, and in two at the last level,
// where values are blocks.

import { blockBytes, FULL_BLOCK, isList, lastMember, nextMember } from "./block";
import { NARROW_OFFSET } from "./format";

/** Bytes of the index of a partition of `count` keys. */
@inline
export function indexBytes(count: u32, offsetBytes: u32): usize {
  return blockBytes(count) + <usize>count * (1 + offsetBytes);
}

/** A partition that has been validated, and a place among its keys. */
@unmanaged
export class Partition {
  /** How many keys. */
  count: u32;
  /** The place: which key, counted from 0. */
  ordinal: u32;
  /** The key there. */
  key: u32;
  private offsetBytes: u32;
  /** Where the keys lie, which is also where the values end. */
  private keys: usize;
  private sizes: usize;
  private offsets: usize;

  /** Stands on the first key of the partition of `count` keys that ends at `end`. */
  open(end: usize, count: u32, offsetBytes: u32): void {
    this.count = count;
    this.offsetBytes = offsetBytes;
    this.offsets = end - <usize>count * offsetBytes;
    this.sizes = this.offsets - count;
    this.keys = this.sizes - blockBytes(count);
    this.ordinal = 0;
    this.key = this.keyFrom(0);
  }

  /** Moves to the next key; false when there is none. */
  next(): bool {
    if (++this.ordinal >= this.count) return false;
    this.key = this.keyFrom(this.key + 1);
    return true;
  }

  /** Moves to the last key. */
  toLast(): void {
    this.ordinal = this.count - 1;
    this.key = lastMember(this.keys, this.count);
  }

  /** Moves on to the first key that is at least `key`; false when there is none. */
  seek(key: u32): bool {
    while (this.key < key) {
      if (!this.next()) return false;
    }
    return true;
  }

  /** Where the value of this key ends. */
  @inline
  valueEnd(): usize {
    return this.keys - this.offset(this.ordinal);
  }

  /** How many keys (or members) the value of this key has. */
  @inline
  valueCount(): u32 {
    return <u32>load<u8>(this.sizes + this.ordinal) + 1;
  }

  /** Whether the values are 256 full blocks: every value is empty, so all of them together are. */
  isFull(): bool {
    return this.count == FULL_BLOCK && load<u8>(this.sizes) == 0xff && this.offset(0) == 0;
  }

  /** The sum of all value counts. */
  totalCount(): u32 {
    if (this.isFull()) return FULL_BLOCK * FULL_BLOCK;
    let total = this.count;
    for (let i: u32 = 0; i < this.count; i++) total += load<u8>(this.sizes + i);
    return total;
  }

  @inline
  private offset(ordinal: u32): usize {
    if (this.offsetBytes == NARROW_OFFSET) return load<u16>(this.offsets + (ordinal << 1));
    return load<u32>(this.offsets + (ordinal << 2));
  }

  @inline
  private keyFrom(from: u32): u32 {
    if (isList(this.count)) return load<u8>(this.keys + this.ordinal);
    return this.count == FULL_BLOCK ? this.ordinal : nextMember(this.keys, from);
  }
}
