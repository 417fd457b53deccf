/**
 * A commit log in a key-value store.
 *
 * docs/formats/log.md draws its keys and values.
 *
 * @module
 */

import { assert } from "../../core/assert.ts";
import type { Clock } from "../../core/clock.ts";
import type { SegmentId, VolumeId } from "../../core/gid.ts";
import { FIRST_LSN, type Lsn, nextLsn } from "../../core/lsn.ts";
import type { Metrics } from "../../core/metrics.ts";
import type { Random } from "../../core/random.ts";
import type { Timers } from "../../core/timers.ts";
import { readRecord, writeRecord } from "../codec/commit_record.ts";
import { encodeValue } from "../codec/sealed_value.ts";
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
import { type ChangeListener, type ResyncListener, Subscribers } from "../subscribers.ts";
import { UnderWay } from "../_under_way.ts";
import type { Mutation } from "./_write/batch.ts";
import { Doubts } from "./_write/doubts.ts";
import { GroupWriter } from "./_write/group_writer.ts";
import { HeadCache, type KvVersion } from "./_head_cache.ts";
import { decodeFloor, decodeHead, encodeHead, readHeads } from "./_store/head_reads.ts";
import {
  BELL_KEY,
  CONTENT_KEYS,
  floorRange,
  headKey,
  headRange,
  keyText,
  recordKey,
  recordRange,
  referenceKey,
} from "./_keys.ts";
import { KvCalls } from "./_store/kv_calls.ts";
import type { KvEntry, KvHandle } from "./kv_handle.ts";
import { HEADS_MAX, LOCAL_LIMITS, REMOTE_BATCHES_MAX, REMOTE_LIMITS } from "./_limits.ts";
import { Announcements } from "./_feed/announcements.ts";
import { FeedFollower } from "./_feed/feed_follower.ts";
import { LargeValues } from "./_large_values.ts";
import { Registrations } from "./_registrations.ts";
import { openStore } from "./_store/store_key.ts";

/** What a {@linkcode KvLog} is made of. */
export interface KvLogParts {
  /** The store. The log closes it. */
  readonly kv: KvHandle;
  /** What the log is, for messages. */
  readonly name: string;
  /**
   * Whether nobody else writes to the store while this log is open. Where it is false, every head comes
   * from the store, each batch rings a bell for the others, and theirs are heard.
   */
  readonly exclusive: boolean;
  /** The time in the ids of chunks. */
  readonly clock: Clock;
  /** Paces the following of what others write. */
  readonly timers: Timers;
  /** Makes the store's id and the ids of chunks. */
  readonly random: Random;
  /** Counts commits, batches, errors and bytes. */
  readonly metrics: Metrics;
  /** Takes what a subscriber throws. */
  readonly onListenerError: (error: unknown) => void;
  /** Called when the store has been closed. */
  readonly onClosed?: () => void;
  /** Heads kept in memory (default 32,768). */
  readonly headsMax?: number;
}

/**
 * A commit log over a {@linkcode KvHandle}.
 *
 * A commit is one atomic write without a read before it: the head's compare, the record, a reference a
 * segment and an entry of the feed, shared with whatever else waits ({@linkcode CommitLog.append}).
 */
export class KvLog implements CommitLog {
  readonly name: string;
  readonly storeId: string;
  readonly exclusive: boolean;
  readonly announcesAll: boolean = true;
  readonly #onClosed: (() => void) | undefined;
  readonly #calls: KvCalls;
  readonly #heads: HeadCache;
  readonly #largeValues: LargeValues;
  readonly #registrations: Registrations;
  readonly #subscribers: Subscribers;
  readonly #doubts: Doubts;
  readonly #writer: GroupWriter;
  readonly #metrics: LogMetrics;
  readonly #underWay: UnderWay;
  readonly #follower: FeedFollower | undefined;
  #closing: Promise<void> | undefined;

