import { xxh64 } from "./xxh64";

const LOW_SEED: u64 = 1;
const HIGH_SEED: u64 = 2;
const ENTRY_BYTES: usize = 12;
const ENTRY = memory.data(16, 8);

/**
 * Writes 16 bytes at `out`: the sum mod 2^128, over `count` pages, of the two hashes of (u32 page index,
 * u64 page hash). `indexes` are u32 and `hashes` u64, in the same order.
 */
export function contentDigest(indexes: usize, hashes: usize, count: u32, out: usize): void {
  let low: u64 = 0;
  let high: u64 = 0;
  for (let i: u32 = 0; i < count; i++) {
    store<u32>(ENTRY, load<u32>(indexes + (<usize>i << 2)));
    store<u64>(ENTRY, load<u64>(hashes + (<usize>i << 3)), 4);
    const sum = low + xxh64(ENTRY, ENTRY_BYTES, LOW_SEED);
    high += xxh64(ENTRY, ENTRY_BYTES, HIGH_SEED) + <u64>(sum < low);
    low = sum;
  }
  store<u64>(out, low);
  store<u64>(out, high, 8);
}
