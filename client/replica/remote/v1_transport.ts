/**
 * Requests of the v1 interface over fetch.
 *
 * @module
 */

import { readBody } from "../../../src/core/body_chunks.ts";
import type { Clock } from "../../../src/core/clock.ts";
import { GraftError, isGraftError } from "../../../src/core/errors.ts";
import type { Random } from "../../../src/core/random.ts";
import type { Timers } from "../../../src/core/timers.ts";
import { SILENT_HINT } from "../../_answers.ts";
import { hasProblem, type Problem, readProblem } from "../../_problem.ts";
import { retryAfterMs, retryDelayMs, transferMs } from "../../_retry.ts";
import type { Fetch } from "../../_transport.ts";
import { TooLargeError, VolumeDeletedError } from "./remote.ts";

/** What a {@linkcode V1Transport} is made of. */
export interface V1TransportParts {
  /** The server's URL, without a slash at its end. */
  readonly url: string;
  readonly fetch: Fetch;
  readonly clock: Clock;
  readonly random: Random;
  readonly timers: Timers;
  /** The token, without `Bearer `. */
  readonly token: string | undefined;
  /** How long one attempt may take, up to the last byte of its answer; a long body has more. */
  readonly attemptMs: number;
  /** How long a request that is tried again may take in all. */
  readonly deadlineMs: number;
}

/** A request. */
export interface V1Request<T> {
  /** What it does, for errors: `read pages of volume "Gon…"`. */
  readonly action: string;
  readonly method: "GET" | "POST";
  /** The path below the server's URL. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array<ArrayBuffer>;
  readonly signal: AbortSignal | undefined;
  /** Whether it is tried again when it fails in a way that may pass. */
  readonly isPatient: boolean;
  /** Makes the result of the answer; a GraftError `invalid` means that the answer is malformed. */
  readonly read: (response: Response, signal: AbortSignal) => Promise<T>;
}

/** After uploads that took too long the next ones are granted up to so many times as much. */
const PATIENCE_MAX = 16;

/** What was asked is not there, and nothing has shown yet that the v1 interface is. */
export class NoV1Error extends GraftError {
  /** Whether the hint is the server's own. */
  readonly isTold: boolean;

  /** Says what was asked in vain. */
  constructor(action: string, state: string, hint?: string) {
    super("invalid", state.startsWith("Cannot ") ? state : `Cannot ${action}: ${state}`, {
      hint: hint ?? "Check the URL: what answers there does not speak the v1 interface of Graft",
    });
    this.isTold = hint !== undefined;
  }
}

/** A failure that may pass. */
interface Failure {
  readonly error: GraftError;
  readonly retryAfterMs: number;
}

/** Sends requests. */
export class V1Transport {
  readonly #parts: V1TransportParts;
  /** Whether an answer has shown that the server speaks v1. */
  #isV1 = false;
  /** How many times as long as usual an upload may take. */
  #patience = 1;

  /** Nothing is sent yet. */
  constructor(parts: V1TransportParts) {
    this.#parts = parts;
  }

  /** The server's URL. */
  get url(): string {
    return this.#parts.url;
  }

  /** The headers of every request. */
  get headers(): Record<string, string> {
    const { token } = this.#parts;
    return token === undefined ? {} : { authorization: `Bearer ${token}` };
  }

  /** Sends a request and answers its result. */
  async send<T>(request: V1Request<T>): Promise<T> {
    const { clock, random, timers, deadlineMs } = this.#parts;
    const endMs = clock.monotonic() + deadlineMs;
    for (let failures = 1;; failures++) {
      const outcome = await this.#attempt(request);
      if ("result" in outcome) return outcome.result;
      const delayMs = retryDelayMs(failures, outcome.retryAfterMs, random);
      if (!request.isPatient || clock.monotonic() + delayMs >= endMs) throw outcome.error;
      await timers.sleep(delayMs, request.signal);
    }
  }

