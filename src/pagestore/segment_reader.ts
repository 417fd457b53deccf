/**
 * Directories and frames of segments: from memory, from the cache on disk, or from the object store.
 *
 * @module
 */

import { assert } from "../core/assert.ts";
import { isGraftError } from "../core/errors.ts";
import type { SegmentId, VolumeId } from "../core/gid.ts";
import { SEGMENT_TAIL_BYTES_MAX } from "../core/limits.ts";
import type { ByteCache } from "../objects/byte_cache.ts";
import { type BlobCache, noBlobs } from "../objects/disk_cache/blob_cache.ts";
import { type ObjectStore, segmentKey } from "../objects/object_store.ts";
import { SingleFlight } from "../objects/single_flight.ts";
import type { FrameCodec } from "../segment/codec.ts";
import { DecodedFrame, decodeFrame, verifyFrame } from "../segment/frame.ts";
import type { EncodedSegment } from "../segment/segment.ts";
import { openSegment, type SegmentDirectory } from "../segment/segment_directory.ts";
import { trimTail, untrimTail } from "../segment/segment_tail.ts";
import type { VolumeDirectory } from "../segment/volume_directory.ts";
import { type FrameRun, frameRuns } from "./_frame_runs.ts";

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
  /** Directories and frames as they are stored, nearer than the store; none unless given. */
  readonly blobs?: BlobCache;
}

type Stored = Promise<Uint8Array<ArrayBuffer>>;

/**
 * Reads frames; concurrent misses of one are one fetch.
 *
 * A segment's identifier is never used again, so what a cache holds of it stays right, even when the
 * object is gone. What the cache on disk gives is verified like what the store gives; where it does not
 * verify, the store is read instead.
 */
export class SegmentReader {
  readonly #parts: SegmentReaderParts;
  readonly #blobs: BlobCache;
  readonly #openings = new SingleFlight<SegmentId, SegmentDirectory>();
  readonly #fetches = new SingleFlight<string, DecodedFrame>();
  readonly #storedFetches = new SingleFlight<string, Uint8Array<ArrayBuffer>>();

  /** Takes its parts; nothing is started. */
  constructor(parts: SegmentReaderParts) {
    this.#parts = parts;
    this.#blobs = parts.blobs ?? noBlobs;
  }

  /** The segment's directory, if it is in memory. */
  peekDirectory(sid: SegmentId): SegmentDirectory | undefined {
    return this.#parts.directories.get(sid);
  }

  /** The frame, if it is in memory. */
  peekFrame(sid: SegmentId, vid: VolumeId, frame: number): DecodedFrame | undefined {
    return this.#parts.frames.get(frameKey(sid, vid, frame));
  }

  /**
   * Takes what was just written into the caches: whoever pulls a commit reads its pages next. The disk
   * takes it too, as no read would bring it there while memory has it, and after a restart what was
   * written last is what is asked for first.
   */
  keep({ sid, bytes, volumes, frames }: EncodedSegment): void {
    const end = bytes.subarray(Math.max(0, bytes.length - SEGMENT_TAIL_BYTES_MAX));
    const tail = { bytes: end, sizeBytes: bytes.length };
    const directory = openSegment(sid, tail);
    this.#parts.directories.set(sid, directory, directory.memoryBytes);
    this.#blobs.set(sid, trimTail(tail));
    for (const [i, { vid }] of volumes.entries()) {
      const volume = volumeOf(directory, vid);
      for (const [number, { pages, hashes }] of frames[i].entries()) {
        const { offset, length } = volume.frameRange(number);
        this.#blobs.set(frameKey(sid, vid, number), bytes.subarray(offset, offset + length));
        this.#remember(volume, number, new DecodedFrame(pages, hashes));
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
      const directory = this.#openNear(sid) ?? await this.#openStored(sid);
      this.#parts.directories.set(sid, directory, directory.memoryBytes);
      return directory;
    });
  }

