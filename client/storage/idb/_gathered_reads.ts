// Reads that are called together are one transaction.

/** Reads values; as long a list as it was given keys. */
export type ReadValues = (keys: readonly string[]) => Promise<readonly (Uint8Array | undefined)[]>;

/** Reads of single keys, gathered: a transaction costs far more than a read in it. */
export class GatheredReads {
  readonly #read: ReadValues;
  #gathered = new Map<string, PromiseWithResolvers<Uint8Array | undefined>>();

  /** None. */
  constructor(read: ReadValues) {
    this.#read = read;
  }

  /** The value of a key, read with those that are called in the same turn. */
  get(key: string): Promise<Uint8Array | undefined> {
    if (this.#gathered.size === 0) queueMicrotask(() => this.#readGathered());
    const reading = this.#gathered.get(key) ?? Promise.withResolvers();
    this.#gathered.set(key, reading);
    return reading.promise;
  }

  async #readGathered(): Promise<void> {
    const gathered = this.#gathered;
    this.#gathered = new Map();
    try {
      const values = await this.#read([...gathered.keys()]);
      [...gathered.values()].forEach((reading, i) => reading.resolve(values[i]));
    } catch (error) {
      for (const reading of gathered.values()) reading.reject(error);
    }
  }
}
