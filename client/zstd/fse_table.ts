/**
 * Tables of finite state entropy (RFC 8878, 4.1).
 *
 * @module
 */

import { damagedFrame } from "./damaged_frame.ts";
import { highestBit } from "./reverse_bits.ts";

/** What a decoder does in each of its states. */
export interface FseTable {
  /** There are `2 ** log` states. */
  readonly log: number;
  /** What a state stands for. */
  readonly symbols: Uint8Array;
  /** How many bits are read for the next state, */
  readonly bits: Uint8Array;
  /** and what they are added to. */
  readonly bases: Uint16Array;
}

/** A table, and where the bytes behind its description begin. */
export interface FseTableRead {
  readonly table: FseTable;
  readonly end: number;
}

/** What a description may say. */
export interface FseBounds {
  readonly logMax: number;
  readonly symbolMax: number;
}

/** The table of one symbol, which takes no bits. */
export function fseTableOf(symbol: number): FseTable {
  const one = new Uint8Array(1);
  return { log: 0, symbols: Uint8Array.of(symbol), bits: one, bases: new Uint16Array(1) };
}

/**
 * The table of a distribution: how many of the `2 ** log` states each symbol has; -1 is one with few bits.
 *
 * @throws {GraftError} `damaged` when they are not as many.
 */
export function makeFseTable(log: number, counts: readonly number[]): FseTable {
  const size = 1 << log;
  const symbols = new Uint8Array(size);
  let rareAt = size;
  counts.forEach((count, symbol) => {
    if (count === -1) symbols[--rareAt] = symbol;
  });
  const step = (size >> 1) + (size >> 3) + 3;
  let at = 0;
  counts.forEach((count, symbol) => {
    for (let i = 0; i < count; i++) {
      symbols[at] = symbol;
      // ends, as the step is odd and 0 is below any bound that leaves room for a count
      do at = at + step & size - 1; while (at >= rareAt);
    }
  });
  return { log, symbols, ...transitions(log, symbols, counts) };
}

function transitions(log: number, symbols: Uint8Array, counts: readonly number[]) {
  const next = counts.map((count) => Math.abs(count));
  const bits = new Uint8Array(symbols.length);
  const bases = new Uint16Array(symbols.length);
  symbols.forEach((symbol, state) => {
    const value = next[symbol]++;
    bits[state] = log - highestBit(value);
    bases[state] = (value << bits[state]) - symbols.length;
  });
  return { bits, bases };
}

/**
 * Reads the description of a table that begins at `at`.
 *
 * @throws {GraftError} `damaged` when it is malformed, beyond the bounds, or reaches over `limit`.
 */
export function readFseTable(
  bytes: Uint8Array,
  at: number,
  limit: number,
  { logMax, symbolMax }: FseBounds,
): FseTableRead {
  const bits = new ForwardBits(bytes, at);
  const log = bits.read(4) + 5;
  if (log > logMax) throw damagedFrame("a table is too large");
  const counts: number[] = [];
  let left = 1 << log;
  while (left > 0 && counts.length <= symbolMax) {
    const count = readCount(bits, left);
    left -= Math.abs(count);
    counts.push(count);
    if (count === 0) readZeros(bits, counts, symbolMax);
  }
  const end = bits.end;
  if (left !== 0 || counts.length > symbolMax + 1 || end > limit) {
    throw damagedFrame("a table is malformed");
  }
  return { table: makeFseTable(log, counts), end };
}

/** Small values take one bit less: as many as there are codes to spare. */
function readCount(bits: ForwardBits, left: number): number {
  const width = highestBit(left + 1) + 1;
  const lowMask = (1 << width - 1) - 1;
  const spare = (1 << width) - 1 - (left + 1);
  const low = bits.read(width - 1);
  if (low < spare) return low - 1;
  const value = low + (bits.read(1) << width - 1);
  return (value > lowMask ? value - spare : value) - 1;
}

/** How many more symbols have no states: two bits each time, for as long as they say three. */
function readZeros(bits: ForwardBits, counts: number[], symbolMax: number): void {
  let repeated: number;
  do {
    repeated = bits.read(2);
    for (let i = 0; i < repeated; i++) counts.push(0);
  } while (repeated === 3 && counts.length <= symbolMax);
}

/** Bits from the lowest of the first byte on. */
class ForwardBits {
  readonly #bytes: Uint8Array;
  #at: number;

  constructor(bytes: Uint8Array, at: number) {
    this.#bytes = bytes;
    this.#at = at * 8;
  }

  /** Where the next whole byte begins. */
  get end(): number {
    return this.#at + 7 >> 3;
  }

  read(count: number): number {
    const at = this.#at >> 3;
    const word = this.#bytes[at] | this.#bytes[at + 1] << 8 | this.#bytes[at + 2] << 16;
    const value = word >> (this.#at & 7) & (1 << count) - 1;
    this.#at += count;
    return value;
  }
}
