/**
 * How a commit record is written down. Volume and LSN are not in it: its key has them.
 *
 * ```text
 * record := client (16 bytes) · page count (varint) · time in ms (varint) · request id · digest (16) ·
 *           parent's digest (16) · number of segments (varint) · segment…
 * request id := 0 | 1 · bytes (sized)
 * segment    := id (16) · page set (sized)
 * ```
 *
 * @module
 */

import { DIGEST_BYTES } from "../../core/content_digest.ts";
import { GraftError } from "../../core/errors.ts";

import { GID_BYTES, gidFromBytes, gidToBytes, type VolumeId } from "../../core/gid.ts";
import type { Lsn } from "../../core/lsn.ts";
import { toPageCount } from "../../core/page.ts";
import { PageSet } from "../../core/page_set.ts";
import type { SegmentUse } from "../../core/snapshot.ts";
import type { CommitRecord } from "../commit_log.ts";
import type { ByteReader } from "./byte_reader.ts";
import type { ByteWriter } from "./byte_writer.ts";

/** Writes all of a record but its volume and LSN. */
export function writeRecord(writer: ByteWriter, record: CommitRecord): void {
  writer.raw(gidToBytes(record.cid));
  writer.varint(record.pageCount);
  writer.varint(record.timestampMs);
  writer.byte(record.requestId === undefined ? 0 : 1);
  if (record.requestId !== undefined) writer.sized(record.requestId);
  writer.raw(record.digest);
  writer.raw(record.parentDigest);
  writer.varint(record.segments.length);
  for (const { sid, pageSet } of record.segments) {
    writer.raw(gidToBytes(sid));
    writer.sized(pageSet.bytes);
  }
}

/** Reads what {@linkcode writeRecord} wrote. @throws {GraftError} `invalid` when it is anything else. */
export function readRecord(reader: ByteReader, vid: VolumeId, lsn: Lsn): CommitRecord {
  return {
    vid,
    lsn,
    cid: gidFromBytes("client", reader.view(GID_BYTES)),
    pageCount: toPageCount(reader.varint()),
    timestampMs: reader.varint(),
    requestId: readRequestId(reader),
    digest: reader.copy(DIGEST_BYTES),
    parentDigest: reader.copy(DIGEST_BYTES),
    segments: Array.from({ length: reader.count(GID_BYTES) }, () => readSegment(reader)),
  };
}

function readRequestId(reader: ByteReader): Uint8Array | undefined {
  const given = reader.byte();
  if (given > 1) throw new GraftError("invalid", `Cannot read the record: its flag is ${given}`);
  return given === 0 ? undefined : reader.copy(reader.varint());
}

function readSegment(reader: ByteReader): SegmentUse {
  const sid = gidFromBytes("segment", reader.view(GID_BYTES));
  return { sid, pageSet: PageSet.decode(reader.sizedView()) };
}
