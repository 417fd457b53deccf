// Values that were read or written a short while ago.

/** Values up to a number of bytes; those that were not used for longest go first. */
export class RecentValues {
  readonly #bytesMax: number;
  /** The first was not used for longest. */
  readonly #values = new Map<string, Uint8Array>();
  #bytes = 0;

  /** None. */
  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** A value, which counts as used. */
  get(key: string): Uint8Array | undefined {
    const value = this.#values.get(key);
    if (value === undefined) return undefined;
    this.#values.delete(key);
    this.#values.set(key, value);
    return value;
  }

  /** Keeps a value. */
  set(key: string, value: Uint8Array): void {
    this.delete(key);
    this.#values.set(key, value);
    this.#bytes += value.length;
    for (const [oldest] of this.#values) {
      if (this.#bytes <= this.#bytesMax) break;
      this.delete(oldest);
    }
  }

  /** Forgets a value. */
  delete(key: string): void {
    this.#bytes -= this.#values.get(key)?.length ?? 0;
    this.#values.delete(key);
  }
}
