/**
 * A replica's rows in memory.
 *
 * @module
 */

import { changesOf, keysInRange, rowBytes } from "./_rows.ts";
import type { ReplicaStorage, StorageBatch, StorageRange } from "./replica_storage.ts";

/**
 * Rows in memory: nothing outlives the object, and nobody else sees it.
 *
 * @example
 * ```ts
 * import { MemoryStorage } from "./memory_storage.ts";
 *
 * const storage = new MemoryStorage();
 * storage.write({ put: [["greeting", new TextEncoder().encode("hello")]] });
 * console.log(storage.get("greeting")?.length); // 5
 * await storage.close();
 * ```
 */
export class MemoryStorage implements ReplicaStorage {
  /** `memory:`. */
  readonly name = "memory:";
  /** It is. */
  readonly isVolatile = true;
  readonly #rows = new Map<string, Uint8Array>();
  #bytes = 0;

  /** The bytes of all keys and values. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The value of a row. */
  get(key: string): Uint8Array | undefined {
    return this.#rows.get(key);
  }

  /** Keys, ascending. */
  async *keys(range: StorageRange): AsyncIterable<string> {
    yield* keysInRange(this.#rows.keys(), range);
  }

  /** Rows, ascending by key. */
  async *list(range: StorageRange): AsyncIterable<readonly [string, Uint8Array]> {
    for (const key of keysInRange(this.#rows.keys(), range)) {
      const value = this.#rows.get(key);
      if (value !== undefined) yield [key, value];
    }
  }

  /** Writes rows, at once. */
  write(batch: StorageBatch): void {
    for (const [key, value] of changesOf(batch)) {
      const previous = this.#rows.get(key);
      if (previous !== undefined) this.#bytes -= rowBytes(key, previous.length);
      if (value === undefined) {
        this.#rows.delete(key);
      } else {
        this.#rows.set(key, value);
        this.#bytes += rowBytes(key, value.length);
      }
    }
  }

  /** Forgets everything. */
  close(): Promise<void> {
    this.#rows.clear();
    this.#bytes = 0;
    return Promise.resolve();
  }
}
