/**
 * Requests to S3 that are repeated until they are answered, or until that has taken too long.
 *
 * @module
 */

import { AssertionError } from "../../../core/assert.ts";
import { GraftError } from "../../../core/errors.ts";
import type { Timers } from "../../../core/timers.ts";
import { checkSignal } from "../../_call_checks.ts";
import { type HttpConnections, openConnections } from "../../_s3_io.ts";
import { Deadline } from "./deadline.ts";
import { RequestCounts, type S3Operation } from "./request_counts.ts";
import { RequestSlots } from "./request_slots.ts";
import { pauseMs, REQUEST_LIMITS, type RequestLimits, transferMs } from "./request_limits.ts";
import { type BucketRequest, RequestSigner } from "./request_signer.ts";
import type { S3Address } from "../s3_address.ts";
import { brokenConnection, crowdedOut, failureOf, lateAnswer, S3Failure } from "./s3_failure.ts";
import type { S3StoreParts } from "../s3_store_parts.ts";

/** A request and what is made of its answer. */
export interface S3Request<T> extends BucketRequest {
  /** What it counts as. */
  readonly operation: S3Operation;
  /** What it is for, as a message goes on after "Cannot". */
  readonly what: string;
  /** The statuses that are no failures. */
  readonly statuses: readonly number[];
  /** When it is dated, in milliseconds since 1970; each attempt has its own date when not given. */
  readonly dateMs?: number;
  /** The caller's way to give up. */
  readonly signal: AbortSignal | undefined;
  /** Makes the result of an answer; `expect` gives it time for a body of so many bytes. */
  read(response: Response, expect: (bytes: number) => void): T | Promise<T>;
}

/** Sends requests to one bucket. */
export class S3Requests {
  readonly #parts: S3StoreParts;
  readonly #limits: RequestLimits;
  readonly #signer: RequestSigner;
  readonly #counts: RequestCounts;
  readonly #slots: RequestSlots;
  readonly #connections: HttpConnections = openConnections();

  /** Sends to the bucket of `address`. */
  constructor(address: S3Address, parts: S3StoreParts) {
    this.#parts = parts;
    this.#limits = { ...REQUEST_LIMITS, ...parts.limits };
    this.#slots = new RequestSlots(this.#limits.concurrentMax);
    this.#signer = new RequestSigner(parts.settings, address);
    this.#counts = new RequestCounts(parts.metrics, parts.store ?? "objects");
  }

  /**
   * Sends a request until it is answered.
   *
   * @throws {S3Failure} When an answer is none of `statuses`, or none came after all attempts.
   * @throws {GraftError} `aborted` when the caller gave up.
   */
  async run<T>(request: S3Request<T>): Promise<T> {
    const { clock } = this.#parts;
    const spareMs = 2 * transferMs(this.#limits, request.body?.length ?? 0);
    const endMs = clock.monotonic() + this.#limits.totalMs + spareMs;
    let mayHaveLanded = false;
    for (let attempt = 1;; attempt++) {
      checkSignal(request.signal, request.what);
      try {
        return await this.#attemptInTurn(request, endMs);
      } catch (error) {
        if (!(error instanceof S3Failure)) throw error;
        mayHaveLanded ||= error.isUnknown;
        error.mayHaveLanded = mayHaveLanded;
        if (!await this.#isWorthAnother(request, error, attempt, endMs)) throw error;
      }
    }
  }

  /** Closes idle connections. */
  close(): void {
    this.#connections.close();
  }

  /** Waits for the next attempt, if there is to be one. */
  async #isWorthAnother(
    request: S3Request<unknown>,
    failure: S3Failure,
    attempt: number,
    endMs: number,
  ): Promise<boolean> {
    const { clock, random, timers } = this.#parts;
    if (!failure.isTransient || attempt >= this.#limits.attemptsMax) return false;
    const askedMs = failure.facts.askedPauseMs;
    const delayMs = pauseMs(this.#limits, { attempt, fraction: random.fraction(), askedMs });
    if (clock.monotonic() + delayMs >= endMs) return false;
    await this.#sleep(timers, delayMs, request);
    this.#counts.addRetry(request.operation);
    return true;
  }

  async #sleep(timers: Timers, delayMs: number, request: S3Request<unknown>): Promise<void> {
    try {
      await timers.sleep(delayMs, request.signal);
    } catch (error) {
      checkSignal(request.signal, request.what);
      throw error;
    }
  }

  async #attemptInTurn<T>(request: S3Request<T>, endMs: number): Promise<T> {
    if (!this.#slots.tryTake()) await this.#waitForTurn(request, endMs);
    try {
      return await this.#attempt(request, endMs - this.#parts.clock.monotonic());
    } finally {
      this.#slots.release();
    }
  }

  async #waitForTurn(request: S3Request<unknown>, endMs: number): Promise<void> {
    const { clock, timers } = this.#parts;
    const deadline = new Deadline(timers, request.signal);
    deadline.setMs(endMs - clock.monotonic());
    try {
      await this.#slots.take(deadline.signal);
    } catch {
      checkSignal(request.signal, request.what);
      throw crowdedOut();
    } finally {
      deadline.clear();
    }
  }

  async #attempt<T>(request: S3Request<T>, leftMs: number): Promise<T> {
    const { clock, timers } = this.#parts;
    const signed = await this.#signer.sign(request, request.dateMs ?? clock.now());
    const sendMs = transferMs(this.#limits, request.body?.length ?? 0);
    const deadline = new Deadline(timers, request.signal);
    deadline.setMs(Math.min(this.#limits.attemptMs, leftMs) + sendMs);
    let response: Response | undefined;
    try {
      response = await this.#connections.send(signed, deadline.signal);
      this.#counts.addRequest(request.operation, `${Math.floor(response.status / 100)}xx`);
      if (!request.statuses.includes(response.status)) {
        throw await failureOf(response, clock.now());
      }
      const expect = (bytes: number) =>
        deadline.setMs(this.#limits.attemptMs + transferMs(this.#limits, bytes));
      return await request.read(response, expect);
    } catch (error) {
      const failure = failureFrom(error, deadline);
      if (response === undefined) this.#counts.addRequest(request.operation, outcomeOf(deadline));
      checkSignal(request.signal, request.what);
      throw failure;
    } finally {
      deadline.clear();
      await discard(response);
    }
  }
}

function failureFrom(error: unknown, deadline: Deadline): unknown {
  const isOurs = error instanceof S3Failure || error instanceof GraftError ||
    error instanceof AssertionError;
  if (isOurs) return error;
  return deadline.hasPassed ? lateAnswer() : brokenConnection(error);
}

function outcomeOf(deadline: Deadline): string {
  if (deadline.hasPassed) return "timeout";
  return deadline.signal.aborted ? "aborted" : "network";
}

/** What nobody reads is cancelled, so that the connection is free again. */
async function discard(response: Response | undefined): Promise<void> {
  if (response?.body && !response.bodyUsed) {
    // the connection may have broken meanwhile: then there is nothing left to cancel
    await response.body.cancel().catch(() => {});
  }
}
