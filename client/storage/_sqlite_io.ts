// `node:sqlite`, loaded when it is needed: a browser has none, and its bundle must not ask for it.

import { GraftError } from "../../src/core/errors.ts";

/** A value that SQLite answers, as far as it is asked for here. */
export type SqlValue = string | number | Uint8Array | null;

/** A prepared statement. */
export interface SqlStatement {
  /** Runs it. */
  run(...values: SqlValue[]): unknown;
  /** Its first row. */
  get(...values: SqlValue[]): Record<string, SqlValue> | undefined;
  /** All its rows. */
  all(...values: SqlValue[]): Record<string, SqlValue>[];
}

/** A connection to a database. (Not `exec`: in Deno its errors carry no result code.) */
export interface SqlDatabase {
  /** Prepares a statement. */
  prepare(sql: string): SqlStatement;
  /** Ends the connection. */
  close(): void;
}

/** Opens the database in the file `path`. */
export type OpenDatabase = (path: string) => SqlDatabase;

// not a literal, so that no bundler looks for the module, and no type of Node's is needed
const MODULE = "node:sqlite";

/**
 * What opens databases with `node:sqlite`.
 *
 * @throws {GraftError} `invalid` where the platform has none.
 */
export async function loadSqlite(): Promise<OpenDatabase> {
  try {
    const { DatabaseSync } = await import(MODULE);
    return (path) => new DatabaseSync(path);
  } catch (cause) {
    throw new GraftError(
      "invalid",
      "Cannot use a storage in SQLite: there is no node:sqlite here",
      {
        cause,
        hint: "It takes Deno, Node 22.13 or later, or Bun 1.4; in a browser use opfs: or idb:",
      },
    );
  }
}
