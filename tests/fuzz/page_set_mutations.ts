/**
 * Damage to encoded page sets, the same for the same seed.
 *
 * @module
 */

/** A small generator of numbers below 2^32 (mulberry32): quick, seeded, good enough to pick damage. */
export class Chance {
  #state: number;

  /** `seed` is any whole number. */
  constructor(seed: number) {
    this.#state = seed | 0;
  }

  /** A whole number from 0 (inclusive) to `end` (exclusive). */
  below(end: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % end;
  }

  /** One of `choices`. */
  pick<T>(choices: readonly T[]): T {
    return choices[this.below(choices.length)];
  }
}

type Mutation = (bytes: Uint8Array, chance: Chance, corpus: readonly Uint8Array[]) => Uint8Array;

/** Bytes at the end that hold the footer and, in a small set, the indexes of the upper levels. */
const TAIL_BYTES = 40;

const flipBit: Mutation = (bytes, chance) => {
  bytes[chance.below(bytes.length)] ^= 1 << chance.below(8);
  return bytes;
};

const setByte: Mutation = (bytes, chance) => {
  bytes[chance.below(bytes.length)] = chance.pick([0, 1, 31, 32, 127, 128, 255, chance.below(256)]);
  return bytes;
};

/** Counts and offsets of the upper levels stand near the end. */
const nudgeTail: Mutation = (bytes, chance) => {
  const at = bytes.length - 1 - chance.below(Math.min(TAIL_BYTES, bytes.length));
  bytes[at] += chance.pick([1, -1, 2, -2, 16, -16]);
  return bytes;
};

const swapBytes: Mutation = (bytes, chance) => {
  const [a, b] = [chance.below(bytes.length), chance.below(bytes.length)];
  [bytes[a], bytes[b]] = [bytes[b], bytes[a]];
  return bytes;
};

const truncateEnd: Mutation = (bytes, chance) => bytes.slice(0, chance.below(bytes.length));

const truncateStart: Mutation = (bytes, chance) => bytes.slice(chance.below(bytes.length));

const removeMiddle: Mutation = (bytes, chance) => {
  const from = chance.below(bytes.length);
  return join(bytes.subarray(0, from), bytes.subarray(from + 1 + chance.below(8)));
};

const repeatMiddle: Mutation = (bytes, chance) => {
  const from = chance.below(bytes.length);
  return join(bytes.subarray(0, from + 1 + chance.below(8)), bytes.subarray(from));
};

const append: Mutation = (bytes, chance) => {
  return join(bytes, new Uint8Array(1 + chance.below(12)).fill(chance.pick([0, 1, 255])));
};

const splice: Mutation = (bytes, chance, corpus) => {
  const other = chance.pick(corpus);
  return join(
    bytes.subarray(0, chance.below(bytes.length)),
    other.subarray(chance.below(other.length)),
  );
};

const footer: Mutation = (bytes, chance) => {
  if (bytes.length < 8) return bytes;
  const view = new DataView(bytes.buffer, bytes.byteOffset + bytes.length - 4);
  view.setUint16(0, chance.pick([0, 1, 2, 31, 32, 255, 256, 257, 0xffff]), true);
  return bytes;
};

const MUTATIONS: readonly Mutation[] = [
  flipBit,
  flipBit,
  setByte,
  nudgeTail,
  nudgeTail,
  swapBytes,
  truncateEnd,
  truncateStart,
  removeMiddle,
  repeatMiddle,
  append,
  splice,
  footer,
];

/** A copy of one of `corpus` with one to three damages. */
export function mutate(corpus: readonly Uint8Array[], chance: Chance): Uint8Array {
  let bytes: Uint8Array = chance.pick(corpus).slice();
  for (let left = 1 + chance.below(3); left > 0 && bytes.length > 0; left--) {
    bytes = chance.pick(MUTATIONS)(bytes, chance, corpus);
  }
  return bytes;
}

function join(a: Uint8Array, b: Uint8Array): Uint8Array {
  const joined = new Uint8Array(a.length + b.length);
  joined.set(a);
  joined.set(b, a.length);
  return joined;
}
