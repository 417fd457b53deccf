// Operations on two encoded page sets. Both are walked once, block by block; whole stretches that an
// operation leaves out are jumped over.

import { alloc } from "../memory";
import { BITMAP_BYTES } from "./block";
import { Cursor } from "./cursor";
import { Writer } from "./writer";

const UNION: u32 = 0;
const INTERSECTION: u32 = 1;
const DIFFERENCE: u32 = 2;

const NO_PREFIX: u32 = u32.MAX_VALUE;

/** Encodes what is in either. */
export function union(a: usize, aLength: usize, b: usize, bLength: usize): void {
  merge(Cursor.over(a, aLength), Cursor.over(b, bLength), UNION);
}

/** Encodes what is in both. */
export function intersection(a: usize, aLength: usize, b: usize, bLength: usize): void {
  merge(Cursor.over(a, aLength), Cursor.over(b, bLength), INTERSECTION);
}

/** Encodes what is in `a` and not in `b`. */
export function difference(a: usize, aLength: usize, b: usize, bLength: usize): void {
  merge(Cursor.over(a, aLength), Cursor.over(b, bLength), DIFFERENCE);
}

function merge(a: Cursor, b: Cursor, operation: u32): void {
  const left = alloc(BITMAP_BYTES);
  const right = alloc(BITMAP_BYTES);
  const writer = Writer.create();
  while (!a.done && !b.done) {
    if (a.high < b.high) {
      if (operation == INTERSECTION) a.seek(b.high);
      else copyOn(writer, a, b.prefix());
    } else if (a.high > b.high) {
      if (operation == UNION) copyOn(writer, b, a.prefix());
      else b.seek(a.high);
    } else {
      a.expand(left);
      b.expand(right);
      combine(left, right, operation);
      writer.addBitmap(a.high, left);
      a.next();
      b.next();
    }
  }
  if (operation != INTERSECTION) copyRest(writer, a);
  if (operation == UNION) copyRest(writer, b);
  writer.finish();
}

function copyRest(writer: Writer, cursor: Cursor): void {
  while (!cursor.done) copyOn(writer, cursor, NO_PREFIX);
}

/** Copies this block; or the whole partition that begins with it, if the other set has no part in it. */
function copyOn(writer: Writer, cursor: Cursor, otherPrefix: u32): void {
  const prefix = cursor.prefix();
  if (prefix == otherPrefix || writer.isIn(prefix) || !cursor.entersPartition()) {
    writer.addBlock(cursor.high, cursor.count, cursor.at);
    return cursor.next();
  }
  const partition = cursor.partition();
  const members = partition.totalCount();
  writer.addPartition(prefix, partition.count, members, cursor.at, cursor.partitionEnd());
  cursor.nextPartition();
}

/** left := left ∘ right. */
function combine(left: usize, right: usize, operation: u32): void {
  for (let at: usize = 0; at < BITMAP_BYTES; at += 16) {
    const a = v128.load(left + at);
    const b = v128.load(right + at);
    if (operation == UNION) v128.store(left + at, v128.or(a, b));
    else if (operation == INTERSECTION) v128.store(left + at, v128.and(a, b));
    else v128.store(left + at, v128.andnot(a, b));
  }
}
