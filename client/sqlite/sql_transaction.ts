/**
 * Statements on one snapshot, which take effect together.
 *
 * @module
 */

import { GraftError } from "../../src/core/errors.ts";
import type { Connection, SqlResult } from "./connection.ts";
import type { SqlParameters, SqlRow } from "./engine/statement.ts";
import type { SqlValue } from "./engine/values.ts";

/**
 * A transaction under way. It sees what it wrote, and nobody else does before it is committed. Its calls run
 * one after the other, also where nobody waits for them.
 */
export class SqlTransaction {
  readonly #connection: Connection;
  #last: Promise<unknown> = Promise.resolve();
  #isOpen = true;
  #depth = 0;

  /** @param connection Is in a transaction. */
  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** All rows of a statement, as objects. */
  query<Row = SqlRow>(sql: string, parameters: SqlParameters = []): Promise<Row[]> {
    return this.#run(() => this.#connection.all(sql, parameters) as Promise<Row[]>);
  }

  /** All rows of a statement, as lists. */
  values(sql: string, parameters: SqlParameters = []): Promise<SqlValue[][]> {
    return this.#run(() => this.#connection.all(sql, parameters, "array"));
  }

  /** The first row of a statement; undefined where there is none. */
  async first<Row = SqlRow>(sql: string, parameters: SqlParameters = []): Promise<Row | undefined> {
    const [row] = await this.query<Row>(sql, parameters);
    return row;
  }

  /** Runs a statement. */
  execute(sql: string, parameters: SqlParameters = []): Promise<SqlResult> {
    return this.#run(() => this.#connection.run(sql, parameters));
  }

  /** Runs all statements of a text, without parameters. */
  script(sql: string): Promise<void> {
    return this.#run(() => this.#connection.script(sql));
  }

  /**
   * Runs statements that take effect together, or not at all, within this transaction.
   *
   * @param run What it throws undoes what it did, and is thrown.
   */
  async transaction<T>(run: (tx: SqlTransaction) => T | Promise<T>): Promise<T> {
    const name = `graft_${++this.#depth}`;
    await this.script(`savepoint ${name}`);
    try {
      const result = await run(this);
      await this.script(`release ${name}`);
      return result;
    } catch (error) {
      // where SQLite has rolled everything back the savepoint is gone, too
      if (this.#connection.isInTransaction) {
        await this.script(`rollback to ${name}; release ${name}`);
      }
      throw error;
    } finally {
      this.#depth--;
    }
  }

  /** Waits for what was begun; nothing more is run. */
  async end(): Promise<void> {
    this.#isOpen = false;
    await this.#last;
  }

  #run<T>(task: () => Promise<T>): Promise<T> {
    const result = this.#last.then(() => {
      this.#requireOpen();
      return task();
    });
    this.#last = result.catch(() => {});
    return result;
  }

  #requireOpen(): void {
    if (this.#isOpen && this.#connection.isInTransaction) return;
    const state = this.#isOpen ? "a failure has rolled it back" : "it has ended";
    throw new GraftError("aborted", `Cannot use the transaction: ${state}`);
  }
}
