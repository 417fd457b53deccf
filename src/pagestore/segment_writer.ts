/**
 * Turns waiting page writes into durable, registered segments.
 *
 * @module
 */

import { assert } from "../core/assert.ts";
import type { Clock } from "../core/clock.ts";
import { type GraftError, isGraftError } from "../core/errors.ts";
import { newGid, type VolumeId } from "../core/gid.ts";
import { PAGE_SIZE } from "../core/limits.ts";
import type { Counter, Histogram, Metrics } from "../core/metrics.ts";
import type { PageBuffer } from "../core/page_buffer.ts";
import type { Random } from "../core/random.ts";
import type { SegmentUse } from "../core/snapshot.ts";
import type { CommitLog, Registration } from "../log/commit_log.ts";
import { type ObjectStore, segmentKey } from "../objects/object_store.ts";
import { SegmentBudget } from "../segment/segment_budget.ts";
import type { EncodedSegment, SegmentEncoder, VolumePages } from "../segment/segment.ts";

/** Segments of up to so many pages (1 MiB) stay in the caches; bulk writes must not empty them. */
const KEPT_PAGES_MAX = 256;

/** What a {@linkcode SegmentWriter} is made of. */
export interface SegmentWriterParts {
  /** Where segments are registered. */
  readonly log: CommitLog;
  /** Where segments go. */
  readonly objects: ObjectStore;
  /** Makes segments of pages. */
  readonly encoder: SegmentEncoder;
  /** The time in segment ids. */
  readonly clock: Clock;
  /** The rest of segment ids. */
  readonly random: Random;
  /** Takes small segments when they are stored, with their frames. */
  readonly keep: (segment: EncodedSegment) => void;
  /** Counts segments, pages and bytes. */
  readonly metrics: Metrics;
}

/** Uploads under way at once. */
const SLOTS = 4;
/** Segments that may fail, each by the store's deadline, while a write waits for its turn. */
const FAILURES_WAITED_MAX = 4;
/** A shared segment takes no further write beyond this many pages (16 MiB). */
const SHARED_PAGES_MAX = 4096;
const BATCH_BOUNDS = [1, 2, 4, 8, 16, 32, 64, 128, 256];

interface WaitingWrite extends VolumePages {
  /** Segments that had failed when it came. */
  readonly failuresBefore: number;
  readonly resolve: (use: SegmentUse) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Writes that arrive while all slots are busy share the next segment; with a slot free a write starts
 * at once. There is no timer, so a lone write waits for nothing but its own bytes.
 */
export class SegmentWriter {
  readonly #parts: SegmentWriterParts;
  #waiting: WaitingWrite[] = [];
  readonly #uploads: (() => Promise<unknown>)[] = [];
  #freeSlots = SLOTS;
  #uploadIsNext = false;
  /** Segments of shared writes that failed. */
  #failures = 0;
  #writes: Histogram;
  #pages: Counter;
  #rawBytes: Counter;
  #storedBytes: Counter;

  /** Takes its parts; nothing is started. */
  constructor(parts: SegmentWriterParts) {
    this.#parts = parts;
    const { metrics } = parts;
    this.#writes = metrics.histogram(
      "segment_writes",
      "Page writes that share a segment",
      BATCH_BOUNDS,
    );
    this.#pages = metrics.counter("pages_written", "Pages written into segments");
    this.#rawBytes = metrics.counter("segment_raw_bytes", "Page bytes before compression");
    this.#storedBytes = metrics.counter("segment_stored_bytes", "Bytes of the segments stored");
  }

