// A KV Connect server that answers as a test says.

import { systemClock } from "../../../core/clock.ts";
import type { Timers } from "../../../core/timers.ts";
import { ConnectKv } from "./connect_kv.ts";

/** One answer: given, or a failure thrown. */
export type Scripted = (request: { signal: AbortSignal }) => Response | Promise<Response>;

export const URL_OF_STORE = "http://store.test";
export const STAMP = "00000000000000a10000";
const LANDED = Uint8Array.fromHex(`0801120a${STAMP}`);
const NOTHING_FOUND = Uint8Array.fromHex("0a0020014001");

/** The answer of a write that landed. */
export const landed: Scripted = () => new Response(LANDED);
/** The answer of a read of one key that is not there. */
export const nothing: Scripted = () => new Response(NOTHING_FOUND);
/** An answer that never comes. */
export const silence: Scripted = ({ signal }) =>
  new Promise((_resolve, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener("abort", () => reject(signal.reason));
  });
/** A connection that breaks. */
export const broken: Scripted = () => Promise.reject(new TypeError("the connection broke"));
/** An error of the server. */
export function status(code: number, text = ""): Scripted {
  return () => new Response(text, { status: code });
}
/** Messages of a watch, byte by byte. */
export function stream(chunks: ReadableStream<Uint8Array<ArrayBuffer>>): Scripted {
  return () => new Response(chunks);
}

/** A server. */
export class ScriptedConnect {
  /** What was asked, in order: `exchange`, or the method. */
  readonly calls: string[] = [];
  /** The answers to data calls, the first first; then reads find nothing and writes land. */
  readonly answers: Scripted[] = [];
  /** The answers to exchanges, the first first; then they succeed. */
  readonly exchanges: Scripted[] = [];
  /** The headers of the last data call. */
  headers: Headers | undefined;
  /** How long a token is good for. */
  lifeMs = 3_600_000;

  /** A client of it. */
  open(timers: Timers, clock = systemClock): ConnectKv {
    return new ConnectKv({
      url: URL_OF_STORE,
      accessToken: "the access token",
      send: (url, init) => this.#answer(url, init),
      clock,
      timers,
    });
  }

  async #answer(url: string, init: RequestInit): Promise<Response> {
    const request = { signal: init.signal! };
    if (url === URL_OF_STORE) {
      this.calls.push("exchange");
      return await (this.exchanges.shift() ?? (() => this.#metadata()))(request);
    }
    const method = new URL(url).pathname.replace("/path/", "");
    this.calls.push(method);
    this.headers = new Headers(init.headers);
    const usual = method === "atomic_write" ? landed : nothing;
    return await (this.answers.shift() ?? usual)(request);
  }

  #metadata(): Response {
    const exchanges = this.calls.filter((call) => call === "exchange").length;
    return Response.json({
      version: 3,
      databaseId: "the database",
      endpoints: [{ url: "/elsewhere", consistency: "eventual" }, {
        url: "/path",
        consistency: "strong",
      }],
      token: `token ${exchanges}`,
      expiresAt: new Date(Date.now() + this.lifeMs).toISOString(),
    });
  }
}
