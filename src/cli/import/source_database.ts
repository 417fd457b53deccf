/**
 * The file that is imported.
 *
 * @module
 */

import { DatabaseSync } from "node:sqlite";
import { GraftError } from "../../core/errors.ts";
import { PAGE_SIZE } from "../../core/limits.ts";
import { fileError, sqliteError } from "../sqlite_file/errors.ts";
import { clearWal, HEADER_BYTES, isDatabase } from "../sqlite_file/header.ts";
import { checkIntegrity } from "../sqlite_file/integrity.ts";
import { copyDatabase } from "./working_copy.ts";

/** How long a writer is waited for by default. */
const BUSY_MS = 5000;

/** How a source is opened. */
export interface SourceOptions {
  /** Whether the whole database is checked first. */
  readonly check: boolean;
  /** How long a writer is waited for; default 5,000 ms. */
  readonly busyMs?: number;
  /** Told of what takes its time before the first page can be read. */
  readonly onStep?: (step: string) => void;
}

/** What a database is like. */
interface Form {
  readonly pageSize: number;
  readonly pageCount: number;
  readonly isWal: boolean;
}

/**
 * An SQLite database as a row of pages of 4,096 bytes, which stay what they are until it is closed.
 *
 * A file with such pages and a rollback journal is read as it lies there, under the lock of a reader: until
 * the end others may read it, and who commits to it finds it busy. Of any other a copy is made in the
 * directory of temporary files: with a WAL of what a reader sees now, and with another page size through
 * `VACUUM INTO`. The file itself is not written to in any case.
 */
export class SourceDatabase implements Disposable {
  readonly #path: string;
  readonly #file: Deno.FsFile;
  readonly #lock: DatabaseSync | undefined;
  readonly #openedMs: number;
  /** How many pages of 4,096 bytes there are, at least 1. */
  readonly pageCount: number;
  /** The bytes of a page in the file that was given. */
  readonly originalPageSize: number;
  /** Whether the pages are those of a copy. */
  readonly isCopy: boolean;

  private constructor(path: string, opened: Opened) {
    this.#path = path;
    this.#file = opened.file;
    this.#lock = opened.lock;
    this.#openedMs = modifiedMs(opened.file);
    this.pageCount = opened.pageCount;
    this.originalPageSize = opened.originalPageSize;
    this.isCopy = opened.lock === undefined;
  }

  /**
   * Opens a file, and waits a while for a writer in it.
   *
   * @throws {GraftError} `missing` where there is none; `forbidden` where it may not be read; `invalid` for
   * what is no database, and where there is no room for a copy; `damaged`; `conflict` where it is locked.
   */
  static async open(path: string, options: SourceOptions): Promise<SourceDatabase> {
    const action = `import "${path}"`;
    try {
      return new SourceDatabase(path, await open(path, action, options));
    } catch (error) {
      throw sqliteError(action, fileError(action, error));
    }
  }

  /**
   * Reads pages one after another.
   *
   * @param first The index of the first, from 1.
   * @param count How many; there must be as many.
   */
  async read(first: number, count: number): Promise<Uint8Array<ArrayBuffer>> {
    const pages = new Uint8Array(count * PAGE_SIZE);
    await this.#file.seek((first - 1) * PAGE_SIZE, Deno.SeekMode.Start);
    for (let at = 0; at < pages.length;) {
      const got = await this.#file.read(pages.subarray(at));
      if (got === null) throw this.#changed();
      at += got;
    }
    if (first === 1) clearWal(pages);
    return pages;
  }

  /**
   * Makes sure that nobody wrote to the file past SQLite's locks.
   *
   * @throws {GraftError} `conflict` where somebody has.
   */
  assertUnchanged(): void {
    if (modifiedMs(this.#file) !== this.#openedMs) throw this.#changed();
  }

  /** Lets go of the file; a copy is gone. */
  [Symbol.dispose](): void {
    this.#lock?.close();
    this.#file.close();
  }

  #changed(): GraftError {
    return new GraftError("conflict", `Cannot import "${this.#path}": it changed meanwhile`, {
      hint: "Import it again when nothing writes to it",
    });
  }
}

interface Opened {
  readonly file: Deno.FsFile;
  readonly lock: DatabaseSync | undefined;
  readonly pageCount: number;
  readonly originalPageSize: number;
}

async function open(path: string, action: string, options: SourceOptions): Promise<Opened> {
  // closing any handle of the file drops all of the process's locks on it: this one is to outlive SQLite's
  const file = Deno.openSync(path);
  let database: DatabaseSync | undefined;
  let keep = false;
  try {
    refuseOthers(file, action);
    database = new DatabaseSync(path, { readOnly: true, timeout: options.busyMs ?? BUSY_MS });
    const form = beginReading(database);
    if (options.check) {
      options.onStep?.("Checking the database");
      checkIntegrity(database, "quick_check", action);
    }
    const { pageCount, pageSize: originalPageSize, isWal } = form;
    keep = originalPageSize === PAGE_SIZE && !isWal;
    if (keep) return { file, lock: database, pageCount, originalPageSize };
    options.onStep?.("Copying the database");
    const copy = await copyDatabase(database, form, action);
    return { ...copy, lock: undefined, originalPageSize };
  } finally {
    if (!keep) {
      database?.close();
      file.close();
    }
  }
}

function refuseOthers(file: Deno.FsFile, action: string): void {
  const { isDirectory, isFile, size } = file.statSync();
  const refuse = (state: string) => new GraftError("invalid", `Cannot ${action}: ${state}`);
  if (isDirectory) throw refuse("it is a directory");
  if (!isFile) throw refuse("it is no file");
  if (size === 0) throw refuse("it is empty, without even a header");
  const header = new Uint8Array(HEADER_BYTES);
  const got = file.readSync(header) ?? 0;
  if (!isDatabase(header.subarray(0, got))) {
    throw refuse("it is no SQLite database, or an encrypted one");
  }
}

/** Begins a transaction, which keeps what is read as it is. */
function beginReading(database: DatabaseSync): Form {
  database.exec("BEGIN");
  // `exec` would not tell which error it is
  database.prepare("SELECT count(*) FROM sqlite_schema").get();
  const pragma = (name: string) => Object.values(database.prepare(`PRAGMA ${name}`).get() ?? {})[0];
  return {
    pageSize: Number(pragma("page_size")),
    pageCount: Number(pragma("page_count")),
    isWal: pragma("journal_mode") === "wal",
  };
}

function modifiedMs(file: Deno.FsFile): number {
  return file.statSync().mtime?.getTime() ?? 0;
}