  /**
   * Writes pages that fit one segment, perhaps together with others; resolves when they are durable and
   * registered. The buffer belongs to the writer from here on.
   */
  write(vid: VolumeId, pages: PageBuffer): Promise<SegmentUse> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ vid, pages, failuresBefore: this.#failures, resolve, reject });
      this.#pump();
    });
  }

  /**
   * Waits for a slot, then stores pages that fit one segment as a segment of their own, without
   * registering it. The outer promise resolves when the upload has started: a caller that awaits it
   * holds at most one buffer beyond the slots.
   */
  upload(vid: VolumeId, pages: PageBuffer): Promise<{ stored: Promise<Registration> }> {
    return new Promise((started) => {
      this.#uploads.push(() => {
        const stored = this.#store([{ vid, pages }]);
        started({ stored });
        return stored;
      });
      this.#pump();
    });
  }

  /** Makes stored segments known to the log. */
  async register(registrations: readonly Registration[]): Promise<void> {
    await this.#parts.log.register(registrations);
  }

  #pump(): void {
    const next = () => {
      this.#freeSlots++;
      this.#pump();
    };
    while (this.#freeSlots > 0 && this.#waiting.length + this.#uploads.length > 0) {
      this.#freeSlots--;
      // the two kinds of work take turns, so that large requests and small ones do not starve each other
      this.#uploadIsNext = this.#waiting.length === 0 ||
        (this.#uploads.length > 0 && !this.#uploadIsNext);
      const upload = this.#uploadIsNext ? this.#uploads.shift() : undefined;
      const work = upload === undefined ? this.#writeBatch(this.#takeBatch()) : upload();
      work.then(next, next);
    }
  }

  /** As many waiting writes as one segment takes, in order; a volume's second write waits for the next. */
  #takeBatch(): WaitingWrite[] {
    const budget = new SegmentBudget();
    const batch: WaitingWrite[] = [];
    const volumes = new Set<VolumeId>();
    let pages = 0;
    for (let i = 0; i < this.#waiting.length;) {
      const write = this.#waiting[i];
      const fits = !volumes.has(write.vid) &&
        (batch.length === 0 || pages + write.pages.count <= SHARED_PAGES_MAX) &&
        budget.add(write);
      volumes.add(write.vid);
      if (fits) {
        batch.push(write);
        pages += write.pages.count;
        this.#waiting.splice(i, 1);
      } else i++;
    }
    assert(batch.length > 0, "A write that fits no segment was queued");
    return batch;
  }

  async #writeBatch(batch: readonly WaitingWrite[]): Promise<void> {
    try {
      const registration = await this.#store(batch);
      await this.#parts.log.register([registration]);
      this.#writes.record(batch.length);
      const sets = new Map(registration.volumes.map((volume) => [volume.vid, volume.pageSet]));
      for (const { vid, resolve } of batch) {
        const pageSet = sets.get(vid);
        assert(pageSet !== undefined, "A segment lacks a volume that was written to it");
        resolve({ sid: registration.sid, pageSet });
      }
    } catch (error) {
      for (const { reject } of batch) reject(error);
      if (isGraftError(error, "unavailable")) this.#endWaits(error);
    }
  }

  /** With a store that is down, the last of many writes to one volume would wait for all before it. */
  #endWaits(error: GraftError): void {
    this.#failures++;
    this.#waiting = this.#waiting.filter(({ failuresBefore, reject }) => {
      if (this.#failures - failuresBefore < FAILURES_WAITED_MAX) return true;
      reject(error);
      return false;
    });
  }

  async #store(volumes: readonly VolumePages[]): Promise<Registration> {
    const { clock, random, encoder, objects, keep } = this.#parts;
    const sid = newGid("segment", clock, random);
    const pages = volumes.reduce((sum, volume) => sum + volume.pages.count, 0);
    const keepFrames = pages <= KEPT_PAGES_MAX;
    const segment = await encoder.encode(sid, volumes, { keepFrames });
    await objects.put(segmentKey(sid), segment.bytes);
    if (keepFrames) keep(segment);
    this.#pages.add(pages);
    this.#rawBytes.add(pages * PAGE_SIZE);
    this.#storedBytes.add(segment.bytes.length);
    return {
      sid,
      timestampMs: clock.now(),
      sizeBytes: segment.bytes.length,
      volumes: segment.volumes,
    };
  }
}
