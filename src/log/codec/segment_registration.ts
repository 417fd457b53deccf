/**
 * How a segment's registration is written down. The segment's id is not in it: its key has it.
 *
 * ```text
 * registration := time in ms (varint) · size in bytes (varint) · number of volumes (varint) · volume…
 * volume       := id (16 bytes) · content digest (16) · page set (sized)
 * ```
 *
 * @module
 */

import { DIGEST_BYTES } from "../../core/content_digest.ts";
import { GID_BYTES, gidFromBytes, gidToBytes, type SegmentId } from "../../core/gid.ts";
import { PageSet } from "../../core/page_set.ts";
import type { SegmentVolume } from "../../segment/segment.ts";
import type { Registration } from "../commit_log.ts";
import type { ByteReader } from "./byte_reader.ts";
import type { ByteWriter } from "./byte_writer.ts";

/** Writes all of a registration but the segment's id. */
export function writeRegistration(writer: ByteWriter, registration: Registration): void {
  writer.varint(registration.timestampMs);
  writer.varint(registration.sizeBytes);
  writer.varint(registration.volumes.length);
  for (const { vid, pageSet, digest } of registration.volumes) {
    writer.raw(gidToBytes(vid));
    writer.raw(digest);
    writer.sized(pageSet.bytes);
  }
}

/** Reads what {@linkcode writeRegistration} wrote. @throws {GraftError} `invalid` when it is anything else. */
export function readRegistration(reader: ByteReader, sid: SegmentId): Registration {
  return {
    sid,
    timestampMs: reader.varint(),
    sizeBytes: reader.varint(),
    volumes: Array.from(
      { length: reader.count(GID_BYTES + DIGEST_BYTES) },
      () => readVolume(reader),
    ),
  };
}

function readVolume(reader: ByteReader): SegmentVolume {
  const vid = gidFromBytes("volume", reader.view(GID_BYTES));
  const digest = reader.copy(DIGEST_BYTES);
  return { vid, digest, pageSet: PageSet.decode(reader.sizedView()) };
}
