// What an operation on page sets leaves behind besides its return value: a few numbers as f64, which
// hold every count up to 2^32 and need no BigInt on the other side.

const FIELDS = memory.data(40, 8);

/** Where the numbers lie: five f64, in the order of the setters below. */
export function result(): usize {
  return FIELDS;
}

/** How many members, the smallest, the largest. */
export function setMembers(size: u64, first: u32, last: u32): void {
  store<f64>(FIELDS, <f64>size);
  store<f64>(FIELDS, <f64>first, 8);
  store<f64>(FIELDS, <f64>last, 16);
}

/** Where the output lies and its length. */
export function setOutput(at: usize, length: usize): void {
  store<f64>(FIELDS, <f64>at, 24);
  store<f64>(FIELDS, <f64>length, 32);
}
