/**
 * How long a request to S3 may take, and how often it is tried.
 *
 * @module
 */

/** How long a request may take, and how often it is tried. */
export interface RequestLimits {
  /** Requests under way at once, each on a connection; the next ones wait. */
  readonly concurrentMax: number;
  /** How often a request is sent at most. */
  readonly attemptsMax: number;
  /** How long an attempt may take beyond the time for its bytes. */
  readonly attemptMs: number;
  /** Bytes that pass in a second at the very least: the time for a body grows with its length. */
  readonly bytesPerSecondMin: number;
  /** After this time, and that for its bytes, no attempt starts any more. */
  readonly totalMs: number;
  /** The longest pause before the second attempt; each later one may be four times as long. */
  readonly firstPauseMs: number;
  /** The longest pause that a store may ask for. */
  readonly askedPauseMsMax: number;
}

/** What suits a store that is near as well as one across an ocean. */
export const REQUEST_LIMITS: RequestLimits = {
  // two stores' worth leave half of the usual 1,024 files of a process to others
  concurrentMax: 256,
  attemptsMax: 4,
  attemptMs: 10_000,
  bytesPerSecondMin: 1024 * 1024,
  totalMs: 15_000,
  firstPauseMs: 200,
  askedPauseMsMax: 5_000,
};

/** The time that `bytes` may take to pass. */
export function transferMs(limits: RequestLimits, bytes: number): number {
  return bytes * 1000 / limits.bytesPerSecondMin;
}

/**
 * The pause before the next attempt: full jitter, so that many that failed together do not come back
 * together.
 *
 * @param attempt The attempt that failed, from 1.
 * @param fraction Chance, from 0 (inclusive) to 1 (exclusive).
 * @param askedMs What the store asked for, if it did.
 */
export function pauseMs(
  limits: RequestLimits,
  { attempt, fraction, askedMs }: {
    readonly attempt: number;
    readonly fraction: number;
    readonly askedMs: number | undefined;
  },
): number {
  const jittered = fraction * limits.firstPauseMs * 4 ** (attempt - 1);
  return Math.max(jittered, Math.min(askedMs ?? 0, limits.askedPauseMsMax));
}
