/**
 * Verifying whole segments.
 *
 * @module
 */

import { contentDigest, digestsEqual } from "../core/content_digest.ts";
import { gidToBytes, type SegmentId } from "../core/gid.ts";
import { damagedSegment } from "./_damage.ts";
import type { FrameCodec } from "./codec.ts";
import { type DecodedFrame, decodeFrame } from "./frame.ts";
import { openSegment, type SegmentDirectory, type VolumeDirectory } from "./segment_directory.ts";
import { HEADER_BYTES, HEADER_START, PAGE_HASH_BYTES } from "./segment_format.ts";

/**
 * Checks every byte of a segment: header, trailer, directory, frames, page hashes and content digests.
 *
 * @param sid The segment that the bytes are said to be of.
 * @param bytes The whole object.
 * @param codec Decompresses its frames.
 * @returns Its directory.
 * @throws {GraftError} `damaged`, naming the segment and what is wrong first.
 */
export function verifySegment(
  sid: SegmentId,
  bytes: Uint8Array<ArrayBuffer>,
  codec: FrameCodec,
): SegmentDirectory {
  const directory = openSegment(sid, { bytes, sizeBytes: bytes.length });
  checkHeader(sid, bytes);
  for (const volume of directory.volumes()) checkVolume(volume, bytes, codec);
  return directory;
}

/** Decodes the frames of a volume from the whole object, one after the other. */
export function* decodeFrames(
  volume: VolumeDirectory,
  bytes: Uint8Array,
  codec: FrameCodec,
): Generator<DecodedFrame, undefined> {
  for (let frame = 0; frame < volume.frameCount; frame++) {
    const { offset, length } = volume.frameRange(frame);
    yield decodeFrame(volume, frame, bytes.subarray(offset, offset + length), codec);
  }
}

function checkHeader(sid: SegmentId, bytes: Uint8Array): void {
  const expected = new Uint8Array(HEADER_BYTES);
  expected.set(HEADER_START);
  expected.set(gidToBytes(sid), HEADER_BYTES - gidToBytes(sid).length);
  if (expected.some((byte, i) => byte !== bytes[i])) {
    throw damagedSegment(sid, "it does not start with its header");
  }
}

function checkVolume(volume: VolumeDirectory, bytes: Uint8Array, codec: FrameCodec): void {
  const hashes = new Uint8Array(volume.pageSet.size * PAGE_HASH_BYTES);
  let at = 0;
  for (const frame of decodeFrames(volume, bytes, codec)) {
    hashes.set(frame.hashes, at);
    at += frame.hashes.length;
  }
  const digest = contentDigest(volume.pageSet.toArray(), new BigUint64Array(hashes.buffer));
  if (!digestsEqual(digest, volume.digest)) {
    throw damagedSegment(volume.sid, `the content digest of volume "${volume.vid}" is off`);
  }
}
