// Which ranges of an object to ask for when some of its frames are wanted.

import type { VolumeDirectory } from "../segment/volume_directory.ts";

/** Frames that one ranged read fetches. */
export interface FrameRun {
  /** Where the range starts in the object. */
  readonly offset: number;
  /** Its length. */
  readonly length: number;
  /** The numbers of the wanted frames in it, ascending. */
  readonly frames: readonly number[];
}

/** One ranged read fetches at most this much, so that a long run does not hold the event loop. */
const RUN_BYTES_MAX = 1024 * 1024;

/**
 * Bytes between two wanted frames that are rather fetched than spared: a second request to a store in a
 * network takes longer than so many bytes do, and is what such stores charge for. A read of one frame
 * is not concerned.
 */
const GAP_BYTES_MAX = 64 * 1024;

/**
 * The ranges that hold `frames` of a volume.
 *
 * @param frames Numbers, ascending and without repeats.
 */
export function* frameRuns(
  volume: VolumeDirectory,
  frames: readonly number[],
): Generator<FrameRun> {
  for (let i = 0; i < frames.length;) {
    const { offset } = volume.frameRange(frames[i]);
    let end = offset;
    let next = i;
    while (next < frames.length) {
      const range = volume.frameRange(frames[next]);
      const nextEnd = range.offset + range.length;
      const isNear = range.offset - end <= GAP_BYTES_MAX && nextEnd - offset <= RUN_BYTES_MAX;
      if (next > i && !isNear) break;
      end = nextEnd;
      next++;
    }
    yield { offset, length: end - offset, frames: frames.slice(i, next) };
    i = next;
  }
}
