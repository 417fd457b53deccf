// One read that may be sent twice.

import { isGraftError } from "../core/errors.ts";

/** What became of a second attempt: it answered first, the first one did, or neither did. */
export type HedgeOutcome = "won" | "lost" | "failed";

/** What a {@linkcode HedgedRead} is made of. */
export interface HedgedReadParts<T> {
  /** Sends the read; rejects soon after the signal fires. */
  readonly send: (signal: AbortSignal) => Promise<T>;
  /** Gives up both attempts. */
  readonly signal: AbortSignal | undefined;
  /** Called once, when all is decided, if there was a second attempt. */
  readonly onHedged: (outcome: HedgeOutcome) => void;
}

/**
 * The first of at most two attempts that answers. "There is no such object" is an answer; any other error
 * waits for the attempt that still runs, and when both failed the first error counts.
 */
export class HedgedRead<T> {
  /** What was read. */
  readonly result: Promise<T>;
  readonly #parts: HedgedReadParts<T>;
  readonly #attempts: AbortController[] = [];
  readonly #resolvers = Promise.withResolvers<T>();
  #failures: unknown[] = [];
  #isSettled = false;

  /** Sends the first attempt. */
  constructor(parts: HedgedReadParts<T>) {
    this.#parts = parts;
    this.result = this.#resolvers.promise;
    this.#attempt();
  }

  /** Sends the second attempt. */
  hedge(): void {
    if (!this.#isSettled) this.#attempt();
  }

  #attempt(): void {
    const { send, signal } = this.#parts;
    const attempt = new AbortController();
    this.#attempts.push(attempt);
    const either = signal ? AbortSignal.any([signal, attempt.signal]) : attempt.signal;
    send(either).then(
      (value) => this.#settle(attempt, () => this.#resolvers.resolve(value)),
      (error) => this.#fail(attempt, error),
    );
  }

  #fail(attempt: AbortController, error: unknown): void {
    if (isGraftError(error, "missing")) {
      return this.#settle(attempt, () => this.#resolvers.reject(error));
    }
    this.#failures.push(error);
    if (this.#failures.length < this.#attempts.length) return;
    this.#settle(undefined, () => this.#resolvers.reject(this.#failures[0]));
  }

  #settle(winner: AbortController | undefined, settle: () => void): void {
    if (this.#isSettled) return;
    this.#isSettled = true;
    settle();
    for (const attempt of this.#attempts) {
      if (attempt !== winner) attempt.abort();
    }
    if (this.#attempts.length < 2) return;
    const answered = winner === this.#attempts[1] ? "won" : "lost";
    this.#parts.onHedged(winner === undefined ? "failed" : answered);
  }
}
