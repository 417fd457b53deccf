// SQLite itself: what a database has to do.

import { DatabaseSync, type SQLInputValue } from "node:sqlite";
import type { SqlParameter } from "../../client/sqlite/engine/values.ts";

/** What a statement comes to. */
export type Outcome =
  | { readonly rows: unknown[][]; readonly rowsAffected: number }
  | { readonly errorCode: number };

/** `node:sqlite` in memory. */
export class SqliteOracle {
  readonly #database = new DatabaseSync(":memory:");

  /** Whether a transaction is open. */
  get isInTransaction(): boolean {
    return this.#database.isTransaction;
  }

  /** Runs a statement. */
  run(sql: string, parameters: readonly SqlParameter[] = []): Outcome {
    try {
      const before = this.#totalChanges();
      const statement = this.#database.prepare(sql);
      statement.setReadBigInts(true);
      const rows = statement.all(...parameters.map(toInput)).map((row) => Object.values(row));
      const isChange = /^(insert|update|delete)/.test(sql) && this.#totalChanges() !== before;
      return { rows, rowsAffected: isChange ? this.#number("select changes()") : 0 };
    } catch (error) {
      if (!(error instanceof Error && "errcode" in error)) throw error;
      return { errorCode: error.errcode as number };
    }
  }

  /** Rows that are there for sure. */
  rows(sql: string): unknown[][] {
    const outcome = this.run(sql);
    if ("rows" in outcome) return outcome.rows;
    throw new Error(`SQLite refuses ${sql}: ${outcome.errorCode}`);
  }

  close(): void {
    this.#database.close();
  }

  #totalChanges(): number {
    return this.#number("select total_changes()");
  }

  #number(sql: string): number {
    return Number(Object.values(this.#database.prepare(sql).get()!)[0]);
  }
}

/** It takes every number for a double. */
function toInput(value: SqlParameter): SQLInputValue {
  return Number.isSafeInteger(value) ? BigInt(value as number) : value as SQLInputValue;
}
