/**
 * The sequences of a block: how literals and repeated bytes take turns (RFC 8878, 3.1.1.3.2).
 *
 * @module
 */

import { damagedFrame } from "./damaged_frame.ts";
import { type FseTable, fseTableOf, makeFseTable, readFseTable } from "./fse_table.ts";
import { ReverseBits } from "./reverse_bits.ts";

/** One of the three numbers of a sequence: its codes, and what they mean. */
interface Kind {
  readonly logMax: number;
  /** The table of blocks that bring none. */
  readonly usual: FseTable;
  /** How many bits follow each code, */
  readonly bits: Uint8Array;
  /** and what they are added to. */
  readonly bases: Uint32Array;
}

const LITERALS = 0;
const OFFSETS = 1;
const MATCHES = 2;

const KINDS: readonly Kind[] = [
  kind(
    9,
    makeFseTable(6, [
      4,
      3,
      ...run(11, 2),
      1,
      1,
      1,
      ...run(9, 2),
      3,
      2,
      ...run(5, 1),
      ...run(4, -1),
    ]),
    [...run(16, 0), 1, 1, 1, 1, 2, 2, 3, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16],
    0,
  ),
  // farther away than 8 MiB nothing is
  kind(
    8,
    makeFseTable(5, [...run(6, 1), 2, 2, 2, ...run(15, 1), ...run(5, -1)]),
    Array.from({ length: 23 }, (_, code) => code),
    1,
  ),
  kind(
    9,
    makeFseTable(6, [1, 4, 3, ...run(6, 2), ...run(37, 1), ...run(7, -1)]),
    [...run(32, 0), 1, 1, 1, 1, 2, 2, 3, 3, 4, 4, 5, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16],
    3,
  ),
];

/** The values of a code end where those of the next begin. */
function kind(logMax: number, usual: FseTable, bits: readonly number[], first: number): Kind {
  let base = first;
  const bases = Uint32Array.from(bits, (count) => (base += 1 << count) - (1 << count));
  return { logMax, usual, bits: Uint8Array.from(bits), bases };
}

function run(count: number, value: number): number[] {
  return Array<number>(count).fill(value);
}

/** What a block may take from the one before. */
export interface SequenceMemory {
  /** The tables for lengths of literals, offsets and lengths of matches. */
  readonly tables: (FseTable | undefined)[];
  /** The last offsets, the newest first. */
  readonly offsets: [number, number, number];
}

/** What a frame begins with. */
export function newSequenceMemory(): SequenceMemory {
  return { tables: [undefined, undefined, undefined], offsets: [1, 4, 8] };
}

/**
 * Writes what the sequences of `block` from `at` to `limit`, exclusive, make of its literals.
 *
 * @param output The frame's bytes; there are `written` already.
 * @returns How many there are then.
 * @throws {GraftError} `damaged`
 */
export function runSequences(
  block: Uint8Array,
  at: number,
  limit: number,
  literals: Uint8Array,
  output: Uint8Array,
  written: number,
  memory: SequenceMemory,
): number {
  const { count, end } = readCount(block, at);
  const writer = new Writer(output, written, literals);
  if (count > 0) {
    const from = readTables(block, end, limit, memory.tables);
    const reader = new SequenceReader(new ReverseBits(block, from, limit), memory);
    for (let i = 0; i < count; i++) {
      reader.next(i === count - 1);
      writer.write(reader.literals, reader.offset, reader.match);
    }
    if (reader.left !== 0) throw damagedFrame("its sequences are of another length");
  } else if (end !== limit) {
    throw damagedFrame("bytes follow its literals");
  }
  return writer.finish();
}

function readCount(block: Uint8Array, at: number): { count: number; end: number } {
  const first = block[at];
  if (first < 128) return { count: first, end: at + 1 };
  if (first < 255) return { count: (first - 128) * 256 + block[at + 1], end: at + 2 };
  return { count: (block[at + 1] | block[at + 2] << 8) + 0x7f00, end: at + 3 };
}

/** Leaves the tables of this block in `tables`; returns where the bits begin. */
function readTables(
  block: Uint8Array,
  at: number,
  limit: number,
  tables: (FseTable | undefined)[],
): number {
  const modes = block[at];
  if ((modes & 3) !== 0) throw damagedFrame("its sequences are of an unknown kind");
  let from = at + 1;
  KINDS.forEach(({ logMax, usual, bits }, i) => {
    const symbolMax = bits.length - 1;
    const mode = modes >> 6 - i * 2 & 3;
    if (mode === 0) tables[i] = usual;
    else if (mode === 1) tables[i] = fseTableOf(block[from++]);
    else if (mode === 2) {
      // codes that are not known are found below, whatever the table is for
      const read = readFseTable(block, from, limit, { logMax, symbolMax: 63 });
      tables[i] = read.table;
      from = read.end;
    }
    const table = tables[i];
    if (table === undefined) throw damagedFrame("its sequences have no table");
    if (table !== usual && table.symbols.some((symbol) => symbol > symbolMax)) {
      throw damagedFrame("a code is unknown");
    }
  });
  return from;
}