  /**
   * Opens a store, and makes it a log if it is empty.
   *
   * @throws {GraftError} `invalid` when it holds something else, or a log of another format;
   * `unavailable` when it does not answer.
   */
  static async open(parts: KvLogParts): Promise<KvLog> {
    const calls = new KvCalls(parts.kv, parts.name, parts.metrics);
    const storeId = await openStore(calls, parts.random);
    // what is in the feed already is nobody's news
    const { versionstamp } = await calls.get(BELL_KEY);
    return new KvLog(parts, calls, storeId, versionstamp);
  }

  private constructor(parts: KvLogParts, calls: KvCalls, storeId: string, position: KvVersion) {
    this.name = parts.name;
    this.storeId = storeId;
    this.exclusive = parts.exclusive;
    this.#onClosed = parts.onClosed;
    this.#calls = calls;
    this.#heads = new HeadCache(parts.headsMax ?? HEADS_MAX);
    this.#metrics = logMetrics(parts.metrics);
    this.#subscribers = new Subscribers(parts.metrics, parts.onListenerError);
    const announcements = new Announcements(this.#subscribers, HEADS_MAX);
    this.#doubts = new Doubts(announcements);
    this.#underWay = new UnderWay(parts.name);
    this.#writer = new GroupWriter({
      calls,
      heads: this.#heads,
      doubts: this.#doubts,
      announcements,
      metrics: this.#metrics,
      exclusive: parts.exclusive,
      limits: parts.exclusive ? LOCAL_LIMITS : REMOTE_LIMITS,
      batchesMax: parts.exclusive ? 1 : REMOTE_BATCHES_MAX,
    });
    const { clock, random, timers } = parts;
    const writer = this.#writer;
    const heads = this.#heads;
    this.#follower = parts.exclusive
      ? undefined
      : new FeedFollower({ calls, writer, heads, announcements, timers, position });
    this.#largeValues = new LargeValues({ calls, writer, clock, random });
    this.#registrations = new Registrations({ calls, writer, largeValues: this.#largeValues });
  }

  get healthy(): boolean | undefined {
    return this.#calls.healthy;
  }

  async lastKnownHead(vid: VolumeId): Promise<HeadRead> {
    return this.#heads.get(vid) ?? await this.headFromStore(vid);
  }

  async head(vid: VolumeId): Promise<HeadRead> {
    const known = this.exclusive ? this.#heads.get(vid) : undefined;
    return known ?? await this.headFromStore(vid);
  }

  async headFromStore(vid: VolumeId): Promise<HeadRead> {
    const { epoch } = this.#heads;
    const [read] = await readHeads(this.#calls, [vid]);
    if (epoch === this.#heads.epoch) {
      this.#heads.put(vid, read);
      this.#doubts.settle(vid, read.head);
    }
    return read;
  }

  append(
    record: CommitRecord,
    base: HeadRead,
    checkedAgainst: unknown,
  ): Promise<AppendOutcome> {
    return this.#underWay.run(() => this.#append(record, base, checkedAgainst));
  }

  tombstone(vid: VolumeId, base: HeadRead): Promise<AppendOutcome> {
    return this.#underWay.run(() => this.#tombstone(vid, base));
  }

  async collectionVersion(): Promise<unknown> {
    return await this.#writer.collectionVersion();
  }

  async record(vid: VolumeId, lsn: Lsn): Promise<CommitRecord | undefined> {
    const { value, versionstamp } = await this.#calls.get(recordKey(vid, lsn));
    return versionstamp === null ? undefined : await this.#decodeRecord(vid, lsn, value);
  }

  async *records(vid: VolumeId, start: Lsn, end: Lsn): AsyncGenerator<CommitRecord> {
    if (start > end) return;
    let lsn = start;
    for await (const { key, value } of this.#calls.list(recordRange(vid, start, end))) {
      if (key[2] !== lsn) return;
      yield await this.#decodeRecord(vid, lsn, value);
      lsn = nextLsn(lsn);
    }
  }

  async register(registrations: readonly Registration[]): Promise<void> {
    const all = registrations.map((registration) => {
      return this.#underWay.run(() => this.#register(registration));
    });
    await Promise.all(all);
  }

  async registration(sid: SegmentId): Promise<Registration | undefined> {
    return await this.#registrations.get(sid);
  }

  async isEmpty(): Promise<boolean> {
    for await (const _entry of this.#calls.list(CONTENT_KEYS)) return false;
    return true;
  }

  async volumes(
    options: { prefix?: string; after?: VolumeId; limit: number },
  ): Promise<VolumeEntry[]> {
    const range = headRange(options.prefix ?? "", options.after);
    if (range === undefined || options.limit < 1) return [];
    const found: { vid: VolumeId; head: ReturnType<typeof decodeHead> }[] = [];
    for await (const { key, value } of this.#calls.list(range)) {
      const vid = key[1] as VolumeId;
      const head = decodeHead(vid, value);
      if (!head.deleted) found.push({ vid, head });
      if (found.length === options.limit) break;
    }
    const floors = await this.#floors(found.map(({ vid }) => vid));
    return found.map(({ vid, head }) => ({
      vid,
      head: { ...head, floorLsn: decodeFloor(vid, floors.get(vid)) },
    }));
  }

  subscribe(listener: ChangeListener, onResync?: ResyncListener): () => void {
    this.#follower?.follow();
    return this.#subscribers.subscribe(listener, onResync);
  }

  close(): Promise<void> {
    return this.#closing ??= this.#close();
  }

  async #close(): Promise<void> {
    await this.#underWay.close();
    // what removes the parts of losers is nobody's to wait for
    await this.#writer.idle();
    await this.#follower?.close();
    this.#calls.close();
    this.#onClosed?.();
  }

  async #append(
    record: CommitRecord,
    base: HeadRead,
    checkedAgainst: unknown,
  ): Promise<AppendOutcome> {
    assertFollows(record, base);
    const { vid, lsn, pageCount, cid, digest, timestampMs } = record;
    const head = { lsn, pageCount, cid, digest, timestampMs, deleted: false };
    const key = recordKey(vid, lsn);
    const prepared = await this.#largeValues.prepare(key, (writer) => writeRecord(writer, record));
    const outcome = await this.#writer.change({
      vid,
      baseVersion: versionOf(base.version),
      checkedAgainst: versionOf(checkedAgainst),
      head: { ...head, floorLsn: base.head?.floorLsn ?? FIRST_LSN },
      record,
      mutations: [
        { key: headKey(vid), value: encodeHead(vid, head) },
        { key, value: prepared.value },
        ...record.segments.map(({ sid }) => reference(sid, vid, lsn)),
      ],
    });
    // nobody waits for it, but a log that is closed
    if (outcome === "stale") this.#underWay.run(() => this.#largeValues.discard(key, prepared));
    return outcome;
  }

  async #tombstone(vid: VolumeId, base: HeadRead): Promise<AppendOutcome> {
    assertDeletable(base.head);
    const head = { ...base.head, deleted: true };
    return await this.#writer.change({
      vid,
      baseVersion: versionOf(base.version),
      checkedAgainst: undefined,
      head,
      record: undefined,
      mutations: [{ key: headKey(vid), value: encodeHead(vid, head) }],
    });
  }

  async #register(registration: Registration): Promise<void> {
    await this.#registrations.add(registration);
    this.#metrics.registrations.add();
  }

  async #decodeRecord(vid: VolumeId, lsn: Lsn, value: unknown): Promise<CommitRecord> {
    const key = recordKey(vid, lsn);
    return await this.#largeValues.decode(key, value, (reader) => readRecord(reader, vid, lsn));
  }

  /** The floors that were ever moved, of the given volumes and of those between them. */
  async #floors(vids: readonly VolumeId[]): Promise<Map<unknown, KvEntry>> {
    const floors = new Map<unknown, KvEntry>();
    if (vids.length === 0) return floors;
    const range = floorRange(vids[0], vids[vids.length - 1]);
    for await (const entry of this.#calls.list(range)) floors.set(entry.key[1], entry);
    return floors;
  }
}

function versionOf(version: unknown): KvVersion {
  assert(version === null || typeof version === "string", "A version is not one of this log");
  return version;
}

function reference(sid: SegmentId, vid: VolumeId, lsn: Lsn): Mutation {
  const key = referenceKey(sid, vid);
  return { key, value: encodeValue(keyText(key), (writer) => writer.varint(lsn)) };
}
