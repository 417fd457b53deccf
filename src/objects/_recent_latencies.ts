// How long the last calls of one kind took.

/** Latencies kept. */
const KEPT = 256;
/** Fewer say nothing about the slowest twentieth. */
const NEEDED = 100;
/** Sorting takes ten microseconds, so it is done once for so many new latencies. */
const STALE_AFTER = 16;
const PERCENTILE = 0.95;

/** A ring of latencies with its 95th percentile. */
export class RecentLatencies {
  readonly #ring = new Float64Array(KEPT);
  #count = 0;
  #percentileMs: number | undefined;

  /** Adds one, in place of the oldest. */
  record(latencyMs: number): void {
    this.#ring[this.#count++ % KEPT] = latencyMs;
    if (this.#count < NEEDED || (this.#count - NEEDED) % STALE_AFTER !== 0) return;
    const sorted = this.#ring.slice(0, Math.min(this.#count, KEPT)).sort();
    this.#percentileMs = sorted[Math.ceil(sorted.length * PERCENTILE) - 1];
  }

  /** The latency that 95 % of the last calls did not exceed; undefined before the hundredth. */
  get percentileMs(): number | undefined {
    return this.#percentileMs;
  }
}
