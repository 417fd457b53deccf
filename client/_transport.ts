// One request of the protocol over fetch: time limits, retries, and errors with a code.

import type { Clock } from "../src/core/clock.ts";
import { GraftError, type GraftErrorCode, isGraftError } from "../src/core/errors.ts";
import type { Random } from "../src/core/random.ts";
import type { Timers } from "../src/core/timers.ts";
import { decodeGraftErr } from "../src/wire/messages.ts";
import { fromWireError, MEDIA_TYPE } from "../src/wire/protocol.ts";
import { retryAfterMs, retryDelayMs } from "./_retry.ts";

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
  /** How long a request may take, retries and waits included. */
  readonly deadlineMs: number;
  /** How long one attempt may take, up to the last byte of its answer. */
  readonly attemptMs: number;
}

/** A request. */
export interface TransportRequest<T> {
  /** What it does, for errors: `commit volume "Gon…"`. */
  readonly action: string;
  readonly url: string;
  readonly body: Uint8Array<ArrayBuffer>;
  readonly signal: AbortSignal | undefined;
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

const HINTS: Partial<Record<GraftErrorCode, string>> = {
  conflict: "Pull, then redo the work on the new snapshot",
  unauthorized: "Give the client a valid token",
  forbidden: "Ask for a token that allows this volume and this verb",
};
const NOT_GRAFT_HINT = "Check the URL: what answers there does not speak the Graft protocol";

/** Sends requests, again if it must, until they succeed, are refused, or their time is over. */
export class Transport {
  readonly #parts: TransportParts;

  constructor(parts: TransportParts) {
    this.#parts = parts;
  }

  /** Sends a request and answers its result. */
  async send<T>(request: TransportRequest<T>): Promise<T> {
    const { clock, random, timers, deadlineMs } = this.#parts;
    const endMs = clock.monotonic() + deadlineMs;
    for (let failures = 1;; failures++) {
      const outcome = await this.#attempt(request, endMs - clock.monotonic());
      if (!(outcome instanceof Failure)) return outcome;
      const delayMs = retryDelayMs(failures, outcome.retryAfterMs, random);
      if (clock.monotonic() + delayMs >= endMs) throw this.#giveUp(request, failures, outcome);
      await timers.sleep(delayMs, request.signal).catch(() => {
        throw abortedError(request);
      });
    }
  }

  async #attempt<T>(request: TransportRequest<T>, leftMs: number): Promise<T | Failure> {
    const exchanged = await this.#exchange(request, Math.min(this.#parts.attemptMs, leftMs));
    if (exchanged instanceof Failure) return exchanged;
    const { response, answer } = exchanged;
    if (!response.ok) return this.#refusal(request, response, answer);
    if (!isProtobuf(response)) {
      const type = response.headers.get("content-type") ?? "of no content type";
      const state = `the answer is ${type} instead of ${MEDIA_TYPE}`;
      throw failed(request, "invalid", state, { hint: NOT_GRAFT_HINT });
    }
    return decodeAnswer(request, answer);
  }

  /** Sends a request once and reads the answer to its end. */
  async #exchange<T>(request: TransportRequest<T>, limitMs: number): Promise<Exchanged | Failure> {
    const { fetch, headers, timers } = this.#parts;
    const { url, body } = request;
    if (request.signal?.aborted) throw abortedError(request);
    const limit = new AbortController();
    const cancel = timers.after(limitMs, () => limit.abort());
    const signal = request.signal ? AbortSignal.any([request.signal, limit.signal]) : limit.signal;
    try {
      const response = await fetch(url, { method: "POST", headers, body, signal });
      return { response, answer: new Uint8Array(await response.arrayBuffer()) };
    } catch (error) {
      if (request.signal?.aborted) throw abortedError(request);
      const timedOut = `no answer within ${Math.round(limitMs)} ms`;
      return new Failure(limit.signal.aborted ? timedOut : "the connection failed", 0, error);
    } finally {
      cancel();
    }
  }

  /** The answer is an error: one that may pass is a failure, any other is thrown. */
  #refusal<T>(request: TransportRequest<T>, response: Response, answer: Uint8Array): Failure {
    const { status } = response;
    const told = isProtobuf(response) ? readGraftErr(answer) : undefined;
    const code = fromWireError(status, told?.code);
    const state = told?.message || `the server answered ${status}`;
    if (code === "unavailable") {
      const waitMs = retryAfterMs(response.headers.get("retry-after"), this.#parts.clock);
      return new Failure(state, waitMs);
    }
    throw failed(request, code, state, { hint: hintFor(code, told?.message) });
  }

  #giveUp<T>(request: TransportRequest<T>, attempts: number, failure: Failure): GraftError {
    const tries = attempts === 1 ? "1 attempt" : `${attempts} attempts`;
    return failed(request, "unavailable", `${failure.state} (${tries})`, {
      cause: failure.cause,
      hint: failure.retryAfterMs > 0
        ? `The server asked to wait ${Math.ceil(failure.retryAfterMs / 1000)} s`
        : "Try again later",
    });
  }
}

/** How to recover from what the server said; undefined when it said that itself. */
function hintFor(code: GraftErrorCode, told: string | undefined): string | undefined {
  if (told === undefined && code === "invalid") return NOT_GRAFT_HINT;
  // our server puts its hint in brackets behind the message, the original gives none
  return told?.endsWith(")") ? undefined : HINTS[code];
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

function isProtobuf(response: Response): boolean {
  const type = response.headers.get("content-type") ?? "";
  return type.split(";", 1)[0].trim().toLowerCase() === MEDIA_TYPE;
}

function readGraftErr(answer: Uint8Array): { code: number; message: string } | undefined {
  try {
    return decodeGraftErr(answer);
  } catch (error) {
    if (isGraftError(error, "invalid")) return undefined;
    throw error;
  }
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
