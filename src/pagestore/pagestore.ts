/**
 * The pagestore: pages in, durable; pages out, at any LSN.
 *
 * @module
 */

import { assert } from "../core/assert.ts";
import { GraftError, isGraftError } from "../core/errors.ts";
import type { SegmentId, VolumeId } from "../core/gid.ts";
import type { Lsn } from "../core/lsn.ts";
import type { Counter, Metrics } from "../core/metrics.ts";
import type { PageSet } from "../core/page_set.ts";
import type { DecodedFrame } from "../segment/frame.ts";
import type { SegmentDirectory, VolumeDirectory } from "../segment/segment_directory.ts";
import type { PageFrame } from "../wire/v1/mod.ts";
import { planFrames, type PlannedFrame } from "./_frame_plan.ts";
import { type IngestBudget, PageWrite } from "./page_write.ts";
import type { SegmentReader } from "./segment_reader.ts";
import type { SegmentWriter } from "./segment_writer.ts";
import type { Located, VolumeIndex } from "./volume_index.ts";
import type { VolumeIndexes } from "./volume_indexes.ts";

/** What a {@linkcode Pagestore} is made of. */
export interface PagestoreParts {
  /** Which segment holds what. */
  readonly indexes: VolumeIndexes;
  /** Frames out of segments. */
  readonly reader: SegmentReader;
  /** Segments out of pages. */
  readonly writer: SegmentWriter;
  /** Memory for request bodies. */
  readonly ingest: IngestBudget;
  /** Counts pages. */
  readonly metrics: Metrics;
}

/** The pages that a read found. */
export interface PagesRead {
  /** Their indexes, ascending. Pages that do not exist at the LSN are absent. */
  readonly indexes: Uint32Array;
  /** The 4,096 bytes of the page at position `at` of {@linkcode PagesRead.indexes}. A view: do not write to it. */
  page(at: number): Uint8Array;
  /** The xxh64 of that page, 8 bytes little-endian, as it was when the page was written. A view. */
  hash(at: number): Uint8Array;
}

/** The pages that a read found, some of them as they are stored. */
export interface FramesRead {
  /** Frames of which at least half was wanted. Their masks say which pages are those of the LSN. */
  readonly frames: readonly PageFrame[];
  /** The wanted pages that are in none of them. */
  readonly rest: PagesRead;
}

/** Stores pages in segments and serves any page at any LSN. */
export class Pagestore {
  readonly #parts: PagestoreParts;
  readonly #pagesRead: Counter;

  /** Takes its parts; nothing is started. */
  constructor(parts: PagestoreParts) {
    this.#parts = parts;
    this.#pagesRead = parts.metrics.counter("pages_read", "Pages served");
  }

  /**
   * Begins a write.
   *
   * @param expectedBytes The length of the request's body, where it is known.
   * @throws {GraftError} `unavailable` when too many bytes are in memory already.
   */
  openWrite(expectedBytes?: number): PageWrite {
    return new PageWrite(this.#parts.writer, this.#parts.ingest, expectedBytes);
  }

  /**
   * Reads the newest version at or below `lsn` of each wanted page.
   *
   * @throws {GraftError} `missing` for an unknown volume or LSN; `damaged`, naming the object, when
   * stored bytes fail their checksum or an object is gone; `unavailable` when the store does not answer.
   */
  async read(vid: VolumeId, lsn: Lsn, wanted: PageSet): Promise<PagesRead> {
    return await this.#withIndex(vid, lsn, (index) => this.#readFrom(index, lsn, wanted));
  }

  /**
   * Reads as {@linkcode Pagestore.read} does, and leaves frames as they are stored where at least half of
   * their pages are wanted: nothing is decompressed then, and the reader gets the rest of the frame for
   * almost nothing.
   */
  async readFrames(vid: VolumeId, lsn: Lsn, wanted: PageSet): Promise<FramesRead> {
    return await this.#withIndex(vid, lsn, (index) => this.#readFramesFrom(index, lsn, wanted));
  }

  async #withIndex<T>(
    vid: VolumeId,
    lsn: Lsn,
    read: (index: VolumeIndex) => Promise<T>,
  ): Promise<T> {
    const { indexes } = this.#parts;
    const index = indexes.peek(vid, lsn) ?? await indexes.at(vid, lsn);
    try {
      return await read(index);
    } catch (error) {
      if (!isGraftError(error, "missing")) throw error;
    }
    // an object may have gone because the line was rewritten since the index read it
    indexes.drop(vid);
    const reloaded = await indexes.at(vid, lsn);
    try {
      return await read(reloaded);
    } catch (error) {
      if (!isGraftError(error, "missing")) throw error;
      const state =
        `Cannot read volume "${vid}" at LSN ${lsn}: a segment that it refers to is gone`;
      throw new GraftError("damaged", `${state} (${error.message})`, {
        cause: error,
        publicMessage: `${state} (${error.publicMessage ?? error.message})`,
      });
    }
  }

