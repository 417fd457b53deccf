/**
 * A connection: one engine on a source.
 *
 * @module
 */

import { GraftError } from "../../src/core/errors.ts";
import { abortedBy } from "./_unless_aborted.ts";
import { Engine } from "./engine/engine.ts";
import type { LoadedEngine } from "./engine/load_engine.ts";
import { LockLevel, OpenFlag } from "./engine/result_codes.ts";
import { SqliteError } from "./engine/sqlite_error.ts";
import { type SqlParameters, type SqlRow, Statement } from "./engine/statement.ts";
import { readControl, type StatementControl } from "./engine/statement_control.ts";
import type { SqlValue } from "./engine/values.ts";
import { PageLog, type Prefetcher } from "./page_log.ts";
import type { DatabaseSource } from "./source.ts";
import { StatementCache } from "./statement_cache.ts";
import { volumePragmas } from "./vfs/pragmas.ts";
import { type PragmaHandler, VolumeVfs } from "./vfs/volume_vfs.ts";
import type { WriterLock } from "./vfs/writer_lock.ts";

/** What a {@linkcode Connection} is made of. */
export interface ConnectionParts {
  readonly source: DatabaseSource;
  readonly engine: LoadedEngine;
  /** Shared by all connections to the source. */
  readonly writers: WriterLock;
  /** Which pages to fetch along, for this connection. */
  readonly prefetcher?: (connection: Connection) => Prefetcher;
  /** Answers pragmas that SQLite does not know. */
  readonly pragma?: (connection: Connection) => PragmaHandler;
  /** Statements that set it up. */
  readonly setup: readonly string[];
  /** Asked before each statement and between batches of rows: what to wait for, so that others get their turn. */
  readonly pause?: () => Promise<void> | undefined;
}

/** What a statement that changes rows answers. */
export interface SqlResult {
  /** How many rows it inserted, changed or deleted. */
  readonly rowsAffected: number;
  /** The rowid of the row that was inserted last on this connection; 0n if none was. */
  readonly lastInsertRowid: bigint;
}

/** What a statement answers, whatever it is. */
export interface SqlTable {
  /** The names of the columns, of which several may be the same; none where it answers no rows. */
  readonly columns: readonly string[];
  /** Its rows, as lists. */
  readonly rows: SqlValue[][];
  /** How many rows it inserted, changed or deleted. */
  readonly rowsAffected: number;
}

/** Is told of statements that are about more than rows, where a user's own are run. */
export interface ControlObserver {
  /** One is about to be prepared, or to run. What this throws is what it fails with. */
  before(control: StatementControl): void;
  /** One has run. */
  after(control: StatementControl, sql: string): void;
}

/** A row as an object by the names of its columns, or as a list. */
export type RowMode = "object" | "array";

/** Rows that are read with one call. */
const BATCH_ROWS = 256;
/** White space, comments and semicolons. */
const BLANK = /^(?:[\s;]|--[^\n]*(?:\n|$)|\/\*[^]*?(?:\*\/|$))*$/;

/**
 * A connection. One call at a time: whoever shares it must see to that.
 */
export class Connection {
  /** Whose statements are run. */
  observer: ControlObserver | undefined;
  /** Set the connection up anew where its engine is replaced, behind what sets up each. */
  settings: () => Iterable<string> = () => [];
  readonly #parts: ConnectionParts;
  readonly #log: PageLog;
  #engine!: Engine;
  #vfs!: VolumeVfs;
  readonly #statements = new StatementCache();
  /** What the engine broke down with. */
  #breakdown: unknown;
  /** A setting that was prepared and has not run: it may hold already, and nobody knows. */
  #unsettled: string | undefined;
  /** Why calls are not run any more. */
  #aborted: GraftError | undefined;

  private constructor(parts: ConnectionParts) {
    this.#parts = parts;
    this.#log = new PageLog(parts.prefetcher?.(this));
  }

  /** Opens a connection. */
  static async open(parts: ConnectionParts): Promise<Connection> {
    const connection = new Connection(parts);
    await connection.#open();
    return connection;
  }

  /** The pages that it reads. */
  get pages(): PageLog {
    return this.#log;
  }

  /** The page of the snapshot it is at, if that is here. */
  peek(pageIdx: number): Uint8Array | undefined {
    return this.#vfs.file.snapshot?.peek(pageIdx);
  }

  /** How many pages the snapshot has that it is at. */
  get pageCount(): number {
    return this.#vfs.file.snapshot?.pageCount ?? 0;
  }

  /** The LSN of the snapshot that it is at. */
  get lsn(): number | undefined {
    return this.#vfs.file.snapshot?.lsn;
  }

