// Calls to the store: its errors become the project's own, and its health is noted.

import { GraftError } from "../../../core/errors.ts";
import type { Counter, Metrics } from "../../../core/metrics.ts";
import { notAnswering } from "../../../objects/store_failure.ts";
import type { KvAtomic, KvEntry, KvHandle, KvKey, KvRange } from "../kv_handle.ts";
import { GET_MANY_KEYS_MAX, LIST_BATCH_ENTRIES } from "../_limits.ts";

/** "Value too large (max 65536 bytes)": KV throws the same class for a full disk, so only the text tells. */
const BROKEN_LIMIT = /\(max \d+/;

/** The store as the log sees it: every rejection is a GraftError. */
export class KvCalls {
  /** The log's name, for messages. */
  readonly name: string;
  readonly #kv: KvHandle;
  readonly #errors: Counter;
  #healthy: boolean | undefined;

  constructor(kv: KvHandle, name: string, metrics: Metrics) {
    this.#kv = kv;
    this.name = name;
    this.#errors = metrics.counter("log_store_errors", "Calls that the log's store failed");
  }

  /** Whether the last call was answered; undefined before the first. */
  get healthy(): boolean | undefined {
    return this.#healthy;
  }

  async get(key: KvKey): Promise<KvEntry> {
    return await this.#guard("read", () => this.#kv.get(key));
  }

  /** Any number of values, ten at a time. */
  async getMany(keys: readonly KvKey[]): Promise<KvEntry[]> {
    const groups: Promise<KvEntry[]>[] = [];
    for (let at = 0; at < keys.length; at += GET_MANY_KEYS_MAX) {
      const group = keys.slice(at, at + GET_MANY_KEYS_MAX);
      groups.push(this.#guard("read", () => this.#kv.getMany(group)));
    }
    return (await Promise.all(groups)).flat();
  }

  async *list(range: KvRange): AsyncGenerator<KvEntry> {
    const entries = this.#kv.list(range, { batchSize: LIST_BATCH_ENTRIES });
    for (;;) {
      const next = await this.#guard("read", () => entries.next());
      if (next.done) return;
      yield next.value;
    }
  }

  /** Brings something at once, and then whenever the key was set. What goes wrong with it is the caller's to note. */
  watch(key: KvKey): ReadableStream<unknown> {
    return this.#kv.watch([key]);
  }

  atomic(): KvAtomic {
    return this.#kv.atomic();
  }

  /** @returns The version of everything written, or undefined when a check failed. */
  async commit(atomic: KvAtomic): Promise<string | undefined> {
    const result = await this.#guard("write to", () => atomic.commit());
    return result.ok ? result.versionstamp : undefined;
  }

  commitVersionstamp(): symbol {
    return this.#kv.commitVersionstamp();
  }

  close(): void {
    this.#kv.close();
  }

  async #guard<T>(verb: string, call: () => Promise<T>): Promise<T> {
    try {
      const answer = await call();
      this.#healthy = true;
      return answer;
    } catch (error) {
      this.#errors.add();
      throw this.#translate(verb, error);
    }
  }

  #translate(verb: string, error: unknown): GraftError {
    const state = error instanceof Error ? error.message : String(error);
    const message = `Cannot ${verb} log "${this.name}": ${state}`;
    if (BROKEN_LIMIT.test(state)) return new GraftError("internal", message, { cause: error });
    this.#healthy = false;
    const publicMessage = notAnswering("commit log");
    return new GraftError("unavailable", message, { cause: error, publicMessage });
  }
}
