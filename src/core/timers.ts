/**
 * Waiting as a part that engines are given, so that a simulation can skip it.
 *
 * @module
 */

import { GraftError } from "./errors.ts";

/** A way to wait. */
export interface Timers {
  /**
   * Resolves after `delayMs` milliseconds.
   *
   * @throws {GraftError} `aborted` when the signal fires first.
   */
  sleep(delayMs: number, signal?: AbortSignal): Promise<void>;
  /** Calls `callback` once after `delayMs` milliseconds; the returned function cancels it. */
  after(delayMs: number, callback: () => void): () => void;
}

/** The platform's timers. */
export const systemTimers: Timers = {
  sleep(delayMs, signal) {
    return new Promise((resolve, reject) => {
      const abort = () => {
        clearTimeout(id);
        reject(
          new GraftError("aborted", "Cannot wait: the caller gave up", { cause: signal?.reason }),
        );
      };
      const id = setTimeout(() => {
        signal?.removeEventListener("abort", abort);
        resolve();
      }, delayMs);
      if (signal?.aborted) abort();
      else signal?.addEventListener("abort", abort, { once: true });
    });
  },
  after(delayMs, callback) {
    const id = setTimeout(callback, delayMs);
    return () => clearTimeout(id);
  },
};
