/**
 * An object store whose calls are measured.
 *
 * @module
 */

import type { Clock } from "../core/clock.ts";
import { isGraftError } from "../core/errors.ts";
import type { Counter, Histogram, Metrics } from "../core/metrics.ts";
import type {
  ObjectCallOptions,
  ObjectEntry,
  ObjectListOptions,
  ObjectStore,
  ObjectTail,
} from "./object_store.ts";
import { storeFailure } from "./store_failure.ts";

/** Seconds: from a cached read of a local disk to a store that is about to be given up. */
const LATENCY_BOUNDS = [
  0.00005,
  0.0002,
  0.001,
  0.005,
  0.02,
  0.1,
  0.5,
  2,
  10,
];

const OPERATIONS = ["put", "get", "get_range", "get_tail", "head", "delete", "list"] as const;
type Operation = (typeof OPERATIONS)[number];

/**
 * Passes every call on and counts it: `object_requests_total` by operation and outcome (`ok`, else the
 * error's code, `missing` also for a head that finds nothing), `object_read_bytes_total`,
 * `object_written_bytes_total`, and `object_request_seconds` by operation. A listing counts once,
 * when it ends; its time is that until its first entry, as the rest is its reader's. Its errors have words
 * for the public, see {@linkcode storeFailure}.
 */
export class MeteredStore implements ObjectStore {
  readonly #inner: ObjectStore;
  readonly #metrics: Metrics;
  readonly #clock: Clock;
  readonly #requests = new Map<string, Counter>();
  readonly #seconds: Record<Operation, Histogram>;
  readonly #readBytes: Counter;
  readonly #writtenBytes: Counter;
  #healthy: boolean | undefined;

  /** Measures `inner`. */
  constructor(inner: ObjectStore, metrics: Metrics, clock: Clock) {
    this.#inner = inner;
    this.#metrics = metrics;
    this.#clock = clock;
    this.#seconds = Object.fromEntries(
      OPERATIONS.map((operation) => [operation, histogramOf(metrics, operation)]),
    ) as Record<Operation, Histogram>;
    this.#readBytes = metrics.counter("object_read_bytes_total", "Bytes read from objects");
    this.#writtenBytes = metrics.counter("object_written_bytes_total", "Bytes put into objects");
  }

  /** The name of the store that is measured. */
  get name(): string {
    return this.#inner.name;
  }

  /** Whether the store did its part in the last call that ended: undefined before the first. */
  get healthy(): boolean | undefined {
    return this.#healthy;
  }

  /** Measures {@linkcode ObjectStore.put}. */
  async put(
    key: string,
    body: Uint8Array<ArrayBuffer>,
    options?: ObjectCallOptions & { readonly ifAbsent?: boolean },
  ): Promise<void> {
    await this.#measure("put", () => this.#inner.put(key, body, options));
    this.#writtenBytes.add(body.length);
  }

  /** Measures {@linkcode ObjectStore.get}. */
  async get(key: string, options?: ObjectCallOptions): Promise<Uint8Array<ArrayBuffer>> {
    return this.#countRead(await this.#measure("get", () => this.#inner.get(key, options)));
  }

  /** Measures {@linkcode ObjectStore.getRange}. */
  async getRange(
    key: string,
    offset: number,
    length: number,
    options?: ObjectCallOptions,
  ): Promise<Uint8Array<ArrayBuffer>> {
    const read = () => this.#inner.getRange(key, offset, length, options);
    return this.#countRead(await this.#measure("get_range", read));
  }

  /** Measures {@linkcode ObjectStore.getTail}. */
  async getTail(key: string, length: number, options?: ObjectCallOptions): Promise<ObjectTail> {
    const read = () => this.#inner.getTail(key, length, options);
    const tail = await this.#measure("get_tail", read);
    this.#countRead(tail.bytes);
    return tail;
  }

  /** Measures {@linkcode ObjectStore.head}. */
  head(key: string, options?: ObjectCallOptions): Promise<ObjectEntry | undefined> {
    const outcome = (entry: ObjectEntry | undefined) => entry === undefined ? "missing" : "ok";
    return this.#measure("head", () => this.#inner.head(key, options), outcome);
  }

  /** Measures {@linkcode ObjectStore.delete}. */
  delete(key: string, options?: ObjectCallOptions): Promise<void> {
    return this.#measure("delete", () => this.#inner.delete(key, options));
  }

  /** Measures {@linkcode ObjectStore.list}. */
  async *list(
    prefix: string,
    options?: ObjectListOptions,
  ): AsyncGenerator<ObjectEntry> {
    const started = this.#clock.monotonic();
    let isFirst = true;
    let outcome = "ok";
    try {
      for await (const entry of this.#inner.list(prefix, options)) {
        if (isFirst) this.#recordSince("list", started);
        isFirst = false;
        yield entry;
      }
    } catch (error) {
      outcome = outcomeOf(error);
      throw storeFailure("object store", this.name, error);
    } finally {
      if (isFirst) this.#recordSince("list", started);
      this.#count("list", outcome);
    }
  }

  /** Closes the store that is measured. */
  close(): Promise<void> {
    return this.#inner.close();
  }

  async #measure<T>(
    operation: Operation,
    call: () => Promise<T>,
    outcome: (result: T) => string = () => "ok",
  ): Promise<T> {
    const started = this.#clock.monotonic();
    try {
      const result = await call();
      this.#count(operation, outcome(result));
      return result;
    } catch (error) {
      this.#count(operation, outcomeOf(error));
      throw storeFailure("object store", this.name, error);
    } finally {
      this.#recordSince(operation, started);
    }
  }

  #recordSince(operation: Operation, startedMs: number): void {
    this.#seconds[operation].record((this.#clock.monotonic() - startedMs) / 1000);
  }

  #count(operation: Operation, outcome: string): void {
    if (outcome !== "aborted") this.#healthy = outcome !== "unavailable" && outcome !== "internal";
    const id = `${operation} ${outcome}`;
    let counter = this.#requests.get(id);
    if (counter === undefined) {
      counter = this.#metrics.counter("object_requests_total", "Requests to the object store", {
        operation,
        outcome,
      });
      this.#requests.set(id, counter);
    }
    counter.add();
  }

  #countRead(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
    this.#readBytes.add(bytes.length);
    return bytes;
  }
}

function histogramOf(metrics: Metrics, operation: Operation): Histogram {
  const help = "How long requests to the object store take";
  return metrics.histogram("object_request_seconds", help, LATENCY_BOUNDS, { operation });
}

function outcomeOf(error: unknown): string {
  return isGraftError(error) ? error.code : "internal";
}
