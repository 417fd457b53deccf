import { PAGE_INDEX_MAX } from "./segment_format";

const DIGIT_BITS: u64 = 8;
const DIGITS: usize = 256;
const INDEX_SHIFT: u64 = 32;
const COUNTS = memory.data(1024, 8);

/**
 * Brings pages into the order of their indexes.
 *
 * @param indexes `count` page indexes (u32) as they came; left sorted.
 * @param order Where the place that each sorted page came from goes (`count` u32).
 * @param scratch Room for 16 bytes a page.
 * @returns Whether every index is a page index and none is there twice.
 */
export function segmentOrder(indexes: usize, count: u32, order: usize, scratch: usize): bool {
  if (!ascends(indexes, count)) sort(indexes, count, order, scratch);
  else for (let i: u32 = 0; i < count; i++) store<u32>(order + (<usize>i << 2), i);
  const last = indexes + (<usize>count << 2) - 4;
  return ascends(indexes, count) && load<u32>(indexes) != 0 && load<u32>(last) <= PAGE_INDEX_MAX;
}

function ascends(indexes: usize, count: u32): bool {
  for (let i: u32 = 1; i < count; i++) {
    const at = indexes + (<usize>i << 2);
    if (load<u32>(at - 4) >= load<u32>(at)) return false;
  }
  return true;
}

/** A radix sort of (index, place), a byte of the index at a time from the lowest. */
function sort(indexes: usize, count: u32, order: usize, scratch: usize): void {
  let from = scratch;
  let to = scratch + (<usize>count << 3);
  for (let i: u32 = 0; i < count; i++) {
    store<u64>(from + (<usize>i << 3), (<u64>load<u32>(indexes + (<usize>i << 2)) << INDEX_SHIFT) | i);
  }
  for (let shift = INDEX_SHIFT; shift < 64; shift += DIGIT_BITS) {
    distribute(from, to, count, shift);
    const swapped = from;
    from = to;
    to = swapped;
  }
  for (let i: u32 = 0; i < count; i++) {
    store<u32>(indexes + (<usize>i << 2), load<u32>(from + (<usize>i << 3), 4));
    store<u32>(order + (<usize>i << 2), load<u32>(from + (<usize>i << 3)));
  }
}

function distribute(from: usize, to: usize, count: u32, shift: u64): void {
  memory.fill(COUNTS, 0, DIGITS << 2);
  for (let i: u32 = 0; i < count; i++) {
    const counter = counterOf(load<u64>(from + (<usize>i << 3)), shift);
    store<u32>(counter, load<u32>(counter) + 1);
  }
  let before: u32 = 0;
  for (let digit: usize = 0; digit < DIGITS; digit++) {
    const here = load<u32>(COUNTS + (digit << 2));
    store<u32>(COUNTS + (digit << 2), before);
    before += here;
  }
  for (let i: u32 = 0; i < count; i++) {
    const entry = load<u64>(from + (<usize>i << 3));
    const counter = counterOf(entry, shift);
    const place = load<u32>(counter);
    store<u64>(to + (<usize>place << 3), entry);
    store<u32>(counter, place + 1);
  }
}

@inline
function counterOf(entry: u64, shift: u64): usize {
  return COUNTS + (<usize>((entry >> shift) & 0xff) << 2);
}
