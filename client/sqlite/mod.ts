/**
 * SQLite on Graft: a database of any size that opens at once, fetches the pages that its queries touch, and
 * takes writes, offline too.
 *
 * It runs in Deno, Node 20 and later, Bun and browsers.
 *
 * ## Limitations
 *
 * - The page size is 4,096 bytes; there is no WAL, as commits are the volume's.
 * - Temporary tables belong to one of several connections: use them within one transaction or script. Pragmas that
 *   set a connection up hold for all of them, and cannot be set within a transaction.
 * - One database is one volume; others cannot be attached.
 *
 * @module
 */

export { openDatabase, type OpenDatabaseOptions } from "./open_database.ts";
export {
  Database,
  type DatabaseParts,
  type DatabaseStatus,
  type ScriptOptions,
  type SqlTransactionOptions,
} from "./database.ts";
export { OpenTransaction } from "./open_transaction.ts";
export { SqlTransaction } from "./sql_transaction.ts";
export {
  Connection,
  type ConnectionParts,
  type ControlObserver,
  type RowMode,
  type SqlResult,
  type SqlTable,
} from "./connection.ts";
export { type SqlParameters, type SqlRow, Statement } from "./engine/statement.ts";
export { readControl, type StatementControl } from "./engine/statement_control.ts";
export type { SqlParameter, SqlValue } from "./engine/values.ts";
export { splitStatements, type StatementSplit } from "./engine/split_statements.ts";
export type { EngineBuild, EngineOptions } from "./engine/load_engine.ts";
export type { DatabaseSnapshot, DatabaseSource } from "./source.ts";
export type { CallOptions } from "../options.ts";
export { SqliteError, type SqliteFailure } from "./engine/sqlite_error.ts";
export type { PageStatistics } from "./page_log.ts";
