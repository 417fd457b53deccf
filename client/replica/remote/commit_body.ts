/**
 * A transaction as the body of a request.
 *
 * @module
 */

import { encodeCommitHeader } from "../../../src/wire/v1/page_stream_header.ts";
import { PageStreamEncoder } from "../../../src/wire/v1/page_stream_encoder.ts";
import type { RemoteCommit } from "./remote.ts";

/** A body, and whether it is compressed. */
export interface CommitBody {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly isPacked: boolean;
}

/** Pages that go into one item. */
const GROUP_PAGES = 16;
/** Pages that are encoded before they are handed on; those at the beginning tell whether to compress. */
const CHUNK_PAGES = 32;
/** A body is sent compressed when its beginning becomes smaller by this much. */
const GZIP_WORTH = 0.9;

/** Encodes a transaction. Its pages are in memory once: as they are, or compressed. */
export async function encodeCommitBody(commit: RemoteCommit): Promise<CommitBody> {
  const { value: first = new Uint8Array() } = await encodeChunks(commit, CHUNK_PAGES).next();
  const isWhole = commit.pageSet.size < CHUNK_PAGES;
  const packed = await pack(first);
  if (packed !== undefined) {
    const bytes = isWhole ? packed : await gzip(encodeChunks(commit, CHUNK_PAGES));
    return { bytes, isPacked: true };
  }
  const bytes = isWhole ? first : (await encodeChunks(commit, Infinity).next()).value;
  return { bytes: bytes ?? new Uint8Array(), isPacked: false };
}

/** Compressed; undefined where that is not worth it. */
async function pack(
  bytes: Uint8Array<ArrayBuffer>,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  if (typeof CompressionStream === "undefined") return undefined;
  const packed = await gzip([bytes].values());
  return packed.length < bytes.length * GZIP_WORTH ? packed : undefined;
}

/** The body in chunks of so many pages. */
async function* encodeChunks(
  commit: RemoteCommit,
  chunkPages: number,
): AsyncGenerator<Uint8Array<ArrayBuffer>, void> {
  const { vid, cid, requestId, base, pageCount, pageSet } = commit;
  const header = { vid, cid, requestId, baseLsn: base?.lsn, baseDigest: base?.digest, pageCount };
  const expected = Math.min(pageSet.size, chunkPages);
  const encoder = new PageStreamEncoder(encodeCommitHeader(header), expected);
  let group: (readonly [pageIdx: number, page: Uint8Array])[] = [];
  let encoded = 0;
  const flush = () => {
    const indexes = Uint32Array.from(group, ([pageIdx]) => pageIdx);
    encoder.addPages({ indexes, page: (i) => group[i][1] });
    encoded += group.length;
    group = [];
  };
  for await (const indexed of commit.pages()) {
    group.push(indexed);
    if (group.length < GROUP_PAGES) continue;
    flush();
    if (encoded < chunkPages) continue;
    yield encoder.take();
    encoded = 0;
  }
  if (group.length > 0) flush();
  encoder.end();
  yield encoder.take();
}

async function gzip(
  chunks: AsyncIterator<Uint8Array<ArrayBuffer>, void> | Iterator<Uint8Array<ArrayBuffer>, void>,
): Promise<Uint8Array<ArrayBuffer>> {
  // not all platforms make a stream of an iterable
  const stream = new ReadableStream<Uint8Array<ArrayBuffer>>({
    async pull(controller) {
      const next = await chunks.next();
      if (next.done) controller.close();
      else controller.enqueue(next.value);
    },
  });
  const packed = stream.pipeThrough(new CompressionStream("gzip"));
  return new Uint8Array(await new Response(packed).arrayBuffer());
}
