/**
 * Measuring as a part that engines are given: the server backs it with Prometheus, tests with nothing.
 *
 * @module
 */

/** A number that only grows. */
export interface Counter {
  /** Adds `amount`, or one. */
  add(amount?: number): void;
}

/** A distribution of values. */
export interface Histogram {
  /** Records one value, in the unit that the name ends in. */
  record(value: number): void;
}

/** Makes instruments. Names are snake_case and end in the unit; the adapter adds the prefix `graft_`. */
export interface Metrics {
  /** A counter; label values must be few. */
  counter(name: string, help: string, labels?: Record<string, string>): Counter;
  /** A histogram with the given upper bounds, ascending. */
  histogram(
    name: string,
    help: string,
    bounds: readonly number[],
    labels?: Record<string, string>,
  ): Histogram;
  /** A value that is read when somebody asks. */
  gauge(name: string, help: string, read: () => number, labels?: Record<string, string>): void;
}

const nothing = { add() {}, record() {} };

/** Measures nothing. */
export const noMetrics: Metrics = {
  counter: () => nothing,
  histogram: () => nothing,
  gauge() {},
};
