/**
 * Patience with a server that is away.
 *
 * @module
 */

import { isGraftError } from "../../core/errors.ts";
import type { Timers } from "../../core/timers.ts";

/** Waits between attempts, two minutes in all; after the last the error is thrown. */
const WAITS_MS = [100, 500, 1000, 2000, 4000, 8000, 15_000, 30_000, 60_000];

/**
 * Does a piece of work, and again while it fails with GraftError `unavailable`.
 *
 * @throws What the work throws; `unavailable` only after two minutes.
 */
export async function whileUnavailable<T>(
  work: () => Promise<T>,
  timers: Timers,
  signal: AbortSignal,
): Promise<T> {
  for (const waitMs of WAITS_MS) {
    try {
      return await work();
    } catch (error) {
      if (!isGraftError(error, "unavailable")) throw error;
    }
    // when it was given up, the work itself says so
    await timers.sleep(waitMs, signal).catch(() => {});
  }
  return await work();
}
