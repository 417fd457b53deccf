/**
 * The least that opens a segment: its directory and trailer, without the frames before them.
 *
 * @module
 */

import type { SegmentTail } from "./segment_directory.ts";
import { TRAILER_BYTES } from "./segment_format.ts";

/** Directory and trailer out of the end of an object that `openSegment` accepted. A view. */
export function trimTail({ bytes }: SegmentTail): Uint8Array<ArrayBuffer> {
  const trailer = bytes.length - TRAILER_BYTES;
  const directoryBytes = trailerView(bytes).getUint32(4, true);
  return bytes.subarray(trailer - directoryBytes);
}

/**
 * What `openSegment` takes, from directory and trailer alone. The bytes may be anything: it is for
 * `openSegment` to refuse them.
 */
export function untrimTail(bytes: Uint8Array<ArrayBuffer>): SegmentTail {
  if (bytes.length < TRAILER_BYTES) return { bytes, sizeBytes: bytes.length };
  return { bytes, sizeBytes: trailerView(bytes).getUint32(0, true) + bytes.length };
}

function trailerView(bytes: Uint8Array<ArrayBuffer>): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset + bytes.length - TRAILER_BYTES);
}