  /**
   * Fetches frames of one volume in one segment (opened before), ascending and without repeats. Those
   * that lie near each other in the object come with one ranged read.
   *
   * @throws {GraftError} `missing` when the object is gone, `damaged`, naming it, when it does not verify.
   */
  async fetch(
    directory: SegmentDirectory,
    vid: VolumeId,
    frames: readonly number[],
  ): Promise<DecodedFrame[]> {
    const volume = volumeOf(directory, vid);
    const near = frames.map((number) => this.#findNear(volume, number));
    const absent = frames.filter((number, i) =>
      near[i] === undefined && !this.#fetches.has(frameKey(volume.sid, vid, number))
    );
    const reads = this.#readRuns(volume, absent);
    return await Promise.all(
      frames.map((number, i) => near[i] ?? this.#fetch(volume, number, reads)),
    );
  }

  /**
   * Fetches frames as they are stored; otherwise as {@linkcode SegmentReader.fetch}. Their own checksum is
   * checked, what is in them is left to whoever decodes them.
   */
  async fetchStored(
    directory: SegmentDirectory,
    vid: VolumeId,
    frames: readonly number[],
  ): Promise<Uint8Array<ArrayBuffer>[]> {
    const volume = volumeOf(directory, vid);
    const near = frames.map((number) => this.#findStored(volume, number));
    const absent = frames.filter((number, i) =>
      near[i] === undefined && !this.#storedFetches.has(frameKey(volume.sid, vid, number))
    );
    const reads = this.#readRuns(volume, absent);
    return await Promise.all(
      frames.map((number, i) => near[i] ?? this.#fetchStored(volume, number, reads)),
    );
  }

  #findStored(volume: VolumeDirectory, number: number): Uint8Array<ArrayBuffer> | undefined {
    const kept = this.#blobs.get(frameKey(volume.sid, volume.vid, number));
    return kept && unlessDamaged(() => verifyFrame(volume, number, kept));
  }

  #fetchStored(
    volume: VolumeDirectory,
    number: number,
    reads: ReadonlyMap<number, Stored>,
  ): Stored {
    const key = frameKey(volume.sid, volume.vid, number);
    return this.#storedFetches.run(key, async () => {
      const read = reads.get(number);
      assert(read !== undefined, "A frame that nobody fetches was waited for");
      const stored = verifyFrame(volume, number, await read);
      this.#blobs.set(key, stored);
      return stored;
    });
  }

  #openNear(sid: SegmentId): SegmentDirectory | undefined {
    const kept = this.#blobs.get(sid);
    return kept && unlessDamaged(() => openSegment(sid, untrimTail(kept)));
  }

  async #openStored(sid: SegmentId): Promise<SegmentDirectory> {
    const tail = await this.#parts.objects.getTail(segmentKey(sid), SEGMENT_TAIL_BYTES_MAX);
    const directory = openSegment(sid, tail);
    this.#blobs.set(sid, trimTail(tail));
    return directory;
  }

  /** A frame that needs no request and is not under way. */
  #findNear(volume: VolumeDirectory, number: number): DecodedFrame | undefined {
    const key = frameKey(volume.sid, volume.vid, number);
    // it may have come since the caller looked; asking first does not count a second miss
    if (this.#parts.frames.has(key)) return this.#parts.frames.get(key);
    if (this.#fetches.has(key)) return undefined;
    const kept = this.#blobs.get(key);
    const frame = kept &&
      unlessDamaged(() => decodeFrame(volume, number, kept, this.#parts.codec));
    return frame && this.#remember(volume, number, frame);
  }

  /** Starts one ranged read a run; returns the stored bytes of each frame. */
  #readRuns(volume: VolumeDirectory, frames: readonly number[]): Map<number, Stored> {
    const reads = new Map<number, Stored>();
    for (const run of frameRuns(volume, frames)) {
      const read = this.#parts.objects.getRange(segmentKey(volume.sid), run.offset, run.length);
      for (const number of run.frames) reads.set(number, frameOf(volume, number, run, read));
    }
    return reads;
  }

  #fetch(
    volume: VolumeDirectory,
    number: number,
    reads: ReadonlyMap<number, Stored>,
  ): Promise<DecodedFrame> {
    const key = frameKey(volume.sid, volume.vid, number);
    return this.#fetches.run(key, async () => {
      const read = reads.get(number);
      assert(read !== undefined, "A frame that nobody fetches was waited for");
      const stored = await read;
      const frame = decodeFrame(volume, number, stored, this.#parts.codec);
      this.#blobs.set(key, stored);
      return this.#remember(volume, number, frame);
    });
  }

  #remember({ sid, vid }: VolumeDirectory, number: number, frame: DecodedFrame): DecodedFrame {
    this.#parts.frames.set(frameKey(sid, vid, number), frame, frame.memoryBytes);
    return frame;
  }
}

function frameKey(sid: SegmentId, vid: VolumeId, frame: number): string {
  return `${sid}/${vid}/${frame}`;
}

function volumeOf(directory: SegmentDirectory, vid: VolumeId): VolumeDirectory {
  const volume = directory.volume(vid);
  assert(volume !== undefined, "A frame of a volume that the segment lacks was asked for");
  return volume;
}

/** The bytes of one frame out of those of its run. */
async function frameOf(
  volume: VolumeDirectory,
  number: number,
  run: FrameRun,
  read: Stored,
): Stored {
  const { offset, length } = volume.frameRange(number);
  return (await read).subarray(offset - run.offset, offset - run.offset + length);
}

/** What a cache holds may have been spoilt there; the store has it too. */
function unlessDamaged<T>(open: () => T): T | undefined {
  try {
    return open();
  } catch (error) {
    if (isGraftError(error, "damaged")) return undefined;
    throw error;
  }
}
