// A whole transaction as one body.

import { contentDigest, digestOf, pageHash } from "../src/core/content_digest.ts";
import type { PageBuffer } from "../src/core/page_buffer.ts";
import { PageStreamEncoder } from "../src/wire/v1/page_stream_encoder.ts";
import {
  type CommitHeader,
  encodeCommitHeader,
  REQUEST_ID_BYTES,
} from "../src/wire/v1/page_stream_header.ts";

/** What a commit says beside its pages; its request id follows from it and them. */
export type CommitFacts = Omit<CommitHeader, "requestId">;

/**
 * Encodes a commit. Its request id stands for all of it, so that whoever pushes the same pages on the same
 * base once more, in another call or after a restart, makes the same request.
 */
export function encodeCommit(facts: CommitFacts, pages: PageBuffer): Uint8Array<ArrayBuffer> {
  const hashes = new BigUint64Array(pages.count);
  for (let i = 0; i < pages.count; i++) hashes[i] = pageHash(pages.page(i));
  const requestId = requestIdOf(facts, pages.indexes, hashes);
  const encoder = new PageStreamEncoder(encodeCommitHeader({ ...facts, requestId }), pages.count);
  const hashBytes = littleEndian(hashes);
  encoder.addPages({
    indexes: pages.indexes,
    page: (i) => pages.page(i),
    hash: (i) => hashBytes.subarray(i * 8, (i + 1) * 8),
  });
  encoder.end();
  return encoder.take();
}

function requestIdOf(facts: CommitFacts, indexes: Uint32Array, hashes: BigUint64Array): Uint8Array {
  const header = encodeCommitHeader({ ...facts, requestId: new Uint8Array(REQUEST_ID_BYTES) });
  return digestOf(new Uint8Array([...header, ...contentDigest(indexes, hashes)]));
}

function littleEndian(hashes: BigUint64Array): Uint8Array {
  const view = new DataView(new ArrayBuffer(hashes.length * 8));
  hashes.forEach((hash, i) => view.setBigUint64(i * 8, hash, true));
  return new Uint8Array(view.buffer);
}
