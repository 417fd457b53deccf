// Parts that the tests of this folder share.

import type { Metrics } from "../core/metrics.ts";

/** Metrics that can be read back. */
export class RecordedMetrics implements Metrics {
  /** Sums by name and label values: `requests_total{put,ok}`. */
  readonly counters = new Map<string, number>();
  /** Values by name and label values. */
  readonly histograms = new Map<string, number[]>();
  readonly #gauges = new Map<string, () => number>();

  /** A counter that is read by `counters`. */
  counter(name: string, _help: string, labels?: Record<string, string>): { add(n?: number): void } {
    const id = idOf(name, labels);
    return { add: (amount = 1) => this.counters.set(id, (this.counters.get(id) ?? 0) + amount) };
  }

  /** A histogram that is read by `histograms`. */
  histogram(
    name: string,
    _help: string,
    _bounds: readonly number[],
    labels?: Record<string, string>,
  ): { record(value: number): void } {
    const id = idOf(name, labels);
    return {
      record: (value) => {
        this.histograms.set(id, [...this.histograms.get(id) ?? [], value]);
      },
    };
  }

  /** A gauge that is read by `readGauge`. */
  gauge(name: string, _help: string, read: () => number, labels?: Record<string, string>): void {
    this.#gauges.set(idOf(name, labels), read);
  }

  /** What a gauge shows now. */
  readGauge(id: string): number | undefined {
    return this.#gauges.get(id)?.();
  }
}

function idOf(name: string, labels: Record<string, string> = {}): string {
  const values = Object.values(labels);
  return values.length === 0 ? name : `${name}{${values.join()}}`;
}
