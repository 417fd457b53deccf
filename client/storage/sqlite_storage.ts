/**
 * A replica's rows in an SQLite file.
 *
 * @module
 */

import { assert } from "../../src/core/assert.ts";
import { systemTimers, type Timers } from "../../src/core/timers.ts";
import { foreignDatabase, isOwnedByAnother, sqliteError } from "./_sqlite_errors.ts";
import {
  loadSqlite,
  type OpenDatabase,
  type SqlDatabase,
  type SqlStatement,
} from "./_sqlite_io.ts";
import { type Durability, rowBytes, type RowChanges } from "./_rows.ts";
import { WriteQueue } from "./_write_queue.ts";
import type { ReplicaStorage, StorageBatch, StorageRange } from "./replica_storage.ts";

/** How a storage in SQLite is opened. */
export interface SqliteStorageOptions {
  /** Whether to wait while another has the storage open; default: it is refused at once. */
  readonly wait?: boolean;
  /** Gives up the wait; the call then rejects with GraftError `aborted`. */
  readonly signal?: AbortSignal;
  /** Waiting, for tests; default: the platform's. */
  readonly timers?: Timers;
  /** What opens databases; default: `node:sqlite`. */
  readonly openDatabase?: OpenDatabase;
}

/** "GRFr" */
const APPLICATION_ID = 0x47524672;
const FORMAT = 1;
/** How often an owner that is waited for is asked. */
const WAIT_MS = 50;
/** Keys a query of a listing; rows may have 1 MiB each. */
const KEYS_AT_ONCE = 4096;
const ROWS_AT_ONCE = 16;
/** Above every printable ASCII character. */
const KEY_END = "\x7f";

// A table with a rowid: pages of 4 KiB are too large for the leaves of a table without one (measured: 28 µs a
// get against 11). Exclusive locking is what refuses a second owner, and spares the shared memory of the log.
const LOCK = [
  "pragma page_size = 4096",
  "pragma locking_mode = exclusive",
  "begin exclusive",
];
const SETTINGS = [
  "pragma journal_mode = wal",
  "pragma synchronous = full",
  "pragma cache_size = -16384",
  // a large batch must not leave a large log behind
  "pragma journal_size_limit = 16777216",
];
const SCHEMA = [
  "create table rows (key text primary key, value blob not null) strict",
  "create table flushes (number integer not null) strict",
  "insert into flushes values (0)",
  `pragma application_id = ${APPLICATION_ID}`,
  `pragma user_version = ${FORMAT}`,
];

/** Rows in an SQLite file that one owner has open at a time. */
export class SqliteStorage implements ReplicaStorage {
  /** `sqlite:PATH`. */
  readonly name: string;
  readonly #database: SqlDatabase;
  readonly #queue: WriteQueue;
  readonly #get: SqlStatement;
  readonly #length: SqlStatement;
  readonly #put: SqlStatement;
  readonly #delete: SqlStatement;
  readonly #flush: SqlStatement;
  #durability: Durability = "strict";
  /** Whether there may be batches in the log that are not on the disk. */
  #isUnflushed = true;
  #bytes: number;
  #isClosed = false;

