/**
 * A cache with a bound in bytes.
 *
 * @module
 */

import { LRUCache } from "lru-cache";
import { assert } from "../core/assert.ts";
import type { Counter, Metrics } from "../core/metrics.ts";

/** What a {@linkcode ByteCache} is made with. */
export interface ByteCacheOptions {
  /** What it holds, as the value of the label `cache`: `frames`. */
  readonly name: string;
  /** The sum of the sizes of its entries at most; 0 keeps nothing. */
  readonly bytesMax: number;
  /** Counts hits, misses and evictions. */
  readonly metrics: Metrics;
}

/** The bytes that an entry costs beside its value: key, map slot, list links. */
const ENTRY_OVERHEAD_BYTES = 128;

/**
 * Keeps what was used last, up to a number of bytes.
 *
 * An entry larger than the whole cache is not kept. A get takes a fraction of a microsecond.
 *
 * @example
 * ```ts
 * import { ByteCache } from "./byte_cache.ts";
 * import { noMetrics } from "../core/metrics.ts";
 *
 * const cache = new ByteCache<string, Uint8Array>({
 *   name: "frames",
 *   bytesMax: 1_000_000,
 *   metrics: noMetrics,
 * });
 * cache.set("a", new Uint8Array(4096), 4096);
 * console.log(cache.get("a")?.length); // 4096
 * ```
 */
export class ByteCache<K extends string | number, V extends object> {
  readonly #entries: LRUCache<K, V> | undefined;
  readonly #hits: Counter;
  readonly #misses: Counter;

  /** Makes an empty cache. */
  constructor({ name, bytesMax, metrics }: ByteCacheOptions) {
    assert(Number.isSafeInteger(bytesMax) && bytesMax >= 0, "A cache's bound is a number of bytes");
    const labels = { cache: name };
    this.#hits = metrics.counter("cache_hits_total", "Look-ups that a cache answered", labels);
    this.#misses = metrics.counter("cache_misses_total", "Look-ups that it did not", labels);
    const evictions = metrics.counter("cache_evictions_total", "Entries dropped for room", labels);
    metrics.gauge("cache_bytes", "Bytes that a cache holds", () => this.bytes, labels);
    if (bytesMax === 0) return;
    this.#entries = new LRUCache<K, V>({
      maxSize: bytesMax,
      dispose: (_value, _key, reason) => {
        if (reason === "evict") evictions.add();
      },
    });
  }

  /** The bytes held, with what the entries cost beside their values. */
  get bytes(): number {
    return this.#entries?.calculatedSize ?? 0;
  }

  /** How many entries there are. */
  get count(): number {
    return this.#entries?.size ?? 0;
  }

  /** Whether a key's value is held. Counts as no look-up. */
  has(key: K): boolean {
    return this.#entries?.has(key) ?? false;
  }

  /** The value of a key, which becomes the last used; undefined when it is not held. */
  get(key: K): V | undefined {
    const value = this.#entries?.get(key);
    (value === undefined ? this.#misses : this.#hits).add();
    return value;
  }

  /** Keeps a value, in place of the key's other one, and drops what was not used for longest. */
  set(key: K, value: V, sizeBytes: number): void {
    assert(Number.isSafeInteger(sizeBytes) && sizeBytes >= 0, "A size is a number of bytes");
    this.#entries?.set(key, value, { size: sizeBytes + ENTRY_OVERHEAD_BYTES });
  }

  /** Drops a key's value. */
  delete(key: K): void {
    this.#entries?.delete(key);
  }

  /** Drops everything. */
  clear(): void {
    this.#entries?.clear();
  }
}
