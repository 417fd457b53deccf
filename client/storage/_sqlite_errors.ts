// What SQLite's errors mean to a caller of a storage.

import { GraftError, type GraftErrorCode } from "../../src/core/errors.ts";

interface Meaning {
  readonly state: string;
  readonly code: GraftErrorCode;
  readonly hint?: string;
}

const BUSY = 5;
const CANNOT_OPEN = 14;

/** SQLite's primary result codes, https://www.sqlite.org/rescode.html */
const MEANINGS: Readonly<Record<number, Meaning>> = {
  3: { state: "the system does not allow it", code: "unavailable" },
  [BUSY]: {
    state: "another program or tab has it open",
    code: "unavailable",
    hint: "Close it there, or open it with `wait`; a second replica needs a storage of its own",
  },
  8: { state: "it is read-only", code: "unavailable", hint: "Allow this user to write to it" },
  10: { state: "the disk failed", code: "unavailable", hint: "Check the disk" },
  11: { state: "the file is damaged", code: "damaged" },
  13: { state: "the disk is full", code: "unavailable", hint: "Make room on the disk" },
  [CANNOT_OPEN]: {
    state: "the file cannot be opened",
    code: "unavailable",
    hint: "Its folder must be there, and this user must be allowed to write in it",
  },
  26: { state: "the file is no database, or damaged", code: "damaged" },
};

/** Whether an error says that another has the file open. */
export function isOwnedByAnother(error: unknown): boolean {
  return resultCode(error) === BUSY;
}

/** The GraftError for what SQLite threw while `what` was done; others, and bugs, stay as they are. */
export function sqliteError(what: string, error: unknown): unknown {
  const code = resultCode(error);
  if (code === undefined) return error;
  const { state, code: graftCode, hint }: Meaning = MEANINGS[code] ??
    { state: `SQLite answered ${code}`, code: "internal" };
  return new GraftError(graftCode, `Cannot ${what}: ${state}`, {
    cause: error,
    ...(hint === undefined ? {} : { hint }),
  });
}

/** The error for a file that holds something else. */
export function foreignDatabase(path: string, what: string): GraftError {
  return new GraftError("invalid", `Cannot open "sqlite:${path}": the file is ${what}`, {
    hint: "Name a file of its own for the replica",
  });
}

/** The primary result code: the low byte of the extended one. */
function resultCode(error: unknown): number | undefined {
  if (!(error instanceof Error)) return undefined;
  if ("errcode" in error && typeof error.errcode === "number") return error.errcode & 0xff;
  // Deno gives the errors of opening no result code
  return "code" in error && error.code === "ERR_SQLITE_ERROR" ? CANNOT_OPEN : undefined;
}
