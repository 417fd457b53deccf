/**
 * A replica's rows in the browser's IndexedDB.
 *
 * @module
 */

import { assert } from "../../../src/core/assert.ts";
import { browserError } from "../_browser_errors.ts";
import { type Release, takeOwnership } from "../_ownership.ts";
import { type Durability, keysInRange, rowBytes, type RowChanges } from "../_rows.ts";
import { WriteQueue } from "../_write_queue.ts";
import { checkName } from "../_storage_name.ts";
import type { OpenStorageOptions } from "../open_storage.ts";
import type { ReplicaStorage, StorageBatch, StorageRange } from "../replica_storage.ts";
import { RowDatabase } from "./_database.ts";
import { GatheredReads } from "./_gathered_reads.ts";
import { RecentValues } from "./_recent_values.ts";

/** Values that are kept in memory. */
const RECENT_BYTES = 16 * 1024 * 1024;
/** Rows that a listing reads at once. */
const ROWS_AT_ONCE = 64;

/**
 * Rows in IndexedDB: one row each, a batch is one transaction. The keys are in memory (about 100 bytes
 * each), and values that were used lately, up to 16 MiB.
 */
export class IdbStorage implements ReplicaStorage {
  /** `idb:NAME`. */
  readonly name: string;
  readonly #database: RowDatabase;
  readonly #release: Release;
  readonly #queue: WriteQueue;
  readonly #reads: GatheredReads;
  readonly #recent = new RecentValues(RECENT_BYTES);
  /** The bytes of each value, as far as they are known. */
  readonly #lengths: Map<string, number | undefined>;
  /** The newest read of each key that is under way and that no write has overtaken. */
  readonly #fetches = new Map<string, symbol>();
  #bytes: number;
  #isClosed = false;

  private constructor(
    name: string,
    database: RowDatabase,
    content: { keys: readonly string[]; bytes: number },
    release: Release,
  ) {
    this.name = name;
    this.#database = database;
    this.#release = release;
    this.#lengths = new Map(content.keys.map((key) => [key, undefined]));
    this.#bytes = content.bytes;
    this.#queue = new WriteQueue((changes, durability) => this.#apply(changes, durability));
    this.#reads = new GatheredReads((keys) => this.#database.get(keys));
  }

  /**
   * Opens the storage `idb:NAME`: the database `graft/NAME` of the origin.
   *
   * @throws {GraftError} `unavailable` when another tab or worker has it open, or the browser allows none;
   * `invalid` where there are no locks; `damaged`; `aborted`.
   */
  static async open(name: string, options: OpenStorageOptions = {}): Promise<IdbStorage> {
    const url = `idb:${name}`;
    checkName(url, name);
    const release = await takeOwnership(url, options);
    try {
      const database = await RowDatabase.open(name);
      return new IdbStorage(url, database, await database.content(), release);
    } catch (error) {
      release();
      throw browserError(`open "${url}"`, error);
    }
  }

  /** The bytes of all keys and values. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The value of a row: at once where it is absent or was used lately. */
  get(key: string): Uint8Array | undefined | Promise<Uint8Array | undefined> {
    assert(!this.#isClosed, "A closed storage is read from");
    const pending = this.#queue.pending(key);
    if (pending !== undefined) return pending.value;
    if (!this.#lengths.has(key)) return undefined;
    return this.#recent.get(key) ?? this.#fetch(key);
  }

  /** Keys, ascending. */
  async *keys(range: StorageRange): AsyncIterable<string> {
    await this.#queue.settled();
    yield* keysInRange(this.#lengths.keys(), range);
  }

  /** Rows, ascending by key. */
  async *list(range: StorageRange): AsyncIterable<readonly [string, Uint8Array]> {
    const keys = await Array.fromAsync(this.keys(range));
    for (let i = 0; i < keys.length; i += ROWS_AT_ONCE) {
      const some = keys.slice(i, i + ROWS_AT_ONCE);
      const values = await Promise.all(some.map((key) => this.get(key)));
      for (const [j, value] of values.entries()) if (value !== undefined) yield [some[j], value];
    }
  }

  /** Writes rows. */
  // deno-lint-ignore require-await -- a batch that breaks the rules rejects, as in every other storage
  async write(batch: StorageBatch): Promise<void> {
    return this.#queue.write(batch);
  }

  /** Finishes the writes under way and closes the database. */
  async close(): Promise<void> {
    await this.#queue.close();
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#database.close();
    this.#release();
  }

  async #fetch(key: string): Promise<Uint8Array | undefined> {
    const fetch = Symbol(key);
    this.#fetches.set(key, fetch);
    try {
      const value = await this.#reads.get(key);
      // what was written meanwhile is newer
      if (value !== undefined && this.#fetches.get(key) === fetch) this.#recent.set(key, value);
      return value;
    } catch (error) {
      throw browserError(`read "${key}" from "${this.name}"`, error);
    } finally {
      if (this.#fetches.get(key) === fetch) this.#fetches.delete(key);
    }
  }

  async #apply(changes: RowChanges, durability: Durability): Promise<void> {
    try {
      await this.#learnLengths([...changes.keys()]);
      const bytes = this.#bytes + this.#growth(changes);
      await this.#database.write(changes, bytes, durability);
      this.#bytes = bytes;
    } catch (error) {
      throw browserError(`write to "${this.name}"`, error);
    }
    for (const [key, value] of changes) this.#note(key, value);
  }

  /** By how many bytes all rows grow. */
  #growth(changes: RowChanges): number {
    let growth = 0;
    for (const [key, value] of changes) {
      const previous = this.#lengths.get(key);
      if (previous !== undefined) growth -= rowBytes(key, previous);
      if (value !== undefined) growth += rowBytes(key, value.length);
    }
    return growth;
  }

  /** The lengths of those among the rows that were there before this owner came. */
  async #learnLengths(keys: readonly string[]): Promise<void> {
    const unknown = keys.filter((key) =>
      this.#lengths.has(key) && this.#lengths.get(key) === undefined
    );
    for (let i = 0; i < unknown.length; i += ROWS_AT_ONCE) {
      const some = unknown.slice(i, i + ROWS_AT_ONCE);
      const values = await this.#database.get(some);
      for (const [j, key] of some.entries()) this.#lengths.set(key, values[j]?.length ?? 0);
    }
  }

  #note(key: string, value: Uint8Array | undefined): void {
    this.#fetches.delete(key);
    if (value === undefined) {
      this.#lengths.delete(key);
      this.#recent.delete(key);
    } else {
      this.#lengths.set(key, value.length);
      this.#recent.set(key, value);
    }
  }
}
