/**
 * Statements on one snapshot, which take effect together.
 *
 * @module
 */

import { GraftError } from "../../src/core/errors.ts";
import { Turns } from "../replica/turns.ts";
import { SAVEPOINT, type TransactionScope } from "./_transaction_scope.ts";
import { copyParameters } from "./_copy_parameters.ts";
import type { Connection, SqlResult, SqlTable } from "./connection.ts";
import type { SqlParameters, SqlRow } from "./engine/statement.ts";
import type { SqlValue } from "./engine/values.ts";

/**
 * A transaction under way. It sees what it wrote, and nobody else does before it is committed. Its calls run
 * one after the other, also where nobody waits for them.
 */
export class SqlTransaction {
  readonly #connection: Connection;
  readonly #scope: TransactionScope;
  #last: Promise<unknown> = Promise.resolve();
  #isOpen = true;
  /** Whether what is still waiting for its turn is not run any more. */
  #isStopped = false;
  readonly #nested = new Turns();
  readonly #depth: number;
  #hasNested = false;

  /**
   * @param connection Is in a transaction.
   * @param scope Is shared by all that are nested in one.
   * @param depth How many transactions this one is nested in.
   */
  constructor(connection: Connection, scope: TransactionScope, depth = 0) {
    this.#connection = connection;
    this.#scope = scope;
    this.#depth = depth;
  }

  /** All rows of a statement, as objects. */
  query<Row = SqlRow>(sql: string, parameters: SqlParameters = []): Promise<Row[]> {
    const given = copyParameters(parameters);
    return this.#run(() => this.#connection.all(sql, given) as Promise<Row[]>);
  }

  /** All rows of a statement, as lists. */
  values(sql: string, parameters: SqlParameters = []): Promise<SqlValue[][]> {
    const given = copyParameters(parameters);
    return this.#run(() => this.#connection.all(sql, given, "array"));
  }

  /** What a statement of any kind answers: columns and rows as lists, and how many rows it changed. */
  table(sql: string, parameters: SqlParameters = []): Promise<SqlTable> {
    const given = copyParameters(parameters);
    return this.#run(() => this.#connection.table(sql, given));
  }

  /** The first row of a statement; undefined where there is none. */
  async first<Row = SqlRow>(sql: string, parameters: SqlParameters = []): Promise<Row | undefined> {
    const [row] = await this.query<Row>(sql, parameters);
    return row;
  }

  /** Runs a statement. */
  execute(sql: string, parameters: SqlParameters = []): Promise<SqlResult> {
    const given = copyParameters(parameters);
    return this.#run(() => this.#connection.run(sql, given));
  }

  /** Runs all statements of a text, without parameters. */
  script(sql: string): Promise<void> {
    return this.#run(() => this.#connection.script(sql));
  }

  /**
   * Runs statements that take effect together, or not at all, within this transaction. Meanwhile nothing else runs
   * in it: two of them come one after the other.
   *
   * @param run Works through what it is passed. What it throws undoes what it did, and is thrown.
   */
  transaction<T>(run: (tx: SqlTransaction) => T | Promise<T>): Promise<T> {
    return this.#nested.run(async () => {
      await this.#last;
      this.#requireOpen();
      this.#hasNested = true;
      try {
        return await this.#runNested(run);
      } finally {
        this.#hasNested = false;
      }
    });
  }

  /** Waits for all that was called, whether somebody waits for it or not; after that nothing more is run. */
  async end(): Promise<void> {
    let last: unknown;
    while (last !== this.#last || this.#nested.busy) {
      last = this.#last;
      await last;
      await this.#nested.idle();
    }
    this.#isOpen = false;
  }

  /** Waits for what is under way; nothing more is run. */
  async stop(): Promise<void> {
    this.#isOpen = false;
    this.#isStopped = true;
    await this.#nested.idle();
    await this.#last;
  }

  async #runNested<T>(run: (tx: SqlTransaction) => T | Promise<T>): Promise<T> {
    const connection = this.#connection;
    const scope = this.#scope;
    const nested = new SqlTransaction(connection, scope, this.#depth + 1);
    const name = `${SAVEPOINT}${this.#depth}`;
    await connection.control(`savepoint ${name}`);
    const around = scope.enter();
    try {
      const result = await run(nested);
      await nested.end();
      if (!connection.isInTransaction) throw scope.lost("end");
      await connection.control(`release ${name}`);
      return result;
    } catch (error) {
      await nested.stop();
      // where SQLite has rolled everything back the savepoint is gone, too
      if (connection.isInTransaction) {
        await connection.control(`rollback to ${name}`);
        await connection.control(`release ${name}`);
      }
      throw error;
    } finally {
      scope.leave(around);
    }
  }

  #run<T>(task: () => Promise<T>): Promise<T> {
    const result = this.#last.then(() => {
      this.#requireOpen();
      if (this.#hasNested) throw busyWithNested();
      return task();
    });
    // one of its own, so that a failure that nobody waits for is told as such
    const answer = result.then((value) => value);
    this.#last = result.catch((error) => {
      if (this.#isStopped) answer.catch(() => {});
      this.#heed(error);
    });
    return answer;
  }

  /** What fails may have rolled everything back with it. */
  #heed(error: unknown): void {
    if (!this.#connection.isInTransaction) this.#scope.lose(error);
  }

  #requireOpen(): void {
    if (!this.#isOpen) throw new GraftError("aborted", "Cannot use the transaction: it has ended");
    if (!this.#connection.isInTransaction) throw this.#scope.lost("use");
  }
}

function busyWithNested(): GraftError {
  return new GraftError("invalid", "Cannot use the transaction: one that is nested in it is open", {
    hint: "Within transaction(), work through what it passes",
  });
}
