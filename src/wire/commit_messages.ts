/**
 * How a commit is asked for and answered.
 *
 * @module
 */

import { BinaryWriter } from "@bufbuild/protobuf/wire";
import type { ClientId, VolumeId } from "../core/gid.ts";
import { COMMIT_SEGMENTS_MAX } from "../core/limits.ts";
import type { Lsn } from "../core/lsn.ts";
import type { PageCount } from "../core/page.ts";
import type { SegmentUse, Snapshot } from "../core/snapshot.ts";
import { MessageReader } from "./_message_reader.ts";
import {
  readOnlySnapshot,
  readSegment,
  writeGid,
  writeMessage,
  writeSegment,
  writeSnapshot,
  writeUint,
} from "./_parts.ts";

/** Asks to land a commit. */
export interface CommitRequest {
  /** The volume; its first commit creates it. */
  readonly vid: VolumeId;
  /** The client that commits. */
  readonly cid: ClientId;
  /** The base; undefined for the first commit. */
  readonly snapshotLsn: Lsn | undefined;
  /** How many pages the volume has from here on. */
  readonly pageCount: PageCount;
  /** The segments that hold the commit's pages; at most 64. */
  readonly segments: readonly SegmentUse[];
}

/** Encodes a {@linkcode CommitRequest}. */
export function encodeCommitRequest(request: CommitRequest): Uint8Array<ArrayBuffer> {
  const writer = new BinaryWriter();
  writeGid(writer, 1, request.vid);
  writeGid(writer, 2, request.cid);
  if (request.snapshotLsn !== undefined) writeUint(writer, 3, request.snapshotLsn);
  writeUint(writer, 4, request.pageCount);
  for (const segment of request.segments) writeMessage(writer, 5, segment, writeSegment);
  return writer.finish();
}

/**
 * Decodes a {@linkcode CommitRequest}. Whether its page sets fit its page count, and its segments one
 * another, is the metastore's to say.
 *
 * @throws {GraftError} `invalid`.
 */
export function decodeCommitRequest(bytes: Uint8Array): CommitRequest {
  const message = MessageReader.ofRequest(bytes, "the commit request");
  let vid: VolumeId | undefined;
  let cid: ClientId | undefined;
  let snapshotLsn: Lsn | undefined;
  let pageCount = 0 as PageCount;
  const segments: SegmentUse[] = [];
  while (message.next()) {
    if (message.field === 1) vid = message.volumeId("vid");
    else if (message.field === 2) cid = message.clientId("cid");
    else if (message.field === 3) snapshotLsn = message.lsn("snapshot_lsn");
    else if (message.field === 4) pageCount = message.pageCount("page_count");
    else if (message.field === 5) segments.push(decodeCommitSegment(message, segments.length));
    else message.skip();
  }
  return {
    vid: message.required("vid", vid),
    cid: message.required("cid", cid),
    snapshotLsn,
    pageCount,
    segments,
  };
}

function decodeCommitSegment(message: MessageReader, position: number): SegmentUse {
  if (position === COMMIT_SEGMENTS_MAX) {
    throw message.refuse("segments", `holds more than ${COMMIT_SEGMENTS_MAX} segments`);
  }
  return readSegment(message.message(`segments[${position}]`));
}

/** Encodes the answer to a {@linkcode CommitRequest}: the snapshot that it made. */
export function encodeCommitResponse(snapshot: Snapshot): Uint8Array<ArrayBuffer> {
  const writer = new BinaryWriter();
  writeMessage(writer, 1, snapshot, writeSnapshot);
  return writer.finish();
}

/**
 * Decodes the answer to a {@linkcode CommitRequest}.
 *
 * @throws {GraftError} `invalid`.
 */
export function decodeCommitResponse(bytes: Uint8Array): Snapshot {
  return readOnlySnapshot(new MessageReader(bytes, "the commit response"));
}
