/**
 * The messages around pages: what is read, what is written, and the pages themselves.
 *
 * @module
 */

import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import type { VolumeId } from "../core/gid.ts";
import { GID_BYTES, gidToBytes } from "../core/gid.ts";
import { PAGE_COUNT_MAX, PAGE_SIZE, READ_PAGES_MAX } from "../core/limits.ts";
import type { Lsn } from "../core/lsn.ts";
import type { PageSet } from "../core/page_set.ts";
import type { SegmentUse } from "../core/snapshot.ts";
import { MessageReader } from "./_message_reader.ts";
import { pagesLength, putPages } from "./_page_writer.ts";
import {
  readSegment,
  writeGid,
  writeMessage,
  writePageSet,
  writeSegment,
  writeUint,
} from "./_parts.ts";

export { WritePagesDecoder } from "./write_pages_decoder.ts";

/** Asks for pages as they were at an LSN. */
export interface ReadPagesRequest {
  /** The volume. */
  readonly vid: VolumeId;
  /** The LSN to read at. */
  readonly lsn: Lsn;
  /** The pages wanted: 1 to 1024, without page 0. */
  readonly pageSet: PageSet;
}

/** Encodes a {@linkcode ReadPagesRequest}. */
export function encodeReadPagesRequest(request: ReadPagesRequest): Uint8Array<ArrayBuffer> {
  const writer = new BinaryWriter();
  writeGid(writer, 1, request.vid);
  writeUint(writer, 2, request.lsn);
  writePageSet(writer, 3, request.pageSet);
  return writer.finish();
}

/**
 * Decodes a {@linkcode ReadPagesRequest}.
 *
 * @throws {GraftError} `invalid`; so also for an empty page set, or one of more than 1024 pages.
 */
export function decodeReadPagesRequest(bytes: Uint8Array): ReadPagesRequest {
  const message = MessageReader.ofRequest(bytes, "the read pages request");
  let vid: VolumeId | undefined;
  let lsn: Lsn | undefined;
  let pageSet: PageSet | undefined;
  while (message.next()) {
    if (message.field === 1) vid = message.volumeId("vid");
    else if (message.field === 2) lsn = message.lsn("lsn");
    else if (message.field === 3) pageSet = decodeWantedPages(message);
    else message.skip();
  }
  return {
    vid: message.required("vid", vid),
    lsn: message.required("lsn", lsn),
    pageSet: message.required("graft", pageSet),
  };
}

function decodeWantedPages(message: MessageReader): PageSet {
  const pageSet = message.pageSet("graft");
  if (pageSet.size === 0) throw message.refuse("graft", "is the empty page set");
  if (pageSet.size > READ_PAGES_MAX) {
    const wanted = `wants ${pageSet.size} pages, more than ${READ_PAGES_MAX}`;
    throw message.refuse("graft", wanted);
  }
  return pageSet;
}

/** Encodes the answer of `write_pages`: the segments that hold the pages now. */
export function encodeWritePagesResponse(segments: Iterable<SegmentUse>): Uint8Array<ArrayBuffer> {
  const writer = new BinaryWriter();
  for (const segment of segments) writeMessage(writer, 1, segment, writeSegment);
  return writer.finish();
}

/**
 * Decodes the answer of `write_pages`.
 *
 * @throws {GraftError} `invalid`.
 */
export function decodeWritePagesResponse(bytes: Uint8Array): SegmentUse[] {
  const message = new MessageReader(bytes, "the write pages response");
  const segments: SegmentUse[] = [];
  while (message.next()) {
    if (message.field === 1) {
      segments.push(readSegment(message.message(`segments[${segments.length}]`)));
    } else message.skip();
  }
  return segments;
}

/** Some pages of a volume, each with its index. {@linkcode PageBuffer} is one. */
export interface PageList {
  /** The index of each page. */
  readonly indexes: Uint32Array;
  /** The 4,096 bytes of the page at position `i` of `indexes`. */
  page(i: number): Uint8Array;
}

/**
 * Encodes the answer of `read_pages`; the order is that of `indexes`.
 *
 * @param indexes The index of each page.
 * @param page The 4,096 bytes of the page at a position of `indexes`. They are copied at once.
 */
export function encodeReadPagesResponse(
  indexes: Uint32Array,
  page: (i: number) => Uint8Array,
): Uint8Array<ArrayBuffer> {
  return new ReadPagesEncoder().encode({ indexes, page });
}

/**
 * Encodes answers of `read_pages` one after the other into memory that it keeps: fresh memory for each
 * would cost a server more than the copying of the pages.
 */
export class ReadPagesEncoder {
  #body: Uint8Array<ArrayBuffer> = new Uint8Array(0);

  /** Encodes an answer. What it returns is a view, valid until the next call. */
  encode(pages: PageList): Uint8Array<ArrayBuffer> {
    const length = pagesLength(pages.indexes);
    if (this.#body.length < length) this.#body = new Uint8Array(length);
    putPages(this.#body, 0, 1, pages);
    return this.#body.subarray(0, length);
  }
}

/**
 * Decodes the answer of `read_pages`. Its pages are views of `bytes`, not copies.
 *
 * @throws {GraftError} `invalid`.
 */
export function decodeReadPagesResponse(bytes: Uint8Array): PageList {
  const message = new MessageReader(bytes, "the read pages response");
  const indexes: number[] = [];
  const pages: Uint8Array[] = [];
  while (message.next()) {
    if (message.field === 1) {
      const page = readPage(message.message(`pages[${pages.length}]`));
      indexes.push(page.pageIdx);
      pages.push(page.data);
    } else message.skip();
  }
  return { indexes: Uint32Array.from(indexes), page: (i) => pages[i] };
}

function readPage(message: MessageReader): { pageIdx: number; data: Uint8Array } {
  let pageIdx = 0;
  let data: Uint8Array | undefined;
  while (message.next()) {
    if (message.field === 1) pageIdx = message.uint("pageidx");
    else if (message.field === 2) data = message.bytes("data");
    else message.skip();
  }
  if (pageIdx < 1 || pageIdx > PAGE_COUNT_MAX) {
    throw message.refuse("pageidx", `is ${pageIdx}, but pages run from 1 to ${PAGE_COUNT_MAX}`);
  }
  const bytes = message.required("data", data);
  if (bytes.length !== PAGE_SIZE) {
    throw message.refuse("data", `has ${bytes.length} bytes instead of ${PAGE_SIZE}`);
  }
  return { pageIdx, data: bytes };
}

/** Encodes the request of `write_pages` in one allocation. */
export function encodeWritePagesRequest(vid: VolumeId, pages: PageList): Uint8Array<ArrayBuffer> {
  const body = new Uint8Array(2 + GID_BYTES + pagesLength(pages.indexes));
  body[0] = 1 << 3 | WireType.LengthDelimited;
  body[1] = GID_BYTES;
  body.set(gidToBytes(vid), 2);
  putPages(body, 2 + GID_BYTES, 2, pages);
  return body;
}
