// Operations on two encoded page sets. Both are walked once, block by block; whole stretches that an
// operation leaves out are jumped over.

import { alloc } from "../memory";
import { BITMAP_BYTES } from "./block";
import { Cursor } from "./cursor";
import { Writer } from "./writer";

const UNION: u32 = 0;
const INTERSECTION: u32 = 1;
const DIFFERENCE: u32 = 2;

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
      else copyBlock(writer, a);
    } else if (a.high > b.high) {
      if (operation == UNION) copyBlock(writer, b);
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
  if (operation != INTERSECTION) while (!a.done) copyBlock(writer, a);
  if (operation == UNION) while (!b.done) copyBlock(writer, b);
  writer.finish();
}

function copyBlock(writer: Writer, cursor: Cursor): void {
  writer.addBlock(cursor.high, cursor.count, cursor.at);
  cursor.next();
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
