import { alloc } from "../memory";
import { blockBytes, expandBlock } from "./block";
import { FOOTER_BYTES, NARROW_OFFSET, WIDE_OFFSET } from "./format";
import { Partition } from "./partition";

/** Walks the blocks of an encoded page set that has been validated, ascending. */
@unmanaged
export class Cursor {
  /** Whether the walk is over; the fields below then mean nothing. */
  done: bool;
  /** The upper 24 bits that the members of this block share. */
  high: u32;
  /** Members of this block, 1 to 256. */
  count: u32;
  /** Where its encoded form lies. */
  at: usize;
  private top: Partition;
  private middle: Partition;
  private bottom: Partition;

  /** Stands on the first block of the page set of `length` bytes at `at`. */
  static over(at: usize, length: usize): Cursor {
    const cursor = changetype<Cursor>(alloc(offsetof<Cursor>()));
    cursor.top = changetype<Partition>(alloc(offsetof<Partition>()));
    cursor.middle = changetype<Partition>(alloc(offsetof<Partition>()));
    cursor.bottom = changetype<Partition>(alloc(offsetof<Partition>()));
    const footer = at + length - FOOTER_BYTES;
    const keys = load<u16>(footer);
    cursor.done = keys == 0;
    if (keys > 0) {
      cursor.top.open(footer, keys, WIDE_OFFSET);
      cursor.openMiddle();
    }
    return cursor;
  }

  /** Moves to the next block. */
  next(): void {
    if (this.bottom.next()) this.stand();
    else this.nextPartition();
  }

  /** Moves to the last block; there must be one. */
  toLast(): void {
    this.top.toLast();
    this.middle.open(this.top.valueEnd(), this.top.valueCount(), WIDE_OFFSET);
    this.middle.toLast();
    this.bottom.open(this.middle.valueEnd(), this.middle.valueCount(), NARROW_OFFSET);
    this.bottom.toLast();
    this.stand();
  }

  /** Moves on to the first block whose upper bits are at least `high`. */
  seek(high: u32): void {
    if (this.done || this.high >= high) return;
    if (this.prefix() != high >> 8) this.seekPartition(high >> 8);
    if (this.done || this.prefix() != high >> 8) return;
    if (this.bottom.seek(high & 0xff)) this.stand();
    else this.nextPartition();
  }

  /** Moves to the first block of the next partition of blocks. */
  nextPartition(): void {
    if (this.middle.next()) this.openBottom();
    else if (this.top.next()) this.openMiddle();
    else this.done = true;
  }

  /** The upper 16 bits that the members of this partition of blocks share. */
  @inline
  prefix(): u32 {
    return (this.top.key << 8) | this.middle.key;
  }

  /** The partition that this block is in. */
  @inline
  partition(): Partition {
    return this.bottom;
  }

  /** Where that partition ends. */
  @inline
  partitionEnd(): usize {
    return this.middle.valueEnd();
  }

  /** Whether this is the first block of its partition. */
  @inline
  entersPartition(): bool {
    return this.bottom.ordinal == 0;
  }

  /** Writes this block as a bitmap. */
  @inline
  expand(bitmap: usize): void {
    expandBlock(this.at, this.count, bitmap);
  }

  private seekPartition(prefix: u32): void {
    if (this.top.key != prefix >> 8) {
      if (!this.top.seek(prefix >> 8)) {
        this.done = true;
        return;
      }
      this.openMiddle();
    }
    if (this.top.key != prefix >> 8) return;
    if (this.middle.seek(prefix & 0xff)) this.openBottom();
    else this.nextPartition();
  }

  private openMiddle(): void {
    this.middle.open(this.top.valueEnd(), this.top.valueCount(), WIDE_OFFSET);
    this.openBottom();
  }

  private openBottom(): void {
    this.bottom.open(this.middle.valueEnd(), this.middle.valueCount(), NARROW_OFFSET);
    this.stand();
  }

  private stand(): void {
    this.high = (this.prefix() << 8) | this.bottom.key;
    this.count = this.bottom.valueCount();
    this.at = this.bottom.valueEnd() - blockBytes(this.count);
  }
}
