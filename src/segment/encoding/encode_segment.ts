/**
 * Encoding segments.
 *
 * @module
 */

import { assert } from "../../core/assert.ts";
import type { SegmentId, VolumeId } from "../../core/gid.ts";
import { SEGMENT_PAGES_MAX, SEGMENT_VOLUMES_MAX } from "../../core/limits.ts";
import { PageSet } from "../../core/page_set.ts";
import { type PageSource, SegmentBuilder } from "./_segment_builder.ts";
import type { FrameCodec } from "../codec.ts";
import type { EncodedSegment, EncodeOptions, SegmentVolume } from "../segment.ts";

/** Pages of one volume, wherever they lie; `VolumePages` is one. */
export interface VolumeSource {
  /** The volume. */
  readonly vid: VolumeId;
  /** Its pages, in any order. */
  readonly pages: PageSource;
}

/**
 * Encodes one segment, synchronously: about 6 ms for each MiB of pages.
 *
 * The same pages give the same bytes, as long as the codec does. The buffers are only read.
 *
 * @param sid Its identifier.
 * @param volumes At most 400, each at most once, each with at least one page; at most 16,384 pages and
 * a tail of 60 KiB (`SegmentBudget` tells); no index twice, and each from 1 to 2^28. A breach is an
 * assertion.
 * @param codec Compresses the frames.
 * @param options `keepFrames`: see `EncodeOptions`; by default they are not kept.
 */
export function encodeSegment(
  sid: SegmentId,
  volumes: readonly VolumeSource[],
  codec: FrameCodec,
  { keepFrames }: EncodeOptions = { keepFrames: false },
): EncodedSegment {
  const sorted = volumes.toSorted((a, b) => (a.vid < b.vid ? -1 : 1));
  checkLimits(sorted);
  // the sets first: making them needs the arena that the builder then holds
  const pageSets = sorted.map(({ pages }) => PageSet.from(pages.indexes));
  const counts = sorted.map(({ pages }) => pages.count);
  const builder = new SegmentBuilder({ sid, codec, pagesMax: Math.max(...counts), keepFrames });
  const encoded: SegmentVolume[] = sorted.map(({ vid, pages }, i) => {
    const pageSet = pageSets[i];
    return { vid, pageSet, digest: builder.addVolume(vid, pages, pageSet) };
  });
  return { sid, bytes: builder.finish(), volumes: encoded, frames: builder.frames };
}

function checkLimits(sorted: readonly VolumeSource[]): void {
  assert(
    sorted.length > 0 && sorted.length <= SEGMENT_VOLUMES_MAX,
    "A segment holds from 1 to 400 volumes",
  );
  let pages = 0;
  for (const [i, volume] of sorted.entries()) {
    assert(i === 0 || sorted[i - 1].vid < volume.vid, "A segment holds a volume twice");
    assert(volume.pages.count > 0, "A segment holds a volume without pages");
    pages += volume.pages.count;
  }
  assert(pages <= SEGMENT_PAGES_MAX, "A segment holds more than 16,384 pages");
}
