// Reads that are called together are one transaction.

import { type Deferred, deferred } from "../../replica/deferred.ts";

/** Reads packs; as long a list as it was given numbers. */
export type ReadPacks = (ids: readonly number[]) => Promise<readonly (Uint8Array | undefined)[]>;

/** Reads of single packs, gathered: a transaction costs far more than a read in it. */
export class GatheredReads {
  readonly #read: ReadPacks;
  #gathered = new Map<number, Deferred<Uint8Array | undefined>>();

  /** None. */
  constructor(read: ReadPacks) {
    this.#read = read;
  }

  /** A pack, read with those that are called in the same turn. */
  get(id: number): Promise<Uint8Array | undefined> {
    if (this.#gathered.size === 0) queueMicrotask(() => this.#readGathered());
    const reading = this.#gathered.get(id) ?? deferred();
    this.#gathered.set(id, reading);
    return reading.promise;
  }

  async #readGathered(): Promise<void> {
    const gathered = this.#gathered;
    this.#gathered = new Map();
    try {
      const packs = await this.#read([...gathered.keys()]);
      [...gathered.values()].forEach((reading, i) => reading.resolve(packs[i]));
    } catch (error) {
      for (const reading of gathered.values()) reading.reject(error);
    }
  }
}
