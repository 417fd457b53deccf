// Waits that a signal ends.

import { GraftError } from "../../src/core/errors.ts";

/** The error of what a signal has ended. */
export function abortedBy(cause: unknown): GraftError {
  return new GraftError("aborted", "Cannot go on: the caller gave up", { cause });
}

/**
 * What is waited for, unless a signal fires first.
 *
 * @param onLate Takes what comes too late.
 * @throws {GraftError} `aborted` when the signal fires.
 */
export function unlessAborted<T>(
  waiting: Promise<T>,
  signal: AbortSignal,
  onLate: (value: T) => void,
): Promise<T> {
  return new Promise((resolve, reject) => {
    let hasEnded = false;
    const abort = () => {
      hasEnded = true;
      reject(abortedBy(signal.reason));
    };
    if (signal.aborted) abort();
    signal.addEventListener("abort", abort, { once: true });
    const end = () => signal.removeEventListener("abort", abort);
    waiting.then((value) => {
      end();
      if (hasEnded) onLate(value);
      else resolve(value);
    }, (error) => {
      end();
      reject(error);
    });
  });
}
