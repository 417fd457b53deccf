/**
 * `write_pages`: pages on their way from a socket into segments.
 *
 * @module
 */

import { GraftError } from "../../core/errors.ts";
import type { VolumeId } from "../../core/gid.ts";
import { PAGE_SIZE, WRITE_PART_PAGES } from "../../core/limits.ts";
import { encodeWritePagesResponse, WritePagesDecoder } from "../../wire/messages.ts";
import { type Claims, requireRight } from "../auth/claims.ts";
import type { PagestoreApi, PageWriteApi } from "../engines.ts";
import type { Exchange } from "../http/exchange.ts";
import { expectedBytesOf, readChunks } from "../http/request_body.ts";

/**
 * Takes a body chunk by chunk, stores it part by part, and answers once all of it is durable.
 *
 * @returns The encoded answer: the segments.
 * @throws {GraftError} Everything that is wrong with the request, or with the stores; nothing is
 * registered then.
 */
export async function writePages(
  exchange: Exchange,
  claims: Claims,
  pagestore: PagestoreApi,
  bytesMax: number,
): Promise<Uint8Array<ArrayBuffer>> {
  requireWriting(claims);
  const expectedBytes = expectedBytesOf(exchange.request, bytesMax);
  const write = pagestore.openWrite(expectedBytes);
  try {
    const receiver = new Receiver(write, claims, expectedBytes);
    await readChunks(exchange, bytesMax, (chunk) => receiver.take(chunk));
    const segments = await receiver.finish();
    exchange.throwIfExpired();
    return encodeWritePagesResponse(segments);
  } finally {
    write.abort();
  }
}

/** Refuses early what no volume id could make right. */
function requireWriting(claims: Claims): void {
  if (claims.can.has("write")) return;
  throw new GraftError(
    "forbidden",
    "Cannot write pages with this token: it does not allow to write",
  );
}

/** The part of a request that is in memory. */
class Receiver {
  readonly #write: PageWriteApi;
  readonly #claims: Claims;
  readonly #decoder: WritePagesDecoder;
  #vid: VolumeId | undefined;

  constructor(write: PageWriteApi, claims: Claims, expectedBytes: number | undefined) {
    this.#write = write;
    this.#claims = claims;
    this.#decoder = new WritePagesDecoder(expectedBytes);
  }

  /** Takes the next bytes; a promise when the reader is to wait. */
  take(chunk: Uint8Array): Promise<void> | void {
    this.#decoder.push(chunk);
    this.#write.hold(this.#decoder.pages.count * PAGE_SIZE);
    const vid = this.#permitted();
    if (vid === undefined || this.#decoder.pages.count < WRITE_PART_PAGES) return;
    return this.#write.add(vid, this.#decoder.takePages());
  }

  /** The body is over. */
  finish(): ReturnType<PageWriteApi["finish"]> {
    this.#decoder.finish();
    const vid = this.#permitted();
    if (vid === undefined) {
      throw new GraftError("invalid", "Cannot write pages: the volume is missing");
    }
    return this.#write.finish(vid, this.#decoder.pages);
  }

  /** The volume, once it is known and the sender may write to it: before any page is stored. */
  #permitted(): VolumeId | undefined {
    if (this.#vid !== undefined) return this.#vid;
    const { vid } = this.#decoder;
    if (vid !== undefined) requireRight(this.#claims, "write", vid);
    return this.#vid = vid;
  }
}
