/**
 * A replica's rows in the browser's IndexedDB.
 *
 * @module
 */

import { assert } from "../../../src/core/assert.ts";
import { GraftError } from "../../../src/core/errors.ts";
import { browserError } from "../_browser_errors.ts";
import { type Release, takeOwnership } from "../_ownership.ts";
import { type Durability, keysInRange, type RowChanges } from "../_rows.ts";
import { checkName } from "../_storage_name.ts";
import { WriteQueue } from "../_write_queue.ts";
import type { OpenStorageOptions } from "../open_storage.ts";
import type { ReplicaStorage, StorageBatch, StorageRange } from "../replica_storage.ts";
import { type PackChanges, PackDatabase } from "./_database.ts";
import { GatheredReads } from "./_gathered_reads.ts";
import { type IndexedPack, type IndexedRow, PackIndex } from "./_pack_index.ts";
import { fromStoredDirectory, type Pack, packRows, toStoredDirectory } from "./_packs.ts";
import { RecentPacks } from "./_recent_packs.ts";

/** Packs that are kept in memory. */
const RECENT_BYTES = 16 * 1024 * 1024;
/** Rows that a listing reads at once. */
const ROWS_AT_ONCE = 64;
/** So many packs that are less than half full are written anew, together. */
const POOR_PACKS_MAX = 32;

/**
 * Rows in IndexedDB. The rows of a write are packed into records of up to 128 KiB, each with a directory of
 * its own; a batch is one transaction. Where every row is, is in memory (about 300 bytes a row), and so are
 * packs that were used lately, up to 16 MiB.
 */
export class IdbStorage implements ReplicaStorage {
  /** `idb:NAME`. */
  readonly name: string;
  readonly #database: PackDatabase;
  readonly #release: Release;
  readonly #queue: WriteQueue;
  readonly #reads: GatheredReads;
  readonly #recent = new RecentPacks(RECENT_BYTES);
  readonly #index = new PackIndex();
  #isClosed = false;

