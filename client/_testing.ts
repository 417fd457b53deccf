// What the client's tests share: time that does not pass by itself, and a server of a few lines.

import type { Clock } from "../src/core/clock.ts";
import { GraftError, type GraftErrorCode } from "../src/core/errors.ts";
import type { Timers } from "../src/core/timers.ts";
import { encodeGraftErr } from "../src/wire/messages.ts";
import { MEDIA_TYPE, toWireError } from "../src/wire/protocol.ts";

/** A clock that moves when somebody sleeps, and timers that fire when the test says so. */
export class FakeTime implements Clock, Timers {
  /** How long each sleep was, in milliseconds. */
  readonly slept: number[] = [];
  /** Timers that are set and neither fired nor cancelled. */
  readonly pending = new Set<{ delayMs: number; callback: () => void }>();
  #nowMs = 1_700_000_000_000;

  now(): number {
    return this.#nowMs;
  }

  monotonic(): number {
    return this.#nowMs;
  }

  sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return Promise.reject(new GraftError("aborted", "Cannot wait"));
    this.slept.push(delayMs);
    this.#nowMs += delayMs;
    return Promise.resolve();
  }

  after(delayMs: number, callback: () => void): () => void {
    const timer = { delayMs, callback };
    this.pending.add(timer);
    return () => void this.pending.delete(timer);
  }

  /** Lets `ms` milliseconds pass, and fires what is due within them. */
  pass(ms: number): void {
    this.#nowMs += ms;
    for (const timer of [...this.pending]) {
      if (timer.delayMs > ms) continue;
      this.pending.delete(timer);
      timer.callback();
    }
  }
}

/** An answer of the protocol. */
export function answer(body: Uint8Array<ArrayBuffer>, init: ResponseInit = {}): Response {
  return new Response(body, { ...init, headers: { "content-type": MEDIA_TYPE, ...init.headers } });
}

/** An answer that is an error of the protocol. */
export function refusal(
  code: GraftErrorCode,
  message: string,
  headers: Record<string, string> = {},
): Response {
  const wire = toWireError(code);
  return answer(encodeGraftErr({ code: wire.code, message }), { status: wire.status, headers });
}

/** An answer of v1 that is a problem. */
export function problem(code: GraftErrorCode, detail: string, hint?: string): Response {
  const { status } = toWireError(code);
  return Response.json({ code, detail, hint, status }, {
    status,
    headers: { "content-type": "application/problem+json" },
  });
}

/** An answer whose connection breaks after its first bytes: it has fewer than it promises. */
export function cutAnswer(): Response {
  const body = new Blob([Uint8Array.of(0x0a, 0x80)]).stream();
  return new Response(body, { headers: { "content-type": MEDIA_TYPE, "content-length": "100" } });
}

/** A request as a test server saw it. */
export interface Seen {
  readonly method: string;
  readonly path: string;
  /** What follows the path, with its question mark. */
  readonly query: string;
  readonly headers: Headers;
  readonly body: Uint8Array<ArrayBuffer>;
}

/** Answers one request. */
export type Handler = (seen: Seen) => Response | Promise<Response>;

/** A server without v1: what is asked of that is a bare 404, as the original's, and `handler` never sees it. */
export async function withServer(
  handler: Handler,
  test: (url: string) => Promise<void>,
): Promise<void> {
  const isV1 = ({ path }: Seen) => /\/v1\/(volumes|openapi)/.test(path);
  await withV1Server(
    (seen) => isV1(seen) ? new Response(null, { status: 404 }) : handler(seen),
    test,
  );
}

/** Runs `test` against a server on a free port, then ends the server, whatever still hangs on it. */
export async function withV1Server(
  handler: Handler,
  test: (url: string) => Promise<void>,
): Promise<void> {
  const end = new AbortController();
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, signal: end.signal, onListen() {} },
    async (request) => {
      const { pathname: path, search: query } = new URL(request.url);
      const { method, headers } = request;
      return await handler({ method, path, query, headers, body: await request.bytes() });
    },
  );
  try {
    await test(`http://127.0.0.1:${server.addr.port}`);
  } finally {
    end.abort();
    await server.finished;
  }
}

/** A handler that takes its answers from a list, one a request. */
export function script(seen: Seen[], ...answers: (() => Response | Promise<Response>)[]): Handler {
  return (request) => {
    seen.push(request);
    const next = answers.shift();
    if (next === undefined) throw new Error("The script has no more answers");
    return next();
  };
}

/** The GraftError that `run` rejects with; any other outcome fails the test. */
export async function errorOf(run: Promise<unknown>): Promise<GraftError> {
  try {
    await run;
  } catch (error) {
    if (error instanceof GraftError) return error;
    throw error;
  }
  throw new Error("The call succeeded");
}
