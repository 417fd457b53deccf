/**
 * Decompresses zstd (RFC 8878). The decoder is small, for clients that load it over a network, and
 * careful, as anyone may have written what it reads.
 *
 * ## Limitations
 *
 * - What is decompressed must be known to have a certain length; no dictionaries, no skippable frames.
 * - The checksum that a frame may end with is not looked at: pages have their own.
 *
 * @module
 */

import { damagedFrame } from "./damaged_frame.ts";
import type { HuffmanTable } from "./huffman_table.ts";
import { readLiterals } from "./literals.ts";
import { newSequenceMemory, runSequences, type SequenceMemory } from "./sequences.ts";

const MAGIC = 0xfd2fb528;
/** The least that a frame has, and its first block. */
const FRAME_BYTES_MIN = 9;
/** A checksum has as many, and the flag that tells of it is the same bit. */
const CHECKSUM_BYTES = 4;
/** Bit streams are read in words of four bytes. */
const PADDING = 4;

const RAW = 0;
const REPEATED = 1;
const COMPRESSED = 2;

/** A block, whose content begins at `at`. */
interface Block {
  readonly kind: number;
  readonly length: number;
  readonly isLast: boolean;
  readonly at: number;
}

/** How far reading and writing are. */
interface Place {
  readonly at: number;
  readonly written: number;
}

/** What a block may take from the one before. */
interface Memory {
  table: HuffmanTable | undefined;
  readonly sequences: SequenceMemory;
}

/**
 * Decompresses a frame that anyone may have written. It takes time and memory for `rawLength` bytes and the
 * stored ones, whatever these say.
 *
 * @returns Exactly `rawLength` bytes, an array of their own.
 * @throws {GraftError} `damaged` when it is no frame, or of another length.
 *
 * @example
 * ```ts
 * import { decompress } from "./decompress.ts";
 *
 * // a frame with one block: the byte 7, four times
 * const frame = Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0x20, 4, 0x23, 0, 0, 7);
 * console.log(decompress(frame, 4)); // Uint8Array(4) [ 7, 7, 7, 7 ]
 * ```
 */
export function decompress(stored: Uint8Array, rawLength: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(stored.length + PADDING);
  bytes.set(stored);
  const output = new Uint8Array(rawLength);
  let place: Place = { at: 0, written: 0 };
  // Node's zstd, as Deno has it, leaves an empty frame behind some
  do place = readFrame(bytes, stored.length, output, place); while (place.at < stored.length);
  if (place.written !== rawLength) {
    throw damagedFrame(`it holds ${place.written} bytes instead of ${rawLength}`);
  }
  return output;
}

function readFrame(bytes: Uint8Array, end: number, output: Uint8Array, place: Place): Place {
  const memory: Memory = { table: undefined, sequences: newSequenceMemory() };
  let at = readHead(bytes, place.at, end);
  let { written } = place;
  for (let isLast = false; !isLast;) {
    const block = readBlock(bytes, at, end);
    written = writeBlock(bytes, block, output, written, memory);
    at = block.at + (block.kind === REPEATED ? 1 : block.length);
    isLast = block.isLast;
  }
  at += bytes[place.at + 4] & CHECKSUM_BYTES;
  if (at > end) throw damagedFrame("it is cut short");
  return { at, written };
}

/** Returns where the first block begins. */
function readHead(bytes: Uint8Array, at: number, end: number): number {
  const magic = new DataView(bytes.buffer).getUint32(at, true);
  if (end - at < FRAME_BYTES_MIN || magic !== MAGIC) throw damagedFrame("it is none");
  const flags = bytes[at + 4];
  // a dictionary, or what is not defined yet
  if ((flags & 0b1011) !== 0) throw damagedFrame("it is of an unknown kind");
  const isSingle = (flags & 0x20) !== 0;
  const lengthForm = flags >> 6;
  const lengthBytes = lengthForm === 0 ? Number(isSingle) : 1 << lengthForm;
  return at + 5 + (isSingle ? 0 : 1) + lengthBytes;
}

function readBlock(bytes: Uint8Array, at: number, end: number): Block {
  const head = bytes[at] | bytes[at + 1] << 8 | bytes[at + 2] << 16;
  const block = { isLast: (head & 1) === 1, kind: head >> 1 & 3, length: head >> 3, at: at + 3 };
  const stored = block.kind === REPEATED ? 1 : block.length;
  if (block.at + stored > end) throw damagedFrame("it is cut short");
  return block;
}

/** Returns how many bytes there are then. */
function writeBlock(
  bytes: Uint8Array,
  { kind, length, at }: Block,
  output: Uint8Array,
  written: number,
  memory: Memory,
): number {
  const end = at + length;
  if (kind === COMPRESSED) {
    const room = output.length - written;
    const literals = readLiterals(bytes, at, end, memory.table, room);
    memory.table = literals.table;
    const { bytes: raw, end: from } = literals;
    return runSequences(bytes, from, end, raw, output, written, memory.sequences);
  }
  if (written + length > output.length) throw damagedFrame("it is too long");
  if (kind === RAW) output.set(bytes.subarray(at, end), written);
  else if (kind === REPEATED) output.fill(bytes[at], written, written + length);
  else throw damagedFrame("a block is of an unknown kind");
  return written + length;
}
