/**
 * Statements one after the other, with transactions that span several.
 *
 * @module
 */

import type { Database, OpenTransaction, SqlRow } from "../../../client/sqlite/mod.ts";
import { GraftError } from "../../core/errors.ts";

/** What a statement brought. */
export interface SqlOutcome {
  /** Its rows. */
  readonly rows: readonly SqlRow[];
  /** How many rows it changed; undefined for one that answers rows. */
  readonly rowsAffected: number | undefined;
}

const NOTHING: SqlOutcome = { rows: [], rowsAffected: undefined };

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
    if (verb === "begin") return await this.#begin();
    if (verb === "commit" || verb === "end") return await this.#end("commit");
    if (verb === "rollback" && !/\bto\b/i.test(sql)) return await this.#end("rollback");
    const executor = this.#open?.tx ?? this.#database;
    if (ANSWERS_ROWS.has(verb) || /\breturning\b/i.test(sql)) {
      return { rows: await executor.query(sql), rowsAffected: undefined };
    }
    const { rowsAffected } = await executor.execute(sql);
    return { rows: [], rowsAffected: CHANGES_ROWS.has(verb) ? rowsAffected : undefined };
  }

  /** Rolls back what was begun and not ended. */
  async close(): Promise<void> {
    const open = this.#open;
    this.#open = undefined;
    await open?.rollback();
  }

  async #begin(): Promise<SqlOutcome> {
    if (this.#open !== undefined) {
      throw new GraftError("invalid", "Cannot begin a transaction: one is open");
    }
    this.#open = await this.#database.begin();
    return NOTHING;
  }

  async #end(how: "commit" | "rollback"): Promise<SqlOutcome> {
    const open = this.#open;
    if (open === undefined) {
      throw new GraftError("invalid", `Cannot ${how} a transaction: none is open`);
    }
    this.#open = undefined;
    await open[how]();
    return NOTHING;
  }
}

const ANSWERS_ROWS = new Set(["select", "values", "with", "explain", "pragma"]);
const CHANGES_ROWS = new Set(["insert", "update", "delete", "replace"]);

/** The first word of a statement, comments before it left out. */
function firstWord(sql: string): string {
  const text = sql.replace(/^(\s|--[^\n]*(\n|$)|\/\*[\s\S]*?\*\/|;)+/, "");
  return /^[a-z]+/i.exec(text)?.[0].toLowerCase() ?? "";
}
