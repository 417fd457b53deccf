// Out of the encoding: its members, and the directory that point lookups use.

import { reserve, tail, take } from "../memory";
import { BITMAP_BYTES, FULL_BLOCK, isList } from "./block";
import { Cursor } from "./cursor";
import { setOutput } from "./result";

/**
 * Writes members, ascending, as u32 at `out`, from the block `high` on: whole blocks until at least
 * `wanted` members are out, so `out` needs room for 255 more. Returns how many were written.
 */
export function members(at: usize, length: usize, high: u32, out: usize, wanted: u32): u32 {
  const cursor = Cursor.over(at, length);
  const end = out + (<usize>wanted << 2);
  let to = out;
  for (cursor.seek(high); !cursor.done && to < end; cursor.next()) {
    if (isList(cursor.count)) writeList(cursor, to);
    else if (cursor.count == FULL_BLOCK) writeRun(cursor.high << 8, to);
    else writeBitmap(cursor, to);
    to += <usize>cursor.count << 2;
  }
  return <u32>((to - out) >> 2);
}

function writeList(cursor: Cursor, to: usize): void {
  const base = cursor.high << 8;
  for (let i: u32 = 0; i < cursor.count; i++) {
    store<u32>(to + (<usize>i << 2), base | load<u8>(cursor.at + i));
  }
}

function writeRun(base: u32, to: usize): void {
  for (let i: u32 = 0; i < FULL_BLOCK; i++) store<u32>(to + (<usize>i << 2), base | i);
}

function writeBitmap(cursor: Cursor, to: usize): void {
  const base = cursor.high << 8;
  for (let at: usize = 0; at < BITMAP_BYTES; at += 8) {
    let bits = load<u64>(cursor.at + at);
    for (; bits != 0; bits &= bits - 1) {
      store<u32>(to, base | (<u32>at << 3) | <u32>ctz(bits));
      to += 4;
    }
  }
}

const ENTRY_BYTES: usize = 16;

/**
 * Writes, for each partition of blocks in ascending order, four u32: the upper 16 bits of its members,
 * where it ends (in bytes from `at`), how many keys it has, and how many members lie before it. The
 * result is the output.
 */
export function directory(at: usize, length: usize): void {
  const cursor = Cursor.over(at, length);
  const start = tail();
  let to = start;
  let before: u32 = 0;
  for (; !cursor.done; cursor.nextPartition()) {
    reserve(to, ENTRY_BYTES);
    store<u32>(to, cursor.prefix());
    store<u32>(to, <u32>(cursor.partitionEnd() - at), 4);
    store<u32>(to, cursor.partition().count, 8);
    store<u32>(to, before, 12);
    before += cursor.partition().totalCount();
    to += ENTRY_BYTES;
  }
  take(to);
  setOutput(start, to - start);
}
