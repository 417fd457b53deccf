/**
 * One request on its way to an answer.
 *
 * @module
 */

import type { GraftError } from "../../core/errors.ts";
import type { Random } from "../../core/random.ts";
import type { Deadlines, Watched } from "./deadlines.ts";
import { requestIdOf } from "./request_id.ts";

/** A body that makes no progress for this long is given up. */
export const STALL_LIMIT_MS = 30_000;
/** Once its body is there, a request is answered within this time: as long as the v0.1 client waits. */
export const ANSWER_LIMIT_MS = 60_000;

/** What an {@linkcode Exchange} is made of. */
export interface ExchangeParts {
  /** Keeps the time limits. */
  readonly deadlines: Deadlines;
  /** Makes request ids. */
  readonly random: Random;
  /** Called when a time limit passed, once. */
  readonly onLate: (exchange: Exchange) => void;
}

/** A request, and how long it may take. */
export class Exchange implements Watched {
  /** The request. */
  readonly request: Request;
  /** When it began, on the monotonic clock, in milliseconds. */
  readonly startedMs: number;
  /** See {@linkcode Watched.dueMs}. */
  dueMs: number;
  /** Lets go of what the handler holds when the time is over. */
  onExpire: (() => void) | undefined;
  readonly #parts: ExchangeParts;
  #id: string | undefined;
  #late: GraftError | undefined;
  #waitsForClient = true;

  /** Starts with the stall limit, as the body is still to come. */
  constructor(request: Request, startedMs: number, parts: ExchangeParts) {
    this.request = request;
    this.startedMs = startedMs;
    this.dueMs = startedMs + STALL_LIMIT_MS;
    this.#parts = parts;
  }

  /** The request's id; made when it is first asked for. */
  get id(): string {
    return this.#id ??= requestIdOf(this.request, this.#parts.random);
  }

  /** Whether the next step is the client's, so that being late is its fault. */
  get waitsForClient(): boolean {
    return this.#waitsForClient;
  }

  /** The client is to send more of the body: the stall limit starts. */
  waitForClient(): void {
    this.#waitsForClient = true;
    this.dueMs = this.#parts.deadlines.nowMs + STALL_LIMIT_MS;
  }

  /** What came is worked on: the limit for the answer starts. */
  work(): void {
    this.#waitsForClient = false;
    this.dueMs = this.#parts.deadlines.nowMs + ANSWER_LIMIT_MS;
  }

  /** Called by {@linkcode Deadlines}. */
  expire(): void {
    this.#parts.onLate(this);
    this.onExpire?.();
  }

  /** Makes {@linkcode Exchange.throwIfExpired} throw `error`. */
  giveUp(error: GraftError): void {
    this.#late = error;
  }

  /** @throws {GraftError} When a time limit has passed. */
  throwIfExpired(): void {
    if (this.#late !== undefined) throw this.#late;
  }
}
