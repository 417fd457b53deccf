/**
 * How many requests are under way at once.
 *
 * @module
 */

/**
 * A number of slots; who finds none free waits, first come, first served. Every request under way holds a
 * connection, so that a slow store would otherwise take all files that the process may open: those with
 * which it takes connections, and reads its own disk, too.
 */
export class RequestSlots {
  #free: number;
  /** In the order in which they came. */
  readonly #waiting = new Set<() => void>();

  /** All are free. */
  constructor(count: number) {
    this.#free = count;
  }

  /** Takes a slot, if one is free. */
  tryTake(): boolean {
    if (this.#free === 0) return false;
    this.#free--;
    return true;
  }

  /** Resolves when a slot is taken; rejects with the signal's reason when that fires before. */
  take(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason);
      if (this.tryTake()) return resolve();
      const giveUp = () => {
        this.#waiting.delete(take);
        reject(signal.reason);
      };
      const take = () => {
        signal.removeEventListener("abort", giveUp);
        resolve();
      };
      signal.addEventListener("abort", giveUp, { once: true });
      this.#waiting.add(take);
    });
  }

  /** Gives a slot back: to whoever waits for one longest, if somebody does. */
  release(): void {
    const [next] = this.#waiting;
    if (next === undefined) this.#free++;
    else {
      this.#waiting.delete(next);
      next();
    }
  }
}
