// One file of the log.

import { GraftError } from "../../../src/core/errors.ts";
import type { RowChanges } from "../_rows.ts";
import {
  decodeRecord,
  encodeRecord,
  nextPlace,
  type StoredRecord,
  type StoredRow,
} from "./_record.ts";
import type { SyncFile } from "./sync_files.ts";

const NAME = /^([0-9a-f]{8})\.log$/;

/** The name of the file of a number. */
export function fileName(number: number): string {
  return `${number.toString(16).padStart(8, "0")}.log`;
}

/** The number in a file's name; undefined for other files. */
export function fileNumber(name: string): number | undefined {
  const found = NAME.exec(name);
  return found === null ? undefined : parseInt(found[1], 16);
}

/** A file of the log, open: records one after the other. */
export class LogFile {
  /** Its place in the log. */
  readonly number: number;
  readonly #file: SyncFile;
  #end = 0;
  #flushed = 0;

  /** An empty file, unless it is read then. */
  constructor(number: number, file: SyncFile) {
    this.number = number;
    this.#file = file;
  }

  /** Bytes of all its whole records. */
  get bytes(): number {
    return this.#end;
  }

  /** Whether everything in it survives a crash of the machine, and nothing else comes back, as far as we know. */
  get isFlushed(): boolean {
    return this.#flushed === this.#end;
  }

  /**
   * Reads the records from the beginning up to the first that is not whole.
   *
   * @returns The records, and what comes behind them: nothing, the torn end of a write that was never told
   * done, or damage, as a later record says that this place was flushed.
   */
  readRecords(): { records: StoredRecord[]; rest: "nothing" | "torn" | "damaged" } {
    const bytes = new Uint8Array(this.#file.size());
    const length = this.#file.read(bytes, 0);
    const records: StoredRecord[] = [];
    let record = decodeRecord(bytes, 0, this.number);
    for (; record !== undefined; record = decodeRecord(bytes, this.#end, this.number)) {
      records.push(record);
      this.#end = record.end;
    }
    if (length === this.#end) return { records, rest: "nothing" };
    return { records, rest: this.#isFlushedBeyond(bytes) ? "damaged" : "torn" };
  }

  /** Whether any whole record after the end says that there was one at the end. */
  #isFlushedBeyond(bytes: Uint8Array): boolean {
    for (let at = nextPlace(this.#end); at < bytes.length; at = nextPlace(at)) {
      const record = decodeRecord(bytes, at, this.number);
      if (record !== undefined && record.flushedBytes > this.#end) return true;
    }
    return false;
  }

  /** Cuts off what comes behind the whole records. */
  cutRest(): void {
    this.#file.truncate(this.#end);
  }

  /** Vouches for what was flushed: from here on a reader tells damage to it from a torn end. */
  seal(firstFile: number): void {
    this.append(new Map(), firstFile);
    this.flush();
  }

  /** Appends a record; returns where its rows stand. What it throws leaves the file as it was. */
  append(changes: RowChanges, firstFile: number): StoredRow[] {
    const place = { file: this.number, firstFile, flushedBytes: this.#flushed };
    const { bytes, rows } = encodeRecord(changes, place, this.#end);
    try {
      this.#file.write(bytes, this.#end);
    } catch (error) {
      this.#tryCutRest();
      throw error;
    }
    this.#end += bytes.length;
    return rows;
  }

  /** After a write that failed: that error tells more, and the next record writes over what is left. */
  #tryCutRest(): void {
    try {
      this.cutRest();
    } catch {
      // a reader takes what is left for a torn end
    }
  }

  /** Makes all of it survive a crash of the machine. */
  flush(): void {
    this.#file.flush();
    this.#flushed = this.#end;
  }

  /** A value. */
  read(key: string, offset: number, length: number): Uint8Array {
    const value = new Uint8Array(length);
    if (this.#file.read(value, offset) === length) return value;
    throw new GraftError(
      "damaged",
      `Cannot read "${key}": the file ${fileName(this.number)} ends early`,
    );
  }

  /** Lets go of the file. */
  close(): void {
    this.#file.close();
  }
}
