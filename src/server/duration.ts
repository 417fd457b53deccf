/**
 * Lengths of time as people write them.
 *
 * @module
 */

import { GraftError } from "../core/errors.ts";

const UNIT_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

const DURATION_MS_MAX = 36_525 * 86_400_000;

/**
 * Reads a whole number with a unit: `ms`, `s`, `m`, `h`, `d` or `w`.
 *
 * @returns Milliseconds.
 * @throws {GraftError} `invalid` for anything else.
 *
 * @example
 * ```ts
 * import { parseDuration } from "./duration.ts";
 *
 * console.log(parseDuration("7d")); // 604800000
 * ```
 */
export function parseDuration(text: string): number {
  const match = /^(\d{1,9})(ms|s|m|h|d|w)$/.exec(text);
  const durationMs = match === null ? undefined : Number(match[1]) * UNIT_MS[match[2]];
  if (durationMs !== undefined && durationMs <= DURATION_MS_MAX) return durationMs;
  if (durationMs !== undefined) {
    throw new GraftError("invalid", `Cannot use "${text}" as a duration: it is above 100 years`);
  }
  throw new GraftError(
    "invalid",
    `Cannot read "${text}" as a duration: it is not like 90s, 24h or 7d`,
  );
}
