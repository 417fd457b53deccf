/**
 * Time limits of requests.
 *
 * @module
 */

import type { Clock } from "../../core/clock.ts";
import type { Timers } from "../../core/timers.ts";

/** Something that must end, or show progress, in time. */
export interface Watched {
  /** The moment on the monotonic clock from which it is late, in milliseconds. */
  dueMs: number;
  /** Called once when it is late; it is not watched any longer then. */
  expire(): void;
}

/** Limits are checked this often: they are long, and a timer of its own would cost every request. */
const TICK_MS = 1000;

/** Watches requests with one coarse timer, which runs only while there is something to watch. */
export class Deadlines {
  readonly #clock: Clock;
  readonly #timers: Timers;
  readonly #watched = new Set<Watched>();
  #ticking = false;
  #nowMs = 0;

  /** Takes its parts; nothing is started. */
  constructor(clock: Clock, timers: Timers) {
    this.#clock = clock;
    this.#timers = timers;
  }

  /** The monotonic clock as of the last tick or {@linkcode Deadlines.watch}: up to a second late, and free. */
  get nowMs(): number {
    return this.#nowMs;
  }

  /** How many are watched. */
  get count(): number {
    return this.#watched.size;
  }

  /**
   * Watches until {@linkcode Deadlines.release}.
   *
   * @param nowMs The monotonic clock.
   */
  watch(watched: Watched, nowMs: number): void {
    this.#nowMs = nowMs;
    this.#watched.add(watched);
    if (!this.#ticking) this.#tickLater();
  }

  /** Stops watching. */
  release(watched: Watched): void {
    this.#watched.delete(watched);
  }

  #tickLater(): void {
    this.#ticking = true;
    this.#timers.after(TICK_MS, () => this.#tick());
  }

  #tick(): void {
    this.#ticking = false;
    this.#nowMs = this.#clock.monotonic();
    for (const watched of this.#watched) {
      if (watched.dueMs > this.#nowMs) continue;
      this.#watched.delete(watched);
      watched.expire();
    }
    if (this.#watched.size > 0) this.#tickLater();
  }
}
