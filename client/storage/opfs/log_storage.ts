/**
 * A replica's rows in a log of files that are read and written without waiting.
 *
 * @module
 */

import { assert } from "../../../src/core/assert.ts";
import { GraftError } from "../../../src/core/errors.ts";
import { browserError } from "../_browser_errors.ts";
import { type Durability, keysInRange, rowBytes, type RowChanges } from "../_rows.ts";
import { WriteQueue } from "../_write_queue.ts";
import type { ReplicaStorage, StorageBatch, StorageRange } from "../replica_storage.ts";
import { addFile, openLog } from "./_log.ts";
import { fileName, type LogFile } from "./_log_file.ts";
import { recordBytes, ROW_HEADER_BYTES, type StoredRow } from "./_record.ts";
import type { SyncFiles } from "./sync_files.ts";

/** How a log is opened. */
export interface LogStorageOptions {
  /** What the storage is called in messages. */
  readonly name: string;
  /** Its files. Nobody else has them open. */
  readonly folder: SyncFiles;
  /** Called once the files are let go. */
  readonly onClosed?: () => void;
  /** Bytes that a file has at most, unless one write is larger, for tests; default 8 MiB. It bounds one step of compaction. */
  readonly fileBytes?: number;
}

interface Place {
  readonly file: LogFile;
  readonly offset: number;
  readonly length: number;
}

/** Chromium reserves the next power of two for a file that is open: a little more would take twice as much. */
const FILE_BYTES = 8 * 1024 * 1024;
/** Rows are copied in records of about so many bytes. */
const COPY_BYTES = 1024 * 1024;
/** Files' worth of rows that are gone, beyond as much as is alive, before the oldest file is compacted. */
const SPARE_FILES = 2;

/**
 * Rows in a log: batches are appended as checksummed records, and an index in memory (about 150 bytes a row)
 * knows where the newest value of each row stands. When more than half of the log, and 16 MiB, are values
 * that are gone, each write is followed by one step of compaction: what is alive in the oldest file is
 * appended, and the file removed.
 */
export class LogStorage implements ReplicaStorage {
  /** What the storage is called. */
  readonly name: string;
  readonly #folder: SyncFiles;
  readonly #onClosed: () => void;
  readonly #fileBytes: number;
  readonly #queue: WriteQueue;
  readonly #index = new Map<string, Place>();
  readonly #files: LogFile[];
  #bytes = 0;
  /** Why nothing more can be written. */
  #broken: GraftError | undefined;
  #hasWritten = false;
  #isClosed = false;

