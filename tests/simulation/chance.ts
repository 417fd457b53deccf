// Chance that a seed decides.

import type { Random } from "../../src/core/random.ts";

/** A generator of numbers from 0 to 1: mulberry32. */
export class Chance implements Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed;
  }

  fraction(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  fill(target: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
    return target.map(() => this.below(256)) as Uint8Array<ArrayBuffer>;
  }

  below(limit: number): number {
    return Math.floor(this.fraction() * limit);
  }

  is(probability: number): boolean {
    return this.fraction() < probability;
  }
}