  /** The number of the state that it is at. */
  get state(): number | undefined {
    return this.#vfs.file.snapshot?.state;
  }

  /** Whether a transaction is open. */
  get isInTransaction(): boolean {
    return this.#breakdown === undefined && !this.#engine.isAutocommit;
  }

  /** All rows of a statement. */
  all(sql: string, parameters: SqlParameters, mode: "array"): Promise<SqlValue[][]>;
  all(sql: string, parameters?: SqlParameters, mode?: "object"): Promise<SqlRow[]>;
  all(sql: string, parameters: SqlParameters = [], mode: RowMode = "object"): Promise<unknown[]> {
    return this.#observe(sql, async (statement) => {
      statement.bind(parameters);
      const all: unknown[] = [];
      for (;;) {
        const pause = this.#parts.pause?.();
        if (pause !== undefined) await pause;
        const { rows, isDone } = await statement.read(BATCH_ROWS);
        if (mode === "array") all.push(...rows);
        else for (const row of rows) all.push(statement.toObject(row));
        if (isDone) return all;
      }
    });
  }

  /** Runs a statement to its end. */
  run(sql: string, parameters: SqlParameters = []): Promise<SqlResult> {
    return this.#observe(sql, async (statement) => {
      statement.bind(parameters);
      const pause = this.#parts.pause?.();
      if (pause !== undefined) await pause;
      const before = this.#engine.totalChanges;
      for (let hasRow = true; hasRow;) {
        const step = statement.step();
        hasRow = typeof step === "boolean" ? step : await step;
      }
      return {
        rowsAffected: this.#changesSince(before),
        lastInsertRowid: this.#engine.lastInsertRowid,
      };
    });
  }

  /** Runs a statement of any kind to its end. */
  table(sql: string, parameters: SqlParameters = []): Promise<SqlTable> {
    return this.#observe(sql, async (statement) => {
      statement.bind(parameters);
      const before = this.#engine.totalChanges;
      const rows: SqlValue[][] = [];
      for (let isDone = false; !isDone;) {
        const pause = this.#parts.pause?.();
        if (pause !== undefined) await pause;
        const batch = await statement.read(BATCH_ROWS);
        rows.push(...batch.rows);
        ({ isDone } = batch);
      }
      return { columns: statement.columns, rows, rowsAffected: this.#changesSince(before) };
    });
  }

  /** Runs a statement of the API's own to its end, of which no observer is told. */
  control(sql: string): Promise<void> {
    return this.#use(sql, undefined, async (statement) => {
      while (await statement.step());
    });
  }

  /** Rows in batches that grow. The statement is under way until the iteration ends. */
  async *iterate(sql: string, parameters: SqlParameters = []): AsyncGenerator<SqlRow[]> {
    const { observer } = this;
    const statement = await this.#take(sql, observer);
    const { control } = statement;
    const wasWriting = this.#isWriting;
    try {
      statement.bind(parameters);
      // whoever takes one row may not want the pages of the next
      for (let rowsMax = 1;; rowsMax = Math.min(2 * rowsMax, BATCH_ROWS)) {
        const pause = this.#parts.pause?.();
        if (pause !== undefined) await pause;
        const { rows, isDone } = await statement.read(rowsMax);
        if (isDone && control !== undefined) this.#settle(observer, control, sql);
        yield rows.map((row) => statement.toObject(row));
        if (isDone) return;
      }
    } catch (error) {
      throw await this.#heed(error, wasWriting);
    } finally {
      await this.#giveBack(sql, statement);
    }
  }

  /** Whether the first statement of `sql` changes nothing; at once where it is prepared. */
  isReadOnly(sql: string): boolean | Promise<boolean> {
    return this.#statements.peek(sql)?.isReadOnly ??
      this.#use(sql, this.observer, (statement) => statement.isReadOnly);
  }

  /** Runs all statements of a text, without parameters. */
  script(sql: string): Promise<void> {
    return this.#script(sql, this.observer);
  }

  /** Has what is under way fail with the code `aborted`; a write transaction is rolled back then. */
  interrupt(cause?: unknown): void {
    if (this.#breakdown !== undefined) return;
    this.#engine.interrupt();
    this.#vfs.file.interrupt(abortedBy(cause));
  }

  /**
   * Runs calls of this connection until a signal ends them: what waits for a page then does not wait any
   * longer, and what was not begun does not run.
   *
   * @throws {GraftError} `aborted` when the signal fires.
   */
  abortable<T>(signal: AbortSignal | undefined, run: () => Promise<T>): Promise<T> {
    return signal === undefined ? run() : this.#abortable(signal, run);
  }

  async #abortable<T>(signal: AbortSignal, run: () => Promise<T>): Promise<T> {
    if (signal.aborted) throw abortedBy(signal.reason);
    const abort = () => {
      this.#aborted = abortedBy(signal.reason);
      this.interrupt(signal.reason);
    };
    signal.addEventListener("abort", abort, { once: true });
    try {
      return await run();
    } finally {
      signal.removeEventListener("abort", abort);
      this.#aborted = undefined;
    }
  }

  /** Lets go of a snapshot that nobody reads. */
  dropStale(): void {
    this.#vfs.file.dropStale();
  }

  /** Has SQLite read every page anew in its next transaction. */
  forgetCache(): void {
    this.#vfs.file.forgetCache();
  }

  /** Closes it. */
  async close(): Promise<void> {
    if (this.#breakdown !== undefined) return;
    try {
      await this.#statements.finalize();
      await this.#engine.close();
    } finally {
      this.#vfs.file.close();
    }
  }

  async #open(): Promise<void> {
    const { source, writers, engine, pragma, setup } = this.#parts;
    const instance = await engine.instantiate();
    this.#engine = await Engine.open({
      instance,
      name: source.vid,
      flags: OpenFlag.READWRITE | OpenFlag.CREATE,
      makeVfs: (heap) => {
        this.#vfs = new VolumeVfs({
          source,
          writers,
          heap,
          observer: this.#log,
          allocateText: (text) => this.#engine.allocateText(text).pointer,
          pragma: volumePragmas(pragma?.(this) ?? (() => undefined)),
        });
        return this.#vfs;
      },
    });
    this.#breakdown = undefined;
    this.#unsettled = undefined;
    try {
      for (const sql of [...setup, ...this.settings()]) await this.#script(sql);
    } catch (error) {
      await this.close();
      this.#breakdown = error;
      throw error;
    }
  }

  /** `changes` is what an earlier statement did, where the last one does not count. */
  #changesSince(totalBefore: number): number {
    return this.#engine.totalChanges === totalBefore ? 0 : this.#engine.changes;
  }

  /** Before each call; a promise where something has to be mended first. */
  #begin(sql?: string): Promise<void> | undefined {
    if (this.#aborted !== undefined) throw this.#aborted;
    const isUnsettled = this.#unsettled !== undefined && this.#unsettled !== sql &&
      !this.isInTransaction;
    const isTainted = this.#vfs.isTainted && !this.#isWriting;
    if (this.#breakdown !== undefined || isUnsettled || isTainted) {
      return this.#beginAnew(isUnsettled);
    }
    this.#vfs.file.resume();
    this.#engine.begin();
  }

  /** An engine that broke down, or is set up in a way that was refused, is replaced by a new one. */
  async #beginAnew(isUnsettled: boolean): Promise<void> {
    if (isUnsettled) await this.#giveUp();
    if (this.#breakdown !== undefined) await this.#open();
    this.#vfs.file.resume();
    if (this.#vfs.isTainted && !this.#isWriting) await this.#reload();
    this.#engine.begin();
  }

  async #giveUp(): Promise<void> {
    if (this.#breakdown !== undefined) return;
    await this.close();
    this.#breakdown = new GraftError("internal", "Cannot use the engine: it was given up");
  }

  /**
   * Has SQLite forget the schema, and with it the virtual tables: after a read that failed FTS5 goes on with half of what
   * it keeps of its index in memory, and damages the index with its next write.
   */
  async #reload(): Promise<void> {
    const { statement } = await Statement.prepare(this.#engine, "pragma writable_schema = reset");
    await statement?.finalize();
    this.#vfs.isTainted = false;
  }

  // what is at hand is not waited for: a look-up takes so little time that each `await` is felt
  async #use<T>(
    sql: string,
    observer: ControlObserver | undefined,
    run: (statement: Statement) => T | Promise<T>,
  ): Promise<T> {
    const taken = this.#take(sql, observer);
    const statement = taken instanceof Promise ? await taken : taken;
    const wasWriting = this.#isWriting;
    try {
      return await run(statement);
    } catch (error) {
      throw await this.#heed(error, wasWriting);
    } finally {
      const givingBack = this.#giveBack(sql, statement);
      if (givingBack !== undefined) await givingBack;
    }
  }

  /** Runs a user's statement. */
  #observe<T>(sql: string, run: (statement: Statement) => Promise<T>): Promise<T> {
    const { observer } = this;
    return this.#use(sql, observer, (statement) => {
      const { control } = statement;
      if (control === undefined || observer === undefined) return run(statement);
      return this.#observed(observer, control, sql, () => run(statement));
    });
  }

  async #observed<T>(
    observer: ControlObserver,
    control: StatementControl,
    sql: string,
    run: () => Promise<T>,
  ): Promise<T> {
    observer.before(control);
    const result = await run();
    this.#settle(observer, control, sql);
    return result;
  }

  /** A statement has run that is about more than rows. */
  #settle(observer: ControlObserver | undefined, control: StatementControl, sql: string): void {
    this.#unsettled = undefined;
    observer?.after(control, sql);
  }

  #take(sql: string, observer: ControlObserver | undefined): Statement | Promise<Statement> {
    const beginning = this.#begin(sql);
    const known = beginning === undefined ? this.#statements.take(sql) : undefined;
    return known ?? this.#takeLater(sql, observer, beginning);
  }

  async #takeLater(
    sql: string,
    observer: ControlObserver | undefined,
    beginning: Promise<void> | undefined,
  ): Promise<Statement> {
    await beginning;
    const { statement, tail } = await this.#prepare(sql, observer);
    if (statement === undefined) {
      throw new GraftError("invalid", "Cannot run the statement: the text holds none");
    }
    if (BLANK.test(tail)) return statement;
    await statement.finalize();
    throw new GraftError("invalid", `Cannot run "${sql}": it holds several statements`, {
      hint: "Run them one by one, or all with script()",
    });
  }

  async #prepare(
    sql: string,
    observer: ControlObserver | undefined,
  ): Promise<{ statement: Statement | undefined; tail: string }> {
    // many pragmas take effect as they are prepared
    const control = observer && readControl(sql);
    if (control !== undefined) observer?.before(control);
    try {
      const prepared = await Statement.prepare(this.#engine, sql);
      if (control?.kind === "setting") this.#unsettled = sql;
      return prepared;
    } catch (error) {
      throw await this.#heed(error, false);
    }
  }

  async #script(sql: string, observer?: ControlObserver): Promise<void> {
    await this.#begin();
    for (let rest = sql; rest !== "";) {
      const pause = this.#parts.pause?.();
      if (pause !== undefined) await pause;
      rest = await this.#runFirst(rest, observer);
    }
  }

  /** Runs the first statement of a text; the text behind it. */
  async #runFirst(sql: string, observer?: ControlObserver): Promise<string> {
    const { statement, tail } = await this.#prepare(sql, observer);
    if (statement === undefined) return tail;
    const wasWriting = this.#isWriting;
    const { control } = statement;
    try {
      while (await statement.step());
      if (control !== undefined) this.#settle(observer, control, statement.sql);
    } catch (error) {
      throw await this.#heed(error, wasWriting);
    } finally {
      if (this.#breakdown === undefined) await statement.finalize();
    }
    return tail;
  }

  /**
   * What the caller hears of an error. Where the engine itself broke down, as when a statement is too deep for the stack,
   * nothing of what it holds is used any more.
   */
  async #heed(error: unknown, wasWriting: boolean): Promise<unknown> {
    if (error instanceof SqliteError) return await this.#endOfTransaction(error, wasWriting);
    const isBreakdown = error instanceof WebAssembly.RuntimeError || error instanceof RangeError;
    if (!isBreakdown) return error;
    this.#breakdown = error;
    this.#statements.forget();
    this.#vfs.file.close();
    return new GraftError("internal", "Cannot run the statement: the engine broke down", {
      cause: error,
      hint: "What was not committed is lost. Statements that are nested less deeply may run",
    });
  }

  /** When RELEASE cannot commit SQLite rolls everything back, and says that the savepoint is still there. */
  async #endOfTransaction(error: SqliteError, wasWriting: boolean): Promise<SqliteError> {
    if (!wasWriting || this.#isWriting || !this.isInTransaction) return error;
    await this.#runFirst("rollback");
    return error.asRolledBack();
  }

  /** Whether pages are changed. */
  get #isWriting(): boolean {
    return this.#vfs.file.level >= LockLevel.RESERVED;
  }

  /** Keeps a statement for the next who runs it; a promise where that takes its time. */
  #giveBack(sql: string, statement: Statement): Promise<void> | undefined {
    if (this.#breakdown !== undefined) return;
    const resetting = statement.reset();
    if (resetting === undefined) return this.#statements.keep(sql, statement);
    return this.#giveBackLater(sql, statement, resetting);
  }

  async #giveBackLater(sql: string, statement: Statement, resetting: Promise<void>): Promise<void> {
    try {
      await resetting;
    } catch (error) {
      await statement.finalize();
      throw error;
    }
    await this.#statements.keep(sql, statement);
  }
}
