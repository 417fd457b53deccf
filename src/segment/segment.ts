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

/** A segment, ready to be stored. */
export interface EncodedSegment {
  /** Its identifier. */
  readonly sid: SegmentId;
  /** The object's bytes. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** What it holds, sorted by volume. */
  readonly volumes: readonly SegmentVolume[];
}

/** Turns pages into segments. */
export interface SegmentEncoder {
  /**
   * Encodes one segment. The encoder owns the buffers from here on (large ones move to a worker).
   * At most 400 volumes, each at most once; 16,384 pages; a tail of 60 KiB: the caller has checked
   * with `SegmentBudget`, a breach is an assertion.
   */
  encode(sid: SegmentId, volumes: readonly VolumePages[]): Promise<EncodedSegment>;
  /** Ends the workers. */
  close(): void;
}
