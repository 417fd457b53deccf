// When something was known.

import type { Clock } from "../../../core/clock.ts";

/** A moment by both clocks of a process. */
export interface Moment {
  readonly wallMs: number;
  readonly monotonicMs: number;
}

/** Now. */
export function momentOf(clock: Clock): Moment {
  return { wallMs: clock.now(), monotonicMs: clock.monotonic() };
}

/**
 * How long ago a moment is, in milliseconds. Wall time may have been set back since, and the other clock may
 * have stood still while the machine slept: the larger of both counts.
 */
export function ageMs(moment: Moment, clock: Clock): number {
  return Math.max(clock.now() - moment.wallMs, clock.monotonic() - moment.monotonicMs);
}

/** The wall time of a moment, as the clock stands now; never later than it was. */
export function dateMs(moment: Moment, clock: Clock): number {
  return Math.floor(clock.now() - ageMs(moment, clock));
}
