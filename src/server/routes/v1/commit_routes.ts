/**
 * Whole transactions in one round trip.
 *
 * @module
 */

import { GraftError } from "../../../core/errors.ts";
import type { VolumeId } from "../../../core/gid.ts";
import { PAGE_SIZE, WRITE_PART_PAGES } from "../../../core/limits.ts";
import { PageBuffer } from "../../../core/page_buffer.ts";
import type { SegmentUse } from "../../../core/snapshot.ts";
import {
  COMMIT_MEDIA_TYPE,
  type CommitHeader,
  CommitStreamDecoder,
  snapshotToJson,
} from "../../../wire/v1/mod.ts";
import type { PageWriteApi } from "../../engines.ts";
import { StatusError } from "../../http/failure.ts";
import { BodyTooLargeError, expectedBytesOf, readChunks } from "../../http/request_body.ts";
import { type Asked, permittedVid, requireMediaType, type Routes } from "./_asked.ts";

/** The routes by path. */
export const COMMIT_ROUTES: Routes = { "/v1/volumes/:vid/commits": { POST: commit } };

/** A body is taken in pieces of this length, so that no more pages than a part are ever held. */
const PIECE_BYTES = 64 * 1024;
/** What is decompressed at once: gzip makes at most a thousand times as much of it. */
const COMPRESSED_PIECE_BYTES = 4096;

/** A body that is too long has a status of its own: whoever sent it can send it in parts. */
async function commit(asked: Asked): Promise<Response> {
  try {
    return await commitBody(asked);
  } catch (error) {
    if (error instanceof BodyTooLargeError) throw new StatusError(413, error.message);
    throw error;
  }
}

/**
 * Stores the pages, then commits them. What is refused half-way leaves objects that nobody can commit,
 * and the collector removes them.
 */
async function commitBody({ exchange, claims, context, parts }: Asked): Promise<Response> {
  const vid = permittedVid(context, claims, "write");
  requireMediaType(exchange, COMMIT_MEDIA_TYPE);
  const { body, expectedBytes } = openBody(exchange.request, parts.bodyLimitBytes);
  const write = parts.pagestore.openWrite(expectedBytes);
  try {
    const receiver = new CommitReceiver(vid, write);
    await readChunks(exchange, parts.bodyLimitBytes, (chunk) => receiver.take(chunk), body);
    const { header, segments } = await receiver.finish();
    exchange.throwIfExpired();
    const { cid, baseLsn, ...rest } = header;
    const intent = { ...rest, cid, snapshotLsn: baseLsn, segments };
    return Response.json(snapshotToJson(await parts.metastore.commit(intent)));
  } finally {
    write.abort();
  }
}

interface OpenedBody {
  readonly body: ReadableStream<Uint8Array> | null;
  readonly expectedBytes: number | undefined;
}

/** The body as it was before it was compressed, and its length where that is known. */
function openBody(request: Request, bytesMax: number): OpenedBody {
  const encoding = request.headers.get("content-encoding")?.trim().toLowerCase() ?? "identity";
  const expectedBytes = expectedBytesOf(request, bytesMax);
  if (encoding === "identity") return { body: request.body, expectedBytes };
  if (encoding !== "gzip") {
    throw new StatusError(
      415,
      `Cannot read the request: its encoding is "${encoding}"; only gzip is taken`,
      { "accept-encoding": "gzip" },
    );
  }
  const body = request.body
    ?.pipeThrough(cutInto(COMPRESSED_PIECE_BYTES))
    .pipeThrough(new DecompressionStream("gzip"));
  return { body: body ?? null, expectedBytes: undefined };
}

/** Chunks of at most so many bytes. */
function cutInto(bytes: number): TransformStream<Uint8Array, Uint8Array<ArrayBuffer>> {
  return new TransformStream({
    transform(chunk, controller) {
      for (let at = 0; at < chunk.length; at += bytes) {
        controller.enqueue(chunk.slice(at, at + bytes));
      }
    },
  });
}

/** The part of a commit that is in memory. */
class CommitReceiver {
  readonly #vid: VolumeId;
  readonly #write: PageWriteApi;
  readonly #decoder: CommitStreamDecoder;
  #pages = new PageBuffer();
  #stored = 0;

  constructor(vid: VolumeId, write: PageWriteApi) {
    this.#vid = vid;
    this.#write = write;
    this.#decoder = new CommitStreamDecoder({
      take: (pageIdx, page) => this.#pages.add(pageIdx).set(page),
    });
  }

  /** Takes the next bytes. */
  async take(chunk: Uint8Array): Promise<void> {
    for (let at = 0; at < chunk.length; at += PIECE_BYTES) {
      this.#decoder.push(chunk.subarray(at, at + PIECE_BYTES));
      this.#write.hold(this.#pages.count * PAGE_SIZE);
      this.#checkVolume();
      if (this.#pages.count >= WRITE_PART_PAGES) await this.#store();
    }
  }

  /** The body is over. */
  async finish(): Promise<{ header: CommitHeader; segments: readonly SegmentUse[] }> {
    this.#decoder.finish();
    const { header } = this.#decoder;
    if (header === undefined) throw new GraftError("invalid", "Cannot commit: it has no header");
    const isEmpty = this.#pages.count === 0 && this.#stored === 0;
    const segments = isEmpty ? [] : await this.#write.finish(this.#vid, this.#pages);
    return { header, segments };
  }

  async #store(): Promise<void> {
    const pages = this.#pages;
    this.#pages = new PageBuffer();
    this.#stored += pages.count;
    await this.#write.add(this.#vid, pages);
  }

  #checkVolume(): void {
    const { header } = this.#decoder;
    if (header === undefined || header.vid === this.#vid) return;
    throw new GraftError(
      "invalid",
      `Cannot commit to volume "${this.#vid}": the commit is for volume "${header.vid}"`,
    );
  }
}
