/**
 * Blocks: the sets of bytes that an encoded page set is made of.
 *
 * ```text
 * 256 members       nothing
 * fewer than 32     the members, ascending
 * otherwise         a bitmap of 32 bytes, member m at bit (m mod 8) of byte (m div 8)
 * ```
 *
 * Each function takes the encoding, where the block begins, and how many members it has.
 *
 * @module
 */

const FULL = 256;
const LIST_MAX = 31;
const BITMAP_BYTES = 32;

/** Bytes of a block of `count` members. */
export function blockBytes(count: number): number {
  if (count <= LIST_MAX) return count;
  return count === FULL ? 0 : BITMAP_BYTES;
}

/** Whether `member`, from 0 to 255, is in the block. */
export function blockHas(bytes: Uint8Array, at: number, count: number, member: number): boolean {
  if (count === FULL) return true;
  if (count > LIST_MAX) return (bytes[at + (member >> 3)] & (1 << (member & 7))) !== 0;
  for (let i = 0; i < count; i++) {
    if (bytes[at + i] >= member) return bytes[at + i] === member;
  }
  return false;
}

/** How many members of the block are smaller than `member`. */
export function blockRank(bytes: Uint8Array, at: number, count: number, member: number): number {
  if (count === FULL) return member;
  let rank = 0;
  if (count <= LIST_MAX) {
    while (rank < count && bytes[at + rank] < member) rank++;
    return rank;
  }
  for (let i = 0; i < member >> 3; i++) rank += countBits(bytes[at + i]);
  return rank + countBits(bytes[at + (member >> 3)] & ((1 << (member & 7)) - 1));
}

/** The member of the block that has `rank` smaller ones; there must be one. */
export function blockSelect(bytes: Uint8Array, at: number, count: number, rank: number): number {
  if (count === FULL) return rank;
  if (count <= LIST_MAX) return bytes[at + rank];
  let left = rank;
  let byte = 0;
  for (; left >= countBits(bytes[at + byte]); byte++) left -= countBits(bytes[at + byte]);
  let bits = bytes[at + byte];
  for (; left > 0; left--) bits &= bits - 1;
  return byte * 8 + 31 - Math.clz32(bits & -bits);
}

/** How many bits of a byte are set. */
function countBits(byte: number): number {
  const pairs = byte - ((byte >> 1) & 0x55);
  const nibbles = (pairs & 0x33) + ((pairs >> 2) & 0x33);
  return (nibbles + (nibbles >> 4)) & 0x0f;
}
