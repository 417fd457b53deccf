// Pragmas that hold for a connection, made to hold for all of a database.

import { GraftError } from "../../src/core/errors.ts";
import type { Connection, ControlObserver } from "./connection.ts";

/** What was set outside of transactions since the database was opened. */
export class ConnectionSettings {
  /** The statement that set each pragma last. */
  readonly #statements = new Map<string, string>();
  /** How often something was set. */
  #version = 0;
  readonly #applied = new WeakMap<Connection, number>();

  /** All of them. */
  get statements(): Iterable<string> {
    return this.#statements.values();
  }

  /** Sets a connection up that is about to be used; a promise where something was set elsewhere. */
  apply(connection: Connection): Promise<void> | undefined {
    if (this.#version === 0) return;
    if ((this.#applied.get(connection) ?? 0) !== this.#version) return this.#apply(connection);
  }

  /** Hears of what is set on a connection. */
  observerOf(connection: Connection): ControlObserver {
    return {
      before: (control) => {
        if (control.kind === "setting" && control.name === "query_only") throw isReaders();
      },
      after: (control, sql) => {
        if (control.kind !== "setting") return;
        // within a transaction SQLite passes over it
        const isIgnored = control.name === "foreign_keys" && connection.isInTransaction;
        if (!isIgnored) this.#set(connection, control.name, sql);
      },
    };
  }

  #set(connection: Connection, name: string, sql: string): void {
    const isUpToDate = (this.#applied.get(connection) ?? 0) === this.#version;
    this.#statements.set(name, sql);
    this.#version++;
    if (isUpToDate) this.#applied.set(connection, this.#version);
  }

  async #apply(connection: Connection): Promise<void> {
    const version = this.#version;
    for (const sql of [...this.statements]) await connection.control(sql);
    this.#applied.set(connection, version);
  }
}

function isReaders(): GraftError {
  const state = "it is what keeps readers from writing";
  return new GraftError("invalid", `Cannot set "query_only": ${state}`, {
    hint: "Use transaction() with readOnly: true",
  });
}
