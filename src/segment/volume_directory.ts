/**
 * What a segment's directory says of one volume.
 *
 * @module
 */

import { assert } from "../core/assert.ts";
import type { Digest } from "../core/content_digest.ts";
import type { SegmentId, VolumeId } from "../core/gid.ts";
import { FRAME_PAGES_MAX } from "../core/limits.ts";
import type { PageSet } from "../core/page_set.ts";
import type { SegmentVolume } from "./segment.ts";
import { FRAME_CODEC, FRAME_ENTRY, FRAME_ENTRY_BYTES } from "./segment_format.ts";

/** The object, its views, its page set and its place in a map. */
const OBJECT_BYTES = 600;

/** Where a page is. */
export interface PagePlace {
  /** The frame's number within the volume, from 0. */
  readonly frame: number;
  /** The page's number within the frame, from 0. */
  readonly slot: number;
}

/** What the directory says of a frame. */
export interface FrameEntry {
  /** How many pages it holds, from 1 to 16. */
  readonly pages: number;
  /** Whether the pages are stored as they are, not compressed. */
  readonly raw: boolean;
  /** The length of the frame in the object, page hashes included. */
  readonly storedBytes: number;
  /** The xxh64 of those bytes. */
  readonly hash: bigint;
}

/** What a {@linkcode VolumeDirectory} is made of. */
export interface VolumeDirectoryParts extends SegmentVolume {
  /** The segment. */
  readonly sid: SegmentId;
  /** The entries of the volume's frames, validated; they are kept, not copied. */
  readonly frames: Uint8Array<ArrayBuffer>;
}

/**
 * Finds a volume's pages in a segment.
 *
 * A page's rank is its position in the volume's sorted page set. Frames take ranks in order; a frame's
 * pages are its slots.
 */
export class VolumeDirectory implements SegmentVolume {
  /** The segment. */
  readonly sid: SegmentId;
  /** The volume. */
  readonly vid: VolumeId;
  /** Which of its pages the segment holds. */
  readonly pageSet: PageSet;
  /** The content digest of those pages. */
  readonly digest: Digest;
  /** How many frames hold them. */
  readonly frameCount: number;
  readonly #frames: DataView<ArrayBuffer>;
  readonly #allFull: boolean;

  /** Takes validated parts; `openSegment` is the way to get one. */
  constructor(parts: VolumeDirectoryParts) {
    this.sid = parts.sid;
    this.vid = parts.vid;
    this.pageSet = parts.pageSet;
    this.digest = parts.digest;
    const { buffer, byteOffset, byteLength } = parts.frames;
    this.#frames = new DataView(buffer, byteOffset, byteLength);
    this.frameCount = byteLength / FRAME_ENTRY_BYTES;
    // As no frame holds more than 16 pages, only full ones can bring the last one this far.
    const last = this.frameCount - 1;
    this.#allFull = this.#readFirstRank(last) === last * FRAME_PAGES_MAX;
  }

  /** About how many bytes this takes. */
  get memoryBytes(): number {
    return OBJECT_BYTES + this.#frames.byteLength + this.pageSet.bytes.length;
  }

  /** The frame that holds the page of this rank. */
  frameOf(rank: number): number {
    assert(rank >= 0 && rank < this.pageSet.size, "A rank is not in the page set");
    if (this.#allFull) return Math.floor(rank / FRAME_PAGES_MAX);
    let low = 0;
    let high = this.frameCount;
    while (high - low > 1) {
      const middle = (low + high) >>> 1;
      if (this.#readFirstRank(middle) <= rank) low = middle;
      else high = middle;
    }
    return low;
  }

  /** The rank of a frame's first page. */
  firstRank(frame: number): number {
    assert(frame >= 0 && frame < this.frameCount, "A volume has no such frame");
    return this.#readFirstRank(frame);
  }

  /** Where a page is; undefined when the segment does not hold it. */
  locate(pageIdx: number): PagePlace | undefined {
    if (!this.pageSet.has(pageIdx)) return undefined;
    const rank = this.pageSet.rank(pageIdx);
    const frame = this.frameOf(rank);
    return { frame, slot: rank - this.#readFirstRank(frame) };
  }

  /** Which bytes of the object a frame is. */
  frameRange(frame: number): { offset: number; length: number } {
    const at = this.#entry(frame);
    return {
      offset: this.#frames.getUint32(at + FRAME_ENTRY.offset, true),
      length: this.#frames.getUint32(at + FRAME_ENTRY.storedBytes, true),
    };
  }

  /** How a frame is stored. */
  frameEntry(frame: number): FrameEntry {
    const at = this.#entry(frame);
    return {
      pages: this.#frames.getUint8(at + FRAME_ENTRY.pages),
      raw: this.#frames.getUint8(at + FRAME_ENTRY.codec) === FRAME_CODEC.raw,
      storedBytes: this.#frames.getUint32(at + FRAME_ENTRY.storedBytes, true),
      hash: this.#frames.getBigUint64(at + FRAME_ENTRY.hash, true),
    };
  }

  #entry(frame: number): number {
    assert(frame >= 0 && frame < this.frameCount, "A volume has no such frame");
    return frame * FRAME_ENTRY_BYTES;
  }

  #readFirstRank(frame: number): number {
    return this.#frames.getUint16(frame * FRAME_ENTRY_BYTES + FRAME_ENTRY.firstRank, true);
  }
}
