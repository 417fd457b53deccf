/**
 * Time as a part that engines are given, so that a simulation can hold it.
 *
 * @module
 */

/** A source of time. */
export interface Clock {
  /** Wall time in whole milliseconds since 1970. It may step backwards. */
  now(): number;
  /** Milliseconds since some fixed moment, with a fraction. It never steps backwards. */
  monotonic(): number;
}

/** The machine's clocks. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
};
