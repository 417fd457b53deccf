/**
 * The end of one attempt: its time is up, or its caller gives up.
 *
 * @module
 */

import type { Timers } from "../../../core/timers.ts";

/** A signal that fires at a moment that may be moved, or with another signal. */
export class Deadline {
  readonly #timers: Timers;
  readonly #caller: AbortSignal | undefined;
  readonly #controller = new AbortController();
  readonly #giveUp = () => this.#controller.abort(this.#caller?.reason);
  #cancel = () => {};
  #hasPassed = false;

  /** Follows the caller's signal; has no moment yet. */
  constructor(timers: Timers, caller: AbortSignal | undefined) {
    this.#timers = timers;
    this.#caller = caller;
    if (caller?.aborted) this.#giveUp();
    else caller?.addEventListener("abort", this.#giveUp, { once: true });
  }

  /** Fires at the deadline, or when the caller gives up. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Whether the time was up before the caller gave up. */
  get hasPassed(): boolean {
    return this.#hasPassed;
  }

  /** Moves the moment to `delayMs` from now; at once where that is not above 0. */
  setMs(delayMs: number): void {
    this.#cancel();
    this.#cancel = this.#timers.after(Math.max(delayMs, 0), () => {
      this.#hasPassed = !this.#controller.signal.aborted;
      this.#controller.abort(new DOMException("The time is up", "TimeoutError"));
    });
  }

  /** Lets go of the timer and of the caller's signal. */
  clear(): void {
    this.#cancel();
    this.#caller?.removeEventListener("abort", this.#giveUp);
  }
}
