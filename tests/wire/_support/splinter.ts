/**
 * Page sets by hand, written from the format's description and independent of the code under test.
 *
 * @module
 */

import { type Bytes, join } from "./protobuf.ts";

const MAGIC = [0xda, 0xae, 0x12, 0xdf];
/** Members of a block from which on it is a bitmap. */
const BITMAP_FROM = 32;

/** The encoding of a set of page indexes, given in any order. */
export function splinter(members: Iterable<number>): Bytes {
  const sorted = [...new Set(members)].sort((a, b) => a - b);
  if (sorted.length === 0) return new Uint8Array([...MAGIC, 0, 0, 0, 0]);
  const keys = groupBy(sorted, 24).size;
  return join(
    new Uint8Array(MAGIC),
    level(sorted, 24),
    new Uint8Array([keys & 255, keys >> 8, 0, 0]),
  );
}

/** Every number from `first` to `last`, both inclusive. */
export function range(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, i) => first + i);
}

/** The members of an encoding, ascending. It trusts its input, but for what it reads past the end. */
export function members(encoded: Uint8Array): number[] {
  if (MAGIC.some((byte, i) => encoded[i] !== byte)) throw new Error("A page set lacks its magic");
  const keys = encoded[encoded.length - 4] | (encoded[encoded.length - 3] << 8);
  return keys === 0 ? [] : readLevel(encoded.subarray(4, encoded.length - 4), keys, 24);
}

function level(sorted: readonly number[], shift: number): Bytes {
  const values: Bytes[] = [];
  const ends: number[] = [];
  const cardinalities: number[] = [];
  const groups = groupBy(sorted, shift);
  let end = 0;
  for (const group of groups.values()) {
    const value = shift === 8
      ? block(group.map((member) => member & 255))
      : level(group, shift - 8);
    values.push(value);
    ends.push(end += value.length);
    cardinalities.push((shift === 8 ? group.length : groupBy(group, shift - 8).size) - 1);
  }
  const width = shift === 8 ? 2 : 4;
  const offsets = new Uint8Array(width * ends.length);
  ends.forEach((valueEnd, i) => {
    for (let byte = 0; byte < width; byte++) {
      offsets[i * width + byte] = (end - valueEnd) >> (8 * byte);
    }
  });
  return join(...values, block([...groups.keys()]), new Uint8Array(cardinalities), offsets);
}

/** The members grouped by one of their bytes; they agree in all bytes above it. */
function groupBy(sorted: readonly number[], shift: number): Map<number, number[]> {
  const groups = new Map<number, number[]>();
  for (const member of sorted) {
    const key = (member >>> shift) & 255;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [member]);
    else group.push(member);
  }
  return groups;
}

function block(values: readonly number[]): Bytes {
  if (values.length === 256) return new Uint8Array(0);
  if (values.length < BITMAP_FROM) return new Uint8Array(values);
  const bitmap = new Uint8Array(32);
  for (const value of values) bitmap[value >> 3] |= 1 << (value & 7);
  return bitmap;
}

function readLevel(area: Uint8Array, keyCount: number, shift: number): number[] {
  const width = shift === 8 ? 2 : 4;
  const keyBytes = blockBytes(keyCount);
  const end = area.length - keyBytes - keyCount - width * keyCount;
  const keys = readBlock(area.subarray(end, end + keyBytes), keyCount);
  const cardinalities = area.subarray(end + keyBytes, end + keyBytes + keyCount);
  const offsets = area.subarray(end + keyBytes + keyCount);
  let start = 0;
  return keys.flatMap((key, i) => {
    const back = Array.from(offsets.subarray(i * width, (i + 1) * width))
      .reduceRight((sum, byte) => sum * 256 + byte, 0);
    const value = area.subarray(start, start = end - back);
    const count = cardinalities[i] + 1;
    const below = shift === 8 ? readBlock(value, count) : readLevel(value, count, shift - 8);
    return below.map((member) => key * 2 ** shift + member);
  });
}

function blockBytes(count: number): number {
  if (count === 256) return 0;
  return count < BITMAP_FROM ? count : 32;
}

function readBlock(encoded: Uint8Array, count: number): number[] {
  if (count === 256) return range(0, 255);
  if (count < BITMAP_FROM) return [...encoded];
  return range(0, 255).filter((value) => encoded[value >> 3] & (1 << (value & 7)));
}