  private constructor(options: LogStorageOptions, files: LogFile[]) {
    this.name = options.name;
    this.#folder = options.folder;
    this.#onClosed = options.onClosed ?? (() => {});
    this.#fileBytes = options.fileBytes ?? FILE_BYTES;
    this.#files = files;
    this.#queue = new WriteQueue(
      (changes, durability) => this.#apply(changes, durability),
      () => this.#tidy(),
    );
  }

  /**
   * Opens a log: reads all of it, and checks every record.
   *
   * @throws {GraftError} `damaged` when something is missing that was once flushed; `unavailable`.
   */
  static async open(options: LogStorageOptions): Promise<LogStorage> {
    try {
      const { files, records } = await openLog(options.name, options.folder);
      const storage = new LogStorage(options, files);
      for (const { file, record } of records) {
        for (const row of record.rows) storage.#place(file, row);
      }
      return storage;
    } catch (error) {
      throw browserError(`open "${options.name}"`, error);
    }
  }

  /** The bytes of all keys and values. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The bytes of all files. */
  get fileBytes(): number {
    return this.#files.reduce((sum, file) => sum + file.bytes, 0);
  }

  /** The value of a row. */
  get(key: string): Uint8Array | undefined {
    assert(!this.#isClosed, "A closed storage is read from");
    const pending = this.#queue.pending(key);
    return pending === undefined ? this.#read(key) : pending.value;
  }

  /** Keys, ascending. */
  async *keys(range: StorageRange): AsyncIterable<string> {
    await this.#queue.settled();
    yield* keysInRange(this.#index.keys(), range);
  }

  /** Rows, ascending by key. */
  async *list(range: StorageRange): AsyncIterable<readonly [string, Uint8Array]> {
    for await (const key of this.keys(range)) {
      const value = this.get(key);
      if (value !== undefined) yield [key, value];
    }
  }

  /** Writes rows. */
  // deno-lint-ignore require-await -- a batch that breaks the rules rejects, as in every other storage
  async write(batch: StorageBatch): Promise<void> {
    return this.#queue.write(batch);
  }

  /** Finishes the writes under way and closes the files. */
  async close(): Promise<void> {
    await this.#queue.close();
    if (this.#isClosed) return;
    this.#isClosed = true;
    try {
      this.#seal();
    } finally {
      for (const file of this.#files) file.close();
      this.#onClosed();
    }
  }

  #seal(): void {
    const last = this.#files.at(-1);
    if (last === undefined || !this.#hasWritten || this.#broken !== undefined) return;
    this.#flush();
    try {
      last.seal(this.#files[0].number);
    } catch {
      // it only lets a reader notice more; where the storage is full the log is whole without it
    }
  }

  #read(key: string): Uint8Array | undefined {
    const place = this.#index.get(key);
    if (place === undefined) return undefined;
    try {
      return place.file.read(key, place.offset, place.length);
    } catch (error) {
      throw browserError(`read "${key}" from "${this.name}"`, error);
    }
  }

  async #apply(changes: RowChanges, durability: Durability): Promise<void> {
    if (this.#broken !== undefined) throw this.#broken;
    this.#hasWritten = true;
    try {
      const file = await this.#roomy(changes);
      const rows = changes.size === 0 ? [] : file.append(changes, this.#files[0].number);
      if (durability === "strict") this.#flush();
      for (const row of rows) this.#place(file, row);
    } catch (error) {
      throw browserError(`write to "${this.name}"`, error);
    }
  }

  /** The last file, or a new one where it has no room: only the last may have something that was not flushed. */
  async #roomy(changes: RowChanges): Promise<LogFile> {
    const last = this.#files.at(-1);
    const bytes = (last?.bytes ?? 0) + recordBytes(changes);
    if (last !== undefined && (last.bytes === 0 || bytes <= this.#fileBytes)) return last;
    this.#flush();
    return await addFile(this.#files, this.#folder);
  }

  /** After a flush that failed nobody knows what is on the disk: the next owner reads it anew. */
  #flush(): void {
    const last = this.#files.at(-1);
    if (last === undefined || last.isFlushed) return;
    try {
      last.flush();
    } catch (cause) {
      this.#broken = new GraftError(
        "unavailable",
        `Cannot write to "${this.name}": a flush failed`,
        {
          cause,
          hint: "Close the storage and open it again",
        },
      );
      throw this.#broken;
    }
  }

  #place(file: LogFile, { key, offset, length }: StoredRow): void {
    const previous = this.#index.get(key);
    if (previous !== undefined) this.#bytes -= rowBytes(key, previous.length);
    if (length === undefined) {
      this.#index.delete(key);
    } else {
      this.#index.set(key, { file, offset, length });
      this.#bytes += rowBytes(key, length);
    }
  }

  async #tidy(): Promise<void> {
    const alive = this.#bytes + this.#index.size * ROW_HEADER_BYTES;
    const spare = alive + SPARE_FILES * this.#fileBytes;
    if (this.#files.length < 2 || this.fileBytes <= alive + spare) return;
    try {
      await this.#compactOldest();
    } catch {
      // the log is whole as it is; where the storage is full, the next write says so
    }
  }

  /**
   * Appends what is alive in the oldest file, then removes it. The record that says so comes last, so that
   * it stands only where all the others do.
   */
  async #compactOldest(): Promise<void> {
    const [oldest] = this.#files;
    for (const rows of this.#copies(oldest)) await this.#append(rows, oldest.number);
    await this.#append(new Map(), oldest.number + 1);
    this.#flush();
    this.#files.shift();
    oldest.close();
    await this.#folder.remove(fileName(oldest.number));
  }

  async #append(changes: RowChanges, firstFile: number): Promise<void> {
    const file = await this.#roomy(changes);
    for (const row of file.append(changes, firstFile)) this.#place(file, row);
  }

  /** What is alive in a file, in portions. */
  *#copies(file: LogFile): Iterable<RowChanges> {
    const keys = [...this.#index].filter(([, place]) => place.file === file).map(([key]) => key);
    let portion = new Map<string, Uint8Array>();
    let bytes = 0;
    for (const key of keys) {
      const value = this.#read(key);
      assert(value !== undefined, "A row that is compacted is gone");
      portion.set(key, value);
      bytes += value.length;
      if (bytes < COPY_BYTES) continue;
      yield portion;
      portion = new Map();
      bytes = 0;
    }
    if (portion.size > 0) yield portion;
  }
}