  private constructor(name: string, database: SqlDatabase) {
    this.name = name;
    this.#database = database;
    this.#queue = new WriteQueue((changes, durability) => this.#apply(changes, durability));
    this.#get = database.prepare("select value from rows where key = ?");
    this.#length = database.prepare("select length(value) as bytes from rows where key = ?");
    this.#put = database.prepare(
      "insert into rows values (?, ?) on conflict do update set value = excluded.value",
    );
    this.#delete = database.prepare("delete from rows where key = ?");
    this.#flush = database.prepare("update flushes set number = number + 1");
    const total = database
      .prepare("select coalesce(sum(length(key) + length(value)), 0) as bytes from rows").get();
    this.#bytes = Number(total?.bytes);
  }

  /**
   * Opens the storage in a file, which is made where there is none. Beside it stands a second file, `-wal`.
   *
   * @param path The file's path; its folder must be there.
   * @throws {GraftError} `unavailable` when another has it open, or the file cannot be read or written;
   * `damaged` for a file that SQLite cannot read; `invalid` for the database of another program, or where
   * the platform has no `node:sqlite`.
   *
   * @example
   * ```ts
   * import { SqliteStorage } from "./sqlite_storage.ts";
   *
   * const folder = await Deno.makeTempDir();
   * const storage = await SqliteStorage.open(`${folder}/replica.db`);
   * await storage.write({ put: [["greeting", new TextEncoder().encode("hello")]] });
   * console.log(storage.get("greeting")?.length); // 5
   * await storage.close();
   * ```
   */
  static async open(path: string, options: SqliteStorageOptions = {}): Promise<SqliteStorage> {
    const { wait = false, signal, timers = systemTimers } = options;
    const openDatabase = options.openDatabase ?? await loadSqlite();
    while (true) {
      try {
        return SqliteStorage.#openNow(path, openDatabase);
      } catch (error) {
        if (!wait || !isOwnedByAnother(error)) throw sqliteError(`open "sqlite:${path}"`, error);
      }
      await timers.sleep(WAIT_MS, signal);
    }
  }

  static #openNow(path: string, openDatabase: OpenDatabase): SqliteStorage {
    const database = openDatabase(path);
    try {
      prepare(path, database);
      return new SqliteStorage(`sqlite:${path}`, database);
    } catch (error) {
      database.close();
      throw error;
    }
  }

  /** The bytes of all keys and values. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The value of a row. */
  get(key: string): Uint8Array | undefined {
    assert(!this.#isClosed, "A closed storage is read from");
    const pending = this.#queue.pending(key);
    if (pending !== undefined) return pending.value;
    try {
      return this.#get.get(key)?.value as Uint8Array | undefined;
    } catch (error) {
      throw sqliteError(`read "${key}" from "${this.name}"`, error);
    }
  }

  /** Keys, ascending. */
  async *keys(range: StorageRange): AsyncIterable<string> {
    for await (const { key } of this.#select("key", range, KEYS_AT_ONCE)) yield key as string;
  }

  /** Rows, ascending by key. */
  async *list(range: StorageRange): AsyncIterable<readonly [string, Uint8Array]> {
    for await (const { key, value } of this.#select("key, value", range, ROWS_AT_ONCE)) {
      yield [key as string, value as Uint8Array];
    }
  }

  /** Writes rows. */
  // deno-lint-ignore require-await -- a batch that breaks the rules rejects, as in every other storage
  async write(batch: StorageBatch): Promise<void> {
    return this.#queue.write(batch);
  }

  /** Finishes the writes under way and closes the file. */
  async close(): Promise<void> {
    await this.#queue.close();
    if (this.#isClosed) return;
    this.#isClosed = true;
    try {
      this.#database.close();
    } catch (error) {
      throw sqliteError(`close "${this.name}"`, error);
    }
  }

  /** Rows of a range, some at a time: a cursor must not stand open while others write. */
  async *#select(
    columns: string,
    { prefix, after = "" }: StorageRange,
    limit: number,
  ): AsyncIterable<Record<string, unknown>> {
    await this.#queue.settled();
    const sql = `select ${columns} from rows where key >= ? and key > ? and key < ?
      order by key limit ${limit}`;
    for (let last = after;;) {
      assert(!this.#isClosed, "A closed storage is listed");
      const rows = this.#read(() =>
        this.#database.prepare(sql).all(prefix, last, prefix + KEY_END)
      );
      yield* rows;
      if (rows.length < limit) return;
      last = rows[rows.length - 1].key as string;
    }
  }

  #read<T>(query: () => T): T {
    try {
      return query();
    } catch (error) {
      throw sqliteError(`list "${this.name}"`, error);
    }
  }

  #apply(changes: RowChanges, durability: Durability): void {
    try {
      this.#setDurability(durability);
      this.#run("begin immediate");
      const grown = this.#change(changes);
      // a commit that changes no byte writes nothing, and then does not flush what was relaxed before it
      if (durability === "strict" && this.#isUnflushed) this.#flush.run();
      this.#run("commit");
      this.#isUnflushed = durability === "relaxed";
      this.#bytes += grown;
    } catch (error) {
      this.#rollBack();
      throw sqliteError(`write to "${this.name}"`, error);
    }
  }

  /** In the write-ahead log the next full commit syncs all before it, so that the order holds. */
  #setDurability(durability: Durability): void {
    if (durability === this.#durability) return;
    this.#run(`pragma synchronous = ${durability === "strict" ? "full" : "normal"}`);
    this.#durability = durability;
  }

  /** Changes rows; returns by how many bytes all rows have grown. */
  #change(changes: RowChanges): number {
    let grown = 0;
    for (const [key, value] of changes) {
      const previous = this.#length.get(key);
      if (previous !== undefined) grown -= rowBytes(key, Number(previous.bytes));
      if (value !== undefined) {
        this.#put.run(key, value);
        grown += rowBytes(key, value.length);
      } else if (previous !== undefined) {
        this.#delete.run(key);
      }
    }
    return grown;
  }

  #run(sql: string): void {
    this.#database.prepare(sql).run();
  }

  #rollBack(): void {
    try {
      this.#run("rollback");
    } catch {
      // SQLite has rolled back by itself, as it does where the disk is full
    }
  }
}

/** Takes the file for ourselves, and makes the table where there is none. */
function prepare(path: string, database: SqlDatabase): void {
  const run = (sql: string) => void database.prepare(sql).run();
  const numberOf = (sql: string) => Number(Object.values(database.prepare(sql).get() ?? {})[0]);
  // nothing is changed in a file that turns out to be another program's
  LOCK.forEach(run);
  const application = numberOf("pragma application_id");
  const format = numberOf("pragma user_version");
  const tables = numberOf("select count(*) from sqlite_schema");
  if (application === 0 && format === 0 && tables === 0) SCHEMA.forEach(run);
  else if (application !== APPLICATION_ID) {
    throw foreignDatabase(path, "another program's database");
  } else if (format !== FORMAT) throw foreignDatabase(path, `of format ${format}, not ${FORMAT}`);
  run("commit");
  SETTINGS.forEach(run);
}
