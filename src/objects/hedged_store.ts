/**
 * An object store whose slowest reads are sent twice.
 *
 * @module
 */

import type { Clock } from "../core/clock.ts";
import { isGraftError } from "../core/errors.ts";
import type { Counter, Metrics } from "../core/metrics.ts";
import type { Timers } from "../core/timers.ts";
import { HedgedRead, type HedgeOutcome } from "./_hedged_read.ts";
import { RecentLatencies } from "./_recent_latencies.ts";
import type {
  ObjectCallOptions,
  ObjectEntry,
  ObjectListOptions,
  ObjectStore,
  ObjectTail,
} from "./object_store.ts";

/** What a {@linkcode HedgedStore} is made of, beside the store. */
export interface HedgedStoreParts {
  /** Measures reads. */
  readonly clock: Clock;
  /** Waits for those that are slow. */
  readonly timers: Timers;
  /** Counts second attempts. */
  readonly metrics: Metrics;
}

/** Larger ranges take their time in transit, and are measured on their own. */
const SMALL_RANGE_BYTES_MAX = 128 * 1024;
/** A second attempt sooner than this costs more than it can save. */
const DELAY_MIN_MS = 5;
/** Second attempts in a hundred reads, so that a store that is slow for all is not asked twice as much. */
const HEDGED_PERCENT = 5;
/** What quiet times may save up: so many second attempts at once. */
const HEDGES_MAX = 10;

/**
 * Sends a read a second time when it takes longer than 95 % of the last 256 of its kind did (and only
 * once 100 were seen), at most five reads in a hundred, and takes the first answer; the attempt that is
 * not needed is aborted. Kinds are get, tails, heads, ranges up to 128 KiB and larger ranges. Puts,
 * deletions and listings pass.
 *
 * `object_hedges_total` counts by outcome: `won` (the second attempt answered first), `lost`, `failed`
 * (neither answered), `refused` (too many were sent of late).
 */
export class HedgedStore implements ObjectStore {
  readonly #inner: ObjectStore;
  readonly #clock: Clock;
  readonly #timers: Timers;
  readonly #hedges: Readonly<Record<HedgeOutcome | "refused", Counter>>;
  readonly #latencies = {
    get: new RecentLatencies(),
    tail: new RecentLatencies(),
    head: new RecentLatencies(),
    smallRange: new RecentLatencies(),
    largeRange: new RecentLatencies(),
  };
  /** In hundredths of a second attempt, as a sum of fractions would drift. */
  #credit = 0;

  /** Hedges reads of `inner`. */
  constructor(inner: ObjectStore, { clock, timers, metrics }: HedgedStoreParts) {
    this.#inner = inner;
    this.#clock = clock;
    this.#timers = timers;
    const counter = (outcome: string) =>
      metrics.counter("object_hedges_total", "Reads that were sent twice, or should have been", {
        outcome,
      });
    this.#hedges = {
      won: counter("won"),
      lost: counter("lost"),
      failed: counter("failed"),
      refused: counter("refused"),
    };
  }

  /** The name of the store that is read. */
  get name(): string {
    return this.#inner.name;
  }

  /** Passes {@linkcode ObjectStore.put} on. */
  put(
    key: string,
    body: Uint8Array<ArrayBuffer>,
    options?: ObjectCallOptions & { readonly ifAbsent?: boolean },
  ): Promise<void> {
    return this.#inner.put(key, body, options);
  }

  /** Hedges {@linkcode ObjectStore.get}. */
  get(key: string, options?: ObjectCallOptions): Promise<Uint8Array<ArrayBuffer>> {
    return this.#read(this.#latencies.get, options, (either) => this.#inner.get(key, either));
  }

  /** Hedges {@linkcode ObjectStore.getRange}. */
  getRange(
    key: string,
    offset: number,
    length: number,
    options?: ObjectCallOptions,
  ): Promise<Uint8Array<ArrayBuffer>> {
    const { smallRange, largeRange } = this.#latencies;
    const latencies = length <= SMALL_RANGE_BYTES_MAX ? smallRange : largeRange;
    const send = (either?: ObjectCallOptions) => this.#inner.getRange(key, offset, length, either);
    return this.#read(latencies, options, send);
  }

  /** Hedges {@linkcode ObjectStore.getTail}. */
  getTail(key: string, length: number, options?: ObjectCallOptions): Promise<ObjectTail> {
    const send = (either?: ObjectCallOptions) => this.#inner.getTail(key, length, either);
    return this.#read(this.#latencies.tail, options, send);
  }

  /** Hedges {@linkcode ObjectStore.head}. */
  head(key: string, options?: ObjectCallOptions): Promise<ObjectEntry | undefined> {
    return this.#read(this.#latencies.head, options, (either) => this.#inner.head(key, either));
  }

  /** Passes {@linkcode ObjectStore.delete} on. */
  delete(key: string, options?: ObjectCallOptions): Promise<void> {
    return this.#inner.delete(key, options);
  }

  /** Passes {@linkcode ObjectStore.list} on. */
  list(prefix: string, options?: ObjectListOptions): AsyncIterable<ObjectEntry> {
    return this.#inner.list(prefix, options);
  }

  /** Closes the store that is read. */
  close(): Promise<void> {
    return this.#inner.close();
  }

  async #read<T>(
    latencies: RecentLatencies,
    options: ObjectCallOptions | undefined,
    send: (options?: ObjectCallOptions) => Promise<T>,
  ): Promise<T> {
    const startedMs = this.#clock.monotonic();
    const measure = () => latencies.record(this.#clock.monotonic() - startedMs);
    this.#credit = Math.min(this.#credit + HEDGED_PERCENT, HEDGES_MAX * 100);
    const { percentileMs } = latencies;
    try {
      const result = percentileMs === undefined
        ? await send(options)
        : await this.#hedge(Math.max(percentileMs, DELAY_MIN_MS), options, send);
      measure();
      return result;
    } catch (error) {
      // how long a failure took says nothing about answers
      if (isGraftError(error, "missing")) measure();
      throw error;
    }
  }

  async #hedge<T>(
    delayMs: number,
    options: ObjectCallOptions | undefined,
    send: (options?: ObjectCallOptions) => Promise<T>,
  ): Promise<T> {
    const read = new HedgedRead({
      send: (signal) => send({ ...options, signal }),
      signal: options?.signal,
      onHedged: (outcome) => this.#hedges[outcome].add(),
    });
    const cancel = this.#timers.after(delayMs, () => {
      if (this.#takeCredit()) read.hedge();
      else this.#hedges.refused.add();
    });
    try {
      return await read.result;
    } finally {
      cancel();
    }
  }

  #takeCredit(): boolean {
    if (this.#credit < 100) return false;
    this.#credit -= 100;
    return true;
  }
}