  async #attempt<T>(request: V1Request<T>): Promise<{ readonly result: T } | Failure> {
    const { timers } = this.#parts;
    const { action, signal, body } = request;
    const limit = new AbortController();
    const limitMs = this.#limitMs(body);
    const cancel = timers.after(limitMs, () => limit.abort());
    const either = signal === undefined ? limit.signal : AbortSignal.any([signal, limit.signal]);
    try {
      either.throwIfAborted();
      const response = await this.#fetch(request, either);
      if (!response.ok) return await this.#refusal(action, response, either);
      const result = await request.read(response, either);
      this.#isV1 = true;
      this.#patience = 1;
      return { result };
    } catch (error) {
      if (signal?.aborted) {
        throw new GraftError("aborted", `Cannot ${action}: the caller gave up`, { cause: error });
      }
      if (error instanceof StrangeAnswer) return this.#strange(action, error.message);
      if (isGraftError(error)) throw error;
      if (!limit.signal.aborted) return this.#cut(action, error);
      if (body !== undefined) this.#patience = Math.min(this.#patience * 2, PATIENCE_MAX);
      return failure(action, `${this.url} has not answered within ${limitMs} ms`, error);
    } finally {
      cancel();
    }
  }

  #cut(action: string, cause: unknown): Failure {
    const hint = this.#isV1 ? undefined : SILENT_HINT;
    const message = `Cannot ${action}: the connection to ${this.url} failed`;
    return { error: new GraftError("unavailable", message, { cause, hint }), retryAfterMs: 0 };
  }

  #limitMs(body: Uint8Array | undefined): number {
    const { attemptMs } = this.#parts;
    if (body === undefined) return attemptMs;
    return attemptMs * this.#patience + transferMs(body);
  }

  #fetch<T>(request: V1Request<T>, signal: AbortSignal): Promise<Response> {
    const { method, path, body } = request;
    const headers = { ...this.headers, ...request.headers };
    return this.#parts.fetch(this.url + path, { method, headers, body, signal });
  }

  /** The answer is an error: one that may pass is a failure, any other is thrown. */
  async #refusal(action: string, response: Response, signal: AbortSignal): Promise<Failure> {
    const { status } = response;
    const problem = await problemOf(response, signal);
    const waitMs = retryAfterMs(response.headers.get("retry-after"), this.#parts.clock);
    if (problem === undefined) {
      const state = `${this.url} answered ${status}`;
      if (status === 404 || status === 405) return this.#strange(action, state);
      if (status === 413) throw new TooLargeError("unavailable", `Cannot ${action}: ${state}`);
      if (status !== 401) return failure(action, state, undefined, waitMs);
      throw new GraftError("unauthorized", `Cannot ${action}: ${state}`);
    }
    const { code, detail, hint } = problem;
    // a path that the server does not know
    if (status === 404 && code === "invalid") return this.#strange(action, detail, hint);
    this.#isV1 = true;
    if (status === 413) throw new TooLargeError(code, detail, { hint });
    if (status === 410) throw new VolumeDeletedError(code, detail, { hint });
    const error = new GraftError(code, detail, { hint });
    if (code !== "unavailable") throw error;
    return { error, retryAfterMs: waitMs };
  }

  /** Something else answered than the v1 interface: for now, where that was there before. */
  #strange(action: string, state: string, hint?: string): Failure {
    if (!this.#isV1) throw new NoV1Error(action, state, hint);
    return failure(action, state);
  }
}

/** An answer that is none of the v1 interface, though it is no error. */
export class StrangeAnswer extends Error {}

function failure(action: string, state: string, cause?: unknown, waitMs = 0): Failure {
  const message = state.startsWith("Cannot ") ? state : `Cannot ${action}: ${state}`;
  return { error: new GraftError("unavailable", message, { cause }), retryAfterMs: waitMs };
}

/** What the server itself says; undefined where something else answered. */
async function problemOf(response: Response, signal: AbortSignal): Promise<Problem | undefined> {
  // one that breaks off is a broken connection
  if (hasProblem(response)) return readProblem(await readBody(response.body, signal));
  await response.body?.cancel();
  return undefined;
}
