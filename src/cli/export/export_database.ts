/**
 * From a volume to a file.
 *
 * @module
 */

import { DatabaseSync } from "node:sqlite";
import { GraftError } from "../../core/errors.ts";
import { PAGE_SIZE } from "../../core/limits.ts";
import { clearWal, isDatabase, settleSize } from "../sqlite_file/header.ts";
import { checkIntegrity } from "../sqlite_file/integrity.ts";
import { sqliteError } from "../sqlite_file/errors.ts";

/** Pages of one read: 1 MiB. */
const PORTION_PAGES = 256;
/** Reads that are on their way at once. */
const READS_AT_ONCE = 2;

/** A volume at one LSN. */
export interface ExportSource {
  /** The volume and the LSN, for messages: `volume "Gon…" at LSN 7`. */
  readonly name: string;
  /** How many pages there are. */
  readonly pageCount: number;
  /**
   * Reads pages one after another, from an index on, into a buffer of their own. Those that were never written
   * are zeros; undefined where none was.
   */
  read(first: number, count: number): Promise<Uint8Array<ArrayBuffer> | undefined>;
}

/** Where the pages go; see `TargetFile`. */
export interface ExportTarget {
  /** Where the file is until it is whole. */
  readonly partialPath: string;
  /** Writes bytes at a place, in bytes from the start. */
  write(at: number, bytes: Uint8Array): Promise<void>;
  /** Gives the file its length, and waits until all of it is on the disk. */
  finish(length: number): Promise<void>;
  /** Gives the file its name. */
  publish(): Promise<void>;
}

/** How an export goes. */
export interface ExportOptions {
  /** Whether the file is checked before it gets its name. */
  readonly check: boolean;
  /** Told how many pages are done. */
  readonly onProgress?: (pages: number) => void;
  /** Told of what takes its time after the last page. */
  readonly onStep?: (step: string) => void;
}

/**
 * Writes a database from a volume into a file that has its name only when it is whole.
 *
 * @throws {GraftError} `invalid` where the volume holds no database; `damaged` where the database is.
 */
export async function exportDatabase(
  source: ExportSource,
  target: ExportTarget,
  options: ExportOptions,
): Promise<void> {
  const { pageCount, name } = source;
  if (pageCount === 0) throw refusal(name, "it has no pages");
  for await (const [first, bytes] of inOrder(source)) {
    if (first === 1) settle(bytes, source);
    // what is passed over takes no room on the disk
    if (bytes !== undefined) await target.write((first - 1) * PAGE_SIZE, bytes);
    // V8 would let some 64 MiB of such buffers gather before it frees one
    bytes?.buffer.transfer(0);
    options.onProgress?.(Math.min(first - 1 + PORTION_PAGES, pageCount));
  }
  await target.finish(pageCount * PAGE_SIZE);
  if (options.check) {
    options.onStep?.("Checking the database");
    check(target.partialPath, source);
  }
  await target.publish();
}

/** Pages side by side; undefined where none was ever written. */
type Portion = Uint8Array<ArrayBuffer> | undefined;

/** Reads all pages, some portions ahead, and answers them in order, each with its first index. */
async function* inOrder(source: ExportSource): AsyncGenerator<[first: number, portion: Portion]> {
  const ahead: Promise<Portion>[] = [];
  let next = 1;
  for (let first = 1; first <= source.pageCount; first += PORTION_PAGES) {
    for (; ahead.length < READS_AT_ONCE && next <= source.pageCount; next += PORTION_PAGES) {
      const portion = source.read(next, Math.min(PORTION_PAGES, source.pageCount - next + 1));
      // it is told of when its turn comes, if an earlier one has not failed
      portion.catch(() => {});
      ahead.push(portion);
    }
    yield [first, await ahead.shift()];
  }
}

/** Gives the first portion a header that plain SQLite understands. */
function settle(bytes: Portion, { name, pageCount }: ExportSource): void {
  const page = bytes?.subarray(0, PAGE_SIZE) ?? new Uint8Array(PAGE_SIZE);
  if (page.every((byte) => byte === 0)) throw refusal(name, "its first page is missing", HALF_HINT);
  if (!isDatabase(page)) throw refusal(name, "it holds no SQLite database");
  clearWal(page);
  settleSize(page, pageCount);
}

function check(path: string, { name, pageCount }: ExportSource): void {
  const action = `export ${name}`;
  try {
    const database = new DatabaseSync(path, { readOnly: true });
    try {
      const found = database.prepare("SELECT page_count FROM pragma_page_count").get();
      if (found?.page_count !== pageCount) {
        throw new GraftError(
          "damaged",
          `Cannot ${action}: the file has ${found?.page_count} pages instead of ${pageCount}`,
        );
      }
      checkIntegrity(database, "integrity_check", action);
    } finally {
      database.close();
    }
  } catch (error) {
    throw sqliteError(action, error);
  }
}

function refusal(name: string, state: string, hint?: string): GraftError {
  return new GraftError("invalid", `Cannot export ${name}: ${state}`, { hint });
}

const HALF_HINT = "An import into it may have been interrupted: go on with it, then export";
