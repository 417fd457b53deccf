/**
 * What SQLite and the file system say, as errors with a code.
 *
 * @module
 */

import { GraftError, type GraftErrorCode } from "../../core/errors.ts";

interface Meaning {
  readonly code: GraftErrorCode;
  readonly state: string;
  readonly hint?: string;
}

const LOCKED: Meaning = {
  code: "conflict",
  state: "another program is writing to it",
  hint: "Try again when it is done",
};

/** By SQLite's primary result code. */
const MEANINGS: Readonly<Record<number, Meaning>> = {
  5: LOCKED,
  6: LOCKED,
  8: {
    code: "conflict",
    state: "a transaction in it was cut off, and has to be rolled back first",
    hint:
      "Open it once with a program that may write to it: sqlite3 FILE 'select 1 from sqlite_schema'",
  },
  11: {
    code: "damaged",
    state: "it is malformed",
    hint: "Look at it with: sqlite3 FILE 'pragma integrity_check'",
  },
  13: {
    code: "invalid",
    state: "the disk of the temporary files is full",
    hint: "Name a directory with more room in the variable TMPDIR",
  },
  26: { code: "invalid", state: "it is no SQLite database, or an encrypted one" },
};

/**
 * The error that stands for what SQLite threw; others are returned as they are.
 *
 * @param action What cannot be done, for the message: `import "app.db"`.
 */
export function sqliteError(action: string, error: unknown): unknown {
  if (!(error instanceof Error) || !("code" in error) || error.code !== "ERR_SQLITE_ERROR") {
    return error;
  }
  const primary = "errcode" in error ? Number(error.errcode) & 0xff : NaN;
  const { code, state, hint }: Meaning = MEANINGS[primary] ??
    { code: "invalid", state: `SQLite says: ${error.message}` };
  return new GraftError(code, `Cannot ${action}: ${state}`, { cause: error, hint });
}

/** The error that stands for what the file system threw; others are returned as they are. */
export function fileError(action: string, error: unknown): unknown {
  const fail = (code: GraftErrorCode, state: string) =>
    new GraftError(code, `Cannot ${action}: ${state}`, { cause: error });
  if (error instanceof Deno.errors.NotFound) return fail("missing", "there is no such file");
  if (error instanceof Deno.errors.PermissionDenied) {
    return fail("forbidden", "the file system does not allow it");
  }
  if (error instanceof Deno.errors.IsADirectory) return fail("invalid", "it is a directory");
  if (!(error instanceof Error)) return error;
  const isFull = "code" in error && error.code === "ENOSPC";
  return isFull ? fail("invalid", "the disk is full") : error;
}
