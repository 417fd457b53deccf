/**
 * Frames of segments, from the cache or the object store.
 *
 * @module
 */

import { assert } from "../core/assert.ts";
import type { SegmentId, VolumeId } from "../core/gid.ts";
import { SEGMENT_TAIL_BYTES_MAX } from "../core/limits.ts";
import type { ByteCache } from "../objects/byte_cache.ts";
import { type ObjectStore, segmentKey } from "../objects/object_store.ts";
import { SingleFlight } from "../objects/single_flight.ts";
import type { FrameCodec } from "../segment/codec.ts";
import type { EncodedSegment } from "../segment/segment.ts";
import { DecodedFrame, decodeFrame } from "../segment/frame.ts";
import { openSegment, type SegmentDirectory } from "../segment/segment_directory.ts";

/** What a {@linkcode SegmentReader} is made of. */
export interface SegmentReaderParts {
  /** Where segments are. */
  readonly objects: ObjectStore;
  /** Decompresses frames. */
  readonly codec: FrameCodec;
  /** Decoded frames by segment, volume and number. */
  readonly frames: ByteCache<string, DecodedFrame>;
  /** Opened directories by segment. */
  readonly directories: ByteCache<SegmentId, SegmentDirectory>;
}

/** One ranged read fetches at most this much, so that a long run does not hold the event loop. */
const RUN_BYTES_MAX = 1024 * 1024;

/** Reads frames; concurrent misses of one are one fetch. */
export class SegmentReader {
  readonly #parts: SegmentReaderParts;
  readonly #openings = new SingleFlight<SegmentId, SegmentDirectory>();
  readonly #fetches = new SingleFlight<string, DecodedFrame[]>();

  /** Takes its parts; nothing is started. */
  constructor(parts: SegmentReaderParts) {
    this.#parts = parts;
  }

  /** The segment's directory, if it is in memory. */
  peekDirectory(sid: SegmentId): SegmentDirectory | undefined {
    return this.#parts.directories.get(sid);
  }

  /** The frame, if it is in memory. */
  peekFrame(sid: SegmentId, vid: VolumeId, frame: number): DecodedFrame | undefined {
    return this.#parts.frames.get(frameKey(sid, vid, frame));
  }

  /** Takes what was just written into the caches: whoever pulls a commit reads its pages next. */
  keep({ sid, bytes, volumes, frames }: EncodedSegment): void {
    const tail = bytes.subarray(Math.max(0, bytes.length - SEGMENT_TAIL_BYTES_MAX));
    const directory = openSegment(sid, { bytes: tail, sizeBytes: bytes.length });
    this.#parts.directories.set(sid, directory, directory.memoryBytes);
    for (const [i, { vid }] of volumes.entries()) {
      for (const [number, { pages, hashes }] of frames[i].entries()) {
        const frame = new DecodedFrame(pages, hashes);
        this.#parts.frames.set(frameKey(sid, vid, number), frame, frame.memoryBytes);
      }
    }
  }

  /**
   * Opens a segment.
   *
   * @throws {GraftError} `missing` when its object is gone, `damaged` when it does not verify.
   */
  async directory(sid: SegmentId): Promise<SegmentDirectory> {
    return this.peekDirectory(sid) ?? await this.#openings.run(sid, async () => {
      const tail = await this.#parts.objects.getTail(segmentKey(sid), SEGMENT_TAIL_BYTES_MAX);
      const directory = openSegment(sid, tail);
      this.#parts.directories.set(sid, directory, directory.memoryBytes);
      return directory;
    });
  }

  /**
   * Fetches frames of one volume in one segment (opened before), ascending and without repeats.
   * Neighbours in the object come with one ranged read.
   */
  async fetch(
    directory: SegmentDirectory,
    vid: VolumeId,
    frames: readonly number[],
  ): Promise<DecodedFrame[]> {
    const runs = [...neighbours(directory, vid, frames)];
    const decoded = await Promise.all(runs.map((run) => this.#fetchRun(directory, vid, run)));
    return decoded.flat();
  }

  #fetchRun(directory: SegmentDirectory, vid: VolumeId, run: FrameRun): Promise<DecodedFrame[]> {
    const { sid } = directory;
    return this.#fetches.run(`${frameKey(sid, vid, run.first)}+${run.count}`, async () => {
      const stored = await this.#parts.objects.getRange(segmentKey(sid), run.offset, run.length);
      const volume = directory.volume(vid);
      assert(volume !== undefined, "A frame of a volume that the segment lacks was asked for");
      return Array.from({ length: run.count }, (_, i) => {
        const { offset, length } = volume.frameRange(run.first + i);
        const bytes = stored.subarray(offset - run.offset, offset - run.offset + length);
        const frame = decodeFrame(volume, run.first + i, bytes, this.#parts.codec);
        this.#parts.frames.set(frameKey(sid, vid, run.first + i), frame, frame.memoryBytes);
        return frame;
      });
    });
  }
}

interface FrameRun {
  readonly first: number;
  readonly count: number;
  readonly offset: number;
  readonly length: number;
}

function frameKey(sid: SegmentId, vid: VolumeId, frame: number): string {
  return `${sid}/${vid}/${frame}`;
}

function* neighbours(
  directory: SegmentDirectory,
  vid: VolumeId,
  frames: readonly number[],
): Generator<FrameRun> {
  const volume = directory.volume(vid);
  assert(volume !== undefined, "A frame of a volume that the segment lacks was asked for");
  for (let i = 0; i < frames.length;) {
    const first = frames[i];
    const { offset } = volume.frameRange(first);
    let length = 0;
    let count = 0;
    while (i < frames.length && frames[i] === first + count) {
      const next = volume.frameRange(frames[i]).length;
      if (count > 0 && length + next > RUN_BYTES_MAX) break;
      length += next;
      count++;
      i++;
    }
    yield { first, count, offset, length };
  }
}
