// What a KV Connect server says of itself: where its data is, and the token for it.

import { GraftError } from "../../../core/errors.ts";
import type { Clock } from "../../../core/clock.ts";
import type { Timers } from "../../../core/timers.ts";
import { foreignWords } from "../../../objects/store_failure.ts";
import { Deadline } from "./deadline.ts";

/** Sends one request: the platform's `fetch`, or what stands in for it. */
export type Send = (url: string, init: RequestInit) => Promise<Response>;

/** Where to send what. */
export interface Endpoint {
  /** The protocol's version. */
  readonly version: number;
  /** The address of strong reads and of writes, without a slash at the end. */
  readonly url: string;
  /** The headers of every request to it. */
  readonly headers: Record<string, string>;
}

/** What a {@linkcode Session} is made of. */
export interface SessionParts {
  /** The store's address: `http://127.0.0.1:4512`. */
  readonly url: string;
  /** What shows that this program may use it. */
  readonly accessToken: string;
  readonly send: Send;
  readonly clock: Clock;
  readonly timers: Timers;
}

const VERSIONS = [2, 3];
/** How long one exchange may take; it is repeated until the caller's own deadline. */
const EXCHANGE_MS_MAX = 3_000;
/** A token is renewed this long before it expires. */
const RENEW_BEFORE_MS = 60_000;
const BACKOFF_MS = 50;
const BACKOFF_MS_MAX = 1_000;

/**
 * The endpoint of a store, asked for again whenever it may have changed: when it expires, and after each call
 * that failed. So nothing is sent to a store that is down but this question, by one asker at a time, and a
 * write is only sent to a store that has just answered.
 */
export class Session {
  readonly #parts: SessionParts;
  readonly #closing = new AbortController();
  #endpoint: Endpoint | undefined;
  #expiresAtMs = 0;
  #asking: Promise<Endpoint> | undefined;
  #askers = 0;
  /** Why the last exchange failed. */
  #failure: unknown;

  constructor(parts: SessionParts) {
    this.#parts = parts;
  }

  /**
   * The endpoint, from memory where there is one; else the store is asked until it answers or the signal
   * fires.
   *
   * @throws {GraftError} `unauthorized` when the store refuses the token.
   */
  async endpoint(signal: AbortSignal): Promise<Endpoint> {
    const { clock } = this.#parts;
    if (this.#endpoint !== undefined && clock.now() < this.#expiresAtMs) return this.#endpoint;
    this.#askers++;
    try {
      this.#asking ??= this.#ask();
      return await unlessAborted(this.#asking, signal);
    } finally {
      this.#askers--;
    }
  }

  /** Why nothing can be had at the moment, for messages. */
  get failure(): string | undefined {
    return this.#failure === undefined ? undefined : reasonOf(this.#failure);
  }

  /** Has the store asked again before the next call: one to this endpoint failed. */
  doubt(endpoint: Endpoint, failure: unknown): void {
    this.#failure = failure;
    if (this.#endpoint === endpoint) this.#endpoint = undefined;
  }

  /** Stops asking. */
  close(): void {
    this.#closing.abort();
  }

  async #ask(): Promise<Endpoint> {
    try {
      for (let delayMs = BACKOFF_MS;; delayMs = Math.min(2 * delayMs, BACKOFF_MS_MAX)) {
        try {
          return await this.#exchange();
        } catch (error) {
          this.#failure = error;
          if (error instanceof GraftError) throw error;
        }
        // whoever gave up meanwhile has an answer already; the next caller asks anew
        if (this.#askers === 0) throw this.#failure;
        await this.#parts.timers.sleep(delayMs, this.#closing.signal);
      }
    } finally {
      this.#asking = undefined;
    }
  }

  async #exchange(): Promise<Endpoint> {
    const { url, accessToken, send, timers, clock } = this.#parts;
    using deadline = new Deadline(timers, EXCHANGE_MS_MAX, this.#closing.signal);
    const response = await send(url, {
      method: "POST",
      headers: { authorization: `Bearer ${accessToken}`, "content-type": "application/json" },
      body: JSON.stringify({ supportedVersions: VERSIONS }),
      signal: deadline.signal,
    });
    const text = await response.text();
    if (response.status !== 200) throw refusal(url, response.status, text);
    const { endpoint, expiresAtMs } = readMetadata(text, response.url || url);
    this.#expiresAtMs = expiresAtMs - Math.min(RENEW_BEFORE_MS, (expiresAtMs - clock.now()) / 2);
    return this.#endpoint = endpoint;
  }
}

/** What the exchange brings, as far as it is used. */
interface Metadata {
  readonly version: number;
  readonly databaseId: string;
  readonly endpoints: readonly { readonly url: string; readonly consistency: string }[];
  readonly token: string;
  readonly expiresAt: string;
}

function readMetadata(text: string, base: string): { endpoint: Endpoint; expiresAtMs: number } {
  const { version, databaseId, endpoints, token, expiresAt }: Metadata = JSON.parse(text);
  if (!VERSIONS.includes(version)) throw new Error(`it speaks version ${version} of KV Connect`);
  const strong = endpoints.find(({ consistency }) => consistency === "strong");
  if (strong === undefined) throw new Error("it has no endpoint for strong reads");
  const headers = {
    "authorization": `Bearer ${token}`,
    "content-type": "application/x-protobuf",
    "x-denokv-version": String(version),
    "x-denokv-database-id": String(databaseId),
  };
  const url = new URL(strong.url, base).href.replace(/\/$/, "");
  return { endpoint: { version, url, headers }, expiresAtMs: Date.parse(expiresAt) };
}

/** Statuses of the 4xx class that pass by themselves. */
const PASSING = [408, 425, 429];

/** What is wrong with the request will not change by repeating it; the other errors may pass. */
function refusal(url: string, status: number, text: string): Error {
  if (status === 401 || status === 403) {
    return new GraftError(
      "unauthorized",
      `Cannot use the key-value store "${url}": it refuses the access token (${
        foreignWords(text)
      })`,
      { hint: "Set DENO_KV_ACCESS_TOKEN to the access token of this store" },
    );
  }
  const state = answerState(status, text);
  if (status < 400 || status >= 500 || PASSING.includes(status)) return new Error(state);
  return new GraftError("invalid", `Cannot use the key-value store "${url}": ${state}`, {
    hint: "Name the address of a server that speaks KV Connect, such as denokv",
  });
}

/** What an answer says that is none to the call, as a message goes on after its colon. */
export function answerState(status: number, text: string): string {
  const words = foreignWords(text);
  return `it answered ${status}${words === "" ? "" : `: ${words}`}`;
}

/** What an error says, without its class: with its cause, as the platform's own words say little. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error
    ? `${error.message}: ${reasonOf(error.cause)}`
    : error.message;
}

/** Settles as `promise` does, or rejects as soon as the signal fires. */
function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener("abort", abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}
