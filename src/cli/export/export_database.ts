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
const READS_AT_ONCE = 3;

/** Pages by their index; those that were never written are absent. */
export type Pages = Iterable<readonly [pageIdx: number, bytes: Uint8Array]>;

/** A volume at one LSN. */
export interface ExportSource {
  /** The volume and the LSN, for messages: `volume "Gon…" at LSN 7`. */
  readonly name: string;
  /** How many pages there are. */
  readonly pageCount: number;
  /** Reads pages one after another, from an index on, into buffers of their own. */
  read(first: number, count: number): Promise<Pages>;
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
  for await (const [first, pages] of inOrder(source)) {
    const count = Math.min(PORTION_PAGES, pageCount - first + 1);
    await writePortion(target, first, count, first === 1 ? settled(pages, source) : pages);
    options.onProgress?.(first - 1 + count);
  }
  await target.finish(pageCount * PAGE_SIZE);
  if (options.check) {
    options.onStep?.("Checking the database");
    check(target.partialPath, source);
  }
  await target.publish();
}

/** Reads all pages, some portions ahead, and answers them in order, each with its first index. */
async function* inOrder(source: ExportSource): AsyncGenerator<[first: number, pages: Pages]> {
  const ahead: [number, Promise<Pages>][] = [];
  for (let next = 1; next <= source.pageCount || ahead.length > 0;) {
    while (next <= source.pageCount && ahead.length < READS_AT_ONCE) {
      const pages = source.read(next, Math.min(PORTION_PAGES, source.pageCount - next + 1));
      // it is told of when its turn comes, if an earlier one has not failed
      pages.catch(() => {});
      ahead.push([next, pages]);
      next += PORTION_PAGES;
    }
    const [first, pages] = ahead.shift() ?? [0, Promise.resolve([])];
    yield [first, await pages];
  }
}

/** The first portion, with a header that plain SQLite understands. */
function settled(pages: Pages, { name, pageCount }: ExportSource): Pages {
  const all = [...pages];
  const first = all.find(([pageIdx]) => pageIdx === 1)?.[1].slice();
  if (first === undefined) throw refusal(name, "its first page is missing", HALF_HINT);
  if (!isDatabase(first)) throw refusal(name, "it holds no SQLite database");
  clearWal(first);
  settleSize(first, pageCount);
  return all.map(([pageIdx, bytes]) => [pageIdx, pageIdx === 1 ? first : bytes] as const);
}

/** Writes a portion at once; one without pages is passed over, and so takes no room on the disk. */
async function writePortion(
  target: ExportTarget,
  first: number,
  count: number,
  pages: Pages,
): Promise<void> {
  const bytes = new Uint8Array(count * PAGE_SIZE);
  let isEmpty = true;
  for (const [pageIdx, page] of pages) {
    bytes.set(page, (pageIdx - first) * PAGE_SIZE);
    isEmpty = false;
  }
  if (!isEmpty) await target.write((first - 1) * PAGE_SIZE, bytes);
  // V8 would let some 64 MiB of such buffers gather before it frees one
  for (const [, page] of pages) release(page);
  release(bytes);
}

function release({ buffer }: Uint8Array): void {
  if (buffer instanceof ArrayBuffer && !buffer.detached) buffer.transfer(0);
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
