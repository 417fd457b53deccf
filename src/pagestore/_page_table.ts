// From page index to the newest version of the page: a sparse array in chunks, since a volume may have
// three pages with indexes that are a hundred million apart.

const CHUNK_BITS = 8;
const CHUNK_PAGES = 1 << CHUNK_BITS;
/** A chunk's numbers, its object and its place in the map. */
const CHUNK_BYTES = CHUNK_PAGES * 4 + 200;

/** A sparse array of u32, 0 where nothing was set. */
export class PageTable {
  readonly #chunks = new Map<number, Uint32Array>();

  /** Bytes of the chunks. */
  get memoryBytes(): number {
    return this.#chunks.size * CHUNK_BYTES;
  }

  /** The number at `pageIdx`. */
  get(pageIdx: number): number {
    const chunk = this.#chunks.get(pageIdx >>> CHUNK_BITS);
    return chunk === undefined ? 0 : chunk[pageIdx & (CHUNK_PAGES - 1)];
  }

  /** Replaces the number at `pageIdx`. */
  set(pageIdx: number, value: number): void {
    let chunk = this.#chunks.get(pageIdx >>> CHUNK_BITS);
    if (chunk === undefined) {
      chunk = new Uint32Array(CHUNK_PAGES);
      this.#chunks.set(pageIdx >>> CHUNK_BITS, chunk);
    }
    chunk[pageIdx & (CHUNK_PAGES - 1)] = value;
  }

  /** Replaces every number other than 0 above `pageIdx` by what `replace` makes of it and its place. */
  replaceAbove(pageIdx: number, replace: (value: number, at: number) => number): void {
    const first = (pageIdx + 1) >>> CHUNK_BITS;
    for (const [number, chunk] of this.#chunks) {
      if (number < first) continue;
      const from = number === first ? (pageIdx + 1) & (CHUNK_PAGES - 1) : 0;
      for (let i = from; i < CHUNK_PAGES; i++) {
        if (chunk[i] !== 0) chunk[i] = replace(chunk[i], number * CHUNK_PAGES + i);
      }
    }
  }
}
