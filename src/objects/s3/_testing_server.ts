// An S3 server that answers what a test tells it to, breaks off, or never answers.

/** A request as it came in. */
export interface SeenRequest {
  readonly method: string;
  /** The path and the query. */
  readonly url: URL;
  readonly headers: Headers;
  readonly body: Uint8Array<ArrayBuffer>;
}

/** An answer. `drop` closes the connection without one, `hang` leaves it open for ever. */
export type ScriptedAnswer = "drop" | "hang" | WrittenAnswer;

/** An answer that begins at least. */
export interface WrittenAnswer {
  readonly status: number;
  /** On top of a `content-length` that fits the body; an empty one leaves that away. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array<ArrayBuffer>;
  /** Bytes of the body that are sent before the connection breaks. */
  readonly dropAfter?: number;
  /** Bytes of the body that are sent before nothing more comes. */
  readonly hangAfter?: number;
}

/** Tells what to answer to the request of this index, from 0. */
export type Script = (request: SeenRequest, index: number) => ScriptedAnswer;

/** An S3 server on a free port that follows a script: one request a connection, unless it says `keep-alive`. */
export class ScriptedS3 implements AsyncDisposable {
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #script: Script;
  readonly #open = new Set<Deno.TcpConn>();
  readonly #work: Promise<void>[] = [];
  readonly #hanging = Promise.withResolvers<void>();
  readonly #hungUp = Promise.withResolvers<void>();
  /** What came in. */
  readonly requests: SeenRequest[] = [];

  /** Starts to answer. */
  constructor(script: Script) {
    this.#script = script;
    this.#work.push(this.#listen());
  }

  /** Starts a server that gives one answer after the other; the last one stands for all that follow. */
  static answering(...answers: readonly ScriptedAnswer[]): ScriptedS3 {
    return new ScriptedS3((_request, i) => answers[Math.min(i, answers.length - 1)]);
  }

  /** The methods that came in, for short. */
  get methods(): string {
    return this.requests.map(({ method }) => method).join(" ");
  }

  /** Resolves when a connection hangs. */
  get hanging(): Promise<void> {
    return this.#hanging.promise;
  }

  /** Resolves when a client closes a connection that hangs. */
  get hungUp(): Promise<void> {
    return this.#hungUp.promise;
  }

  /** The variables of a client. */
  env(): Record<string, string> {
    return {
      AWS_ACCESS_KEY_ID: "graft-test",
      AWS_SECRET_ACCESS_KEY: "a-secret-that-nobody-may-see",
      AWS_REGION: "us-east-1",
      AWS_ENDPOINT_URL_S3: `http://127.0.0.1:${this.#listener.addr.port}`,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    for (const connection of this.#open) connection.close();
    await Promise.all(this.#work);
  }

  async #listen(): Promise<void> {
    for await (const connection of this.#listener) {
      this.#open.add(connection);
      this.#work.push(this.#serve(connection));
    }
  }

  async #serve(connection: Deno.TcpConn): Promise<void> {
    try {
      while (await this.#answer(connection));
    } catch {
      // the client hung up, or the test is over
    } finally {
      if (this.#open.delete(connection)) close(connection);
    }
  }

  /** Whether the connection is good for another request. */
  async #answer(connection: Deno.TcpConn): Promise<boolean> {
    const request = await readRequest(connection);
    if (request === undefined) return false;
    this.requests.push(request);
    const answer = this.#script(request, this.requests.length - 1);
    if (answer === "drop") return false;
    if (answer !== "hang") await send(connection, request.method, answer);
    if (answer === "hang" || answer.hangAfter !== undefined) await this.#hang(connection);
    return answer !== "hang" && answer.headers?.connection === "keep-alive";
  }

  async #hang(connection: Deno.TcpConn): Promise<void> {
    this.#hanging.resolve();
    await connection.read(new Uint8Array(1));
    this.#hungUp.resolve();
  }
}

function close(connection: Deno.TcpConn): void {
  try {
    connection.close();
  } catch {
    // closed already
  }
}

async function readRequest(connection: Deno.TcpConn): Promise<SeenRequest | undefined> {
  const chunk = new Uint8Array(65_536);
  let text = "";
  for (;;) {
    const length = await connection.read(chunk);
    if (length === null) return undefined;
    text += latin1(chunk.subarray(0, length));
    const head = text.indexOf("\r\n\r\n");
    if (head < 0) continue;
    const request = parseHead(text.slice(0, head));
    const body = text.slice(head + 4);
    const missing = Number(request.headers.get("content-length") ?? 0) - body.length;
    if (missing <= 0) return { ...request, body: Uint8Array.from(body, (c) => c.charCodeAt(0)) };
  }
}

function parseHead(head: string): Omit<SeenRequest, "body"> {
  const [first, ...lines] = head.split("\r\n");
  const [method, target] = first.split(" ");
  const headers = new Headers(lines.map((line): [string, string] => {
    const colon = line.indexOf(":");
    return [line.slice(0, colon), line.slice(colon + 1).trim()];
  }));
  return { method, url: new URL(target, "http://scripted"), headers };
}

async function send(
  connection: Deno.TcpConn,
  method: string,
  { status, headers = {}, body = "", dropAfter, hangAfter }: WrittenAnswer,
): Promise<void> {
  const bytes = typeof body === "string" ? new TextEncoder().encode(body) : body;
  const all = { "content-length": String(bytes.length), connection: "close", ...headers };
  const lines = Object.entries(all).filter(([, value]) => value !== "")
    .map(([name, value]) => `${name}: ${value}\r\n`).join("");
  const head = new TextEncoder().encode(`HTTP/1.1 ${status} Scripted\r\n${lines}\r\n`);
  const sent = method === "HEAD" ? 0 : dropAfter ?? hangAfter ?? bytes.length;
  await writeAll(connection, head);
  await writeAll(connection, bytes.subarray(0, sent));
}

async function writeAll(connection: Deno.TcpConn, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await connection.write(bytes.subarray(at));
}

function latin1(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
}
