// IndexedDB as promises, as far as a storage needs it.
//
// database "graft/NAME", version 1
//   rows   key → value, a Uint8Array
//   state  "bytes" → the bytes of all keys and values

import type { Durability, RowChanges } from "../_rows.ts";

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
  get(key: string): Request<unknown>;
  getAll(range: unknown): Request<unknown[]>;
  getAllKeys(): Request<string[]>;
  put(value: unknown, key: string): Request<unknown>;
  delete(key: string): Request<unknown>;
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
const ROWS = "rows";
const STATE = "state";
const BYTES_KEY = "bytes";

/** What is known when a database is opened. */
export interface DatabaseContent {
  /** All keys. */
  readonly keys: readonly string[];
  /** The bytes of all keys and values. */
  readonly bytes: number;
}

/** Rows in a database of IndexedDB. Its methods reject with what the browser threw. */
export class RowDatabase {
  readonly #connection: Connection;
  #isGone = false;

  private constructor(connection: Connection) {
    this.#connection = connection;
    connection.onclose = () => this.#isGone = true;
    // somebody wants to delete the database: it must not wait for us
    connection.onversionchange = () => this.close();
  }

  /** Opens a database, which is made where it is not there. */
  static async open(name: string): Promise<RowDatabase> {
    const { indexedDB } = globalThis as { indexedDB?: Factory };
    if (indexedDB === undefined) throw new DOMException("No IndexedDB", "SecurityError");
    const request = indexedDB.open(`graft/${name}`, VERSION);
    request.onupgradeneeded = () => {
      request.result.createObjectStore(ROWS);
      request.result.createObjectStore(STATE);
    };
    return new RowDatabase(await resultOf(request));
  }

  /** The keys of all rows, and their bytes. */
  async content(): Promise<DatabaseContent> {
    const transaction = this.#begin("readonly");
    const [keys, bytes] = await Promise.all([
      resultOf(transaction.objectStore(ROWS).getAllKeys()),
      resultOf(transaction.objectStore(STATE).get(BYTES_KEY)),
    ]);
    return { keys, bytes: typeof bytes === "number" ? bytes : 0 };
  }

  /** The values of rows, in the order of the keys; undefined where there is none. */
  async get(keys: readonly string[]): Promise<(Uint8Array | undefined)[]> {
    const rows = this.#begin("readonly").objectStore(ROWS);
    const values = await Promise.all(keys.map((key) => resultOf(rows.get(key))));
    return values.map((value) => value instanceof Uint8Array ? value : undefined);
  }

  /** Writes rows and what they sum up to: all or none. */
  async write(changes: RowChanges, bytes: number, durability: Durability): Promise<void> {
    const transaction = this.#begin("readwrite", { durability });
    const ended = endOf(transaction);
    try {
      const rows = transaction.objectStore(ROWS);
      for (const [key, value] of changes) {
        if (value === undefined) rows.delete(key);
        else rows.put(value, key);
      }
      transaction.objectStore(STATE).put(bytes, BYTES_KEY);
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
    return this.#connection.transaction([ROWS, STATE], mode, options);
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
