// Numbers from 0 to 2^32 - 1 in a list that grows: four bytes each.

import { assert } from "../core/assert.ts";

const INITIAL_CAPACITY = 16;

/** A list of u32. */
export class U32List {
  #values = new Uint32Array(INITIAL_CAPACITY);
  #length = 0;

  /** How many there are. */
  get length(): number {
    return this.#length;
  }

  /** Bytes of the array. */
  get memoryBytes(): number {
    return this.#values.byteLength;
  }

  /** Adds a number at the end. */
  push(value: number): void {
    if (this.#length === this.#values.length) {
      const grown = new Uint32Array(2 * this.#length);
      grown.set(this.#values);
      this.#values = grown;
    }
    this.#values[this.#length++] = value;
  }

  /** The number at a place, from 0. */
  at(place: number): number {
    assert(place >= 0 && place < this.#length, "A list is asked for what it does not hold");
    return this.#values[place];
  }
}
