// One request over fetch: time limits, retries, and errors with a code.

import { readBody } from "../src/core/body_chunks.ts";
import type { Clock } from "../src/core/clock.ts";
import { GraftError, type GraftErrorCode, isGraftError } from "../src/core/errors.ts";
import type { Random } from "../src/core/random.ts";
import type { Timers } from "../src/core/timers.ts";
import { isMediaType } from "../src/wire/v1/media_types.ts";
import {
  type AnswerForm,
  NOT_GRAFT_HINT,
  PROTOBUF_ANSWERS,
  type Refusal,
  SILENT_HINT,
} from "./_answers.ts";
import { retryAfterMs, retryDelayMs, transferMs } from "./_retry.ts";

/** The part of `fetch` that the client uses. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

/** What a transport is made of. */
export interface TransportParts {
  readonly fetch: Fetch;
  readonly clock: Clock;
  readonly random: Random;
  readonly timers: Timers;
  /** The headers of every request. */
  readonly headers: Headers;
  /** How long a request may take, retries and waits included; a long body has more. */
  readonly deadlineMs: number;
  /** How long one attempt may take, up to the last byte of its answer; a long body has more. */
  readonly attemptMs: number;
  /** How long a request is sent again while nothing has ever answered any. */
  readonly silentMs: number;
}

/** A request. */
export interface TransportRequest<T> {
  /** What it does, for errors: `commit volume "Gon…"`. */
  readonly action: string;
  readonly url: string;
  /** Default: `POST`. */
  readonly method?: "GET" | "HEAD" | "POST";
  /** Headers beside those of every request. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent again as it is with every attempt. */
  readonly body?: Uint8Array<ArrayBuffer>;
  readonly signal: AbortSignal | undefined;
  /** How the server answers; default: with messages of v0.1. */
  readonly form?: AnswerForm;
  /** Makes the result of the answer's body; what it throws means that the answer is malformed. */
  decode(answer: Uint8Array<ArrayBuffer>): T;
}

/** An answer, read to its end. */
interface Exchanged {
  readonly response: Response;
  readonly answer: Uint8Array<ArrayBuffer>;
}

/** A failure that may pass; it is never seen outside of this file. */
class Failure {
  constructor(readonly state: string, readonly retryAfterMs: number, readonly cause?: unknown) {}
}

/** Sends requests, again if it must, until they succeed, are refused, or their time is over. */
export class Transport {
  readonly #parts: TransportParts;
  #hasAnswered = false;

  constructor(parts: TransportParts) {
    this.#parts = parts;
  }

  /** Sends a request and answers its result. */
  async send<T>(request: TransportRequest<T>): Promise<T> {
    const { clock, random, timers, deadlineMs, silentMs } = this.#parts;
    const startMs = clock.monotonic();
    const endMs = startMs + deadlineMs + transferMs(request.body);
    for (let failures = 1;; failures++) {
      const outcome = await this.#attempt(request, endMs - clock.monotonic());
      if (!(outcome instanceof Failure)) return outcome;
      const delayMs = retryDelayMs(failures, outcome.retryAfterMs, random);
      const lastMs = this.#hasAnswered ? endMs : Math.min(endMs, startMs + silentMs);
      if (clock.monotonic() + delayMs >= lastMs) throw this.#giveUp(request, failures, outcome);
      await timers.sleep(delayMs, request.signal).catch(() => {
        throw abortedError(request);
      });
    }
  }

  async #attempt<T>(request: TransportRequest<T>, leftMs: number): Promise<T | Failure> {
    const limitMs = this.#parts.attemptMs + transferMs(request.body);
    const exchanged = await this.#exchange(request, Math.min(limitMs, leftMs));
    if (exchanged instanceof Failure) return exchanged;
    const { response, answer } = exchanged;
    const { form = PROTOBUF_ANSWERS } = request;
    if (!response.ok) {
      const refusal = form.readRefusal(response, answer, request.action);
      return this.#refuse(request, response, refusal);
    }
    const type = response.headers.get("content-type");
    if (!isMediaType(type, form.mediaType)) {
      const state = `the answer is ${type ?? "of no content type"} instead of ${form.mediaType}`;
      throw failed(request, "invalid", state, { hint: NOT_GRAFT_HINT });
    }
    return decodeAnswer(request, answer);
  }

  /** Sends a request once and reads the answer to its end. */
  async #exchange<T>(request: TransportRequest<T>, limitMs: number): Promise<Exchanged | Failure> {
    const { fetch, timers } = this.#parts;
    const { url, method = "POST", body } = request;
    const headers = new Headers(this.#parts.headers);
    for (const [name, value] of Object.entries(request.headers ?? {})) headers.set(name, value);
    if (request.signal?.aborted) throw abortedError(request);
    const limit = new AbortController();
    const cancel = timers.after(limitMs, () => limit.abort());
    const signal = request.signal ? AbortSignal.any([request.signal, limit.signal]) : limit.signal;
    try {
      const response = await fetch(url, { method, headers, body, signal });
      this.#hasAnswered = true;
      return { response, answer: await readBody(response.body, signal) };
    } catch (error) {
      if (request.signal?.aborted) throw abortedError(request);
      const { origin } = new URL(url);
      const timedOut = `no answer from ${origin} within ${Math.round(limitMs)} ms`;
      const state = limit.signal.aborted ? timedOut : `the connection to ${origin} failed`;
      return new Failure(state, 0, error);
    } finally {
      cancel();
    }
  }

  /** The answer is an error: one that may pass is a failure, any other is thrown. */
  #refuse<T>(request: TransportRequest<T>, response: Response, refusal: Refusal): Failure {
    const { code, hint, state = `the server answered ${response.status}` } = refusal;
    if (code === "unavailable") {
      const waitMs = retryAfterMs(response.headers.get("retry-after"), this.#parts.clock);
      return new Failure(state, waitMs);
    }
    throw failed(request, code, state, { hint });
  }

  #giveUp<T>(request: TransportRequest<T>, attempts: number, failure: Failure): GraftError {
    const tries = attempts === 1 ? "1 attempt" : `${attempts} attempts`;
    const asked = `The server asked to wait ${Math.ceil(failure.retryAfterMs / 1000)} s`;
    const later = this.#hasAnswered ? "Try again later" : SILENT_HINT;
    return failed(request, "unavailable", `${failure.state} (${tries})`, {
      cause: failure.cause,
      hint: failure.retryAfterMs > 0 ? asked : later,
    });
  }
}

function failed<T>(
  request: TransportRequest<T>,
  code: GraftErrorCode,
  state: string,
  options: { cause?: unknown; hint?: string },
): GraftError {
  // what the server says is a whole message of this form already
  const message = state.startsWith("Cannot ") ? state : `Cannot ${request.action}: ${state}`;
  return new GraftError(code, message, options);
}

function abortedError<T>({ action, signal }: TransportRequest<T>): GraftError {
  return new GraftError("aborted", `Cannot ${action}: the caller gave up`, {
    cause: signal?.reason,
  });
}

/** What is malformed here is the server's doing, so it is not `invalid`: there is no input to fix. */
function decodeAnswer<T>(request: TransportRequest<T>, answer: Uint8Array<ArrayBuffer>): T {
  try {
    return request.decode(answer);
  } catch (error) {
    if (!isGraftError(error, "invalid")) throw error;
    throw failed(request, "internal", "the answer is malformed", { cause: error });
  }
}
