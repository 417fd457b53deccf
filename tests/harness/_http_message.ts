/**
 * HTTP/1.1 messages off a socket, byte for byte.
 *
 * @module
 */

const READ_BYTES = 64 * 1024;
const LINE_END = new TextEncoder().encode("\r\n");
const HEAD_END = new TextEncoder().encode("\r\n\r\n");

/** The start of a message: its first line and its headers. */
export interface MessageHead {
  /** As they came, the empty line included. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** The first line. */
  readonly line: string;
  /** The headers. */
  readonly headers: Headers;
}

/** Reads messages from one connection, one after the other. */
export class MessageReader {
  readonly #connection: Deno.Conn;
  #rest: Uint8Array<ArrayBuffer> = new Uint8Array();

  /** Nobody else may read from `connection`. */
  constructor(connection: Deno.Conn) {
    this.#connection = connection;
  }

  /** The next head; undefined where the connection ends before its first byte. */
  async head(): Promise<MessageHead | undefined> {
    if (this.#rest.length === 0 && !await this.#readMore()) return undefined;
    const bytes = await this.#through(HEAD_END);
    const [line, ...fields] = new TextDecoder().decode(bytes).trimEnd().split("\r\n");
    const headers = new Headers();
    for (const field of fields) {
      const colon = field.indexOf(":");
      headers.append(field.slice(0, colon), field.slice(colon + 1).trim());
    }
    return { bytes, line, headers };
  }

  /** The body that a head announces, as it came: the lines between chunks included. */
  async body(headers: Headers): Promise<Uint8Array<ArrayBuffer>> {
    if (headers.get("transfer-encoding")?.includes("chunked")) return await this.#chunks();
    return await this.#take(Number(headers.get("content-length") ?? 0));
  }

  async #chunks(): Promise<Uint8Array<ArrayBuffer>> {
    const parts: Uint8Array<ArrayBuffer>[] = [];
    while (true) {
      const line = await this.#through(LINE_END);
      const length = parseInt(new TextDecoder().decode(line), 16);
      parts.push(line);
      if (length === 0) break;
      parts.push(await this.#take(length + LINE_END.length));
    }
    // trailers, then an empty line
    while (parts.at(-1)?.length !== LINE_END.length) parts.push(await this.#through(LINE_END));
    return joined(parts);
  }

  async #through(mark: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
    let from = 0;
    while (true) {
      const at = indexOf(this.#rest, mark, from);
      if (at >= 0) return await this.#take(at + mark.length);
      from = Math.max(this.#rest.length - mark.length, 0);
      await this.#demandMore();
    }
  }

  async #take(length: number): Promise<Uint8Array<ArrayBuffer>> {
    const parts = [this.#rest];
    let missing = length - this.#rest.length;
    while (missing > 0) {
      this.#rest = new Uint8Array();
      await this.#demandMore();
      parts.push(this.#rest);
      missing -= this.#rest.length;
    }
    const bytes = joined(parts);
    this.#rest = bytes.slice(length);
    return bytes.slice(0, length);
  }

  async #demandMore(): Promise<void> {
    if (!await this.#readMore()) throw new Error("Cannot read a message: the connection ended");
  }

  async #readMore(): Promise<boolean> {
    const bytes = new Uint8Array(READ_BYTES);
    const length = await this.#connection.read(bytes);
    if (length === null) return false;
    this.#rest = joined([this.#rest, bytes.subarray(0, length)]);
    return true;
  }
}

/** Writes all of `bytes`. */
export async function writeAll(connection: Deno.Conn, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await connection.write(bytes.subarray(at));
}

/** One array out of many. */
export function joined(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

function indexOf(bytes: Uint8Array, mark: Uint8Array, from: number): number {
  for (let at = bytes.indexOf(mark[0], from); at >= 0; at = bytes.indexOf(mark[0], at + 1)) {
    if (mark.every((byte, i) => bytes[at + i] === byte)) return at;
  }
  return -1;
}
