// What the tests of logs in buckets share.

import type { Clock } from "../../core/clock.ts";
import { systemClock } from "../../core/clock.ts";
import { noMetrics } from "../../core/metrics.ts";
import { systemRandom } from "../../core/random.ts";
import { MemoryStore } from "../../objects/memory_store.ts";
import type {
  DatedObjectStore,
  ObjectCallOptions,
  ObjectEntry,
  ObjectListOptions,
  ObjectTail,
} from "../../objects/object_store.ts";
import type { TestedLog } from "../_conformance.ts";
import { BucketLog, type BucketLogParts } from "./bucket_log.ts";

/** A clock that stands still until it is moved. */
export class TestClock implements Clock {
  wallMs: number = Date.UTC(2026, 0, 1);
  monotonicMs = 1000.5;

  now(): number {
    return this.wallMs;
  }

  monotonic(): number {
    return this.monotonicMs;
  }

  /** Lets both clocks go on. */
  advance(ms: number): void {
    this.wallMs += ms;
    this.monotonicMs += ms;
  }
}

type Bytes = Uint8Array<ArrayBuffer>;

/** Passes calls on, notes them, and lets a test come between. */
export class WatchedStore implements DatedObjectStore {
  /** Every call since the last {@linkcode WatchedStore.take}: `get log/…`. */
  readonly #calls: string[] = [];
  /** The dates of dated puts. */
  readonly dates: number[] = [];
  /** Is waited for before a call is passed on. */
  before: (call: string) => Promise<void> | void = () => {};
  /** Is waited for when a call was carried out, before it is answered. */
  after: (call: string) => Promise<void> | void = () => {};
  readonly #inner: DatedObjectStore;

  constructor(inner: DatedObjectStore) {
    this.#inner = inner;
  }

  get name(): string {
    return this.#inner.name;
  }

  /** The operations since the last time: `["list", "get"]`. */
  take(): string[] {
    return this.#calls.splice(0).map((call) => call.split(" ")[0]);
  }

  put(key: string, body: Bytes, options?: ObjectCallOptions & { ifAbsent?: boolean }) {
    return this.#pass(`put ${key}`, () => this.#inner.put(key, body, options));
  }

  putDated(key: string, body: Bytes, dateMs: number, options?: ObjectCallOptions): Promise<void> {
    this.dates.push(dateMs);
    return this.#pass(
      `putDated ${key}`,
      () => this.#inner.putDated(key, body, dateMs, options),
    );
  }

  get(key: string, options?: ObjectCallOptions): Promise<Bytes> {
    return this.#pass(`get ${key}`, () => this.#inner.get(key, options));
  }

  getRange(key: string, offset: number, length: number): Promise<Bytes> {
    return this.#pass(`getRange ${key}`, () => this.#inner.getRange(key, offset, length));
  }

  getTail(key: string, length: number): Promise<ObjectTail> {
    return this.#pass(`getTail ${key}`, () => this.#inner.getTail(key, length));
  }

  head(key: string): Promise<ObjectEntry | undefined> {
    return this.#pass(`head ${key}`, () => this.#inner.head(key));
  }

  delete(key: string): Promise<void> {
    return this.#pass(`delete ${key}`, () => this.#inner.delete(key));
  }

  async *list(prefix: string, options?: ObjectListOptions): AsyncGenerator<ObjectEntry> {
    const list = () => Array.fromAsync(this.#inner.list(prefix, options));
    yield* await this.#pass(`list ${prefix}`, list);
  }

  close(): Promise<void> {
    return this.#inner.close();
  }

  async #pass<T>(call: string, act: () => Promise<T>): Promise<T> {
    this.#calls.push(call);
    await this.before(call);
    try {
      return await act();
    } finally {
      await this.after(call);
    }
  }
}

/** A log over a store, with its segments in memory. */
export async function openBucket(
  store: DatedObjectStore,
  parts: Partial<BucketLogParts> = {},
): Promise<BucketLog> {
  return await BucketLog.open({
    store,
    segments: new MemoryStore(),
    name: "test:",
    clock: systemClock,
    random: systemRandom,
    metrics: noMetrics,
    onListenerError: (error) => {
      throw error;
    },
    ...parts,
  });
}

/** A log in a store, as the conformance suite wants it; `open` opens the same place again and again. */
export async function testedBucketLog(open: () => Promise<DatedObjectStore>): Promise<TestedLog> {
  const listenerErrors: unknown[] = [];
  const onListenerError = (error: unknown) => listenerErrors.push(error);
  let log = await openBucket(await open(), { onListenerError });
  return {
    log,
    listenerErrors,
    collect: undefined,
    keepsRegistrations: false,
    reopen: async () => {
      await log.close();
      return log = await openBucket(await open(), { onListenerError });
    },
    another: async () => await openBucket(await open(), { onListenerError }),
    dispose: () => log.close(),
  };
}
