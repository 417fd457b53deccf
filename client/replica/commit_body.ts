/**
 * A transaction as the body of a request.
 *
 * @module
 */

import { encodeCommitHeader } from "../../src/wire/v1/page_stream_header.ts";
import { PageStreamEncoder } from "../../src/wire/v1/page_stream_encoder.ts";
import type { RemoteCommit } from "./remote.ts";

/** A body, and whether it is compressed. */
export interface CommitBody {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly isPacked: boolean;
}

/** Pages that go into one item. */
const GROUP_PAGES = 16;
/** Pages that are encoded before they are handed on; those at the beginning tell whether to compress. */
const CHUNK_PAGES = 64;
/** A body is sent compressed when its beginning becomes smaller by this much. */
const GZIP_WORTH = 0.9;

/** Encodes a transaction. Its pages are in memory once: as they are, or compressed. */
export async function encodeCommitBody(commit: RemoteCommit): Promise<CommitBody> {
  if (await isWorthPacking(commit)) {
    return { bytes: await gzip(encodeChunks(commit, CHUNK_PAGES)), isPacked: true };
  }
  const { value } = await encodeChunks(commit, Infinity).next();
  return { bytes: value ?? new Uint8Array(), isPacked: false };
}

async function isWorthPacking(commit: RemoteCommit): Promise<boolean> {
  if (typeof CompressionStream === "undefined") return false;
  const { value } = await encodeChunks(commit, CHUNK_PAGES).next();
  if (value === undefined) return false;
  const packed = await gzip([value].values());
  return packed.length < value.length * GZIP_WORTH;
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
