// Validation of what a peer sent. Every byte must belong to exactly one index or value, so a valid
// encoding is canonical but for the two reserved bytes at its end, and the work is linear.

import { ascends, blockBytes, countBitmap, FULL_BLOCK, isList } from "./block";
import { FOOTER_BYTES, LAST_LEVEL, MAGIC, MAGIC_BYTES, NARROW_OFFSET, WIDE_OFFSET } from "./format";
import { indexBytes } from "./partition";
import { describe, setOutput } from "./result";

// The meaning of the codes stands in src/core/page_set_decode.ts.
const OK: i32 = 0;
const RESERVED_SET: i32 = 1;
const TOO_SHORT: i32 = -1;
const WRONG_MAGIC: i32 = -2;
const TOO_MANY_KEYS: i32 = -3;
const INDEX_OUTSIDE: i32 = -4;
const KEYS_UNSORTED: i32 = -5;
const KEYS_MISCOUNTED: i32 = -6;
const OFFSET_OUTSIDE: i32 = -7;
const VALUES_OVERLAP: i32 = -8;
const BYTES_UNUSED: i32 = -9;
const MEMBERS_UNSORTED: i32 = -10;
const MEMBERS_MISCOUNTED: i32 = -11;

let size: u64 = 0;
let failedAt: usize = 0;

/**
 * Validates `length` bytes at `at`. Returns 0, 1 if only the reserved bytes are not canonical, or a
 * negative code. Leaves the members' number, first and last; after a failure the byte as the output.
 */
export function decode(at: usize, length: usize): i32 {
  size = 0;
  failedAt = at;
  const code = checkEncoding(at, length);
  if (code < 0) setOutput(failedAt - at, 0);
  else describe(at, length, size);
  return code;
}

function checkEncoding(at: usize, length: usize): i32 {
  if (length < MAGIC_BYTES + FOOTER_BYTES) return TOO_SHORT;
  if (load<u32>(at) != MAGIC) return WRONG_MAGIC;
  const footer = at + length - FOOTER_BYTES;
  const keys: u32 = load<u16>(footer);
  if (keys > FULL_BLOCK) return fail(TOO_MANY_KEYS, footer);
  const code = keys == 0
    ? checkEmpty(at + MAGIC_BYTES, footer)
    : checkPartition(at + MAGIC_BYTES, footer, keys, 1);
  if (code < 0) return code;
  return load<u16>(footer, 2) == 0 ? OK : RESERVED_SET;
}

function checkEmpty(start: usize, footer: usize): i32 {
  return start == footer ? OK : fail(BYTES_UNUSED, start);
}

/** Checks the partition of `count` keys that must fill `start` to `end`. */
function checkPartition(start: usize, end: usize, count: u32, level: u32): i32 {
  const offsetBytes = level == LAST_LEVEL ? NARROW_OFFSET : WIDE_OFFSET;
  const bytes = indexBytes(count, offsetBytes);
  if (bytes > end - start) return fail(INDEX_OUTSIDE, start);
  const keys = end - bytes;
  const code = checkBlock(keys, count, KEYS_UNSORTED);
  if (code < 0) return code;
  if (level == LAST_LEVEL && start == keys && isFullIndex(keys, count)) {
    size += FULL_BLOCK * FULL_BLOCK;
    return OK;
  }
  return checkValues(start, keys, count, level);
}

function checkValues(start: usize, keys: usize, count: u32, level: u32): i32 {
  const sizes = keys + blockBytes(count);
  const offsets = sizes + count;
  let at = start;
  for (let i: u32 = 0; i < count; i++) {
    const offset: usize = level == LAST_LEVEL
      ? load<u16>(offsets + (i << 1))
      : load<u32>(offsets + (i << 2));
    if (offset > keys - start) return fail(OFFSET_OUTSIDE, offsets);
    const end = keys - offset;
    if (end < at) return fail(VALUES_OVERLAP, end);
    const code = checkValue(at, end, <u32>load<u8>(sizes + i) + 1, level);
    if (code < 0) return code;
    at = end;
  }
  return at == keys ? OK : fail(BYTES_UNUSED, at);
}

/** Whether the index at `at`, of the last level, has 256 keys with full blocks: most of a long range. */
function isFullIndex(at: usize, count: u32): bool {
  if (count != FULL_BLOCK) return false;
  let sizes = v128.load(at);
  let offsets = v128.load(at + FULL_BLOCK);
  for (let i: usize = 16; i < FULL_BLOCK; i += 16) sizes = v128.and(sizes, v128.load(at + i));
  for (let i: usize = 16; i < 2 * FULL_BLOCK; i += 16) {
    offsets = v128.or(offsets, v128.load(at + FULL_BLOCK + i));
  }
  return !v128.any_true(v128.or(v128.not(sizes), offsets));
}

function checkValue(start: usize, end: usize, count: u32, level: u32): i32 {
  if (level < LAST_LEVEL) return checkPartition(start, end, count, level + 1);
  const bytes = blockBytes(count);
  if (bytes > end - start) return fail(VALUES_OVERLAP, start);
  if (bytes < end - start) return fail(BYTES_UNUSED, start);
  const code = checkBlock(start, count, MEMBERS_UNSORTED);
  if (code < 0) return code;
  size += count;
  return OK;
}

/** Checks a block whose bytes are there. `unsorted` is the code for a list, the next one for a bitmap. */
function checkBlock(at: usize, count: u32, unsorted: i32): i32 {
  if (count == FULL_BLOCK) return OK;
  if (isList(count)) return ascends(at, count) ? OK : fail(unsorted, at);
  return countBitmap(at) == count ? OK : fail(unsorted - 1, at);
}

function fail(code: i32, at: usize): i32 {
  failedAt = at;
  return code;
}
