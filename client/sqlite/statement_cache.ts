/**
 * Statements that are kept prepared.
 *
 * @module
 */

import type { Statement } from "./engine/statement.ts";

/** How many are kept. */
export const STATEMENTS_MAX = 128;
/**
 * How long their texts may be together, in UTF-16 units: what SQLite keeps of a statement is a small multiple of its text,
 * and texts with many values in them seldom come twice.
 */
export const TEXT_LENGTH_MAX = 512 * 1024;

/** Statements of one connection that are not in use, by their text. Those that were used last are kept. */
export class StatementCache {
  readonly #statements = new Map<string, Statement>();
  #textLength = 0;

  /** Takes a statement out; undefined where there is none. */
  take(sql: string): Statement | undefined {
    const statement = this.#statements.get(sql);
    if (this.#statements.delete(sql)) this.#textLength -= sql.length;
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
    const isTooLong = sql.length > TEXT_LENGTH_MAX;
    if (isTooLong || this.#statements.has(sql)) return statement.finalize();
    this.#statements.set(sql, statement);
    this.#textLength += sql.length;
    return this.#isFull ? this.#makeRoom() : undefined;
  }

  /** Finalizes all. */
  async finalize(): Promise<void> {
    for (const statement of this.#statements.values()) await statement.finalize();
    this.forget();
  }

  /** Forgets all: the engine that they belong to is gone. */
  forget(): void {
    this.#statements.clear();
    this.#textLength = 0;
  }

  get #isFull(): boolean {
    return this.#statements.size > STATEMENTS_MAX || this.#textLength > TEXT_LENGTH_MAX;
  }

  /** Those that were used least lately go first. */
  async #makeRoom(): Promise<void> {
    while (this.#isFull) {
      const [[oldest, forgotten]] = this.#statements;
      this.take(oldest);
      await forgotten.finalize();
    }
  }
}
