/**
 * What users hold: a SQLite database on a volume.
 *
 * @module
 */

import { assert } from "../../src/core/assert.ts";
import { isGraftError } from "../../src/core/errors.ts";
import type { VolumeId } from "../../src/core/gid.ts";
import type { Timers } from "../../src/core/timers.ts";
import type { CallOptions } from "../options.ts";
import type { Replica } from "../replica/replica.ts";
import type { ReplicaStatus } from "../replica/status.ts";
import type { TransactionFunction } from "../replica/replay.ts";
import type { Transaction } from "../replica/transaction.ts";
import { ConnectionSettings } from "./_connection_settings.ts";
import { copyParameters } from "./_copy_parameters.ts";
import { unlessAborted } from "./_unless_aborted.ts";
import { atRest, readOnce, requireReadOnly, runOnce } from "./_runs.ts";
import type { Connection, SqlResult, SqlTable } from "./connection.ts";
import { ConnectionPool } from "./connection_pool.ts";
import type { SqlParameters, SqlRow } from "./engine/statement.ts";
import { ResultCode } from "./engine/result_codes.ts";
import { SqliteError } from "./engine/sqlite_error.ts";
import type { SqlValue } from "./engine/values.ts";
import { watchQuery } from "./live_query.ts";
import { OpenTransaction } from "./open_transaction.ts";
import type { PageStatistics } from "./page_log.ts";
import { ReplicaSource } from "./replica_source.ts";
import type { DatabaseSource } from "./source.ts";
import type { SqlTransaction } from "./sql_transaction.ts";
import { TransactionSource } from "./transaction_source.ts";
import { WriterTurns } from "./writer_turns.ts";

/** What a {@linkcode Database} is made of. */
export interface DatabaseParts {
  /** Its pages; closed with it. */
  readonly replica: Replica;
  /** Opens a connection to pages. */
  readonly connect: (source: DatabaseSource) => Promise<Connection>;
  /** What to do when others committed first on the server: see `openDatabase`. */
  readonly onConflict: "replay" | "wait";
  /** How many connections there may be. */
  readonly connectionsMax: number;
  /** How long to wait for a connection, and for others who write. */
  readonly busyMs: number;
  /** Waiting. */
  readonly timers: Timers;
}

/** How a database is doing: as its replica, and the pages that its connections asked for. */
export interface DatabaseStatus extends ReplicaStatus {
  /** Pages that were read, fetched and prefetched since it was opened. */
  readonly pages: PageStatistics;
}

/** How a transaction runs. */
export interface SqlTransactionOptions {
  /** Whether it only reads: then it waits for nobody, and what writes fails. Default: false. */
  readonly readOnly?: boolean;
  /**
   * Whether it may run again: when its snapshot has become stale, and in a replay. Default: true. Where it may
   * not, it fails with the code `conflict` instead.
   */
  readonly isRepeatable?: boolean;
  /** Whether it resolves only when the server has it. Offline it rejects, and stays committed here. Default: false. */
  readonly sync?: boolean;
}

/** How a script runs. */
export interface ScriptOptions {
  /** Whether it is one transaction; default: true. `vacuum` and some pragmas cannot be in one. */
  readonly isAtomic?: boolean;
}

/** How often a transaction begins anew because its snapshot had become stale. */
const ATTEMPTS_MAX = 100;

/** How something is written. */
interface WriteOptions {
  readonly canReplay?: boolean;
  readonly attemptsMax?: number;
  readonly signal?: AbortSignal;
}

/** A SQLite database on a volume. */
export class Database {
  readonly #parts: DatabaseParts;
  readonly #pool: ConnectionPool;
  readonly #writers: WriterTurns;
  readonly #settings = new ConnectionSettings();
  /** The pages of each connection. */
  readonly #sources = new WeakMap<Connection, ReplicaSource>();
  /** Follow the replica until it is closed. */
  readonly #following: Promise<unknown>;
  #closing: Promise<void> | undefined;

