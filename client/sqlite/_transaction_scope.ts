// What statements of a user's may do to a transaction that the API begins and ends.

import { GraftError, isGraftError } from "../../src/core/errors.ts";
import type { ControlObserver } from "./connection.ts";
import type { StatementControl } from "./engine/statement_control.ts";

/** How the savepoints of nested transactions are called, before their depth. */
export const SAVEPOINT = "graft_";

/** A transaction with those that are nested in it: its savepoints, and what it was lost to. */
export class TransactionScope implements ControlObserver {
  /** Savepoints that the user opened, and that are open. */
  readonly #savepoints: string[] = [];
  /** Those before belong to the transactions around the one that is innermost now. */
  #floor = 0;
  #failure: { readonly cause: unknown } | undefined;

  /** A transaction is nested; what it has to be left with. */
  enter(): number {
    const around = this.#floor;
    this.#floor = this.#savepoints.length;
    return around;
  }

  /** The nested transaction has ended, and its savepoints with it. */
  leave(around: number): void {
    this.#savepoints.length = Math.min(this.#savepoints.length, this.#floor);
    this.#floor = around;
  }

  /** What rolled everything back. The first counts: what comes later fails for it. */
  lose(cause: unknown): void {
    this.#failure ??= { cause };
  }

  /** Why it cannot `action`, with what it was lost to. */
  lost(action: string): GraftError {
    const cause = this.#failure?.cause;
    const code = isGraftError(cause) ? cause.code : "aborted";
    const state = "a failure has rolled it back";
    return new GraftError(code, `Cannot ${action} the transaction: ${state}`, {
      cause,
      hint: "The cause says what failed. Run the transaction again as a whole",
    });
  }

  /** @throws {GraftError} `invalid` for what would end the transaction, or get across those around it. */
  before(control: StatementControl): void {
    if (control.kind === "transaction") throw endsItself();
    if (control.kind === "setting") throw isNoPlaceFor(control.name);
    const { action, name } = control;
    if (action === "open" ? name.startsWith(SAVEPOINT) : this.#find(name) < 0) {
      throw cannotUse(name);
    }
  }

  /** Keeps count of savepoints. */
  after(control: StatementControl): void {
    if (control.kind !== "savepoint") return;
    if (control.action === "open") this.#savepoints.push(control.name);
    else {this.#savepoints.length = this.#find(control.name) +
        (control.action === "release" ? 0 : 1);}
  }

  #find(name: string): number {
    const at = this.#savepoints.lastIndexOf(name);
    return at < this.#floor ? -1 : at;
  }
}

function endsItself(): GraftError {
  const state = "transaction() does that";
  return new GraftError("invalid", `Cannot begin or end a transaction within one: ${state}`, {
    hint: "It is committed when its function returns, and rolled back when that throws; " +
      "nest with tx.transaction()",
  });
}

function isNoPlaceFor(pragma: string): GraftError {
  const state = "it holds for connections, not for a transaction";
  return new GraftError("invalid", `Cannot set "${pragma}" within a transaction: ${state}`, {
    hint: "Set it outside, with execute(): that holds for all connections. Or use the option setup",
  });
}

function cannotUse(name: string): GraftError {
  const isOurs = name.startsWith(SAVEPOINT);
  const state = isOurs ? "the name is taken" : "this transaction has none of that name open";
  return new GraftError("invalid", `Cannot use the savepoint "${name}": ${state}`, {
    hint: "Nest with tx.transaction()",
  });
}
