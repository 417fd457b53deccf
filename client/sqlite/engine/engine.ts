/**
 * One instance of SQLite with one database open in it.
 *
 * @module
 */

import { GraftError } from "../../../src/core/errors.ts";
import { ResultCode } from "./result_codes.ts";
import type { RowReader } from "./row_reader.ts";
import { SqliteError } from "./sqlite_error.ts";
import type {
  Answer,
  Pointer,
  SqliteExports,
  SqliteInstance,
  SqliteModule,
  SuspendingExports,
  VfsFailure,
  VfsMethods,
} from "./sqlite_module.ts";

const encoder = new TextEncoder();
/** Up to here, code units one by one are faster than the encoder. */
const SHORT_TEXT = 64;
/** Room for two pointers, or an i64. */
const SCRATCH_BYTES = 16;

/**
 * An open database, and the memory of its instance. Nothing here takes turns: a connection sees to it that
 * no two calls are under way at a time.
 */
export class Engine {
  /** Functions that never wait. */
  readonly exports: SqliteExports;
  /** Functions that may wait for pages. */
  readonly suspending: SuspendingExports;
  /** Reads rows in batches; undefined where one by one is as fast. */
  readonly rows: RowReader | undefined;
  readonly #module: SqliteModule;
  readonly #vfs: VfsMethods;
  #scratch = 0;
  #database = 0;
  #wasInTransaction = false;

  private constructor(
    instance: SqliteInstance,
    makeVfs: (heap: () => Uint8Array<ArrayBuffer>) => VfsMethods,
  ) {
    this.exports = instance.exports;
    this.suspending = instance.suspending;
    this.rows = instance.rows;
    this.#module = instance.module;
    this.#vfs = makeVfs(() => this.heap);
  }

