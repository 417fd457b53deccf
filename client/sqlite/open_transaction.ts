/**
 * A transaction for those who begin and end it themselves.
 *
 * @module
 */

import { GraftError } from "../../src/core/errors.ts";
import { type Deferred, deferred } from "../replica/deferred.ts";
import type { Database, SqlTransactionOptions } from "./database.ts";
import type { SqlTransaction } from "./sql_transaction.ts";

/** What rolls a transaction back that nothing is wrong with. */
const ROLLBACK = Symbol("rollback");

/** A transaction that stays open until it is committed or rolled back. It cannot run again by itself. */
export class OpenTransaction {
  /** What runs its statements. */
  readonly tx: SqlTransaction;
  readonly #end: Deferred<void>;
  readonly #done: Promise<void>;
  #isOpen = true;

  private constructor(tx: SqlTransaction, end: Deferred<void>, done: Promise<void>) {
    this.tx = tx;
    this.#end = end;
    this.#done = done;
  }

  /** Begins a transaction. */
  static begin(database: Database, options: SqlTransactionOptions): Promise<OpenTransaction> {
    return new Promise((resolve, reject) => {
      const end = deferred<void>();
      const done = database.transaction((tx) => {
        resolve(new OpenTransaction(tx, end, done));
        return end.promise;
      }, { ...options, isRepeatable: false });
      // one that does not begin; of what comes later commit and rollback tell
      done.catch(reject);
    });
  }

  /**
   * Commits it.
   *
   * @throws {GraftError} `conflict` when its snapshot has become stale; `invalid` when it has ended.
   */
  async commit(): Promise<void> {
    this.#takeEnd();
    this.#end.resolve();
    await this.#done;
  }

  /** Rolls it back. */
  async rollback(): Promise<void> {
    this.#takeEnd();
    this.#end.reject(ROLLBACK);
    try {
      await this.#done;
    } catch (error) {
      if (error !== ROLLBACK) throw error;
    }
  }

  /** Rolls it back, if it is open. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isOpen) await this.rollback();
  }

  #takeEnd(): void {
    if (!this.#isOpen) {
      throw new GraftError("invalid", "Cannot end the transaction: it has ended already");
    }
    this.#isOpen = false;
  }
}
