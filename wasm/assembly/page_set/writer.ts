import { alloc, allocZeroed, reserve, tail, take } from "../memory";
import {
  addMember,
  BITMAP_BYTES,
  blockBytes,
  countBitmap,
  FULL_BLOCK,
  isBitmap,
  isList,
  packBlock,
} from "./block";
import { FOOTER_BYTES, MAGIC, MAGIC_BYTES, NARROW_OFFSET, WIDE_OFFSET } from "./format";
import { indexBytes } from "./partition";
import { describe, setOutput } from "./result";

const NO_PREFIX: u32 = u32.MAX_VALUE;

/** The index of a partition whose values are being written. */
@unmanaged
class PendingIndex {
  count: u32;
  private offsetBytes: u32;
  private keys: usize;
  private sizes: usize;
  private ends: usize;

  static create(offsetBytes: u32): PendingIndex {
    const index = changetype<PendingIndex>(alloc(offsetof<PendingIndex>()));
    index.count = 0;
    index.offsetBytes = offsetBytes;
    index.keys = alloc(FULL_BLOCK);
    index.sizes = alloc(FULL_BLOCK);
    index.ends = alloc(FULL_BLOCK * sizeof<u32>());
    return index;
  }

  /** Notes that the value of `key`, with `count` keys or members, ends at `end`. */
  @inline
  add(key: u32, count: u32, end: usize): void {
    const i = this.count++;
    store<u8>(this.keys + i, key);
    store<u8>(this.sizes + i, count - 1);
    store<u32>(this.ends + (i << 2), <u32>end);
  }

  /** Writes the index at `at`, where the values end; returns where it ends itself. Forgets the keys. */
  write(at: usize): usize {
    const bytes = indexBytes(this.count, this.offsetBytes);
    reserve(at, bytes);
    const sizes = this.writeKeys(at);
    memory.copy(sizes, this.sizes, this.count);
    const offsets = sizes + this.count;
    for (let i: u32 = 0; i < this.count; i++) {
      const offset = <u32>at - load<u32>(this.ends + (i << 2));
      if (this.offsetBytes == NARROW_OFFSET) store<u16>(offsets + (i << 1), offset);
      else store<u32>(offsets + (i << 2), offset);
    }
    this.count = 0;
    return at + bytes;
  }

  private writeKeys(at: usize): usize {
    if (isList(this.count)) memory.copy(at, this.keys, this.count);
    if (isBitmap(this.count)) {
      memory.fill(at, 0, BITMAP_BYTES);
      for (let i: u32 = 0; i < this.count; i++) addMember(at, load<u8>(this.keys + i));
    }
    return at + blockBytes(this.count);
  }
}

/**
 * Writes the canonical encoding from blocks that come in ascending order. Its output grows at the end
 * of the arena, so nothing else may be allocated between `create` and `finish`.
 */
@unmanaged
export class Writer {
  private start: usize;
  private at: usize;
  private size: u64;
  /** The upper 16 bits of the partition of blocks that is being written. */
  private prefix: u32;
  private top: PendingIndex;
  private middle: PendingIndex;
  private bottom: PendingIndex;

  static create(): Writer {
    const writer = changetype<Writer>(allocZeroed(offsetof<Writer>()));
    writer.top = PendingIndex.create(WIDE_OFFSET);
    writer.middle = PendingIndex.create(WIDE_OFFSET);
    writer.bottom = PendingIndex.create(NARROW_OFFSET);
    writer.prefix = NO_PREFIX;
    writer.start = tail();
    reserve(writer.start, MAGIC_BYTES);
    store<u32>(writer.start, MAGIC);
    writer.at = writer.start + MAGIC_BYTES;
    return writer;
  }

  /** Whether the last block that was added has the upper 16 bits `prefix`. */
  @inline
  isIn(prefix: u32): bool {
    return this.prefix == prefix;
  }

  /** Adds a block of `count` members that is encoded at `block`. */
  addBlock(high: u32, count: u32, block: usize): void {
    this.enter(high >> 8);
    reserve(this.at, BITMAP_BYTES);
    memory.copy(this.at, block, blockBytes(count));
    this.added(high, count);
  }

  /** Adds a block that is a bitmap; an empty one is left out. */
  addBitmap(high: u32, bitmap: usize): void {
    const count = countBitmap(bitmap);
    if (count == 0) return;
    this.enter(high >> 8);
    reserve(this.at, BITMAP_BYTES);
    packBlock(bitmap, count, this.at);
    this.added(high, count);
  }

  /** Adds the whole partition of `count` blocks and `members` members that lies at `start` to `end`. */
  addPartition(prefix: u32, count: u32, members: u32, start: usize, end: usize): void {
    this.enter(prefix);
    reserve(this.at, end - start);
    memory.copy(this.at, start, end - start);
    this.size += members;
    this.at += end - start;
    this.middle.add(prefix & 0xff, count, this.at);
  }

  /** Adds the 65,536 numbers whose upper 16 bits are `prefix`. */
  addFullPartition(prefix: u32): void {
    this.enter(prefix);
    this.size += FULL_BLOCK * FULL_BLOCK;
    const bytes = indexBytes(FULL_BLOCK, NARROW_OFFSET);
    reserve(this.at, bytes);
    memory.fill(this.at, 0xff, FULL_BLOCK);
    memory.fill(this.at + FULL_BLOCK, 0, bytes - FULL_BLOCK);
    this.at += bytes;
    this.middle.add(prefix & 0xff, FULL_BLOCK, this.at);
  }

  /** Ends the encoding and leaves it, and what it holds, as the result. */
  finish(): void {
    this.closeBottom();
    this.closeMiddle();
    const keys = this.top.count;
    this.at = this.top.write(this.at);
    reserve(this.at, FOOTER_BYTES);
    store<u32>(this.at, keys);
    this.at += FOOTER_BYTES;
    take(this.at);
    describe(this.start, this.at - this.start, this.size);
    setOutput(this.start, this.at - this.start);
  }

  private added(high: u32, count: u32): void {
    this.size += count;
    this.at += blockBytes(count);
    this.bottom.add(high & 0xff, count, this.at);
  }

  @inline
  private enter(prefix: u32): void {
    if (prefix != this.prefix) this.open(prefix);
  }

  private open(prefix: u32): void {
    this.closeBottom();
    if (prefix >> 8 != this.prefix >> 8) this.closeMiddle();
    this.prefix = prefix;
  }

  private closeBottom(): void {
    const count = this.bottom.count;
    if (count == 0) return;
    this.at = this.bottom.write(this.at);
    this.middle.add(this.prefix & 0xff, count, this.at);
  }

  private closeMiddle(): void {
    const count = this.middle.count;
    if (count == 0) return;
    this.at = this.middle.write(this.at);
    this.top.add((this.prefix >> 8) & 0xff, count, this.at);
  }
}
