/**
 * The numbers of SQLite that this client has to know (https://sqlite.org/rescode.html, c3ref/c_open_autoproxy).
 *
 * @module
 */

/** Result codes, primary and extended, by their names without `SQLITE_`. */
export const ResultCode = {
  OK: 0,
  ERROR: 1,
  INTERNAL: 2,
  PERM: 3,
  ABORT: 4,
  BUSY: 5,
  LOCKED: 6,
  NOMEM: 7,
  READONLY: 8,
  INTERRUPT: 9,
  IOERR: 10,
  CORRUPT: 11,
  NOTFOUND: 12,
  FULL: 13,
  CANTOPEN: 14,
  PROTOCOL: 15,
  SCHEMA: 17,
  TOOBIG: 18,
  CONSTRAINT: 19,
  MISMATCH: 20,
  MISUSE: 21,
  AUTH: 23,
  RANGE: 25,
  NOTADB: 26,
  ROW: 100,
  DONE: 101,
  BUSY_SNAPSHOT: 517,
  IOERR_READ: 266,
  IOERR_SHORT_READ: 522,
  IOERR_WRITE: 778,
  IOERR_TRUNCATE: 1546,
  IOERR_COMMIT_ATOMIC: 7690,
  CONSTRAINT_CHECK: 275,
  CONSTRAINT_COMMITHOOK: 531,
  CONSTRAINT_FOREIGNKEY: 787,
  CONSTRAINT_NOTNULL: 1299,
  CONSTRAINT_PRIMARYKEY: 1555,
  CONSTRAINT_TRIGGER: 1811,
  CONSTRAINT_UNIQUE: 2067,
  CONSTRAINT_VTAB: 2323,
  CONSTRAINT_ROWID: 2579,
  CONSTRAINT_DATATYPE: 3091,
} as const;

/** The types of values. */
export const ValueType = { INTEGER: 1, FLOAT: 2, TEXT: 3, BLOB: 4, NULL: 5 } as const;

/** How a file is locked. */
export const LockLevel = { NONE: 0, SHARED: 1, RESERVED: 2, PENDING: 3, EXCLUSIVE: 4 } as const;

/** How something is opened. */
export const OpenFlag = {
  READONLY: 0x1,
  READWRITE: 0x2,
  CREATE: 0x4,
  MAIN_DB: 0x100,
} as const;

/** What is asked of a file beside reading and writing. */
export const FileControl = { PRAGMA: 14, COMMIT_PHASETWO: 22 } as const;

const NAMES = new Map<number, string>(
  Object.entries(ResultCode).map(([name, code]) => [code, `SQLITE_${name}`]),
);

/** `SQLITE_CONSTRAINT_UNIQUE` for 2067; the primary code's name for an extended one that is not listed. */
export function resultName(code: number): string {
  return NAMES.get(code) ?? NAMES.get(code & 0xff) ?? `SQLITE_${code}`;
}