  /** On parts; `openDatabase` picks them. */
  constructor(parts: DatabaseParts) {
    const { connectionsMax, busyMs, timers } = parts;
    this.#parts = parts;
    this.#pool = new ConnectionPool({
      open: () => this.#connect(),
      prepare: (connection) => this.#settings.apply(connection),
      connectionsMax,
      waitMs: busyMs,
      timers,
    });
    this.#writers = new WriterTurns(timers, busyMs);
    this.#following = Promise.all([this.#followChanges(), this.#followStatuses()]);
  }

  /** The volume. */
  get vid(): VolumeId {
    return this.#parts.replica.vid;
  }

  /** What keeps its pages: for `reset()`, `replay()`, `keepBoth()`, `changes()`, `statuses()`. */
  get replica(): Replica {
    return this.#parts.replica;
  }

  /** All rows of a statement, as objects. */
  async query<Row = SqlRow>(
    sql: string,
    parameters: SqlParameters = [],
    { signal }: CallOptions = {},
  ): Promise<Row[]> {
    const given = copyParameters(parameters);
    return await this.#read(sql, (connection) => connection.all(sql, given), signal) as Row[];
  }

  /** All rows of a statement, as lists. */
  async values(
    sql: string,
    parameters: SqlParameters = [],
    { signal }: CallOptions = {},
  ): Promise<SqlValue[][]> {
    const given = copyParameters(parameters);
    return await this.#read(sql, (connection) => connection.all(sql, given, "array"), signal);
  }

  /** What a statement of any kind answers: columns and rows as lists, and how many rows it changed. */
  async table(sql: string, parameters: SqlParameters = []): Promise<SqlTable> {
    const given = copyParameters(parameters);
    return await this.#read(sql, (connection) => connection.table(sql, given), undefined);
  }

  /** The first row of a statement; undefined where there is none. */
  async first<Row = SqlRow>(
    sql: string,
    parameters: SqlParameters = [],
    options: CallOptions = {},
  ): Promise<Row | undefined> {
    const [row] = await this.query<Row>(sql, parameters, options);
    return row;
  }

  /**
   * Rows one by one, all of one snapshot. It has a connection of its own until it ends; leave the loop to end it
   * before.
   */
  async *iterate<Row = SqlRow>(
    sql: string,
    parameters: SqlParameters = [],
  ): AsyncGenerator<Row> {
    const given = copyParameters(parameters);
    const connection = await this.#pool.take();
    try {
      await requireReadOnly(connection, sql, "iterate over");
      for await (const rows of connection.iterate(sql, given)) yield* rows as Row[];
    } finally {
      try {
        // such as `begin`
        if (connection.isInTransaction) await connection.control("rollback");
      } finally {
        this.#pool.giveBack(connection);
      }
    }
  }

  /** Runs a statement, which commits here at once and is pushed in the background. */
  async execute(sql: string, parameters: SqlParameters = []): Promise<SqlResult> {
    const given = copyParameters(parameters);
    return await this.#write((connection) => atRest(connection, () => connection.run(sql, given)));
  }

  /**
   * Runs all statements of a text, without parameters: as one transaction, unless `isAtomic` is false; then each
   * is one of its own, or the text begins and ends them, and they cannot be replayed.
   */
  async script(sql: string, { isAtomic = true }: ScriptOptions = {}): Promise<void> {
    if (isAtomic) return await this.transaction((tx) => tx.script(sql));
    await this.#write((connection) => atRest(connection, () => connection.script(sql)), {
      canReplay: false,
    });
  }

  /**
   * Runs a transaction and commits it here: all of it or nothing. It is pushed in the background.
   *
   * @param run Reads and writes through `tx`. It runs again, on a newer snapshot, when commits of others came
   * meanwhile: so it should do nothing else.
   * @returns What `run` returned.
   * @throws {SqliteError} What its statements fail with; what `run` throws rolls it back.
   */
  async transaction<T>(
    run: (tx: SqlTransaction) => T | Promise<T>,
    { readOnly = false, sync = false, isRepeatable = true }: SqlTransactionOptions = {},
  ): Promise<T> {
    if (readOnly) return await this.#pool.use((connection) => readOnce(connection, run));
    const result = await this.#write(
      (connection) => runOnce(connection, "begin immediate", run),
      { canReplay: isRepeatable, attemptsMax: isRepeatable ? ATTEMPTS_MAX : 1 },
    );
    if (sync) await this.sync();
    return result;
  }

  /**
   * Begins a transaction that stays open until it is committed or rolled back; others who write wait for that.
   * It cannot run again: where its snapshot has become stale it fails with the code `conflict`.
   */
  begin(options: Pick<SqlTransactionOptions, "readOnly"> = {}): Promise<OpenTransaction> {
    return OpenTransaction.begin(this, options);
  }

  /**
   * The rows of a statement, and again whenever they may have changed: when pages changed that it had read.
   * Leave the loop to end it.
   */
  watch<Row = SqlRow>(
    sql: string,
    parameters: SqlParameters = [],
  ): AsyncIterableIterator<Row[]> {
    return watchQuery<Row>(this.replica, this.#pool, sql, copyParameters(parameters));
  }

  /** How it is doing. */
  status(): DatabaseStatus {
    return { ...this.replica.status(), pages: this.#pool.statistics };
  }

  /**
   * Resolves when all that was committed here is on the server, and all that was committed there until now is known
   * here.
   *
   * @throws {GraftError} What hinders it, as with a replica; and where a transaction that lost against others
   * cannot run again, what it failed with.
   */
  async sync(): Promise<void> {
    for (let attempt = 1;; attempt++) {
      try {
        return await this.replica.sync();
      } catch (error) {
        const isLost = isGraftError(error, "conflict") && this.#parts.onConflict === "replay";
        if (!isLost || attempt >= ATTEMPTS_MAX) throw error;
      }
      await this.replica.replay();
    }
  }

  /** Ends what is under way, and closes the replica. What was not pushed is pushed when it is opened again. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** Closes it. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #read<T>(
    sql: string,
    run: (connection: Connection) => Promise<T>,
    signal: AbortSignal | undefined,
  ): Promise<T> {
    const taken = this.#take(signal);
    const connection = taken instanceof Promise ? await taken : taken;
    try {
      // to prepare it may take pages of the schema
      const isReadOnly = signal === undefined
        ? connection.isReadOnly(sql)
        : connection.abortable(signal, async () => await connection.isReadOnly(sql));
      if (typeof isReadOnly === "boolean" ? isReadOnly : await isReadOnly) {
        return await atRest(connection, () => connection.abortable(signal, () => run(connection)));
      }
    } finally {
      this.#pool.giveBack(connection);
    }
    // such as `insert … returning`
    return await this.#write((writer) => atRest(writer, () => run(writer)), { signal });
  }

  /**
   * Runs what writes, again where its snapshot has become stale.
   *
   * @param how Whether it commits at most once, and can do so again; how often it is tried, and what ends it.
   */
  async #write<T>(
    run: (connection: Connection) => Promise<T>,
    { canReplay = true, attemptsMax = ATTEMPTS_MAX, signal }: WriteOptions = {},
  ): Promise<T> {
    const replay = canReplay ? (tx: Transaction) => this.#replay(tx, run) : undefined;
    const turn = this.#writers.take();
    const end = () => this.#writers.end();
    if (turn !== undefined) await (signal ? unlessAborted(turn, signal, end) : turn);
    try {
      for (let attempt = 1;; attempt++) {
        try {
          return await this.#writeOnce(replay, run, signal);
        } catch (error) {
          if (!isStale(error) || attempt >= attemptsMax) throw error;
        }
      }
    } finally {
      this.#writers.end();
    }
  }

  async #writeOnce<T>(
    replay: TransactionFunction | undefined,
    run: (connection: Connection) => Promise<T>,
    signal: AbortSignal | undefined,
  ): Promise<T> {
    const taken = this.#take(signal);
    const connection = taken instanceof Promise ? await taken : taken;
    const source = this.#sourceOf(connection);
    source.beginTurn(replay);
    try {
      return await connection.abortable(signal, () => run(connection));
    } finally {
      source.endTurn();
      this.#pool.giveBack(connection);
    }
  }

  #take(signal: AbortSignal | undefined): Connection | Promise<Connection> {
    const taken = this.#pool.take();
    if (!(taken instanceof Promise) || signal === undefined) return taken;
    return unlessAborted(taken, signal, (connection) => this.#pool.giveBack(connection));
  }

  async #connect(): Promise<Connection> {
    const source = new ReplicaSource(this.replica, true);
    const connection = await this.#parts.connect(source);
    this.#sources.set(connection, source);
    await this.#settings.apply(connection);
    connection.observer = this.#settings.observerOf(connection);
    connection.settings = () => this.#settings.statements;
    return connection;
  }

  #sourceOf(connection: Connection): ReplicaSource {
    const source = this.#sources.get(connection);
    assert(source !== undefined, "A connection of the pool has a source");
    return source;
  }

  /** Runs what was committed here again, on what the server has now. */
  async #replay(tx: Transaction, run: (connection: Connection) => Promise<unknown>): Promise<void> {
    const connection = await this.#parts.connect(new TransactionSource(this.vid, tx));
    try {
      await this.#settings.apply(connection);
      await run(connection);
    } finally {
      await connection.close();
    }
  }

  async #followChanges(): Promise<void> {
    for await (const _ of this.replica.changes()) this.#pool.dropStale();
  }

  async #followStatuses(): Promise<void> {
    if (this.#parts.onConflict === "wait") return;
    let tried: number | undefined;
    for await (const { state } of this.replica.statuses()) {
      if (state !== "conflict" || this.replica.state === tried) continue;
      tried = this.replica.state;
      try {
        await this.replica.replay();
      } catch (error) {
        // the status stays what it is: for the user to decide, or until the server answers again
        if (isGraftError(error, "unavailable")) tried = undefined;
      }
    }
  }

  async #close(): Promise<void> {
    try {
      await this.#pool.close();
    } finally {
      await this.#parts.replica.close();
      await this.#following;
    }
  }
}

/** Whether a snapshot was not the newest any more: nothing was committed, and the next one is. */
function isStale(error: unknown): boolean {
  return error instanceof SqliteError && error.code === "conflict" &&
    (error.resultCode === ResultCode.BUSY_SNAPSHOT ||
      error.resultCode === ResultCode.IOERR_COMMIT_ATOMIC);
}
