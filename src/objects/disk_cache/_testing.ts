// What the tests of the disk cache share.

import { systemClock } from "../../core/clock.ts";
import { RecordedMetrics, sampleBytes, TemporaryDirectory } from "../_testing.ts";
import { type SlabIo, systemSlabIo } from "../_slab_io.ts";
import { DiskCache } from "./disk_cache.ts";

/** Two keys of one hash; the search took a second. */
export const COLLIDING_KEYS = ["key-47213", "key-105805"] as const;

export const MIB = 1024 * 1024;

/** A cache on a directory of its own, with its seams in reach. */
export class TestCache implements AsyncDisposable {
  readonly directory: string;
  readonly metrics = new RecordedMetrics();
  /** Methods of the disk that do something else. */
  disk: Partial<SlabIo> = {};
  nowMs = 0;
  cache!: DiskCache;
  readonly #temporary: TemporaryDirectory;
  readonly #bytesMax: number;

  private constructor(temporary: TemporaryDirectory, bytesMax: number) {
    this.#temporary = temporary;
    this.directory = `${temporary.path}/cache`;
    this.#bytesMax = bytesMax;
  }

  static async open(bytesMax = 16 * MIB): Promise<TestCache> {
    const test = new TestCache(await TemporaryDirectory.make(), bytesMax);
    await test.reopen();
    return test;
  }

  /** Opens the directory again; what was open before is left as a killed process leaves it. */
  async reopen(bytesMax = this.#bytesMax): Promise<void> {
    const clock = { ...systemClock, monotonic: () => this.nowMs };
    const { directory, metrics } = this;
    this.cache = await DiskCache.open({ directory, bytesMax, clock, metrics, io: this.#io() });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.disk = {};
    await this.cache.close();
    await this.#temporary[Symbol.asyncDispose]();
  }

  /** Sets keys to samples of `length` bytes, and waits until the disk has taken or lost them. */
  async fill(keys: readonly string[], length = 10_000): Promise<void> {
    for (const key of keys) {
      this.cache.set(key, sampleOf(key, length));
      await this.cache.flush();
    }
  }

  /** Which of the keys are held, and right. */
  held(keys: readonly string[], length = 10_000): string[] {
    return keys.filter((key) => {
      const bytes = this.cache.get(key);
      if (bytes === undefined) return false;
      const expected = sampleOf(key, length);
      if (bytes.length !== length || bytes.some((byte, i) => byte !== expected[i])) {
        throw new Error(`wrong bytes of ${key}`);
      }
      return true;
    });
  }

  /** The paths of the slabs, oldest first. */
  slabs(): string[] {
    const names = [...Deno.readDirSync(this.directory)].map(({ name }) => name).sort();
    return names.map((name) => `${this.directory}/${name}`);
  }

  /** Bytes of all files in the directory. */
  filesBytes(): number {
    return this.slabs().reduce((sum, path) => sum + Deno.statSync(path).size, 0);
  }

  counter(name: string): number {
    return this.metrics.counters.get(name) ?? 0;
  }

  #io(): SlabIo {
    return new Proxy(systemSlabIo, {
      get: (io, name) => Reflect.get(this.disk, name) ?? Reflect.get(io, name),
    });
  }
}

/** Bytes that are another for each key. */
export function sampleOf(key: string, length: number): Uint8Array<ArrayBuffer> {
  return sampleBytes(length, [...key].reduce((sum, letter) => sum * 7 + letter.charCodeAt(0), 1));
}

/** `a0` to `a9` and so on. */
export function keysOf(prefix: string, count: number): string[] {
  return Array.from({ length: count }, (_, i) => `${prefix}${i}`);
}
