/**
 * The messages around pages: what is read, what is written, and the pages themselves.
 *
 * @module
 */

import { BinaryWriter } from "@bufbuild/protobuf/wire";
import type { VolumeId } from "../core/gid.ts";
import { READ_PAGES_MAX } from "../core/limits.ts";
import type { Lsn } from "../core/lsn.ts";
import type { PageSet } from "../core/page_set.ts";
import type { SegmentUse } from "../core/snapshot.ts";
import { MessageReader } from "./_message_reader.ts";
import {
  readSegment,
  writeGid,
  writeMessage,
  writePageSet,
  writeSegment,
  writeUint,
} from "./_parts.ts";

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
