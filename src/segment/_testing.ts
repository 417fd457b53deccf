// What the tests of segments share: identifiers, pages and damage that are the same every time.

import { xxh64 } from "../core/content_digest.ts";
import { gidFromBytes, gidToBytes, type SegmentId, type VolumeId } from "../core/gid.ts";
import { PAGE_SIZE } from "../core/limits.ts";
import { PageBuffer } from "../core/page_buffer.ts";
import type { FrameCodec } from "./codec.ts";
import type { VolumePages } from "./segment.ts";
import { openSegment } from "./segment_directory.ts";
import { TRAILER_BYTES } from "./segment_format.ts";
import { decodeFrames } from "./verify_segment.ts";

function gidBytes(kind: number, number: number): Uint8Array {
  const bytes = new Uint8Array(16).fill(7);
  bytes[0] = kind;
  new DataView(bytes.buffer).setUint32(12, number);
  return bytes;
}

/** The segment of a number. */
export function testSid(number = 1): SegmentId {
  return gidFromBytes("segment", gidBytes(0xa0, number));
}

/** The volume of a number; they sort as their numbers do. */
export function testVid(number = 1): VolumeId {
  return gidFromBytes("volume", gidBytes(0x80, number));
}

/** A page that compresses well, different for each index. */
export function textPage(pageIdx: number): Uint8Array<ArrayBuffer> {
  const words = new Uint32Array(PAGE_SIZE / 4);
  for (let i = 0; i < words.length; i++) words[i] = pageIdx + (i >> 2);
  return new Uint8Array(words.buffer);
}

/** A page that does not compress. */
export function noisePage(pageIdx: number): Uint8Array<ArrayBuffer> {
  const words = new Uint32Array(PAGE_SIZE / 4);
  let state = (pageIdx * 2 + 1) | 0;
  for (let i = 0; i < words.length; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    words[i] = state;
  }
  return new Uint8Array(words.buffer);
}

/** Pages of a volume, in the order given. */
export function volumePages(
  vid: VolumeId,
  indexes: Iterable<number>,
  page: (pageIdx: number) => Uint8Array = textPage,
): VolumePages {
  const pages = new PageBuffer();
  for (const pageIdx of indexes) pages.add(pageIdx).set(page(pageIdx));
  return { vid, pages };
}

/** The numbers from `first` to `last`. */
export function range(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, i) => first + i);
}

/** All pages of a segment by volume and index. */
export function readPages(
  sid: SegmentId,
  bytes: Uint8Array<ArrayBuffer>,
  codec: FrameCodec,
): Map<VolumeId, Map<number, Uint8Array>> {
  const volumes = [...openSegment(sid, { bytes, sizeBytes: bytes.length }).volumes()];
  return new Map(volumes.map((volume) => {
    const frames = decodeFrames(volume, bytes, codec);
    const pages = [...frames].flatMap((frame) =>
      Array.from({ length: frame.count }, (_, slot) => frame.page(slot))
    );
    return [volume.vid, new Map([...volume.pageSet].map((pageIdx, i) => [pageIdx, pages[i]]))];
  }));
}

/** A copy of a segment with a trailer that fits whatever was done to the directory: hostile, not damaged. */
export function reseal(
  sid: SegmentId,
  bytes: Uint8Array<ArrayBuffer>,
  change: (bytes: Uint8Array, view: DataView, trailer: number) => void,
): Uint8Array<ArrayBuffer> {
  const changed = bytes.slice();
  const view = new DataView(changed.buffer);
  const trailer = changed.length - TRAILER_BYTES;
  const directory = view.getUint32(trailer, true);
  change(changed, view, trailer);
  const seed = xxh64(gidToBytes(sid), 0n);
  view.setBigUint64(trailer + 48, xxh64(changed.subarray(directory, trailer + 48), seed), true);
  return changed;
}
