// Where each entry of the cache is, in 16 bytes a slot.

import { assert } from "../../core/assert.ts";

/** Where an entry is. */
export interface Place {
  /** The number of its slab, from 1. */
  readonly slab: number;
  /** Where it starts there. */
  readonly offset: number;
  /** Its length. */
  readonly length: number;
}

/** Words of a slot: hash of the key, slab (0: free), offset, length with the mark of a hit. */
const WORDS = 4;
const SLOTS_MIN = 256;
const HIT = 0x8000_0000;

/**
 * Finds entries by the 32-bit hash of their key.
 *
 * Two keys of one hash take each other's place: an entry holds its key, so the loser is only a miss.
 * Among three and a half million entries that befalls one key in a thousand. The table is open
 * addressing with linear probing, from 3/8 to 3/4 full: 21 to 43 bytes an entry, where a Map from strings
 * to objects takes about 200.
 */
export class SlabIndex {
  #slots = new Uint32Array(SLOTS_MIN * WORDS);
  #size = 0;

  /** How many entries there are. */
  get size(): number {
    return this.#size;
  }

  /** The bytes of the table. */
  get memoryBytes(): number {
    return this.#slots.byteLength;
  }

  /** Where the entry of a hash is. */
  find(hash: number): Place | undefined {
    const at = this.#locate(hash);
    if (this.#slots[at + 1] === 0) return undefined;
    return {
      slab: this.#slots[at + 1],
      offset: this.#slots[at + 2],
      length: this.#slots[at + 3] & ~HIT,
    };
  }

  /** Sets the place of a hash; its entry counts as not hit. */
  set(hash: number, { slab, offset, length }: Place): void {
    assert(slab > 0 && length < HIT, "A place does not fit a slot");
    if ((this.#size + 1) * 4 > this.#slotCount * 3) this.#grow();
    const at = this.#locate(hash);
    if (this.#slots[at + 1] === 0) this.#size++;
    this.#put(at, hash, slab, offset, length);
  }

  /** Marks the entry of a hash as hit. */
  markHit(hash: number): void {
    const at = this.#locate(hash);
    if (this.#slots[at + 1] !== 0) this.#slots[at + 3] |= HIT;
  }

  /** Whether the entry of a hash was hit since it was set. */
  isHit(hash: number): boolean {
    const at = this.#locate(hash);
    return this.#slots[at + 1] !== 0 && (this.#slots[at + 3] & HIT) !== 0;
  }

  /** Drops the entry of a hash; returns whether there was one. */
  delete(hash: number): boolean {
    let hole = this.#locate(hash);
    if (this.#slots[hole + 1] === 0) return false;
    // those after it move up where their probing passes the hole, so that no mark of the deleted is needed
    for (let at = this.#after(hole); this.#slots[at + 1] !== 0; at = this.#after(at)) {
      if (this.#distance(this.#home(this.#slots[at]), at) < this.#distance(hole, at)) continue;
      this.#slots.copyWithin(hole, at, at + WORDS);
      hole = at;
    }
    this.#slots.fill(0, hole, hole + WORDS);
    this.#size--;
    return true;
  }

  /** Drops everything. */
  clear(): void {
    this.#slots = new Uint32Array(SLOTS_MIN * WORDS);
    this.#size = 0;
  }

  get #slotCount(): number {
    return this.#slots.length / WORDS;
  }

  #home(hash: number): number {
    return (hash & (this.#slotCount - 1)) * WORDS;
  }

  #after(at: number): number {
    return (at + WORDS) & (this.#slots.length - 1);
  }

  #distance(from: number, to: number): number {
    return (to - from) & (this.#slots.length - 1);
  }

  /** The slot of a hash, or the free one where its probing ends. */
  #locate(hash: number): number {
    let at = this.#home(hash);
    while (this.#slots[at + 1] !== 0 && this.#slots[at] !== hash) at = this.#after(at);
    return at;
  }

  #put(at: number, hash: number, slab: number, offset: number, lengthAndHit: number): void {
    this.#slots[at] = hash;
    this.#slots[at + 1] = slab;
    this.#slots[at + 2] = offset;
    this.#slots[at + 3] = lengthAndHit;
  }

  #grow(): void {
    const old = this.#slots;
    this.#slots = new Uint32Array(old.length * 2);
    for (let at = 0; at < old.length; at += WORDS) {
      if (old[at + 1] === 0) continue;
      this.#put(this.#locate(old[at]), old[at], old[at + 1], old[at + 2], old[at + 3]);
    }
  }
}
