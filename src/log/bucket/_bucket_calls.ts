// Calls to the store: absence becomes an answer, and the store's health is noted.

import { GraftError, isGraftError } from "../../core/errors.ts";
import type { Counter, Metrics } from "../../core/metrics.ts";
import type { DatedObjectStore } from "../../objects/object_store.ts";
import { notAnswering, storeFailure } from "../../objects/store_failure.ts";

/** The store as the log sees it. */
export class BucketCalls {
  /** The log's name, for messages. */
  readonly name: string;
  readonly #store: DatedObjectStore;
  readonly #errors: Counter;
  #healthy: boolean | undefined;
  #closed = false;

  constructor(store: DatedObjectStore, name: string, metrics: Metrics) {
    this.#store = store;
    this.name = name;
    this.#errors = metrics.counter("log_store_errors", "Calls that the log's store failed");
  }

  /** Whether the last call was answered; undefined before the first. */
  get healthy(): boolean | undefined {
    return this.#healthy;
  }

  /** The object; undefined when there is none. */
  async get(key: string): Promise<Uint8Array | undefined> {
    return await this.#answer("missing", () => this.#store.get(key));
  }

  /** The first keys that start with `prefix` and sort after `after`. */
  async keys(prefix: string, options: { after?: string; limit: number }): Promise<string[]> {
    const entries = await this.#guard(() => Array.fromAsync(this.#store.list(prefix, options)));
    return entries.map(({ key }) => key);
  }

  /** Stores an object at a free key. @returns Whether it was free. */
  async putIfAbsent(key: string, body: Uint8Array<ArrayBuffer>): Promise<boolean> {
    const put = () => this.#store.put(key, body, { ifAbsent: true }).then(() => true);
    return await this.#answer("conflict", put) ?? false;
  }

  /** The same, if the request arrives within 15 minutes of `dateMs`. */
  async putDated(key: string, body: Uint8Array<ArrayBuffer>, dateMs: number): Promise<boolean> {
    const put = () => this.#store.putDated(key, body, dateMs).then(() => true);
    return await this.#answer("conflict", put) ?? false;
  }

  /** Lets go of the store, and refuses what comes later. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#store.close();
  }

  /** Undefined where the store answers with an error of this code. */
  async #answer<T>(code: "missing" | "conflict", call: () => Promise<T>): Promise<T | undefined> {
    return await this.#guard(async () => {
      try {
        return await call();
      } catch (error) {
        if (isGraftError(error, code)) return undefined;
        throw error;
      }
    });
  }

  async #guard<T>(call: () => Promise<T>): Promise<T> {
    if (this.#closed) {
      throw new GraftError("unavailable", `Cannot use log "${this.name}": it is closed`, {
        publicMessage: notAnswering("commit log"),
      });
    }
    try {
      const answer = await call();
      this.#healthy = true;
      return answer;
    } catch (error) {
      this.#healthy = false;
      this.#errors.add();
      throw storeFailure("commit log", this.#store.name, error);
    }
  }
}
