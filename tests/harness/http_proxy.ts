/**
 * A proxy before an HTTP server (S3, mostly) that counts requests, delays answers and breaks things on order.
 *
 * It relays the bytes of messages as they are, so that what a client signed stays signed: the Host header
 * that the server sees is the proxy's. Connections of clients are kept alive; bodies are held in memory.
 *
 * A client that uses Deno's `fetch` sends a request again by itself, PUT and POST too, when a connection
 * that it has used before is cut in front of the first byte of the answer: it takes the connection for one
 * that was closed while it was idle. The code that called `fetch` never learns of it; the proxy counts both.
 *
 * @module
 */

import { joined, type MessageHead, MessageReader, writeAll } from "./_http_message.ts";

/** What a request is to S3: a GET of a bucket with `list-type` is a LIST. */
export type RequestKind = "PUT" | "GET" | "LIST" | "HEAD" | "DELETE" | "POST";

/** One request that came through. */
export interface ProxiedRequest {
  /** The HTTP method. */
  readonly method: string;
  /** What it is to S3. */
  readonly kind: RequestKind;
  /** The path without the query, as sent: `/bucket/key`. */
  readonly path: string;
  /** The query. */
  readonly query: URLSearchParams;
  /** The headers. */
  readonly headers: Headers;
  /** The length of its body. */
  readonly requestBytes: number;
  /** The status that the client was answered with; 0 before that, and when it never was. */
  readonly status: number;
  /** The length of the body that the server answered with; 0 before that. */
  readonly responseBytes: number;
  /**
   * The round trip that it is part of, from 1: one more than the highest of all requests that had been
   * answered when it came, as any of these may have led to it.
   */
  readonly trip: number;
}

/** What can go wrong with one request. */
export type Fault =
  /** Answer with an S3 error; the server never sees the request. `code` defaults to what S3 says. */
  | { readonly kind: "answer"; readonly status: number; readonly code?: string }
  /** Cut the connection; the server never sees the request. */
  | { readonly kind: "cut" }
  /** Pass the request on, wait for the answer, and cut the connection instead of giving it. */
  | { readonly kind: "lose" }
  /** Give the answer's headers and the first `bytes` of its body (half when not given), then cut. */
  | { readonly kind: "truncate"; readonly bytes?: number }
  /** Give the answer `delayMs` milliseconds later. */
  | { readonly kind: "hold"; readonly delayMs: number }
  /** Flip the lowest bit of the byte at `at` (the middle when not given) of the answer's body. */
  | { readonly kind: "flip"; readonly at?: number };

/** What a proxy counts: all numbers are sums since the start, or the last {@linkcode HttpProxy.reset}. */
export interface Traffic {
  /** Requests of each kind that came at all. */
  readonly requests: Readonly<Partial<Record<RequestKind, number>>>;
  /** Bytes of the bodies of requests. */
  readonly requestBytes: number;
  /** Bytes of the bodies of answers. */
  readonly responseBytes: number;
}

/** The code of S3 for the statuses that servers in trouble answer with. */
const S3_CODES: Readonly<Record<number, string>> = {
  403: "AccessDenied",
  429: "TooManyRequests",
  500: "InternalError",
  503: "SlowDown",
};

/**
 * Forwards everything to one server.
 *
 * @example
 * ```ts ignore
 * await using proxy = new HttpProxy(s3.endpoint);
 * proxy.fault = ({ kind }) => kind === "PUT" ? { kind: "lose" } : undefined;
 * const env = s3.env(proxy.endpoint);
 * ```
 */
export class HttpProxy {
  readonly #listener: Deno.TcpListener;
  readonly #target: { readonly hostname: string; readonly port: number };
  readonly #connections = new Set<Deno.Conn>();
  readonly #serving: Promise<void>;
  readonly #closing = new AbortController();
  #requests: ProxiedRequest[] = [];
  /** The highest trip that was answered. */
  #tripAnswered = 0;
  /** Every answer waits so long, in milliseconds, whatever else is done to it. */
  delayMs = 0;
  /** Says what goes wrong with a request; undefined lets it pass. */
  fault: (request: ProxiedRequest) => Fault | undefined = () => undefined;

  /** Listens on a free port of the loopback; `target` is a base URL without a path. */
  constructor(target: string) {
    const { hostname, port } = new URL(target);
    this.#target = { hostname, port: Number(port) };
    this.#listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    this.#serving = this.#serve();
  }

  /** The proxy's base URL: `http://127.0.0.1:1234`. */
  get endpoint(): string {
    return `http://127.0.0.1:${this.#listener.addr.port}`;
  }

  /** The requests since the start or the last {@linkcode HttpProxy.reset}, in the order in which they came. */
  get requests(): readonly ProxiedRequest[] {
    return this.#requests;
  }

  /** Forgets the requests so far; the next one begins the first round trip. */
  reset(): void {
    this.#requests = [];
    this.#tripAnswered = 0;
  }

  /** How many requests of a kind there were; of all kinds when none is given. */
  count(kind?: RequestKind): number {
    return this.#requests.filter((request) => kind === undefined || request.kind === kind).length;
  }

  /** The sums. */
  traffic(): Traffic {
    const requests: Partial<Record<RequestKind, number>> = {};
    let requestBytes = 0;
    let responseBytes = 0;
    for (const request of this.#requests) {
      requests[request.kind] = (requests[request.kind] ?? 0) + 1;
      requestBytes += request.requestBytes;
      responseBytes += request.responseBytes;
    }
    return { requests, requestBytes, responseBytes };
  }

