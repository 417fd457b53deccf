/**
 * One commit of an import as the body of a request.
 *
 * @module
 */

import type { PageToWrite } from "../../../client/mod.ts";
import { digestOf } from "../../core/content_digest.ts";
import { type ClientId, gidToBytes, type VolumeId } from "../../core/gid.ts";
import { toLsn } from "../../core/lsn.ts";
import { toPageCount } from "../../core/page.ts";
import { encodeCommitHeader } from "../../wire/v1/page_stream_header.ts";
import { PageStreamEncoder } from "../../wire/v1/page_stream_encoder.ts";

/** A commit of an import. */
export interface CommitToSend {
  /** The volume. */
  readonly vid: VolumeId;
  /** Stands for the content with this commit; see `ContentMark`. */
  readonly cid: ClientId;
  /** The LSN that it is based on; undefined for the first of the volume. */
  readonly base: number | undefined;
  /** The pages. */
  readonly pages: readonly PageToWrite[];
  /** The volume's page count from here on. */
  readonly pageCount: number;
}

/**
 * Encodes a commit, as docs/formats/page_stream.md draws it. The same content on the same base makes the
 * same request, which the server knows again.
 *
 * @returns The body, in a buffer of its own.
 */
export function encodeCommitBody(commit: CommitToSend): Uint8Array<ArrayBuffer> {
  const { vid, cid, base, pages, pageCount } = commit;
  const requestId = digestOf(new Uint8Array([...gidToBytes(cid), ...bytesOf(base ?? 0)]));
  const header = encodeCommitHeader({
    vid,
    cid,
    requestId,
    baseLsn: base === undefined ? undefined : toLsn(base),
    baseDigest: undefined,
    pageCount: toPageCount(pageCount),
  });
  const encoder = new PageStreamEncoder(header, pages.length);
  const indexes = Uint32Array.from(pages, ([pageIdx]) => pageIdx);
  encoder.addPages({ indexes, page: (i) => pages[i][1] });
  encoder.end();
  return encoder.take();
}

function bytesOf(lsn: number): Uint8Array {
  const view = new DataView(new ArrayBuffer(8));
  view.setBigUint64(0, BigInt(lsn));
  return new Uint8Array(view.buffer);
}
