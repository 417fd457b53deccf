// The files of a log, from the first to the one that is written to.

import { assert } from "../../../src/core/assert.ts";
import { GraftError } from "../../../src/core/errors.ts";
import { fileName, fileNumber, LogFile } from "./_log_file.ts";
import type { StoredRecord } from "./_record.ts";
import type { SyncFiles } from "./sync_files.ts";

interface ReadFile {
  readonly file: LogFile;
  readonly records: readonly StoredRecord[];
  readonly rest: "nothing" | "torn" | "damaged";
}

/** A log that was opened. */
export interface OpenedLog {
  /** Its files, ascending without gaps; the last is written to. */
  readonly files: LogFile[];
  /** The records of all files, in the order in which they were written. */
  readonly records: readonly { readonly file: LogFile; readonly record: StoredRecord }[];
}

/**
 * Opens the files of a log, removes those that are no longer part of it, and cuts off a torn end.
 *
 * @throws {GraftError} `damaged` when anything is missing that was once flushed, as far as that can be told.
 */
export async function openLog(name: string, folder: SyncFiles): Promise<OpenedLog> {
  const read = await readFiles(folder);
  try {
    const kept = await dropOld(read, folder);
    check(name, kept);
    const last = kept.at(-1)?.file;
    last?.cutRest();
    // what was read may not be on the disk yet, and what was cut off must not come back behind new records
    last?.flush();
    return {
      files: kept.map(({ file }) => file),
      records: kept.flatMap(({ file, records }) => records.map((record) => ({ file, record }))),
    };
  } catch (error) {
    for (const { file } of read) file.close();
    throw error;
  }
}

/** Makes the file after the last. */
export async function addFile(files: LogFile[], folder: SyncFiles): Promise<LogFile> {
  const number = (files.at(-1)?.number ?? 0) + 1;
  assert(number < 0xffff_ffff, "A log has no more numbers for its files");
  const file = new LogFile(number, await folder.open(fileName(number)));
  // an attempt that failed half-way may have left something
  file.cutRest();
  files.push(file);
  return file;
}

async function readFiles(folder: SyncFiles): Promise<ReadFile[]> {
  const numbers = (await folder.list()).map(fileNumber).filter((number) => number !== undefined);
  const read: ReadFile[] = [];
  try {
    for (const number of numbers.sort((a, b) => a - b)) {
      const file = new LogFile(number, await folder.open(fileName(number)));
      // listed before it is read, so that it is closed whatever happens
      read.push({ file, records: [], rest: "nothing" });
      read[read.length - 1] = { file, ...file.readRecords() };
    }
    return read;
  } catch (error) {
    for (const { file } of read) file.close();
    throw error;
  }
}

/** Removes the files before the log's first: a crash may have kept them, or brought them back. */
async function dropOld(read: ReadFile[], folder: SyncFiles): Promise<ReadFile[]> {
  const first = firstFileOf(read);
  for (const { file } of read.filter(({ file }) => file.number < first)) {
    file.close();
    await folder.remove(fileName(file.number));
  }
  return read.filter(({ file }) => file.number >= first);
}

/** The newest record knows the log's first file best. */
function firstFileOf(read: readonly ReadFile[]): number {
  for (const { records } of read.toReversed()) {
    const last = records.at(-1);
    if (last !== undefined) return last.firstFile;
  }
  return 1;
}

function check(name: string, files: readonly ReadFile[]): void {
  const first = firstFileOf(files);
  for (const [i, { file, rest }] of files.entries()) {
    const isLast = i === files.length - 1;
    if (file.number !== first + i) throw damaged(name, `${fileName(first + i)} is missing`);
    if (rest === "damaged" || (rest === "torn" && !isLast)) {
      throw damaged(name, `${fileName(file.number)} is not whole behind byte ${file.bytes}`);
    }
  }
}

function damaged(name: string, state: string): GraftError {
  return new GraftError("damaged", `Cannot open "${name}": the file ${state}`, {
    hint: "Unless it holds commits that were never pushed, remove it and open it again",
  });
}
