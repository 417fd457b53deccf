// xxHash64 as its specification has it (https://github.com/Cyan4973/xxHash, doc/xxhash_spec.md).

const PRIME_1: u64 = 0x9e3779b185ebca87;
const PRIME_2: u64 = 0xc2b2ae3d27d4eb4f;
const PRIME_3: u64 = 0x165667b19e3779f9;
const PRIME_4: u64 = 0x85ebca77c2b2ae63;
const PRIME_5: u64 = 0x27d4eb2f165667c5;

const PAGE_SIZE: usize = 4096;
const STRIPE: usize = 32;

/** The xxh64 of `length` bytes at `at`. */
export function xxh64(at: usize, length: usize, seed: u64): u64 {
  const end = at + length;
  let hash = seed + PRIME_5;
  if (length >= STRIPE) {
    hash = stripes(at, length, seed);
    at = end - (length & (STRIPE - 1));
  }
  return avalanche(remainder(hash + <u64>length, at, end));
}

/** The xxh64, with seed 0, of each of `count` pages at `at`, written to `out` as u64. */
export function xxh64Pages(at: usize, count: u32, out: usize): void {
  for (let i: u32 = 0; i < count; i++) {
    store<u64>(out + (<usize>i << 3), xxh64(at + <usize>i * PAGE_SIZE, PAGE_SIZE, 0));
  }
}

function stripes(at: usize, length: usize, seed: u64): u64 {
  const end = at + (length & ~(STRIPE - 1));
  let a = seed + PRIME_1 + PRIME_2;
  let b = seed + PRIME_2;
  let c = seed;
  let d = seed - PRIME_1;
  for (; at < end; at += STRIPE) {
    a = round(a, load<u64>(at));
    b = round(b, load<u64>(at, 8));
    c = round(c, load<u64>(at, 16));
    d = round(d, load<u64>(at, 24));
  }
  let hash = rotl<u64>(a, 1) + rotl<u64>(b, 7) + rotl<u64>(c, 12) + rotl<u64>(d, 18);
  hash = merge(hash, a);
  hash = merge(hash, b);
  hash = merge(hash, c);
  return merge(hash, d);
}

@inline
function round(lane: u64, input: u64): u64 {
  return rotl<u64>(lane + input * PRIME_2, 31) * PRIME_1;
}

@inline
function merge(hash: u64, lane: u64): u64 {
  return (hash ^ round(0, lane)) * PRIME_1 + PRIME_4;
}

function remainder(hash: u64, at: usize, end: usize): u64 {
  for (; at + 8 <= end; at += 8) {
    hash = rotl<u64>(hash ^ round(0, load<u64>(at)), 27) * PRIME_1 + PRIME_4;
  }
  if (at + 4 <= end) {
    hash = rotl<u64>(hash ^ (<u64>load<u32>(at) * PRIME_1), 23) * PRIME_2 + PRIME_3;
    at += 4;
  }
  for (; at < end; at++) {
    hash = rotl<u64>(hash ^ (<u64>load<u8>(at) * PRIME_5), 11) * PRIME_1;
  }
  return hash;
}

@inline
function avalanche(hash: u64): u64 {
  hash = (hash ^ (hash >> 33)) * PRIME_2;
  hash = (hash ^ (hash >> 29)) * PRIME_3;
  return hash ^ (hash >> 32);
}
