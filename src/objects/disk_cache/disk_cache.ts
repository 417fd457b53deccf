/**
 * A cache of small blobs on the local disk.
 *
 * @module
 */

import { assert, AssertionError } from "../../core/assert.ts";
import type { Clock } from "../../core/clock.ts";
import type { Counter, Metrics } from "../../core/metrics.ts";
import { isFull } from "../_disk/errors.ts";
import { systemCode } from "../_disk_io.ts";
import { type SlabIo, systemSlabIo } from "../_slab_io.ts";
import { bodyOf, encodeEntry, type Entry, entryBytes, hashKey, isIntact } from "./_slab_format.ts";
import { Slabs } from "./_slabs.ts";
import type { BlobCache } from "./blob_cache.ts";

/** What {@linkcode DiskCache.open} takes. */
export interface DiskCacheOptions {
  /** A directory of its own, made where it is missing; its parent exists and is this process's alone. */
  readonly directory: string;
  /** Bytes of its files together at most; 0 keeps nothing and touches no disk. */
  readonly bytesMax: number;
  /** Says when a disk that failed is tried again. */
  readonly clock: Clock;
  /** Counts hits, misses, evictions and failures. */
  readonly metrics: Metrics;
  /** The disk; the machine's unless told. */
  readonly io?: SlabIo;
}

/** Entries on their way to the disk; when it does not keep up, what comes beyond is not kept. */
const PENDING_BYTES_MAX = 8 * 1024 * 1024;
/** One write takes at most this much. */
const BATCH_BYTES_MAX = 1024 * 1024;
/** A disk that failed is left alone for so long. */
const PAUSE_MS = 10_000;

const encoder = new TextEncoder();

/**
 * Keeps blobs over restarts, up to a number of bytes, in a directory that may be deleted at any time.
 *
 * Nothing in it matters: no write is synced or waited for, and whatever does not verify is a miss. A
 * disk that fails, or is full, is left alone for ten seconds, while all is a miss or not kept; a full
 * one is given the oldest entries' room. A get is one synchronous read, some ten microseconds where the
 * kernel has the bytes; a set copies and hashes its bytes. What was hit since it was written survives the
 * first time that room is needed.
 *
 * @example
 * ```ts
 * import { systemClock } from "../../core/clock.ts";
 * import { noMetrics } from "../../core/metrics.ts";
 * import { DiskCache } from "./disk_cache.ts";
 *
 * const directory = await Deno.makeTempDir();
 * const options = { directory, bytesMax: 2 ** 30, clock: systemClock, metrics: noMetrics };
 * const cache = await DiskCache.open(options);
 * cache.set("a", new Uint8Array([1, 2, 3]));
 * await cache.close();
 * const reopened = await DiskCache.open(options);
 * console.log(reopened.get("a")); // Uint8Array [ 1, 2, 3 ]
 * await reopened.close();
 * await Deno.remove(directory, { recursive: true });
 * ```
 */
export class DiskCache implements BlobCache {
  readonly #slabs: Slabs | undefined;
  readonly #io: SlabIo;
  readonly #clock: Clock;
  readonly #measures: Measures;
  readonly #pending = new Map<string, Entry>();
  #pendingBytes = 0;
  #draining: Promise<void> | undefined;
  #isLoaded = false;
  #isClosed = false;
  #readsResumeMs = -Infinity;
  #writesResumeMs = -Infinity;

  private constructor({ directory, bytesMax, clock, metrics, io }: DiskCacheOptions) {
    assert(Number.isSafeInteger(bytesMax) && bytesMax >= 0, "A cache's bound is a number of bytes");
    this.#io = io ?? systemSlabIo;
    this.#clock = clock;
    this.#measures = new Measures(metrics, () => this.bytes);
    if (bytesMax === 0) return;
    const onEvict = (count: number) => this.#measures.evictions.add(count);
    this.#slabs = new Slabs({ directory, bytesMax, io: this.#io, onEvict });
  }

  /**
   * Opens the cache on what earlier runs left. It never fails: where the disk does, the cache is empty
   * and tries again later.
   */
  static async open(options: DiskCacheOptions): Promise<DiskCache> {
    const cache = new DiskCache(options);
    await cache.#attempt("open", () => cache.#load());
    return cache;
  }

  /** The bytes of all its files. */
  get bytes(): number {
    return this.#slabs?.bytes ?? 0;
  }

  /** How many entries can be read from the disk. */
  get count(): number {
    return this.#slabs?.count ?? 0;
  }

  /** Bytes of memory that finding them takes: 25 to 47 an entry. */
  get memoryBytes(): number {
    return this.#slabs?.memoryBytes ?? 0;
  }

