/**
 * What the segment format is made of; docs/formats/segment.md draws it byte by byte.
 *
 * @module
 */

import type { Digest } from "../core/content_digest.ts";
import type { SegmentId, VolumeId } from "../core/gid.ts";
import type { PageBuffer } from "../core/page_buffer.ts";
import type { PageSet } from "../core/page_set.ts";

/** Pages of one volume that go into a segment. No index occurs twice. */
export interface VolumePages {
  /** The volume. */
  readonly vid: VolumeId;
  /** Its pages, in any order. */
  readonly pages: PageBuffer;
}

/** What a segment holds of one volume. */
export interface SegmentVolume {
  /** The volume. */
  readonly vid: VolumeId;
  /** Which of its pages. */
  readonly pageSet: PageSet;
  /** The content digest of those pages. */
  readonly digest: Digest;
}

/** Up to 16 pages as they went into a frame, for a cache that would read them next. */
export interface KeptFrame {
  /** The pages, one after the other. */
  readonly pages: Uint8Array<ArrayBuffer>;
  /** The xxh64 of each page, 8 bytes little-endian each. */
  readonly hashes: Uint8Array<ArrayBuffer>;
}

/** How to encode. */
export interface EncodeOptions {
  /** Whether the answer carries the frames' pages too, which costs a copy of them. */
  readonly keepFrames: boolean;
}

/** A segment, ready to be stored. */
export interface EncodedSegment {
  /** Its identifier. */
  readonly sid: SegmentId;
  /** The object's bytes. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** What it holds, sorted by volume. */
  readonly volumes: readonly SegmentVolume[];
  /** For each of those volumes its frames in order, where they were to be kept; else empty. */
  readonly frames: readonly (readonly KeptFrame[])[];
}

/** Turns pages into segments. */
export interface SegmentEncoder {
  /**
   * Encodes one segment. The encoder owns the buffers from here on (large ones move to a worker).
   * At most 400 volumes, each at most once; 16,384 pages; a tail of 60 KiB: the caller has checked
   * with `SegmentBudget`, a breach is an assertion.
   */
  encode(
    sid: SegmentId,
    volumes: readonly VolumePages[],
    options?: EncodeOptions,
  ): Promise<EncodedSegment>;
  /** Ends the workers. */
  close(): void;
}