  /** Rejects with `missing` only when an object is not there. */
  async #readFrom(index: VolumeIndex, lsn: Lsn, wanted: PageSet): Promise<PagesRead> {
    const located = index.locate(wanted.toArray(), lsn);
    const found = new FoundPages(located);
    const missing = this.#fillFromCache(index, located, found);
    if (missing.size > 0) await this.#fillFromStore(index, located, missing, found);
    this.#pagesRead.add(located.count);
    return found;
  }

  /** Rejects with `missing` only when an object is not there. */
  async #readFramesFrom(index: VolumeIndex, lsn: Lsn, wanted: PageSet): Promise<FramesRead> {
    const { reader } = this.#parts;
    const located = index.locate(wanted.toArray(), lsn);
    const slots = [...new Set(located.segments.subarray(0, located.count))];
    const opened = await Promise.all(slots.map((slot) => reader.directory(index.segment(slot))));
    const directories = new Map(slots.map((slot, i) => [slot, opened[i]]));
    const { whole, rest } = planFrames(index, lsn, located, directories);
    const [frames, pages] = await Promise.all([
      Promise.all(whole.map(({ slot, frames }) => this.#fetchWhole(directories, slot, frames))),
      this.#readFrom(index, lsn, rest),
    ]);
    this.#pagesRead.add(located.count - pages.indexes.length);
    return { frames: frames.flat(), rest: pages };
  }

  /** The frames of one segment. */
  async #fetchWhole(
    directories: ReadonlyMap<number, SegmentDirectory>,
    slot: number,
    frames: readonly PlannedFrame[],
  ): Promise<PageFrame[]> {
    const directory = directories.get(slot);
    assert(directory !== undefined && frames.length > 0, "A segment is planned for and not open");
    const numbers = frames.map(({ number }) => number);
    const stored = await this.#parts.reader.fetchStored(directory, frames[0].vid, numbers);
    return frames.map(({ indexes, mask, codec }, i) => ({
      indexes,
      mask,
      codec,
      stored: stored[i],
    }));
  }

  /** Fills what is in memory; returns the positions of the rest, by segment slot. */
  #fillFromCache(index: VolumeIndex, located: Located, found: FoundPages): Map<number, number[]> {
    const missing = new Map<number, number[]>();
    let slot = -1;
    let volume: VolumeDirectory | undefined;
    let frame = -1;
    let decoded: DecodedFrame | undefined;
    for (let at = 0; at < located.count; at++) {
      if (located.segments[at] !== slot) {
        slot = located.segments[at];
        volume = this.#parts.reader.peekDirectory(index.segment(slot))?.volume(index.vid);
        frame = -1;
      }
      if (volume !== undefined) {
        const wantedFrame = volume.frameOf(located.ranks[at]);
        if (wantedFrame !== frame) {
          frame = wantedFrame;
          decoded = this.#parts.reader.peekFrame(index.segment(slot), index.vid, frame);
        }
        if (decoded !== undefined) {
          found.set(at, decoded, located.ranks[at] - volume.firstRank(frame));
          continue;
        }
      }
      const positions = missing.get(slot);
      if (positions === undefined) missing.set(slot, [at]);
      else positions.push(at);
    }
    return missing;
  }

  async #fillFromStore(
    index: VolumeIndex,
    located: Located,
    missing: Map<number, number[]>,
    found: FoundPages,
  ): Promise<void> {
    await Promise.all(
      Array.from(
        missing,
        ([slot, positions]) =>
          this.#fillFromSegment(index.segment(slot), index.vid, located, positions, found),
      ),
    );
  }

  async #fillFromSegment(
    sid: SegmentId,
    vid: VolumeId,
    located: Located,
    positions: readonly number[],
    found: FoundPages,
  ): Promise<void> {
    const directory = await this.#parts.reader.directory(sid);
    const volume = directory.volume(vid);
    if (volume === undefined) {
      throw new GraftError("damaged", `Cannot read segment "${sid}": it lacks volume "${vid}"`);
    }
    const frameOf = (at: number): number => volume.frameOf(located.ranks[at]);
    const numbers = [...new Set(positions.map(frameOf))].sort((a, b) => a - b);
    const frames = await this.#parts.reader.fetch(directory, vid, numbers);
    const byNumber = new Map(numbers.map((number, i) => [number, frames[i]]));
    for (const at of positions) {
      const frame = byNumber.get(frameOf(at));
      assert(frame !== undefined, "A frame that was fetched is not there");
      found.set(at, frame, located.ranks[at] - volume.firstRank(frameOf(at)));
    }
  }
}

class FoundPages implements PagesRead {
  readonly indexes: Uint32Array;
  readonly #frames: DecodedFrame[];
  readonly #slots: Uint8Array;

  constructor(located: Located) {
    this.indexes = located.indexes.subarray(0, located.count);
    this.#frames = new Array(located.count);
    this.#slots = new Uint8Array(located.count);
  }

  set(at: number, frame: DecodedFrame, slot: number): void {
    this.#frames[at] = frame;
    this.#slots[at] = slot;
  }

  page(at: number): Uint8Array {
    return this.#frames[at].page(this.#slots[at]);
  }

  hash(at: number): Uint8Array {
    return this.#frames[at].hash(this.#slots[at]);
  }
}
