/**
 * Tables of Huffman codes (RFC 8878, 4.2).
 *
 * @module
 */

import { damagedFrame } from "./damaged_frame.ts";
import { readFseTable } from "./fse_table.ts";
import { highestBit, ReverseBits } from "./reverse_bits.ts";

/** What the next bits of a stream mean. */
export interface HuffmanTable {
  /** The length of the longest code. */
  readonly log: number;
  /** By the next `log` bits: which byte they begin with, */
  readonly symbols: Uint8Array;
  /** and how long its code is. */
  readonly bits: Uint8Array;
}

/** A table, and where the bytes behind its description begin. */
export interface HuffmanTableRead {
  readonly table: HuffmanTable;
  readonly end: number;
}

const LOG_MAX = 11;
const WEIGHTS_MAX = 255;
const WEIGHTS_FSE = { logMax: 6, symbolMax: 255 };

/**
 * Reads the description of a table that begins at `at`.
 *
 * @throws {GraftError} `damaged` when it is malformed, or reaches over `limit`.
 */
export function readHuffmanTable(bytes: Uint8Array, at: number, limit: number): HuffmanTableRead {
  const head = bytes[at];
  const isPlain = head >= 128;
  const end = at + 1 + (isPlain ? head - 126 >> 1 : head);
  if (end > limit) throw damagedFrame("a table is cut short");
  const weights = isPlain
    ? plainWeights(bytes, at + 1, head - 127)
    : compressedWeights(bytes, at + 1, end);
  return { table: makeTable(weights), end };
}

function plainWeights(bytes: Uint8Array, at: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => bytes[at + (i >> 1)] >> (i & 1 ? 0 : 4) & 15);
}

/** Two states take turns, until their bits are used up; what the other one stands for is the last. */
function compressedWeights(bytes: Uint8Array, at: number, end: number): number[] {
  const { table, end: from } = readFseTable(bytes, at, end, WEIGHTS_FSE);
  const bits = new ReverseBits(bytes, from, end);
  const weights: number[] = [];
  let state = bits.read(table.log);
  let other = bits.read(table.log);
  while (bits.left >= 0) {
    // states that take no bits would go on for ever
    if (weights.length >= WEIGHTS_MAX - 1) throw damagedFrame("a table has too many codes");
    weights.push(table.symbols[state]);
    const next = table.bases[state] + bits.read(table.bits[state]);
    state = other;
    other = next;
  }
  weights.push(table.symbols[state]);
  return weights;
}

/** The weight of the last byte is not told: it makes the table full. */
function makeTable(weights: number[]): HuffmanTable {
  if (weights.some((weight) => weight > LOG_MAX)) throw damagedFrame("a code is too long");
  const used = weights.reduce((sum, weight) => sum + (1 << weight >> 1), 0);
  const log = highestBit(used) + 1;
  const left = (1 << log) - used;
  if (used === 0 || log > LOG_MAX || (left & left - 1) !== 0) {
    throw damagedFrame("a table is malformed");
  }
  const all = [...weights, highestBit(left) + 1];
  const symbols = new Uint8Array(1 << log);
  const bits = new Uint8Array(1 << log);
  let at = 0;
  for (let weight = 1; weight <= log; weight++) {
    all.forEach((own, symbol) => {
      if (own !== weight) return;
      const next = at + (1 << weight - 1);
      symbols.fill(symbol, at, next);
      bits.fill(log + 1 - weight, at, next);
      at = next;
    });
  }
  return { log, symbols, bits };
}

/**
 * Decodes the stream of `bytes` from `from` to `to`, exclusive, which must fill `output`.
 *
 * @throws {GraftError} `damaged` when it does not.
 */
export function decodeHuffman(
  { log, symbols, bits }: HuffmanTable,
  bytes: Uint8Array,
  from: number,
  to: number,
  output: Uint8Array,
): void {
  const mask = (1 << log) - 1;
  let left = new ReverseBits(bytes, from, to).left;
  // most of a frame's bytes pass here: the bits are read in place, which takes half the time
  for (let i = 0; i < output.length; i++) {
    const bitAt = from * 8 + left - log;
    const at = bitAt >> 3;
    const code = (bytes[at] | bytes[at + 1] << 8 | bytes[at + 2] << 16) >> (bitAt & 7) & mask;
    output[i] = symbols[code];
    left -= bits[code];
  }
  if (left !== 0) throw damagedFrame("a stream has another length than its bytes");
}
