/**
 * A commit log in an object store.
 *
 * docs/formats/bucket_log.md draws its names and values, and says why nothing is lost or invented.
 *
 * @module
 */

import { assert } from "../../core/assert.ts";
import type { Clock } from "../../core/clock.ts";
import type { SegmentId, VolumeId } from "../../core/gid.ts";
import type { Lsn } from "../../core/lsn.ts";
import type { Metrics } from "../../core/metrics.ts";
import type { Random } from "../../core/random.ts";
import type { DatedObjectStore, ObjectStore } from "../../objects/object_store.ts";
import type {
  AppendOutcome,
  CommitLog,
  CommitRecord,
  HeadRead,
  Registration,
  VolumeEntry,
} from "../commit_log.ts";
import { assertDeletable, assertFollows } from "../_follows.ts";
import { type LogMetrics, logMetrics } from "../_log_metrics.ts";
import { type ChangeListener, Subscribers } from "../subscribers.ts";
import { UnderWay } from "../_under_way.ts";
import { BucketCalls } from "./_bucket_calls.ts";
import { openIdentity } from "./_format/identity.ts";
import { RECORDS_PREFIX } from "./_format/keys.ts";
import { HeadNews } from "./_heads/head_news.ts";
import { HeadReader } from "./_heads/head_reader.ts";
import { headReadOf, type HeadState } from "./_heads/head_state.ts";
import { KnownHeads, type KnownHeadsBounds } from "./_heads/known_heads.ts";
import { ageMs } from "./_heads/moment.ts";
import { HEAD_USED_WITHIN_MS } from "./_limits.ts";
import { RecordObjects } from "./_records/record_objects.ts";
import { RecordReader } from "./_records/record_reader.ts";
import { Registrations } from "./_registrations.ts";
import { VolumeScan } from "./_volume_scan.ts";
import { RecordWriter } from "./_write/record_writer.ts";

/** What a {@linkcode BucketLog} is made of. */
export interface BucketLogParts extends KnownHeadsBounds {
  /** The log's root. The log closes it. */
  readonly store: DatedObjectStore;
  /** Where the objects of segments are. The log does not close it. */
  readonly segments: ObjectStore;
  /** What the log is, for messages: `s3://bucket/prefix`. */
  readonly name: string;
  /** How old knowledge is, and the dates of puts. */
  readonly clock: Clock;
  /** Makes the store's id. */
  readonly random: Random;
  /** Counts commits, errors and bytes. */
  readonly metrics: Metrics;
  /** Takes what a subscriber throws. */
  readonly onListenerError: (error: unknown) => void;
}

/**
 * A commit log over a {@linkcode DatedObjectStore} that processes share: one object a commit.
 *
 * A commit on a head that this process knows is one put. What others write is found by reads of heads;
 * subscribers then hear of it without its record.
 */
export class BucketLog implements CommitLog {
  readonly name: string;
  readonly storeId: string;
  readonly exclusive: boolean = false;
  readonly announcesAll: boolean = false;
  readonly #calls: BucketCalls;
  readonly #clock: Clock;
  readonly #heads: KnownHeads;
  readonly #reader: HeadReader;
  readonly #writer: RecordWriter;
  readonly #records: RecordReader;
  readonly #scan: VolumeScan;
  readonly #registrations: Registrations;
  readonly #subscribers: Subscribers;
  readonly #metrics: LogMetrics;
  readonly #underWay: UnderWay;
  #closing: Promise<void> | undefined;

  /**
   * Opens a log, and makes one where there is none.
   *
   * @throws {GraftError} `invalid` for a log of another format, and where there are records without an
   * identity; `unavailable` when the store does not answer.
   */
  static async open(parts: BucketLogParts): Promise<BucketLog> {
    const calls = new BucketCalls(parts.store, parts.name, parts.metrics);
    return new BucketLog(parts, calls, await openIdentity(calls, parts.random));
  }

