/**
 * One at a time.
 *
 * @module
 */

/** Runs functions one after the other, in the order of the calls. */
export class Turns {
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  /** Whether one is running or waits. */
  get busy(): boolean {
    return this.#waiting > 0;
  }

  /** Runs a function when those before have ended, however they did. */
  run<T>(task: () => Promise<T>): Promise<T> {
    this.#waiting++;
    const result = this.#last.then(task);
    this.#last = result.then(this.#ended, this.#ended);
    return result;
  }

  readonly #ended = (): void => {
    this.#waiting--;
  };

  /** As {@linkcode Turns.run}, but at once where nothing is running: then what takes no time is no promise. */
  runNow<T>(task: () => T | Promise<T>): T | Promise<T> {
    if (this.busy) return this.run(async () => await task());
    this.#waiting++;
    let result: T | Promise<T>;
    try {
      result = task();
    } catch (error) {
      this.#ended();
      throw error;
    }
    if (result instanceof Promise) this.#last = result.then(this.#ended, this.#ended);
    else this.#ended();
    return result;
  }

  /** Resolves when all that was called so far has ended. */
  async idle(): Promise<void> {
    await this.#last;
  }
}