  /**
   * Opens a database.
   *
   * @param makeVfs What SQLite reads and writes through, given its memory.
   */
  static async open(parts: {
    readonly instance: SqliteInstance;
    readonly name: string;
    readonly flags: number;
    readonly makeVfs: (heap: () => Uint8Array<ArrayBuffer>) => VfsMethods;
  }): Promise<Engine> {
    const { instance, name, flags, makeVfs } = parts;
    const engine = new Engine(instance, makeVfs);
    engine.check(instance.module.vfs_register(engine.#vfs, true));
    engine.#scratch = engine.allocate(SCRATCH_BYTES);
    try {
      await engine.#open(name, flags);
    } catch (error) {
      // what could not be opened has to be closed, too
      await engine.close();
      throw error;
    }
    return engine;
  }

  /** The memory. Any call may replace it. */
  get heap(): Uint8Array<ArrayBuffer> {
    return this.#module.HEAPU8;
  }

  /** The database. */
  get database(): Pointer {
    return this.#database;
  }

  /** The high half of the i64 that was returned last. */
  get highHalf(): number {
    return this.#module.getTempRet0();
  }

  /** Whether no transaction is open. */
  get isAutocommit(): boolean {
    return this.exports.sqlite3_get_autocommit(this.#database) !== 0;
  }

  /** The rowid of the row that was inserted last. */
  get lastInsertRowid(): bigint {
    return this.toBigInt(this.exports.sqlite3_last_insert_rowid(this.#database));
  }

  /** How many rows the last statement changed. */
  get changes(): number {
    return this.exports.sqlite3_changes(this.#database);
  }

  /** How many rows were changed since the database was opened. */
  get totalChanges(): number {
    return this.exports.sqlite3_total_changes(this.#database);
  }

  /** Room in the memory, to be freed. */
  allocate(bytes: number): Pointer {
    const pointer = this.exports.sqlite3_malloc(bytes) >>> 0;
    if (pointer === 0) throw this.error(ResultCode.NOMEM);
    return pointer;
  }

  /** Text as UTF-8 with a zero behind it, to be freed. */
  allocateText(text: string): { readonly pointer: Pointer; readonly bytes: number } {
    if (text.length <= SHORT_TEXT) {
      const pointer = this.#allocateAscii(text);
      if (pointer !== undefined) return { pointer, bytes: text.length };
    }
    const utf8 = encoder.encode(text);
    const pointer = this.allocate(utf8.length + 1);
    this.heap.set(utf8, pointer);
    this.heap[pointer + utf8.length] = 0;
    return { pointer, bytes: utf8.length };
  }

  /** Bytes, to be freed. */
  allocateBytes(bytes: Uint8Array): Pointer {
    // nothing is a null value to SQLite
    const pointer = this.allocate(Math.max(1, bytes.length));
    this.heap.set(bytes, pointer);
    return pointer;
  }

  /** Text that ends with a zero. */
  text(pointer: Pointer): string {
    return this.#module.UTF8ToString(pointer);
  }

  /** An i64, its low half given, its high half as it was just returned. */
  toBigInt(low: number): bigint {
    return (BigInt(this.highHalf) << 32n) | BigInt(low >>> 0);
  }

  /** Something new begins: what failed before is of no account. */
  begin(): void {
    this.#vfs.takeFailure();
    this.#wasInTransaction = !this.isAutocommit;
  }

  /**
   * Prepares the first statement of `sql`.
   *
   * @returns The statement (0 where there is only white space), and how many bytes of UTF-8 it has.
   */
  async prepare(sql: string): Promise<{ statement: Pointer; bytes: number }> {
    if (sql.includes("\0")) {
      throw new GraftError("invalid", "Cannot run the statement: there is a NUL in it", {
        hint: "Pass text as a parameter",
      });
    }
    const { pointer, bytes } = this.allocateText(sql);
    try {
      const code = await this.suspending.sqlite3_prepare_v3(
        this.#database,
        pointer,
        bytes + 1,
        0,
        this.#scratch,
        this.#scratch + 4,
      );
      this.check(code, sql);
      const statement = this.#pointerAt(0);
      const end = this.#pointerAt(4);
      if (this.#vfs.hasFailed) {
        await this.suspending.sqlite3_finalize(statement);
        this.requireHeard(sql);
      }
      return { statement, bytes: end - pointer };
    } finally {
      this.exports.sqlite3_free(pointer);
    }
  }

  /** Ends what is under way, if anything is. */
  interrupt(): void {
    this.exports.sqlite3_interrupt(this.#database);
  }

  /** Closes the database. Its statements must be finalized. */
  async close(): Promise<void> {
    this.check(await this.suspending.sqlite3_close(this.#database));
    this.#database = 0;
  }

  /** Throws for a result code that is none of success. */
  check(code: number, sql?: string): void {
    if (code !== ResultCode.OK) throw this.error(code, sql);
  }

  /** Throws where a page could not be read and SQLite went on without it, as it does with its statistics. */
  requireHeard(sql?: string): void {
    if (!this.#vfs.hasFailed) return;
    const { cause, resultCode } = this.#vfs.takeFailure()!;
    const isRolledBack = this.#wasInTransaction && this.isAutocommit;
    throw new SqliteError({ resultCode, message: "a page is not here", sql, cause, isRolledBack });
  }

  /** What a result code says, with what SQLite has to say beside it. */
  error(code: number, sql?: string): SqliteError {
    const { hasFailed } = this.#vfs;
    const failure = this.#vfs.takeFailure();
    if (this.#database === 0) {
      const cause = failure?.cause;
      return new SqliteError({ resultCode: code, message: "it cannot be opened", cause });
    }
    const resultCode = this.exports.sqlite3_extended_errcode(this.#database) || code;
    // a page that failed explains whatever failed after it; a lock only that it was refused
    const explains = hasFailed || isSamePrimary(failure, resultCode);
    return new SqliteError({
      resultCode,
      message: this.text(this.exports.sqlite3_errmsg(this.#database)),
      sql,
      offset: this.exports.sqlite3_error_offset(this.#database),
      cause: explains ? failure?.cause : undefined,
      isRolledBack: this.#wasInTransaction && this.isAutocommit,
    });
  }

  /** Short text, unless it is more than ASCII. */
  #allocateAscii(text: string): Pointer | undefined {
    const pointer = this.allocate(text.length + 1);
    const { heap } = this;
    for (let i = 0; i < text.length; i++) {
      const unit = text.charCodeAt(i);
      if (unit > 0x7f) {
        this.exports.sqlite3_free(pointer);
        return undefined;
      }
      heap[pointer + i] = unit;
    }
    heap[pointer + text.length] = 0;
    return pointer;
  }

  async #open(name: string, flags: number): Promise<void> {
    const { pointer } = this.allocateText(name);
    try {
      const open: Answer = this.suspending.sqlite3_open_v2(pointer, this.#scratch, flags, 0);
      const code = await open;
      this.#database = this.#pointerAt(0);
      this.check(code);
      this.exports.sqlite3_extended_result_codes(this.#database, 1);
    } finally {
      this.exports.sqlite3_free(pointer);
    }
  }

  #pointerAt(offset: number): Pointer {
    return new DataView(this.heap.buffer).getUint32(this.#scratch + offset, true);
  }
}

function isSamePrimary(failure: VfsFailure | undefined, resultCode: number): boolean {
  return failure !== undefined && (failure.resultCode & 0xff) === (resultCode & 0xff);
}
