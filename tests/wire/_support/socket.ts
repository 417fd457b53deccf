/**
 * HTTP by hand over a socket: half-sent bodies, wrong lengths, and clients that hang up.
 *
 * @module
 */

import { type Answer, type Endpoints, PROTOBUF } from "./calls.ts";
import { type Bytes, join } from "./protobuf.ts";

/** A connection to a server. */
export class Socket implements Disposable {
  readonly #connection: Deno.TcpConn;
  #received: Bytes = new Uint8Array(0);
  #isOpen = true;

  private constructor(connection: Deno.TcpConn) {
    this.#connection = connection;
  }

  /** Connects to the pagestore, which on a whole server is the metastore too. */
  static async open(to: Endpoints): Promise<Socket> {
    const { hostname, port } = new URL(to.pagestore);
    return new Socket(await Deno.connect({ hostname, port: Number(port) }));
  }

  /** Sends the head of a protocol request whose length is given by its headers. */
  async sendHead(path: string, headers: Record<string, string | number>): Promise<void> {
    const all = { host: "127.0.0.1", "content-type": PROTOBUF, ...headers };
    const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
    await this.send(new TextEncoder().encode(`POST ${path} HTTP/1.1\r\n${lines.join("")}\r\n`));
  }

  /** Sends bytes as they are. */
  async send(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) at += await this.#connection.write(bytes.subarray(at));
  }

  /** Sends bytes as one chunk of a chunked body; none end the body. */
  async sendChunk(content: Uint8Array): Promise<void> {
    const encode = (text: string) => new TextEncoder().encode(text);
    await this.send(join(encode(`${content.length.toString(16)}\r\n`), content, encode("\r\n")));
  }

  /** Sends what the server takes of `chunk`, over and over up to `bytes`, and tells how much it took. */
  async flood(chunk: Uint8Array, bytes: number): Promise<number> {
    let sent = 0;
    try {
      while (sent < bytes) sent += await this.#connection.write(chunk);
    } catch (error) {
      if (!isClosed(error)) throw error;
    }
    return sent;
  }

  /** Reads one whole answer; undefined when the server closed the connection before any byte of it. */
  async answer(): Promise<Answer | undefined> {
    const headEnd = await this.#readUntil("\r\n\r\n");
    if (headEnd === undefined) return undefined;
    const [statusLine, ...lines] = new TextDecoder().decode(this.#take(headEnd)).trim().split(
      "\r\n",
    );
    const headers = new Headers(lines.map((line): [string, string] => {
      const colon = line.indexOf(":");
      return [line.slice(0, colon), line.slice(colon + 1).trim()];
    }));
    const body = headers.get("transfer-encoding") === "chunked"
      ? await this.#chunkedBody()
      : await this.#exactly(Number(headers.get("content-length")));
    return { status: Number(statusLine.split(" ")[1]), headers, body };
  }

  /** Waits until an answer begins. */
  async firstBytes(): Promise<void> {
    if (this.#received.length === 0) await this.#readMore();
  }

  /** Whether the server closes the connection next. */
  async endsNext(): Promise<boolean> {
    try {
      return this.#received.length === 0 && await this.#connection.read(new Uint8Array(1)) === null;
    } catch (error) {
      if (isClosed(error)) return true;
      throw error;
    }
  }

  /** Sends a whole request and reads its answer; undefined when the server closes the connection instead. */
  async ask(path: string, body: Uint8Array): Promise<Answer | undefined> {
    try {
      await this.sendHead(path, { "content-length": body.length });
      await this.send(body);
    } catch (error) {
      if (isClosed(error)) return undefined;
      throw error;
    }
    return await this.answer();
  }

  /** Closes the connection, whatever is under way on it. */
  hangUp(): void {
    if (this.#isOpen) this.#connection.close();
    this.#isOpen = false;
  }

  /** Hangs up. */
  [Symbol.dispose](): void {
    this.hangUp();
  }

  async #chunkedBody(): Promise<Bytes> {
    const chunks: Bytes[] = [];
    for (;;) {
      const lineEnd = await this.#readUntil("\r\n");
      if (lineEnd === undefined) throw new Error("A chunked answer is cut off");
      const length = parseInt(new TextDecoder().decode(this.#take(lineEnd)), 16);
      const chunk = await this.#exactly(length);
      await this.#exactly(2);
      if (length === 0) return join(...chunks);
      chunks.push(chunk);
    }
  }

  /** The position after `mark`; undefined when the connection ends before it. */
  async #readUntil(mark: string): Promise<number | undefined> {
    for (;;) {
      // latin1 keeps one character a byte
      const text = new TextDecoder("latin1").decode(this.#received);
      const at = text.indexOf(mark);
      if (at >= 0) return at + mark.length;
      if (!await this.#readMore()) return undefined;
    }
  }

  async #exactly(length: number): Promise<Bytes> {
    while (this.#received.length < length) {
      if (!await this.#readMore()) throw new Error("An answer is cut off");
    }
    return this.#take(length);
  }

  #take(length: number): Bytes {
    const taken = this.#received.slice(0, length);
    this.#received = this.#received.slice(length);
    return taken;
  }

  async #readMore(): Promise<boolean> {
    const buffer = new Uint8Array(64 * 1024);
    try {
      const length = await this.#connection.read(buffer);
      if (length === null) return false;
      this.#received = join(this.#received, buffer.subarray(0, length));
      return true;
    } catch (error) {
      if (isClosed(error)) return false;
      throw error;
    }
  }
}

/** Whether an error only says that the other side hung up. */
function isClosed(error: unknown): boolean {
  return error instanceof Deno.errors.ConnectionReset ||
    error instanceof Deno.errors.BrokenPipe ||
    error instanceof Deno.errors.ConnectionAborted ||
    // one's own end, closed while a call was under way
    error instanceof Deno.errors.BadResource ||
    error instanceof Deno.errors.Interrupted;
}
