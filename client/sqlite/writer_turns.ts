/**
 * Those who write to one database take turns.
 *
 * @module
 */

import { GraftError } from "../../src/core/errors.ts";
import type { Timers } from "../../src/core/timers.ts";

/** A queue of writers: first come, first served, and nobody waits for ever. */
export class WriterTurns {
  readonly #timers: Timers;
  readonly #waitMs: number;
  readonly #waiting: (() => void)[] = [];
  #isTaken = false;

  /** @param waitMs How long one waits for a turn. */
  constructor(timers: Timers, waitMs: number) {
    this.#timers = timers;
    this.#waitMs = waitMs;
  }

  /**
   * Takes a turn, which has to be ended; at once where nobody else writes.
   *
   * @throws {GraftError} `conflict` when others write for too long.
   */
  take(): Promise<void> | undefined {
    if (this.#isTaken) return this.#wait();
    this.#isTaken = true;
  }

  /** Ends a turn. */
  end(): void {
    this.#isTaken = false;
    this.#waiting.shift()?.();
  }

  #wait(): Promise<void> {
    return new Promise((resolve, reject) => {
      const turn = () => {
        cancel();
        // before anybody else can take it
        this.#isTaken = true;
        resolve();
      };
      const cancel = this.#timers.after(this.#waitMs, () => {
        this.#waiting.splice(this.#waiting.indexOf(turn), 1);
        reject(
          new GraftError("conflict", "Cannot write to the database: another transaction is open", {
            hint: "Within transaction(), write through what it passes, not through the database",
          }),
        );
      });
      this.#waiting.push(turn);
    });
  }
}
