// A layer between a log and its store that fails calls when a test says so.

import type { KvAtomic, KvEntry, KvHandle, KvKey, KvRange } from "../../src/log/kv/kv_handle.ts";

/**
 * How the next calls fail:
 *
 * - `before`: a write does not take effect.
 * - `after`: a write takes effect, and its answer is lost.
 * - `refuse`: a write does not take effect, as if a check had failed.
 * - `repeat`: a write takes effect, and is then repeated on its way, so that the answer is a failed check.
 */
export type WriteFault = "before" | "after" | "refuse" | "repeat";

/** What the store says when a call is made to fail. */
export const STORE_ERROR = new Error("disk I/O error");

/** A store whose calls can be made to fail, to wait, and to be counted. */
export class FaultyKv implements KvHandle {
  readonly #kv: KvHandle;
  /** Faults of the next writes, the first first; a gap (`undefined`) lets one pass. */
  readonly writeFaults: (WriteFault | undefined)[] = [];
  /** Chooses the fault of each write that has none above. */
  chooseFault: (() => WriteFault | undefined) | undefined;
  /** Whether every read fails. */
  readsFail = false;
  /** Whether every write fails before it takes effect. */
  writesFail = false;
  /** Writes that were tried. */
  writes = 0;
  /** Runs before the answer of a read is given: the answer is then older than what it did. */
  afterRead: (() => Promise<unknown>) | undefined;

  constructor(kv: KvHandle) {
    this.#kv = kv;
  }

  async get(key: KvKey): Promise<KvEntry> {
    return await this.#read(() => this.#kv.get(key));
  }

  async getMany(keys: readonly KvKey[]): Promise<KvEntry[]> {
    return await this.#read(() => this.#kv.getMany(keys));
  }

  list(range: KvRange, options?: { batchSize?: number }): AsyncIterator<KvEntry> {
    const entries = this.#kv.list(range, options);
    return { next: () => this.#read(() => entries.next()) };
  }

  atomic(): KvAtomic {
    return new FaultyAtomic(this.#kv.atomic(), (commit) => this.#commit(commit));
  }

  watch(keys: readonly KvKey[]): ReadableStream<unknown> {
    return this.#kv.watch(keys);
  }

  commitVersionstamp(): symbol {
    return this.#kv.commitVersionstamp();
  }

  close(): void {
    this.#kv.close();
  }

  async #read<T>(read: () => Promise<T>): Promise<T> {
    if (this.readsFail) throw STORE_ERROR;
    const answer = await read();
    const hook = this.afterRead;
    this.afterRead = undefined;
    await hook?.();
    return answer;
  }

  async #commit(commit: KvAtomic["commit"]): ReturnType<KvAtomic["commit"]> {
    this.writes++;
    const fault = this.writesFail ? "before" : this.writeFaults.shift() ?? this.chooseFault?.();
    if (fault === "before") throw STORE_ERROR;
    if (fault === "refuse") return { ok: false };
    const result = await commit();
    if (fault === "after") throw STORE_ERROR;
    if (fault === "repeat") return { ok: false };
    return result;
  }
}

class FaultyAtomic implements KvAtomic {
  readonly #atomic: KvAtomic;
  readonly #run: (commit: KvAtomic["commit"]) => ReturnType<KvAtomic["commit"]>;

  constructor(
    atomic: KvAtomic,
    run: (commit: KvAtomic["commit"]) => ReturnType<KvAtomic["commit"]>,
  ) {
    this.#atomic = atomic;
    this.#run = run;
  }

  check(check: Parameters<KvAtomic["check"]>[0]): KvAtomic {
    this.#atomic.check(check);
    return this;
  }

  set(...args: Parameters<KvAtomic["set"]>): KvAtomic {
    this.#atomic.set(...args);
    return this;
  }

  delete(key: KvKey): KvAtomic {
    this.#atomic.delete(key);
    return this;
  }

  commit(): ReturnType<KvAtomic["commit"]> {
    return this.#run(() => this.#atomic.commit());
  }
}
