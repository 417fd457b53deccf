/**
 * The segment format: immutable objects that hold compressed, checksummed pages of one or more volumes.
 *
 * For whoever reads or writes segments without a server: `encodeSegment` makes one, `openSegment` reads
 * where its pages are from the last 60 KiB, `decodeFrame` gets up to 16 pages out, `verifySegment` checks
 * all of it. docs/formats/segment.md draws the bytes.
 *
 * ## Limitations
 *
 * - At most 16,384 pages (64 MiB), 400 volumes, and 60 KiB of directory and trailer in a segment.
 * - Everything here is synchronous, and holds a frame or an encoded segment in memory as a whole.
 * - The checksums find accidents; they do not stop someone who can rewrite the object.
 * - Encryption has a place in the format and no code yet: a segment that uses it is refused.
 *
 * @example
 * ```ts
 * import { parseGid } from "../core/gid.ts";
 * import { PageBuffer } from "../core/page_buffer.ts";
 * import { decodeFrame, encodeSegment, openSegment, WasmCodec } from "./mod.ts";
 *
 * const sid = parseGid("segment", "LkykYMgNZcVpJi7eALk9mi");
 * const vid = parseGid("volume", "GonwTRj2SohJzYLLjD9nSq");
 * const pages = new PageBuffer();
 * pages.add(7).fill(42);
 * const codec = new WasmCodec();
 * const { bytes } = encodeSegment(sid, [{ vid, pages }], codec);
 *
 * const volume = openSegment(sid, { bytes, sizeBytes: bytes.length }).volume(vid)!;
 * const { frame, slot } = volume.locate(7)!;
 * const { offset, length } = volume.frameRange(frame);
 * const stored = bytes.subarray(offset, offset + length);
 * console.log(decodeFrame(volume, frame, stored, codec).page(slot)[0]); // 42
 * ```
 *
 * @module
 */

export type { FrameCodec } from "./codec.ts";
export { WasmCodec } from "./codecs/wasm_codec.ts";
export { encodeSegment, type VolumeSource } from "./encoding/encode_segment.ts";
export { DecodedFrame, decodeFrame } from "./frame.ts";
export type { EncodedSegment, SegmentEncoder, SegmentVolume, VolumePages } from "./segment.ts";
export { SegmentBudget, splitPages } from "./segment_budget.ts";
export { openSegment, SegmentDirectory, type SegmentTail } from "./segment_directory.ts";
export { decodeFrames, verifySegment } from "./verify_segment.ts";
export {
  type FrameEntry,
  type PagePlace,
  VolumeDirectory,
  type VolumeDirectoryParts,
} from "./volume_directory.ts";
