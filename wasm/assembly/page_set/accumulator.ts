// Unites any number of page sets, ranges and single members in one pass over each: a tree of nodes with
// 256 slots, one level a byte of the number, above bitmaps of 32 bytes. A slot is empty, or holds a
// pointer, or the mark that everything below it is in: a long range touches a few slots and no bitmap.

import { allocZeroed } from "../memory";
import { addList, addMember, BITMAP_BYTES, FULL_BLOCK, isList } from "./block";
import { Cursor } from "./cursor";
import { Writer } from "./writer";

const EMPTY: usize = 0;
const FULL: usize = 1;
const SLOTS: u32 = 256;
const NODE_BYTES: usize = <usize>SLOTS * sizeof<usize>();
const ROOT_BITS: u32 = 32;
const BLOCK_BITS: u32 = 8;
const PARTITION_BITS: u32 = 16;

let root: usize = EMPTY;

/** Starts with the empty set. The tree lives in the arena: no reset before `finish`. */
export function begin(): void {
  const slot = allocZeroed(sizeof<usize>());
  root = slot;
}

/** Adds the numbers from `first` to `last`, both inclusive. */
export function addRange(first: u32, last: u32): void {
  cover(root, ROOT_BITS, first, last);
}

/** Adds `count` u32 at `at`, in any order. */
export function addMembers(at: usize, count: u32): void {
  let high: u32 = 0;
  let block: usize = EMPTY;
  for (let i: u32 = 0; i < count; i++) {
    const member = load<u32>(at + (<usize>i << 2));
    if (block == EMPTY || member >> BLOCK_BITS != high) {
      high = member >> BLOCK_BITS;
      block = blockOf(high);
    }
    if (block != FULL) addMember(block, member & 0xff);
  }
}

/** Adds the members of the validated page set of `length` bytes at `at`. */
export function addSet(at: usize, length: usize): void {
  const cursor = Cursor.over(at, length);
  while (!cursor.done) {
    if (cursor.partition().isFull()) {
      const first = cursor.prefix() << PARTITION_BITS;
      addRange(first, first | 0xffff);
      cursor.nextPartition();
    } else {
      addBlock(cursor);
      cursor.next();
    }
  }
}

/** Encodes the union and leaves it as the result. */
export function finish(): void {
  const writer = Writer.create();
  emit(writer, load<usize>(root), ROOT_BITS, 0);
  writer.finish();
}

function addBlock(cursor: Cursor): void {
  const first = cursor.high << BLOCK_BITS;
  if (cursor.count == FULL_BLOCK) return addRange(first, first | 0xff);
  const block = blockOf(cursor.high);
  if (block == FULL) return;
  if (isList(cursor.count)) return addList(cursor.at, cursor.count, block);
  v128.store(block, v128.or(v128.load(block), v128.load(cursor.at)));
  v128.store(block, v128.or(v128.load(block, 16), v128.load(cursor.at, 16)), 16);
}

/** The bitmap of the numbers whose upper 24 bits are `high`, made if need be; or FULL. */
function blockOf(high: u32): usize {
  let slot = root;
  for (let shift: u32 = ROOT_BITS - BLOCK_BITS; shift > 0; shift -= 8) {
    const node = child(slot, NODE_BYTES);
    if (node == FULL) return FULL;
    slot = node + slotAt(((high << BLOCK_BITS) >> shift) & 0xff);
  }
  return child(slot, BITMAP_BYTES);
}

@inline
function slotAt(key: u32): usize {
  return <usize>key * sizeof<usize>();
}

/** What `slot` points to, made of `bytes` zeros if it is empty; or FULL. */
function child(slot: usize, bytes: usize): usize {
  const node = load<usize>(slot);
  if (node != EMPTY) return node;
  const made = allocZeroed(bytes);
  store<usize>(slot, made);
  return made;
}

/** Adds `first` to `last`, counted from the smallest of the 2^bits numbers below `slot`. */
function cover(slot: usize, bits: u32, first: u32, last: u32): void {
  if (load<usize>(slot) == FULL) return;
  const mask = u32.MAX_VALUE >> (ROOT_BITS - bits);
  if (first == 0 && last == mask) return store<usize>(slot, FULL);
  if (bits == BLOCK_BITS) return coverBits(child(slot, BITMAP_BYTES), first, last);
  const node = child(slot, NODE_BYTES);
  const below = bits - 8;
  const maskBelow = mask >> 8;
  for (let key = first >> below; key <= last >> below; key++) {
    const from = key == first >> below ? first & maskBelow : 0;
    const to = key == last >> below ? last & maskBelow : maskBelow;
    cover(node + slotAt(key), below, from, to);
  }
}

function coverBits(block: usize, first: u32, last: u32): void {
  for (let word = first >> 6; word <= last >> 6; word++) {
    let mask: u64 = ~0;
    if (word == first >> 6) mask &= ~0 << (first & 63);
    if (word == last >> 6) mask &= ~0 >> (63 - (last & 63));
    const at = block + (word << 3);
    store<u64>(at, load<u64>(at) | mask);
  }
}

/** Writes what hangs below a slot that holds `node`; its numbers begin with `prefix`. */
function emit(writer: Writer, node: usize, bits: u32, prefix: u32): void {
  if (node == FULL && bits == PARTITION_BITS) return writer.addFullPartition(prefix);
  if (bits == BLOCK_BITS) {
    if (node == FULL) writer.addBlock(prefix, FULL_BLOCK, 0);
    else writer.addBitmap(prefix, node);
    return;
  }
  if (node == EMPTY) return;
  for (let key: u32 = 0; key < SLOTS; key += 4) {
    if (node == FULL || v128.any_true(v128.load(node + slotAt(key)))) {
      for (let i = key; i < key + 4; i++) emitSlot(writer, node, i, bits, prefix);
    }
  }
}

function emitSlot(writer: Writer, node: usize, key: u32, bits: u32, prefix: u32): void {
  const below = node == FULL ? FULL : load<usize>(node + slotAt(key));
  if (below != EMPTY) emit(writer, below, bits - 8, (prefix << 8) | key);
}
