/**
 * Requests of the v1 interface over fetch.
 *
 * @module
 */

import type { Clock } from "../../src/core/clock.ts";
import { GraftError, type GraftErrorCode, isGraftError } from "../../src/core/errors.ts";
import type { Random } from "../../src/core/random.ts";
import type { Timers } from "../../src/core/timers.ts";
import { isMediaType } from "../../src/wire/v1/media_types.ts";
import { retryAfterMs, retryDelayMs } from "../_retry.ts";
import type { Fetch } from "../_transport.ts";

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
  /** How long one attempt may take, up to the last byte of its answer. */
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
  readonly read: (response: Response) => Promise<T>;
}

const PROBLEM_MEDIA_TYPE = "application/problem+json";
const CODES: readonly GraftErrorCode[] = [
  "invalid",
  "missing",
  "conflict",
  "unauthorized",
  "forbidden",
  "unavailable",
  "damaged",
  "internal",
];

/** The server does not know the v1 interface. */
export class NoV1Error extends GraftError {
  /** Says what was asked in vain. */
  constructor(action: string, status: number) {
    super("invalid", `Cannot ${action}: the server answered ${status}`, {
      hint: "Check the URL: what answers there does not speak the v1 interface of Graft",
    });
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
    const { timers, attemptMs } = this.#parts;
    const { action, signal } = request;
    const limit = new AbortController();
    const cancel = timers.after(attemptMs, () => limit.abort());
    const either = signal === undefined ? limit.signal : AbortSignal.any([signal, limit.signal]);
    try {
      either.throwIfAborted();
      const response = await this.#fetch(request, either);
      if (response.ok) return { result: await request.read(response) };
      return await this.#refusal(action, response);
    } catch (error) {
      if (signal?.aborted) {
        throw new GraftError("aborted", `Cannot ${action}: the caller gave up`, { cause: error });
      }
      if (isGraftError(error)) throw error;
      const state = limit.signal.aborted
        ? `no answer within ${attemptMs} ms`
        : "the connection failed";
      return failure(action, state, 0, error);
    } finally {
      cancel();
    }
  }

  #fetch<T>(request: V1Request<T>, signal: AbortSignal): Promise<Response> {
    const { method, path, body } = request;
    const headers = { ...this.headers, ...request.headers };
    return this.#parts.fetch(this.url + path, { method, headers, body, signal });
  }

  /** The answer is an error: one that may pass is a failure, any other is thrown. */
  async #refusal(action: string, response: Response): Promise<Failure> {
    const { status } = response;
    const problem = await readProblem(response);
    if (problem === undefined && (status === 404 || status === 405)) {
      throw new NoV1Error(action, status);
    }
    const code = problem?.code ?? codeOf(status);
    const message = problem?.detail ?? `Cannot ${action}: the server answered ${status}`;
    if (code !== "unavailable") throw new GraftError(code, message, { hint: problem?.hint });
    const waitMs = retryAfterMs(response.headers.get("retry-after"), this.#parts.clock);
    const error = new GraftError(code, message, { hint: problem?.hint });
    return { error, retryAfterMs: waitMs };
  }
}

function failure(action: string, state: string, waitMs: number, cause: unknown): Failure {
  const error = new GraftError("unavailable", `Cannot ${action}: ${state}`, { cause });
  return { error, retryAfterMs: waitMs };
}

interface Problem {
  readonly code: GraftErrorCode;
  readonly detail: string;
  readonly hint?: string;
}

async function readProblem(response: Response): Promise<Problem | undefined> {
  if (!isMediaType(response.headers.get("content-type"), PROBLEM_MEDIA_TYPE)) {
    await response.body?.cancel();
    return undefined;
  }
  const problem = await response.json().catch(() => undefined);
  const code = CODES.find((known) => known === problem?.code);
  if (code === undefined || typeof problem.detail !== "string") return undefined;
  return { code, detail: problem.detail, hint: problem.hint };
}

/** The code of an answer that does not say it: some proxy's. */
function codeOf(status: number): GraftErrorCode {
  if (status === 401) return "unauthorized";
  if (status === 403) return "forbidden";
  if (status === 409) return "conflict";
  if (status === 408 || status === 429 || (status >= 502 && status <= 504)) return "unavailable";
  return status >= 500 ? "internal" : "invalid";
}