  private constructor(parts: BucketLogParts, calls: BucketCalls, storeId: string) {
    const { clock } = parts;
    this.name = parts.name;
    this.storeId = storeId;
    this.#calls = calls;
    this.#clock = clock;
    this.#metrics = logMetrics(parts.metrics);
    this.#subscribers = new Subscribers(parts.metrics, parts.onListenerError);
    this.#underWay = new UnderWay(parts.name);
    this.#registrations = new Registrations(parts.segments);
    const heads = this.#heads = new KnownHeads(parts);
    const news = new HeadNews(heads, this.#subscribers);
    const objects = new RecordObjects(calls);
    const reader = this.#reader = new HeadReader({
      calls,
      objects,
      clock,
      known: (vid) => heads.get(vid),
      onRead: (vid, state) => news.read(vid, state),
    });
    const metrics = this.#metrics;
    this.#writer = new RecordWriter({ calls, objects, reader, heads, news, clock, metrics });
    this.#records = new RecordReader({ objects, heads, reader });
    this.#scan = new VolumeScan({ calls, objects, heads });
  }

  get healthy(): boolean | undefined {
    return this.#calls.healthy;
  }

  async lastKnownHead(vid: VolumeId): Promise<HeadRead> {
    const known = this.#heads.get(vid);
    const isUsable = known !== undefined && !known.isPassed &&
      ageMs(known.knownAt, this.#clock) < HEAD_USED_WITHIN_MS;
    return isUsable ? headReadOf(known) : await this.headFromStore(vid);
  }

  async head(vid: VolumeId): Promise<HeadRead> {
    return await this.headFromStore(vid);
  }

  async headFromStore(vid: VolumeId): Promise<HeadRead> {
    return headReadOf(await this.#reader.read(vid));
  }

  append(
    record: CommitRecord,
    base: HeadRead,
    _checkedAgainst: unknown,
  ): Promise<AppendOutcome> {
    return this.#underWay.run(() => {
      assertFollows(record, base);
      return this.#writer.append(record, stateOf(base));
    });
  }

  tombstone(_vid: VolumeId, base: HeadRead): Promise<AppendOutcome> {
    return this.#underWay.run(() => {
      assertDeletable(base.head);
      const state = stateOf(base);
      assert(state.newest !== undefined, "A head has an object");
      return this.#writer.tombstone(state, state.newest);
    });
  }

  /**
   * Always the same: a put is dated with a read of the head, which comes before the ages of its segments
   * are checked, and the store refuses it 15 minutes later. No collector can come between.
   */
  collectionVersion(): Promise<unknown> {
    return Promise.resolve(null);
  }

  async record(vid: VolumeId, lsn: Lsn): Promise<CommitRecord | undefined> {
    return await this.#records.record(vid, lsn);
  }

  async *records(vid: VolumeId, start: Lsn, end: Lsn): AsyncGenerator<CommitRecord> {
    if (start <= end) yield* this.#records.records(vid, start, end);
  }

  /** The object of a segment is its registration, so this only remembers what it holds. */
  async register(registrations: readonly Registration[]): Promise<void> {
    await this.#underWay.run(() => {
      for (const registration of registrations) this.#registrations.add(registration);
      this.#metrics.registrations.add(registrations.length);
      return Promise.resolve();
    });
  }

  async registration(sid: SegmentId): Promise<Registration | undefined> {
    return await this.#registrations.get(sid);
  }

  /** Whether there are no records; segments are the object store's. */
  async isEmpty(): Promise<boolean> {
    return (await this.#calls.keys(RECORDS_PREFIX, { limit: 1 })).length === 0;
  }

  /** See {@linkcode CommitLog.volumes}; costs a request for each volume, and for every 100 names one more. */
  async volumes(
    options: { prefix?: string; after?: VolumeId; limit: number },
  ): Promise<VolumeEntry[]> {
    return await this.#scan.volumes(options);
  }

  subscribe(listener: ChangeListener): () => void {
    return this.#subscribers.subscribe(listener);
  }

  close(): Promise<void> {
    return this.#closing ??= this.#close();
  }

  async #close(): Promise<void> {
    await this.#underWay.close();
    await this.#calls.close();
  }
}

function stateOf({ version }: HeadRead): HeadState {
  assert(isHeadState(version), "A version is not one of this log");
  return version;
}

function isHeadState(version: unknown): version is HeadState {
  return typeof version === "object" && version !== null && "knownAt" in version;
}
