// Time that passes when a simulation says so.

import { setImmediate } from "node:timers/promises";
import type { Timers } from "../../src/core/timers.ts";

/** Time that passes when the simulation says so. */
export class Schedule implements Timers {
  #now = 0;
  readonly #due: { readonly at: number; readonly callback: () => void }[] = [];

  after(delayMs: number, callback: () => void): () => void {
    const timer = { at: this.#now + delayMs, callback };
    this.#due.push(timer);
    return () => {
      const i = this.#due.indexOf(timer);
      if (i >= 0) this.#due.splice(i, 1);
    };
  }

  sleep(delayMs: number): Promise<void> {
    return new Promise((resolve) => this.after(delayMs, resolve));
  }

  /** Lets everything happen that needs no time, then what is due next. */
  async step(): Promise<void> {
    await setImmediate();
    const next = this.#due.toSorted((a, b) => a.at - b.at)[0];
    if (next === undefined) return;
    this.#due.splice(this.#due.indexOf(next), 1);
    this.#now = Math.max(this.#now, next.at);
    next.callback();
    await setImmediate();
  }
}
