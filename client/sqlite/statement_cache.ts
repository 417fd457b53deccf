/**
 * Statements that are kept prepared.
 *
 * @module
 */

import type { Statement } from "./engine/statement.ts";

/** How many are kept. */
export const STATEMENTS_MAX = 128;

/** Statements of one connection that are not in use, by their text. Those that were used last are kept. */
export class StatementCache {
  readonly #statements = new Map<string, Statement>();

  /** Takes a statement out; undefined where there is none. */
  take(sql: string): Statement | undefined {
    const statement = this.#statements.get(sql);
    this.#statements.delete(sql);
    return statement;
  }

  /** A statement, which stays; undefined where there is none. */
  peek(sql: string): Statement | undefined {
    return this.#statements.get(sql);
  }

  /**
   * Keeps a statement that was reset, unless there is one already; finalizes what finds no room.
   *
   * @returns A promise where something is finalized.
   */
  keep(sql: string, statement: Statement): Promise<void> | undefined {
    if (this.#statements.has(sql)) return statement.finalize();
    this.#statements.set(sql, statement);
    if (this.#statements.size <= STATEMENTS_MAX) return undefined;
    const [[oldest, forgotten]] = this.#statements;
    this.#statements.delete(oldest);
    return forgotten.finalize();
  }

  /** Finalizes all. */
  async finalize(): Promise<void> {
    for (const statement of this.#statements.values()) await statement.finalize();
    this.#statements.clear();
  }

  /** Forgets all: the engine that they belong to is gone. */
  forget(): void {
    this.#statements.clear();
  }
}
