/**
 * What SQLite refuses.
 *
 * @module
 */

import { GraftError, type GraftErrorCode, isGraftError } from "../../../src/core/errors.ts";
import { ResultCode, resultName } from "./result_codes.ts";

/** What is known of a failure of SQLite. */
export interface SqliteFailure {
  /** The extended result code. */
  readonly resultCode: number;
  /** What SQLite says. */
  readonly message: string;
  /** The statement, where there was one. */
  readonly sql?: string;
  /** Where in the statement it is, in bytes of UTF-8; -1 where that makes no sense. */
  readonly offset?: number;
  /** What failed below SQLite. */
  readonly cause?: unknown;
  /** Whether the transaction that was open was rolled back with it; default: false. */
  readonly isRolledBack?: boolean;
}

/**
 * An error of SQLite. Its `code` says what to do, as with every {@linkcode GraftError}: `conflict` for a
 * snapshot that is stale, `unavailable` for pages that cannot be fetched, `invalid` for what is wrong with a
 * statement or its values; `resultName` is SQLite's own.
 *
 * @example
 * ```ts
 * import { SqliteError } from "./sqlite_error.ts";
 *
 * const error = new SqliteError({ resultCode: 2067, message: "UNIQUE constraint failed: t.a" });
 * console.log(error.code, error.resultName); // "invalid" "SQLITE_CONSTRAINT_UNIQUE"
 * ```
 */
export class SqliteError extends GraftError {
  /** SQLite's extended result code. */
  readonly resultCode: number;
  /** Its name, such as `SQLITE_CONSTRAINT_UNIQUE`. */
  readonly resultName: string;
  /** Where in the statement the error is, in bytes of UTF-8; undefined where that makes no sense. */
  readonly offset: number | undefined;
  /** Whether the transaction that was open was rolled back with it: run it again as a whole. */
  readonly isRolledBack: boolean;
  readonly #failure: SqliteFailure;

  /** Makes an error; what failed below SQLite gives it its code and its hint. */
  constructor(failure: SqliteFailure) {
    const { resultCode, message, sql, offset = -1, cause, isRolledBack = false } = failure;
    const what = sql === undefined ? "use the database" : `run "${shorten(sql)}"`;
    const state = isGraftError(cause) ? cause.message : message;
    const hint = hintOf(failure);
    super(codeOf(resultCode, cause), `Cannot ${what}: ${state}`, { cause, hint });
    this.resultCode = resultCode;
    this.resultName = resultName(resultCode);
    this.offset = offset < 0 ? undefined : offset;
    this.isRolledBack = isRolledBack;
    this.#failure = failure;
  }

  /** The same error where the transaction turned out to be gone with it. */
  asRolledBack(): SqliteError {
    return new SqliteError({ ...this.#failure, isRolledBack: true });
  }
}

function hintOf({ cause, isRolledBack }: SqliteFailure): string | undefined {
  const hint = isGraftError(cause) ? cause.hint : undefined;
  if (!isRolledBack) return hint;
  const rolledBack = "The transaction was rolled back: run it again as a whole";
  return hint === undefined ? rolledBack : `${hint}. ${rolledBack}`;
}

function codeOf(resultCode: number, cause: unknown): GraftErrorCode {
  if (isGraftError(cause)) return cause.code;
  switch (resultCode & 0xff) {
    case ResultCode.BUSY:
    case ResultCode.LOCKED:
      return "conflict";
    case ResultCode.READONLY:
    case ResultCode.AUTH:
    case ResultCode.PERM:
      return "forbidden";
    case ResultCode.INTERRUPT:
    case ResultCode.ABORT:
      return "aborted";
    case ResultCode.CORRUPT:
    case ResultCode.NOTADB:
      return "damaged";
    case ResultCode.NOMEM:
    case ResultCode.FULL:
    case ResultCode.IOERR:
    case ResultCode.CANTOPEN:
      return "unavailable";
    case ResultCode.INTERNAL:
    case ResultCode.MISUSE:
      return "internal";
    default:
      return "invalid";
  }
}

/** What is shown of a statement. */
const SQL_CHARACTERS_MAX = 200;

function shorten(sql: string): string {
  const line = sql.trim().replaceAll(/\s+/g, " ");
  return line.length <= SQL_CHARACTERS_MAX ? line : `${line.slice(0, SQL_CHARACTERS_MAX)}…`;
}