  /** Cuts all connections and closes. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    this.#closing.abort();
    for (const connection of this.#connections) close(connection);
    await this.#serving;
  }

  async #serve(): Promise<void> {
    const clients: Promise<void>[] = [];
    for await (const client of this.#listener) clients.push(this.#relay(client));
    await Promise.all(clients);
  }

  /** Relays one client's requests until either side cuts the connection. */
  async #relay(client: Deno.TcpConn): Promise<void> {
    client.setNoDelay();
    this.#connections.add(client);
    const reader = new MessageReader(client);
    try {
      while (await this.#exchange(client, reader));
    } catch {
      // a connection that broke on one side is cut on the other: that is the whole of a proxy's duty
    } finally {
      this.#connections.delete(client);
      close(client);
    }
  }

  /** Relays one request and its answer; false when the connection is done. */
  async #exchange(client: Deno.Conn, reader: MessageReader): Promise<boolean> {
    const head = await reader.head();
    if (head === undefined) return false;
    const body = await reader.body(head.headers);
    const request = requestOf(head, body.length, this.#tripAnswered + 1);
    this.#requests.push(request);
    const fault = this.fault(request);
    if (fault?.kind === "cut") return false;
    const answer = fault?.kind === "answer"
      ? errorAnswer(request, fault)
      : await this.#ask(request, joined([head.bytes, body]));
    request.responseBytes = answer.body.length;
    await this.#wait(this.delayMs + (fault?.kind === "hold" ? fault.delayMs : 0));
    if (fault?.kind === "lose") return false;
    request.status = answer.status;
    this.#tripAnswered = Math.max(this.#tripAnswered, request.trip);
    await writeAll(client, joined([answer.head, bodyAfter(fault, answer.body)]));
    return fault?.kind !== "truncate" && !answer.closes;
  }

  /** Lets time pass; fails when the proxy is closed before. */
  async #wait(delayMs: number): Promise<void> {
    if (delayMs === 0) return;
    const { signal } = this.#closing;
    signal.throwIfAborted();
    const { promise, resolve } = Promise.withResolvers<void>();
    const done = () => resolve();
    const timer = setTimeout(done, delayMs);
    signal.addEventListener("abort", done);
    await promise;
    clearTimeout(timer);
    signal.removeEventListener("abort", done);
    signal.throwIfAborted();
  }

  /** Asks the server over a connection of its own, so that an idle one can never be stale. */
  async #ask(request: ProxiedRequest, bytes: Uint8Array): Promise<Answer> {
    using connection = await Deno.connect(this.#target);
    connection.setNoDelay();
    this.#connections.add(connection);
    try {
      await writeAll(connection, bytes);
      return await answerOf(request, new MessageReader(connection));
    } finally {
      this.#connections.delete(connection);
    }
  }
}

interface Answer {
  readonly status: number;
  readonly head: Uint8Array<ArrayBuffer>;
  readonly body: Uint8Array<ArrayBuffer>;
  /** Whether the server ends the connection after it. */
  readonly closes: boolean;
}

function requestOf(
  { line, headers }: MessageHead,
  requestBytes: number,
  trip: number,
): { -readonly [P in keyof ProxiedRequest]: ProxiedRequest[P] } {
  const [method, target] = line.split(" ");
  const [path, search] = target.split("?");
  const query = new URLSearchParams(search);
  const kind = method === "GET" && query.has("list-type") ? "LIST" : method as RequestKind;
  return { method, kind, path, query, headers, requestBytes, status: 0, responseBytes: 0, trip };
}

async function answerOf({ method }: ProxiedRequest, reader: MessageReader): Promise<Answer> {
  const head = await reader.head();
  if (head === undefined) throw new Error("Cannot relay an answer: the server gave none");
  const status = Number(head.line.split(" ")[1]);
  const hasBody = method !== "HEAD" && status !== 204 && status !== 304;
  return {
    status,
    head: head.bytes,
    body: hasBody ? await reader.body(head.headers) : new Uint8Array(),
    closes: head.headers.get("connection")?.toLowerCase() === "close",
  };
}

function errorAnswer(
  { method, path }: ProxiedRequest,
  { status, code = S3_CODES[status] ?? "InternalError" }: Extract<Fault, { kind: "answer" }>,
): Answer {
  const encoder = new TextEncoder();
  const body = encoder.encode(
    `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code>` +
      `<Message>Injected</Message><Resource>${path}</Resource><RequestId>0</RequestId></Error>`,
  );
  const head = encoder.encode(
    `HTTP/1.1 ${status} Injected\r\ncontent-type: application/xml\r\ncontent-length: ${body.length}\r\n\r\n`,
  );
  return { status, head, body: method === "HEAD" ? new Uint8Array() : body, closes: false };
}

function bodyAfter(fault: Fault | undefined, body: Uint8Array<ArrayBuffer>): Uint8Array {
  switch (fault?.kind) {
    case "truncate":
      return body.subarray(0, fault.bytes ?? body.length >> 1);
    case "flip": {
      const at = fault.at ?? body.length >> 1;
      if (at < body.length) body[at] ^= 1;
      return body;
    }
    default:
      return body;
  }
}

function close(connection: Deno.Conn): void {
  try {
    connection.close();
  } catch (error) {
    // the other end of the relay may have closed it
    if (!(error instanceof Deno.errors.BadResource)) throw error;
  }
}
