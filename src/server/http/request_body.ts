/**
 * Request bodies within their limits.
 *
 * @module
 */

import { GraftError } from "../../core/errors.ts";
import type { Exchange } from "./exchange.ts";

/** A body up to this long is taken in one go, which is several times faster than by chunks. */
const WHOLE_BYTES_MAX = 64 * 1024;

/**
 * The length that the request announces; undefined when it comes in chunks.
 *
 * @throws {GraftError} `invalid` when it is above `bytesMax`.
 */
export function expectedBytesOf(request: Request, bytesMax: number): number | undefined {
  const header = request.headers.get("content-length");
  if (header === null) return undefined;
  const bytes = Number(header);
  if (bytes > bytesMax) throw tooLarge(`${bytes} bytes`, bytesMax);
  return bytes;
}

/**
 * Reads a whole body.
 *
 * @throws {GraftError} `invalid` when it is longer than `bytesMax`, or the client hung up.
 */
export async function readBody(exchange: Exchange, bytesMax: number): Promise<Uint8Array> {
  const expected = expectedBytesOf(exchange.request, bytesMax);
  if (expected !== undefined && expected <= WHOLE_BYTES_MAX) {
    const body = await exchange.request.arrayBuffer().catch((cause) => {
      throw hungUp(cause);
    });
    // what was given up has been answered, and must not be carried out
    exchange.throwIfExpired();
    exchange.work();
    return new Uint8Array(body);
  }
  const chunks: Uint8Array[] = [];
  await readChunks(exchange, bytesMax, (chunk) => {
    chunks.push(chunk);
  });
  return concat(chunks);
}

/**
 * Hands a body over chunk by chunk; a chunk is not read before `take` is done with the last.
 *
 * @param body What is read: the request's body, unless it has to be decoded first.
 * @throws {GraftError} `invalid` when it is longer than `bytesMax`, the client hung up, or nothing came
 * within the stall limit; or what `take` threw. The rest of the body is let go then.
 */
export async function readChunks(
  exchange: Exchange,
  bytesMax: number,
  take: (chunk: Uint8Array) => Promise<void> | void,
  body: ReadableStream<Uint8Array> | null = exchange.request.body,
): Promise<void> {
  if (body === null) return exchange.work();
  const reader = body.getReader();
  exchange.onExpire = () => void reader.cancel().catch(() => {});
  let bytes = 0;
  try {
    for (;;) {
      const { done, value } = await readOne(reader);
      exchange.throwIfExpired();
      exchange.work();
      if (done) return;
      bytes += value.length;
      if (bytes > bytesMax) throw tooLarge("more", bytesMax);
      await take(value);
      exchange.waitForClient();
    }
  } catch (error) {
    await reader.cancel().catch(() => {});
    throw error;
  } finally {
    exchange.onExpire = undefined;
  }
}

async function readOne(
  reader: ReadableStreamDefaultReader<Uint8Array>,
): Promise<ReadableStreamReadResult<Uint8Array>> {
  try {
    return await reader.read();
  } catch (cause) {
    throw hungUp(cause);
  }
}

/** A body is longer than it may be. */
export class BodyTooLargeError extends GraftError {}

/** Chunks one after the other; a single one is not copied. */
export function concat(chunks: readonly Uint8Array[]): Uint8Array {
  if (chunks.length === 1) return chunks[0];
  const whole = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}

function tooLarge(size: string, bytesMax: number): GraftError {
  return new BodyTooLargeError(
    "invalid",
    `Cannot accept the request: its body has ${size}, the limit is ${bytesMax} bytes`,
  );
}

function hungUp(cause: unknown): GraftError {
  return new GraftError("invalid", "Cannot read the request: its body broke off", { cause });
}