  /** See {@linkcode BlobCache.get}. */
  get(key: string): Uint8Array<ArrayBuffer> | undefined {
    const body = this.#isClosed ? undefined : this.#find(key);
    (body === undefined ? this.#measures.misses : this.#measures.hits).add();
    return body;
  }

  /** See {@linkcode BlobCache.set}. */
  set(key: string, bytes: Uint8Array): void {
    const keyBytes = encoder.encode(key);
    if (!this.#takes(entryBytes(keyBytes.length, bytes.length))) {
      this.#measures.dropped.add();
      return;
    }
    const entry = encodeEntry(keyBytes, bytes);
    this.#pendingBytes += entry.bytes.length - (this.#pending.get(key)?.bytes.length ?? 0);
    this.#pending.set(key, entry);
    this.#draining ??= this.#drain();
  }

  /** Resolves when nothing waits to be written. */
  async flush(): Promise<void> {
    await this.#draining;
  }

  /** Writes what waits, and lets the files go. The cache answers misses afterwards. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.flush();
    await this.#attempt("write", async () => await this.#slabs?.close());
  }

  #find(key: string): Uint8Array<ArrayBuffer> | undefined {
    const keyBytes = encoder.encode(key);
    const waiting = this.#pending.get(key);
    if (waiting !== undefined) return bodyOf(waiting.bytes, keyBytes);
    const hash = hashKey(keyBytes);
    const bytes = this.#read(hash);
    if (bytes === undefined || isIntact(bytes)) return bytes && bodyOf(bytes, keyBytes);
    this.#slabs?.forget(hash);
    this.#measures.damaged.add();
    return undefined;
  }

  #read(hash: number): Uint8Array<ArrayBuffer> | undefined {
    if (this.#clock.monotonic() < this.#readsResumeMs) return undefined;
    try {
      return this.#slabs?.read(hash);
    } catch (error) {
      this.#slabs?.forget(hash);
      // a file that someone removed says nothing about the disk
      if (systemCode(error) !== "ENOENT") {
        this.#readsResumeMs = this.#clock.monotonic() + PAUSE_MS;
      }
      this.#fail("read", error);
      return undefined;
    }
  }

  #takes(length: number): boolean {
    if (this.#isClosed || this.#slabs === undefined) return false;
    return this.#slabs.holds(length) && this.#pendingBytes + length <= PENDING_BYTES_MAX &&
      this.#clock.monotonic() >= this.#writesResumeMs;
  }

  async #load(): Promise<void> {
    if (!this.#isLoaded) await this.#slabs?.load();
    this.#isLoaded = true;
  }

  async #drain(): Promise<void> {
    // what comes in the same turn of the event loop shares the write
    await this.#io.breathe();
    await this.#attempt("write", async () => {
      await this.#load();
      while (this.#pending.size > 0) await this.#writeBatch();
    });
    // whatever the disk did not take
    this.#measures.dropped.add(this.#pending.size);
    this.#pending.clear();
    this.#pendingBytes = 0;
    this.#draining = undefined;
  }

  async #writeBatch(): Promise<void> {
    const batch: [string, Entry][] = [];
    let bytes = 0;
    for (const [key, entry] of this.#pending) {
      if (batch.length > 0 && bytes + entry.bytes.length > BATCH_BYTES_MAX) break;
      batch.push([key, entry]);
      bytes += entry.bytes.length;
    }
    await this.#slabs?.append(batch.map(([, entry]) => entry));
    for (const [key, entry] of batch) {
      // one that was replaced meanwhile still waits
      if (this.#pending.get(key) !== entry) continue;
      this.#pending.delete(key);
      this.#pendingBytes -= entry.bytes.length;
    }
  }

  async #attempt(operation: "open" | "write", act: () => Promise<void>): Promise<void> {
    try {
      await act();
    } catch (error) {
      this.#writesResumeMs = this.#clock.monotonic() + PAUSE_MS;
      this.#fail(operation, error);
      if (isFull(error)) this.#makeRoom();
    }
  }

  /** Others need the disk more. */
  #makeRoom(): void {
    try {
      this.#slabs?.dropOldest();
    } catch (error) {
      this.#fail("write", error);
    }
  }

  #fail(operation: keyof Measures["failures"], error: unknown): void {
    if (error instanceof AssertionError) throw error;
    this.#measures.failures[operation].add();
  }
}

class Measures {
  readonly hits: Counter;
  readonly misses: Counter;
  readonly evictions: Counter;
  readonly damaged: Counter;
  readonly dropped: Counter;
  readonly failures: Readonly<Record<"open" | "read" | "write", Counter>>;

  constructor(metrics: Metrics, bytes: () => number) {
    const labels = { cache: "disk" };
    this.hits = metrics.counter("cache_hits_total", "Look-ups that a cache answered", labels);
    this.misses = metrics.counter("cache_misses_total", "Look-ups that it did not", labels);
    this.evictions = metrics.counter("cache_evictions_total", "Entries dropped for room", labels);
    metrics.gauge("cache_bytes", "Bytes that a cache holds", bytes, labels);
    this.damaged = metrics.counter(
      "disk_cache_damaged_total",
      "Entries of the disk cache that did not verify and were dropped",
    );
    this.dropped = metrics.counter(
      "disk_cache_dropped_total",
      "Entries that the disk cache did not take: too large, disk behind or failing",
    );
    const failures = (operation: string) =>
      metrics.counter("disk_cache_failures_total", "Errors of the disk cache's disk", {
        operation,
      });
    this.failures = { open: failures("open"), read: failures("read"), write: failures("write") };
  }
}
