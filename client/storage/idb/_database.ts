// IndexedDB as promises, as far as a storage needs it.
//
// database "graft/NAME", version 1
//   packs        number → values, a Uint8Array
//   directories  number → where the values of which rows stand in the pack of that number

import { GraftError } from "../../../src/core/errors.ts";
import type { Durability } from "../_rows.ts";
import type { StoredDirectory } from "./_packs.ts";

// The types of the DOM library, as far as they are used here: not every runtime's library has them.

interface Request<T> {
  readonly result: T;
  readonly error: unknown;
  onsuccess: (() => void) | null;
  onerror: (() => void) | null;
}

interface OpenRequest extends Request<Connection> {
  onupgradeneeded: (() => void) | null;
}

interface ObjectStore {
  get(key: number): Request<unknown>;
  getAll(): Request<unknown[]>;
  getAllKeys(): Request<number[]>;
  put(value: unknown, key: number): Request<unknown>;
  delete(key: number): Request<unknown>;
}

interface Transaction {
  objectStore(name: string): ObjectStore;
  commit(): void;
  abort(): void;
  readonly error: unknown;
  oncomplete: (() => void) | null;
  onabort: (() => void) | null;
}

interface Connection {
  createObjectStore(name: string): unknown;
  transaction(
    stores: string[],
    mode: "readonly" | "readwrite",
    options?: { durability: Durability },
  ): Transaction;
  close(): void;
  onclose: (() => void) | null;
  onversionchange: (() => void) | null;
}

interface Factory {
  open(name: string, version: number): OpenRequest;
}

const VERSION = 1;
const PACKS = "packs";
const DIRECTORIES = "directories";

/** What one transaction changes: all or none. */
export interface PackChanges {
  /** New packs. */
  readonly packs: ReadonlyMap<number, Uint8Array>;
  /** The directories of new packs, and of those whose rows are fewer now. */
  readonly directories: ReadonlyMap<number, StoredDirectory>;
  /** Packs that have no rows any more. */
  readonly removed: readonly number[];
}

/** Packs in a database of IndexedDB. Its methods reject with what the browser threw. */
export class PackDatabase {
  readonly #connection: Connection;
  #isGone = false;

  private constructor(connection: Connection) {
    this.#connection = connection;
    connection.onclose = () => this.#isGone = true;
    // somebody wants to delete the database: it must not wait for us
    connection.onversionchange = () => this.close();
  }

  /** Opens a database, which is made where it is not there. @throws {GraftError} `invalid` outside a browser. */
  static async open(name: string): Promise<PackDatabase> {
    const { indexedDB } = globalThis as { indexedDB?: Factory };
    if (indexedDB === undefined) {
      throw new GraftError("invalid", `Cannot open "idb:${name}": there is no IndexedDB here`, {
        hint: "It takes a browser; elsewhere use sqlite:",
      });
    }
    const request = indexedDB.open(`graft/${name}`, VERSION);
    request.onupgradeneeded = () => {
      request.result.createObjectStore(PACKS);
      request.result.createObjectStore(DIRECTORIES);
    };
    return new PackDatabase(await resultOf(request));
  }

  /** All directories, by the number of their pack. */
  async directories(): Promise<Map<number, unknown>> {
    const directories = this.#begin("readonly").objectStore(DIRECTORIES);
    const [ids, values] = await Promise.all([
      resultOf(directories.getAllKeys()),
      resultOf(directories.getAll()),
    ]);
    return new Map(ids.map((id, i) => [id, values[i]]));
  }

  /** Packs by their numbers, in that order; undefined where there is none. */
  async packs(ids: readonly number[]): Promise<(Uint8Array | undefined)[]> {
    const packs = this.#begin("readonly").objectStore(PACKS);
    const found = await Promise.all(ids.map((id) => resultOf(packs.get(id))));
    return found.map((pack) => pack instanceof Uint8Array ? pack : undefined);
  }

  /** Writes and removes packs and directories. */
  async write(changes: PackChanges, durability: Durability): Promise<void> {
    const transaction = this.#begin("readwrite", { durability });
    const ended = endOf(transaction);
    try {
      put(transaction, changes);
      transaction.commit();
    } catch (error) {
      transaction.abort();
      await ended.catch(() => {});
      throw error;
    }
    await ended;
  }

  /** Ends the connection. */
  close(): void {
    this.#isGone = true;
    this.#connection.close();
  }

  #begin(mode: "readonly" | "readwrite", options?: { durability: Durability }): Transaction {
    if (this.#isGone) throw new DOMException("The database was closed", "InvalidStateError");
    return this.#connection.transaction([PACKS, DIRECTORIES], mode, options);
  }
}

function put(transaction: Transaction, { packs, directories, removed }: PackChanges): void {
  const [packStore, directoryStore] = [PACKS, DIRECTORIES].map((name) =>
    transaction.objectStore(name)
  );
  for (const [id, pack] of packs) packStore.put(pack, id);
  for (const [id, directory] of directories) directoryStore.put(directory, id);
  for (const id of removed) {
    packStore.delete(id);
    directoryStore.delete(id);
  }
}

function resultOf<T>(request: Request<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

function endOf(transaction: Transaction): Promise<void> {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    // without an error it was aborted by us or by the browser's end
    transaction.onabort = () =>
      reject(transaction.error ?? new DOMException("The transaction was aborted", "AbortError"));
  });
}
