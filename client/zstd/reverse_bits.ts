/**
 * Bits that are read from the end of a stream to its beginning.
 *
 * @module
 */

import { damagedFrame } from "./damaged_frame.ts";

/** The place of the highest bit that is set: 0 for 1, 3 for 8. */
export function highestBit(value: number): number {
  return 31 - Math.clz32(value);
}

/**
 * A bit stream of zstd (RFC 8878, 4.1): its last byte has a mark, the highest bit that is set, and what is
 * below and before it is read backwards.
 *
 * Whoever reads more than there is gets bits of what stands before the stream, and sees it in
 * {@linkcode ReverseBits.left}, which is then negative.
 */
export class ReverseBits {
  readonly #bytes: Uint8Array;
  readonly #start: number;
  #at: number;

  /**
   * The bits of `bytes` from `from` to `to`, exclusive. At least 4 bytes must stand before and behind them.
   *
   * @throws {GraftError} `damaged` when they are none, or have no mark.
   */
  constructor(bytes: Uint8Array, from: number, to: number) {
    if (to <= from || bytes[to - 1] === 0) throw damagedFrame("a bit stream has no end");
    this.#bytes = bytes;
    this.#start = from * 8;
    this.#at = (to - 1) * 8 + highestBit(bytes[to - 1]);
  }

  /** How many bits there are still; negative when too many were read. */
  get left(): number {
    return this.#at - this.#start;
  }

  /** The next bits, at most 24. */
  read(count: number): number {
    const bits = this.peek(count);
    this.skip(count);
    return bits;
  }

  /** What {@linkcode ReverseBits.read} would answer. */
  peek(count: number): number {
    const bytes = this.#bytes;
    const from = this.#at - count;
    const at = from >> 3;
    const word = bytes[at] | bytes[at + 1] << 8 | bytes[at + 2] << 16 | bytes[at + 3] << 24;
    return word >>> (from & 7) & ((1 << count) - 1);
  }

  /** Passes over bits. */
  skip(count: number): void {
    this.#at -= count;
  }
}
