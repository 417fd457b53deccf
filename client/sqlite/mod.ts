/**
 * SQLite on Graft: a database of any size that opens at once, fetches the pages that its queries touch, and
 * takes writes, offline too.
 *
 * It runs in Deno, Node 20 and later, Bun and browsers.
 *
 * ## Limitations
 *
 * - The page size is 4,096 bytes; there is no WAL, as commits are the volume's.
 * - Temporary tables and pragmas belong to one of several connections: set pragmas with the option `setup`, and
 *   use temporary tables within one transaction or script.
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
export { Connection, type ConnectionParts, type RowMode, type SqlResult } from "./connection.ts";
export { type SqlParameters, type SqlRow, Statement } from "./engine/statement.ts";
export type { SqlParameter, SqlValue } from "./engine/values.ts";
export { splitStatements, type StatementSplit } from "./engine/split_statements.ts";
export type { EngineBuild, EngineOptions } from "./engine/load_engine.ts";
export type { DatabaseSnapshot, DatabaseSource } from "./source.ts";
export type { CallOptions } from "../options.ts";
export { SqliteError, type SqliteFailure } from "./engine/sqlite_error.ts";
export type { PageStatistics } from "./page_log.ts";
