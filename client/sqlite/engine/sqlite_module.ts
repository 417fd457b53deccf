/**
 * What is used of wa-sqlite's Emscripten module. Pointers are byte offsets into its memory; i64 values are
 * passed and returned as two halves.
 *
 * @module
 */

import type { RowReader } from "./row_reader.ts";

/** A byte offset into the module's memory; 0 is none. */
export type Pointer = number;

/** What a call answers that may have to wait for a page: at once, where it has not. */
export type Answer = number | Promise<number>;

/** Functions of SQLite that never wait for pages. */
export interface SqliteExports {
  readonly memory: WebAssembly.Memory;
  sqlite3_malloc(bytes: number): Pointer;
  sqlite3_free(pointer: Pointer): void;
  sqlite3_bind_blob(
    statement: Pointer,
    index: number,
    bytes: Pointer,
    length: number,
    free: Pointer,
  ): number;
  sqlite3_bind_double(statement: Pointer, index: number, value: number): number;
  sqlite3_bind_int(statement: Pointer, index: number, value: number): number;
  sqlite3_bind_int64(statement: Pointer, index: number, low: number, high: number): number;
  sqlite3_bind_null(statement: Pointer, index: number): number;
  sqlite3_bind_parameter_count(statement: Pointer): number;
  sqlite3_bind_parameter_index(statement: Pointer, name: Pointer): number;
  sqlite3_bind_parameter_name(statement: Pointer, index: number): Pointer;
  sqlite3_bind_text(
    statement: Pointer,
    index: number,
    text: Pointer,
    length: number,
    free: Pointer,
  ): number;
  sqlite3_changes(database: Pointer): number;
  sqlite3_clear_bindings(statement: Pointer): number;
  sqlite3_column_blob(statement: Pointer, column: number): Pointer;
  sqlite3_column_bytes(statement: Pointer, column: number): number;
  sqlite3_column_count(statement: Pointer): number;
  sqlite3_column_double(statement: Pointer, column: number): number;
  /** The low half; the high one is in {@linkcode SqliteModule.getTempRet0}. */
  sqlite3_column_int64(statement: Pointer, column: number): number;
  sqlite3_column_name(statement: Pointer, column: number): Pointer;
  sqlite3_column_text(statement: Pointer, column: number): Pointer;
  sqlite3_column_type(statement: Pointer, column: number): number;
  /** 1 where text ends with a whole statement. */
  sqlite3_complete(text: Pointer): number;
  sqlite3_errmsg(database: Pointer): Pointer;
  sqlite3_error_offset(database: Pointer): number;
  sqlite3_extended_errcode(database: Pointer): number;
  sqlite3_extended_result_codes(database: Pointer, on: number): number;
  sqlite3_get_autocommit(database: Pointer): number;
  sqlite3_interrupt(database: Pointer): void;
  /** The low half; the high one is in {@linkcode SqliteModule.getTempRet0}. */
  sqlite3_last_insert_rowid(database: Pointer): number;
  /** Of a statement that has ended; any other may have to wait. */
  sqlite3_reset(statement: Pointer): number;
  sqlite3_stmt_readonly(statement: Pointer): number;
  sqlite3_stmt_status(statement: Pointer, what: number, reset: number): number;
  sqlite3_total_changes(database: Pointer): number;
  /** The pointer of sqlite3_free. */
  getSqliteFree(): Pointer;
}

/** Functions of SQLite that may read pages. Never call one while another waits. */
export interface SuspendingExports {
  sqlite3_close(database: Pointer): Answer;
  sqlite3_finalize(statement: Pointer): Answer;
  sqlite3_open_v2(name: Pointer, out: Pointer, flags: number, vfs: Pointer): Answer;
  sqlite3_prepare_v3(
    database: Pointer,
    sql: Pointer,
    bytes: number,
    flags: number,
    outStatement: Pointer,
    outTail: Pointer,
  ): Answer;
  sqlite3_reset(statement: Pointer): Answer;
  sqlite3_step(statement: Pointer): Answer;
}

/** Why SQLite was told that something failed. */
export interface VfsFailure {
  /** What failed. */
  readonly cause: unknown;
  /** What SQLite was told. */
  readonly resultCode: number;
}

/** What SQLite asks of a file system, as wa-sqlite's glue calls it. i64 arguments come as two halves. */
export interface VfsMethods {
  readonly name: string;
  /** Whether SQLite was told of a failure that must not go unheard. */
  readonly hasFailed: boolean;
  /** What failed first, once. */
  takeFailure(): VfsFailure | undefined;
  readonly mxPathname: number;
  /** Whether a method may answer with a promise. */
  hasAsyncMethod(method: string): boolean;
  xOpen(
    vfs: Pointer,
    name: Pointer,
    file: Pointer,
    flags: number,
    outFlags: Pointer,
  ): number;
  xDelete(vfs: Pointer, name: Pointer, syncDirectory: number): number;
  xAccess(vfs: Pointer, name: Pointer, flags: number, out: Pointer): number;
  xFullPathname(vfs: Pointer, name: Pointer, outBytes: number, out: Pointer): number;
  xClose(file: Pointer): number;
  xRead(file: Pointer, data: Pointer, length: number, low: number, high: number): Answer;
  xWrite(file: Pointer, data: Pointer, length: number, low: number, high: number): number;
  xTruncate(file: Pointer, low: number, high: number): number;
  xSync(file: Pointer, flags: number): number;
  xFileSize(file: Pointer, out: Pointer): number;
  xLock(file: Pointer, level: number): number;
  xUnlock(file: Pointer, level: number): number;
  xCheckReservedLock(file: Pointer, out: Pointer): number;
  xFileControl(file: Pointer, operation: number, argument: Pointer): Answer;
  xSectorSize(file: Pointer): number;
  xDeviceCharacteristics(file: Pointer): number;
}

/** The module of wa-sqlite, once it is instantiated. */
export interface SqliteModule {
  /** The memory; another object after it has grown. */
  readonly HEAPU8: Uint8Array<ArrayBuffer>;
  /** The high half of an i64 that was returned last. */
  getTempRet0(): number;
  UTF8ToString(pointer: Pointer): string;
  ccall(
    name: string,
    returns: "number",
    types: readonly string[],
    values: readonly number[],
    options: object,
  ): Answer;
  vfs_register(vfs: VfsMethods, makeDefault: boolean): number;
}

/** What makes a module: the default export of wa-sqlite's glue. */
export type SqliteModuleFactory = (config: {
  instantiateWasm(
    imports: WebAssembly.Imports,
    done: (instance: WebAssembly.Instance, module: WebAssembly.Module) => void,
  ): object;
}) => Promise<SqliteModule>;

/** One instance of SQLite: its memory is its own. */
export interface SqliteInstance {
  readonly module: SqliteModule;
  readonly exports: SqliteExports;
  readonly suspending: SuspendingExports;
  /** Reads rows in batches; undefined where one by one is as fast. */
  readonly rows: RowReader | undefined;
}
