// What an operation on page sets leaves behind besides its return value: a few numbers as f64, which
// hold every count up to 2^32 and need no BigInt on the other side.

import { firstMember, lastMember } from "./block";
import { Cursor } from "./cursor";

const FIELDS = memory.data(40, 8);

/** Where the numbers lie: five f64, size, first, last, and the output's place and length. */
export function result(): usize {
  return FIELDS;
}

/** How many members, the smallest, the largest: of the validated page set of `length` bytes at `at`. */
export function describe(at: usize, length: usize, size: u64): void {
  store<f64>(FIELDS, <f64>size);
  if (size == 0) return;
  const cursor = Cursor.over(at, length);
  store<f64>(FIELDS, <f64>((cursor.high << 8) | firstMember(cursor.at, cursor.count)), 8);
  cursor.toLast();
  store<f64>(FIELDS, <f64>((cursor.high << 8) | lastMember(cursor.at, cursor.count)), 16);
}

/** Where the output lies and its length. */
export function setOutput(at: usize, length: usize): void {
  store<f64>(FIELDS, <f64>at, 24);
  store<f64>(FIELDS, <f64>length, 32);
}
