// A bound on how long something may take.

import type { Timers } from "../../../core/timers.ts";

/** A signal that fires when time is up or when another signal does. Disposing of it lets go of both. */
export class Deadline implements Disposable {
  readonly #controller = new AbortController();
  readonly #release: () => void;
  #isOver = false;

  constructor(timers: Timers, delayMs: number, outer: AbortSignal) {
    const abort = () => this.#controller.abort(outer.reason);
    const cancel = timers.after(delayMs, () => {
      this.#isOver = true;
      this.#controller.abort(new Error(`no answer within ${delayMs / 1000} s`));
    });
    if (outer.aborted) abort();
    else outer.addEventListener("abort", abort);
    this.#release = () => {
      cancel();
      outer.removeEventListener("abort", abort);
    };
  }

  /** Fires when time is up. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Whether time is up. */
  get isOver(): boolean {
    return this.#isOver;
  }

  [Symbol.dispose](): void {
    this.#release();
  }
}