/** Reads one sequence after the other. */
class SequenceReader {
  readonly #bits: ReverseBits;
  readonly #offsets: [number, number, number];
  readonly #tables: readonly FseTable[];
  readonly #states: [number, number, number];
  /** How many literals come first, */
  literals = 0;
  /** how far away then what is repeated begins, */
  offset = 0;
  /** and how much it is. */
  match = 0;

  constructor(bits: ReverseBits, { tables, offsets }: SequenceMemory) {
    this.#bits = bits;
    this.#offsets = offsets;
    this.#tables = tables as readonly FseTable[];
    const [literals, distances, matches] = this.#tables;
    this.#states = [bits.read(literals.log), bits.read(distances.log), bits.read(matches.log)];
  }

  /** How many bits there are still. */
  get left(): number {
    return this.#bits.left;
  }

  next(isLast: boolean): void {
    const [literals, offsets, matches] = this.#tables;
    const states = this.#states;
    const offset = this.#value(KINDS[OFFSETS], offsets.symbols[states[OFFSETS]]);
    this.match = this.#value(KINDS[MATCHES], matches.symbols[states[MATCHES]]);
    this.literals = this.#value(KINDS[LITERALS], literals.symbols[states[LITERALS]]);
    this.offset = this.#resolve(offset);
    if (!isLast) {
      states[LITERALS] = this.#next(literals, states[LITERALS]);
      states[MATCHES] = this.#next(matches, states[MATCHES]);
      states[OFFSETS] = this.#next(offsets, states[OFFSETS]);
    }
    if (this.#bits.left < 0) throw damagedFrame("its sequences are cut short");
  }

  #value({ bits, bases }: Kind, code: number): number {
    return bases[code] + this.#bits.read(bits[code]);
  }

  #next({ bits, bases }: FseTable, state: number): number {
    return bases[state] + this.#bits.read(bits[state]);
  }

  /** Small values mean one of the last offsets. */
  #resolve(value: number): number {
    const offsets = this.#offsets;
    const back = value > 3 ? 3 : value - (this.literals === 0 ? 0 : 1);
    if (back === 0) return offsets[0];
    let offset = value - 3;
    if (value <= 3) offset = back === 3 ? offsets[0] - 1 : offsets[back];
    if (back > 1) offsets[2] = offsets[1];
    offsets[1] = offsets[0];
    offsets[0] = offset;
    return offset;
  }
}

/** From so many bytes on a call for all of them is faster. */
const LONG = 32;

/** Writes sequences, never beyond the output. */
class Writer {
  readonly #output: Uint8Array;
  readonly #literals: Uint8Array;
  #at: number;
  #used = 0;

  constructor(output: Uint8Array, at: number, literals: Uint8Array) {
    this.#output = output;
    this.#at = at;
    this.#literals = literals;
  }

  write(literals: number, offset: number, match: number): void {
    this.#takeLiterals(literals);
    const at = this.#at;
    const end = at + match;
    if (offset < 1 || offset > at) throw damagedFrame("it repeats what is not there");
    if (end > this.#output.length) throw damagedFrame("it is too long");
    const output = this.#output;
    if (match >= LONG && offset >= match) output.copyWithin(at, at - offset, end - offset);
    else if (match >= LONG && offset === 1) output.fill(output[at - 1], at, end);
    else for (let i = at; i < end; i++) output[i] = output[i - offset];
    this.#at = end;
  }

  /** Writes what is left of the literals. */
  finish(): number {
    this.#takeLiterals(this.#literals.length - this.#used);
    return this.#at;
  }

  #takeLiterals(count: number): void {
    const literals = this.#literals;
    const output = this.#output;
    const at = this.#at;
    const from = this.#used;
    const end = from + count;
    if (end > literals.length) throw damagedFrame("its literals are too few");
    if (at + count > output.length) throw damagedFrame("it is too long");
    if (count >= LONG) output.set(literals.subarray(from, end), at);
    else for (let i = 0; i < count; i++) output[at + i] = literals[from + i];
    this.#used = end;
    this.#at = at + count;
  }
}
