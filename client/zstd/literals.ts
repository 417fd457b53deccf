/**
 * The literals of a block: bytes that are not repeated from before (RFC 8878, 3.1.1.3.1).
 *
 * @module
 */

import { damagedFrame } from "./damaged_frame.ts";
import { decodeHuffman, type HuffmanTable, readHuffmanTable } from "./huffman_table.ts";

/** The literals of a block, and what follows. */
export interface Literals {
  readonly bytes: Uint8Array;
  /** Where the sequences begin. */
  readonly end: number;
  /** The table for a next block that has none of its own. */
  readonly table: HuffmanTable | undefined;
}

/** The first bytes of the section. */
interface Head {
  readonly bytes: number;
  readonly length: number;
  /** How many bytes the table and the streams have. */
  readonly stored: number;
  readonly streams: 1 | 4;
}

const RAW = 0;
const REPEATED = 1;
const WITH_TABLE = 2;

/**
 * Reads the section of `block` from `at` to `limit`, exclusive.
 *
 * @param table The table of the block before.
 * @param lengthMax How many bytes there may be.
 * @throws {GraftError} `damaged`
 */
export function readLiterals(
  block: Uint8Array,
  at: number,
  limit: number,
  table: HuffmanTable | undefined,
  lengthMax: number,
): Literals {
  const kind = block[at] & 3;
  const head = kind <= REPEATED ? plainHead(block, at) : compressedHead(block, at);
  const from = at + head.bytes;
  const end = from + (kind === REPEATED ? 1 : head.stored);
  if (end > limit || head.length > lengthMax) throw damagedFrame("its literals are too long");
  if (kind === RAW) return { bytes: block.subarray(from, end), end, table };
  const bytes = new Uint8Array(head.length);
  if (kind === REPEATED) return { bytes: bytes.fill(block[from]), end, table };
  const own = kind === WITH_TABLE ? readHuffmanTable(block, from, end) : undefined;
  const used = own?.table ?? table;
  if (used === undefined) throw damagedFrame("its literals have no table");
  const streamsAt = own?.end ?? from;
  if (head.streams === 1) decodeHuffman(used, block, streamsAt, end, bytes);
  else decodeFour(used, block, streamsAt, end, bytes);
  return { bytes, end, table: used };
}

function plainHead(block: Uint8Array, at: number): Head {
  const first = block[at];
  const form = first >> 2 & 3;
  if (form === 1) return plain(2, first >> 4 | block[at + 1] << 4);
  if (form === 3) return plain(3, first >> 4 | block[at + 1] << 4 | block[at + 2] << 12);
  return plain(1, first >> 3);
}

function plain(bytes: number, length: number): Head {
  return { bytes, length, stored: length, streams: 1 };
}

function compressedHead(block: Uint8Array, at: number): Head {
  const form = block[at] >> 2 & 3;
  const width = [10, 10, 14, 18][form];
  const bytes = [3, 3, 4, 5][form];
  let head = 0;
  // up to 40 bits: more than bitwise operators take
  for (let i = bytes - 1; i >= 0; i--) head = head * 256 + block[at + i];
  const lengths = Math.floor(head / 16);
  return {
    bytes,
    length: lengths % 2 ** width,
    stored: Math.floor(lengths / 2 ** width),
    streams: form === 0 ? 1 : 4,
  };
}

/** Four streams of a quarter each; the lengths of three are told. */
function decodeFour(
  table: HuffmanTable,
  block: Uint8Array,
  at: number,
  end: number,
  output: Uint8Array,
): void {
  const quarter = output.length + 3 >> 2;
  if (quarter * 3 > output.length) throw damagedFrame("its literals are too few");
  let from = at + 6;
  for (let i = 0; i < 4; i++) {
    const lengthAt = at + i * 2;
    const to = i === 3 ? end : from + (block[lengthAt] | block[lengthAt + 1] << 8);
    if (to > end) throw damagedFrame("its literals are cut short");
    decodeHuffman(table, block, from, to, output.subarray(i * quarter, (i + 1) * quarter));
    from = to;
  }
}
