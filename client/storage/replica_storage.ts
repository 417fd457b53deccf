/**
 * The seam to wherever a replica keeps its rows: memory, an SQLite file, the browser.
 *
 * @module
 */

/** Bytes of a value, at most. */
export const STORED_VALUE_BYTES_MAX = 1024 * 1024;

/** Characters of a key, at most. */
export const STORED_KEY_CHARACTERS_MAX = 120;

/** Rows that are written together. */
export interface StorageBatch {
  /** Rows to set, each key once. The values are the storage's from now on: nobody writes to them any more. */
  readonly put?: Iterable<readonly [key: string, value: Uint8Array]>;
  /** Rows to remove; those that are not there do no harm. A key must not be in `put`, too. */
  readonly delete?: Iterable<string>;
  /**
   * What is known when the write resolves. `strict` (default): the rows survive a crash of the machine.
   * `relaxed`: they may be lost in one, but as a whole batch, and only together with all later batches; the
   * next strict write that resolves carries them along. For what can be fetched again: it spares a wait for
   * the disk.
   */
  readonly durability?: "strict" | "relaxed";
}

/** Which rows are listed. */
export interface StorageRange {
  /** Only keys that begin so. */
  readonly prefix: string;
  /** Only keys after this one. */
  readonly after?: string;
}

/**
 * Rows by key, sorted by key. Keys are 1 to 120 printable ASCII characters; values have at most 1 MiB.
 *
 * One owner has a storage open at a time; another that opens it is refused. Every method may reject with
 * GraftError `unavailable` (full, gone: retry later) or `damaged`. All implementations pass the same
 * conformance suite.
 */
export interface ReplicaStorage {
  /** What the storage is, for messages: `memory:`, `sqlite:PATH`, `opfs:NAME`, `idb:NAME`. */
  readonly name: string;
  /** The bytes of all keys and values; those of a write count once it has resolved. */
  readonly bytes: number;
  /** Whether all of it is gone with the object. A replica then keeps its pages itself, and writes nothing. */
  readonly isVolatile?: boolean;
  /**
   * The value of a row; a promise only where the storage cannot answer at once. It is a view that
   * nobody may write to, and stays as it is whatever is written later.
   */
  get(key: string): Uint8Array | undefined | Promise<Uint8Array | undefined>;
  /**
   * Keys alone, ascending. It must not read the values: a replica of 100,000 pages lists their keys when it
   * is opened.
   */
  keys(range: StorageRange): AsyncIterable<string>;
  /**
   * Rows, ascending by key, as of some moment of the listing each. A listing sees every write that was
   * called before it.
   */
  list(range: StorageRange): AsyncIterable<readonly [key: string, value: Uint8Array]>;
  /**
   * Writes rows: all of them or, whatever interrupts it, none. When it resolves they survive a crash
   * of the program and (all but `memory:`, and unless relaxed) of the machine. Batches take effect in the
   * order of the calls, and `get` answers what was written as soon as this was called.
   *
   * When a write fails, so do those that were called after it and before its failure was told, for the same
   * reason: a batch never stands without one that it may rest on. `get` then answers what was there before.
   * Batches of calls that come together may be written as one.
   *
   * @returns A promise; nothing where all of that is so at once, as in memory: then it throws what it would
   * reject with.
   */
  write(batch: StorageBatch): Promise<void> | void;
  /** Finishes the writes under way, then lets go. The storage is not used afterwards. */
  close(): Promise<void>;
}