  private constructor(name: string, database: PackDatabase, release: Release) {
    this.name = name;
    this.#database = database;
    this.#release = release;
    this.#queue = new WriteQueue(
      (changes, durability) => this.#apply(changes, durability),
      () => this.#tidy(),
    );
    this.#reads = new GatheredReads((ids) => this.#database.packs(ids));
  }

  /**
   * Opens the storage `idb:NAME`: the database `graft/NAME` of the origin.
   *
   * @param name The storage's name: 1 to 100 letters, digits, `-`, `_` and `.`, not beginning with a dot.
   * @throws {GraftError} `unavailable` when another tab or worker has it open, or the browser allows none;
   * `invalid` for another name, or where there are no locks; `damaged`; `aborted`.
   */
  static async open(name: string, options: OpenStorageOptions = {}): Promise<IdbStorage> {
    const url = `idb:${name}`;
    checkName(url, name);
    const release = await takeOwnership(url, options);
    let database: PackDatabase | undefined;
    try {
      database = await PackDatabase.open(name);
      const storage = new IdbStorage(url, database, release);
      storage.#load(await database.directories());
      return storage;
    } catch (error) {
      database?.close();
      release();
      throw browserError(`open "${url}"`, error);
    }
  }

  #load(directories: ReadonlyMap<number, unknown>): void {
    for (const [id, stored] of directories) {
      const directory = fromStoredDirectory(stored);
      if (directory === undefined) throw this.#damaged(`the directory of pack ${id} is none`);
      this.#index.add(id, directory.packBytes, directory.rows);
    }
  }

  /** The bytes of all keys and values. */
  get bytes(): number {
    return this.#index.bytes;
  }

  /** The value of a row: at once where it is absent or was used lately. */
  get(key: string): Uint8Array | undefined | Promise<Uint8Array | undefined> {
    assert(!this.#isClosed, "A closed storage is read from");
    const pending = this.#queue.pending(key);
    if (pending !== undefined) return pending.value;
    const found = this.#index.get(key);
    if (found === undefined) return undefined;
    const pack = this.#recent.get(found.pack.id);
    return pack === undefined ? this.#fetch(key, found) : valueIn(pack, found);
  }

  /** Keys, ascending. */
  async *keys(range: StorageRange): AsyncIterable<string> {
    await this.#queue.settled();
    yield* keysInRange(this.#index.keys, range);
  }

  /** Rows, ascending by key. */
  async *list(range: StorageRange): AsyncIterable<readonly [string, Uint8Array]> {
    await this.#queue.settled();
    const keys = keysInRange(this.#index.keys, range);
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

  async #fetch(key: string, found: IndexedRow): Promise<Uint8Array | undefined> {
    try {
      const pack = await this.#reads.get(found.pack.id);
      if (pack?.length === found.pack.bytes) {
        this.#recent.set(found.pack.id, pack);
        return valueIn(pack, found);
      }
    } catch (error) {
      throw browserError(`read "${key}" from "${this.name}"`, error);
    }
    // the row may have moved, or gone, before the read had begun
    if (this.#index.get(key) === found) throw this.#damaged(`pack ${found.pack.id} is not whole`);
    return await this.get(key);
  }

  async #apply(changes: RowChanges, durability: Durability): Promise<void> {
    const rows: (readonly [string, Uint8Array])[] = [];
    for (const [key, value] of changes) if (value !== undefined) rows.push([key, value]);
    const packs = new Map(packRows(rows).map((pack) => [this.#index.nextId(), pack]));
    try {
      await this.#database.write(this.#packChanges(changes.keys(), packs), durability);
    } catch (error) {
      throw browserError(`write to "${this.name}"`, error);
    }
    for (const key of changes.keys()) this.#index.remove(key);
    for (const [id, { bytes, rows }] of packs) {
      this.#index.add(id, bytes.length, rows);
      this.#recent.set(id, bytes);
    }
  }

  /** What is to be written when rows leave their packs, and new packs come. */
  #packChanges(leaving: Iterable<string>, packs: ReadonlyMap<number, Pack>): PackChanges {
    const directories = new Map(
      [...packs].map(([id, { bytes, rows }]) => [id, toStoredDirectory(bytes.length, rows)]),
    );
    const removed: number[] = [];
    for (const [pack, keys] of this.#packsOf(leaving)) {
      const rows = [...pack.rows.values()].filter(({ key }) => !keys.has(key));
      if (rows.length === 0) removed.push(pack.id);
      else directories.set(pack.id, toStoredDirectory(pack.bytes, rows));
    }
    return {
      packs: new Map([...packs].map(([id, { bytes }]) => [id, bytes])),
      directories,
      removed,
    };
  }

  #packsOf(keys: Iterable<string>): Map<IndexedPack, Set<string>> {
    const packs = new Map<IndexedPack, Set<string>>();
    for (const key of keys) {
      const pack = this.#index.get(key)?.pack;
      if (pack === undefined) continue;
      const inPack = packs.get(pack) ?? new Set();
      packs.set(pack, inPack.add(key));
    }
    return packs;
  }

  async #tidy(): Promise<void> {
    if (this.#index.poor.size < POOR_PACKS_MAX) return;
    try {
      const rows = new Map<string, Uint8Array>();
      for (const key of [...this.#index.poor].flatMap((pack) => [...pack.rows.keys()])) {
        const found = this.#index.get(key);
        assert(found !== undefined, "A row that is packed anew is gone");
        const pack = this.#recent.get(found.pack.id);
        rows.set(
          key,
          (pack && valueIn(pack, found)) ?? await this.#fetch(key, found) as Uint8Array,
        );
      }
      await this.#apply(rows, "relaxed");
    } catch {
      // the packs are whole as they are; where the storage is full, the next write says so
    }
  }

  #damaged(state: string): GraftError {
    return new GraftError("damaged", `Cannot read from "${this.name}": ${state}`, {
      hint: "Unless it holds commits that were never pushed, remove it and open it again",
    });
  }
}

/** A copy, so that a page that is kept does not keep its pack. */
function valueIn(pack: Uint8Array, { row }: IndexedRow): Uint8Array {
  return pack.slice(row.offset, row.offset + row.length);
}
