// A block is a set of bytes, written in one of three ways that its number of members decides:
//
//   256 members          nothing
//   fewer than 32        the members, ascending
//   otherwise            a bitmap of 32 bytes, member m at bit (m mod 8) of byte (m div 8)
//
// Blocks are the leaves of an encoded page set and also hold the keys of its partitions. While a block
// is worked on it is a bitmap, whatever its encoded form.

/** Members of a block that holds every byte. */
export const FULL_BLOCK: u32 = 256;
/** Bytes of a bitmap. */
export const BITMAP_BYTES: usize = 32;

const LIST_MAX: u32 = 31;

/** Bytes of the encoded block of `count` members. */
@inline
export function blockBytes(count: u32): usize {
  if (count <= LIST_MAX) return count;
  return count == FULL_BLOCK ? 0 : BITMAP_BYTES;
}

/** Whether the encoded block of `count` members is a list. */
@inline
export function isList(count: u32): bool {
  return count <= LIST_MAX;
}

/** Whether the encoded block of `count` members is a bitmap. */
@inline
export function isBitmap(count: u32): bool {
  return count > LIST_MAX && count != FULL_BLOCK;
}

/** Turns the encoded block of `count` members at `at` into a bitmap at `bitmap`. */
export function expandBlock(at: usize, count: u32, bitmap: usize): void {
  if (isBitmap(count)) return memory.copy(bitmap, at, BITMAP_BYTES);
  memory.fill(bitmap, count == FULL_BLOCK ? 0xff : 0, BITMAP_BYTES);
  if (isList(count)) addList(at, count, bitmap);
}

/** Sets the bits of `count` bytes at `at`. */
export function addList(at: usize, count: u32, bitmap: usize): void {
  for (let i: u32 = 0; i < count; i++) addMember(bitmap, load<u8>(at + i));
}

/** Sets one bit. */
@inline
export function addMember(bitmap: usize, member: u32): void {
  const at = bitmap + (member >> 3);
  store<u8>(at, load<u8>(at) | <u8>(<u32>1 << (member & 7)));
}

/** Encodes a bitmap of `count` members at `out`, which has room for 32 bytes; returns the bytes used. */
export function packBlock(bitmap: usize, count: u32, out: usize): usize {
  if (isBitmap(count)) memory.copy(out, bitmap, BITMAP_BYTES);
  else if (isList(count)) packList(bitmap, out);
  return blockBytes(count);
}

function packList(bitmap: usize, out: usize): void {
  for (let word: u32 = 0; word < 4; word++) {
    let bits = load<u64>(bitmap + (word << 3));
    for (; bits != 0; bits &= bits - 1) store<u8>(out++, (word << 6) | <u32>ctz(bits));
  }
}

/** Members of a bitmap. */
export function countBitmap(bitmap: usize): u32 {
  const low = popcnt(load<u64>(bitmap)) + popcnt(load<u64>(bitmap, 8));
  return <u32>(low + popcnt(load<u64>(bitmap, 16)) + popcnt(load<u64>(bitmap, 24)));
}

/** The smallest member that is at least `from`; 256 when there is none. */
export function nextMember(bitmap: usize, from: u32): u32 {
  let mask: u64 = ~0 << (from & 63);
  for (let word = from >> 6; word < 4; word++) {
    const bits = load<u64>(bitmap + (word << 3)) & mask;
    if (bits != 0) return (word << 6) | <u32>ctz(bits);
    mask = ~0;
  }
  return FULL_BLOCK;
}

/** The smallest member of the encoded block of `count` members at `at`. */
export function firstMember(at: usize, count: u32): u32 {
  if (isList(count)) return load<u8>(at);
  return count == FULL_BLOCK ? 0 : nextMember(at, 0);
}

/** The largest member of the encoded block of `count` members at `at`. */
export function lastMember(at: usize, count: u32): u32 {
  if (isList(count)) return load<u8>(at + count - 1);
  if (count == FULL_BLOCK) return FULL_BLOCK - 1;
  let word = BITMAP_BYTES - 8;
  while (load<u64>(at + word) == 0) word -= 8;
  return (<u32>word << 3) + 63 - <u32>clz(load<u64>(at + word));
}

/** Whether the `count` bytes at `at` ascend, as a list must. */
export function ascends(at: usize, count: u32): bool {
  for (let i: u32 = 1; i < count; i++) {
    if (load<u8>(at + i - 1) >= load<u8>(at + i)) return false;
  }
  return true;
}
