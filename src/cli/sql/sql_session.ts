/**
 * Statements one after the other, with transactions that span several.
 *
 * @module
 */

import {
  type Database,
  type OpenTransaction,
  readControl,
  type SqlParameters,
  type SqlValue,
} from "../../../client/sqlite/mod.ts";
import { GraftError } from "../../core/errors.ts";
import type { AnsweredRows } from "./rows_format.ts";

/** What a statement brought. */
export interface SqlOutcome extends AnsweredRows {
  /** How many rows it changed; undefined for one that answers rows, or is not about rows. */
  readonly rowsAffected: number | undefined;
}

const NOTHING: SqlOutcome = { columns: [], rows: [], rowsAffected: undefined };

/** Runs statements on a database: each as a transaction, unless one was begun. */
export class SqlSession {
  readonly #database: Database;
  #open: OpenTransaction | undefined;

  /** On a database that is open. */
  constructor(database: Database) {
    this.#database = database;
  }

  /** Whether a transaction was begun and not ended. */
  get isInTransaction(): boolean {
    return this.#open !== undefined;
  }

  /** Runs one statement. */
  async run(sql: string): Promise<SqlOutcome> {
    const verb = firstWord(sql);
    if (verb === "") return NOTHING;
    const control = readControl(sql);
    if (control?.kind === "transaction") return await this.#control(control.action);
    if (control?.kind === "savepoint" && this.#open === undefined) {
      throw new GraftError("invalid", "Cannot use a savepoint: no transaction is open", {
        hint: "begin opens one, commit ends it",
      });
    }
    const { columns, rows, rowsAffected } = await this.#executor.table(sql);
    const isAboutRows = columns.length === 0 && CHANGES_ROWS.has(verb);
    return { columns, rows, rowsAffected: isAboutRows ? rowsAffected : undefined };
  }

  /** The rows of a query of our own, as they are for the next statement. */
  async values(sql: string, parameters: SqlParameters): Promise<SqlValue[][]> {
    return await this.#executor.values(sql, parameters);
  }

  /** Rolls back what was begun and not ended. */
  async close(): Promise<void> {
    const open = this.#open;
    this.#open = undefined;
    await open?.rollback();
  }

  get #executor() {
    return this.#open?.tx ?? this.#database;
  }

  async #control(action: "begin" | "commit" | "rollback"): Promise<SqlOutcome> {
    await (action === "begin" ? this.#begin() : this.#end(action));
    return NOTHING;
  }

  async #begin(): Promise<void> {
    if (this.#open !== undefined) {
      throw new GraftError("invalid", "Cannot begin a transaction: one is open");
    }
    this.#open = await this.#database.begin({ readOnly: this.#database.replica.isReadOnly });
  }

  async #end(how: "commit" | "rollback"): Promise<void> {
    const open = this.#open;
    if (open === undefined) {
      throw new GraftError("invalid", `Cannot ${how} a transaction: none is open`);
    }
    this.#open = undefined;
    await open[how]();
  }
}

const CHANGES_ROWS = new Set(["insert", "update", "delete", "replace", "with"]);

/** The first word of a statement, comments before it left out. */
function firstWord(sql: string): string {
  const text = sql.replace(/^(\s|--[^\n]*(\n|$)|\/\*[\s\S]*?\*\/|;)+/, "");
  return /^[a-z]+/i.exec(text)?.[0].toLowerCase() ?? "";
}
