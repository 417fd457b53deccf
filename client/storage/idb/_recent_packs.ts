// Packs that were read or written a short while ago.

/** Packs up to a number of bytes; those that were not used for longest go first. */
export class RecentPacks {
  readonly #bytesMax: number;
  /** The first was not used for longest. */
  readonly #packs = new Map<number, Uint8Array>();
  #bytes = 0;

  /** None. */
  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** A pack, which counts as used. */
  get(id: number): Uint8Array | undefined {
    const pack = this.#packs.get(id);
    if (pack === undefined) return undefined;
    this.#packs.delete(id);
    this.#packs.set(id, pack);
    return pack;
  }

  /** Keeps a pack. */
  set(id: number, pack: Uint8Array): void {
    this.delete(id);
    this.#packs.set(id, pack);
    this.#bytes += pack.length;
    for (const oldest of this.#packs.keys()) {
      if (this.#bytes <= this.#bytesMax) break;
      this.delete(oldest);
    }
  }

  /** Forgets a pack. */
  delete(id: number): void {
    this.#bytes -= this.#packs.get(id)?.length ?? 0;
    this.#packs.delete(id);
  }
}
