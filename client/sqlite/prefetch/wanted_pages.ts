/**
 * Pages to be asked for.
 *
 * @module
 */

/** Pages that are not here, each once, up to a bound. */
export class WantedPages {
  readonly #peek: (pageIdx: number) => Uint8Array | undefined;
  readonly #pagesMax: number;
  readonly #pages = new Set<number>();

  /** @param peek A page that is here, at once. */
  constructor(peek: (pageIdx: number) => Uint8Array | undefined, pagesMax: number) {
    this.#peek = peek;
    this.#pagesMax = pagesMax;
  }

  /** Which they are. */
  get pages(): ReadonlySet<number> {
    return this.#pages;
  }

  /** Whether no more are taken. */
  get isFull(): boolean {
    return this.#pages.size >= this.#pagesMax;
  }

  /** Adds a page, unless it is here. */
  add(pageIdx: number): void {
    if (!this.isFull && this.#peek(pageIdx) === undefined) this.#pages.add(pageIdx);
  }
}
