// What an operation on page sets leaves behind besides its return value: a few numbers as f64, which
// hold every count up to 2^32 and need no BigInt on the other side.

import { firstMember, lastMember } from "./block";
import { Cursor } from "./cursor";

const FIELDS = memory.data(40, 8);

/** Where the numbers lie: five f64, size, first, last, and the output's place and length. */
export function result(): usize {
  return FIELDS;
}

/** What the validated page set of `length` bytes at `at` holds; `size` is known already. */
export function describe(at: usize, length: usize, size: u64): void {
  const cursor = Cursor.over(at, length);
  let first: u32 = 0;
  let last: u32 = 0;
  if (!cursor.done) {
    first = (cursor.high << 8) | firstMember(cursor.at, cursor.count);
    cursor.toLast();
    last = (cursor.high << 8) | lastMember(cursor.at, cursor.count);
  }
  store<f64>(FIELDS, <f64>size);
  store<f64>(FIELDS, <f64>first, 8);
  store<f64>(FIELDS, <f64>last, 16);
}

/** Where the output lies and its length. */
export function setOutput(at: usize, length: usize): void {
  store<f64>(FIELDS, <f64>at, 24);
  store<f64>(FIELDS, <f64>length, 32);
}
