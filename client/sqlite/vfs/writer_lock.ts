/**
 * The lock of those who write to one source.
 *
 * @module
 */

/** One writer at a time, among the connections to one source in this program. */
export class WriterLock {
  #holder: object | undefined;

  /** Whether anybody holds it. */
  get isHeld(): boolean {
    return this.#holder !== undefined;
  }

  /** Takes it, unless another has it. */
  tryAcquire(holder: object): boolean {
    this.#holder ??= holder;
    return this.#holder === holder;
  }

  /** Lets it go, if it is held by `holder`. */
  release(holder: object): void {
    if (this.#holder === holder) this.#holder = undefined;
  }
}
