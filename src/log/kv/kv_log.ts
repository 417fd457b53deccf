/**
 * A commit log in a key-value store.
 *
 * docs/formats/log.md draws its keys and values.
 *
 * @module
 */

import { assert } from "../../core/assert.ts";
import type { Clock } from "../../core/clock.ts";
import { digestsEqual, EMPTY_DIGEST } from "../../core/content_digest.ts";
import { newGid, type SegmentId, type VolumeId } from "../../core/gid.ts";
import { COMMIT_SEGMENTS_MAX } from "../../core/limits.ts";
import { FIRST_LSN, type Lsn, nextLsn } from "../../core/lsn.ts";
import type { Metrics } from "../../core/metrics.ts";
import type { Random } from "../../core/random.ts";
import { readRecord, writeRecord } from "../codec/commit_record.ts";
import { encodeValue } from "../codec/sealed_value.ts";
import { readRegistration, writeRegistration } from "../codec/segment_registration.ts";
import type {
  AppendOutcome,
  CommitLog,
  CommitRecord,
  HeadRead,
  Registration,
  VolumeEntry,
} from "../commit_log.ts";
import { type ChangeListener, Subscribers } from "../subscribers.ts";
import type { Mutation } from "./_batch.ts";
import { cutValue, decodeChunkable, encodeChunkable } from "./_chunks.ts";
import { Doubts } from "./_doubts.ts";
import { GroupWriter } from "./_group_writer.ts";
import { HeadCache, type KvVersion } from "./_head_cache.ts";
import { decodeFloor, decodeHead, encodeHead, readHeads } from "./_head_reads.ts";
import {
  floorRange,
  headKey,
  headRange,
  keyText,
  recordKey,
  recordRange,
  referenceKey,
  registrationKey,
} from "./_keys.ts";
import { KvCalls } from "./_kv_calls.ts";
import type { KvEntry, KvHandle, KvKey } from "./kv_handle.ts";
import { HEADS_MAX, VALUE_BYTES_MAX } from "./_limits.ts";
import { type LogMetrics, logMetrics } from "./_log_metrics.ts";
import { RegistrationCache } from "./_registration_cache.ts";
import { openStore } from "./_store_key.ts";

/** What a {@linkcode KvLog} is made of. */
export interface KvLogParts {
  /** The store. The log closes it. */
  readonly kv: KvHandle;
  /** What the log is, for messages. */
  readonly name: string;
  /**
   * Whether nobody else writes to the store while this log is open. Where it is false, every head comes
   * from the store, and each batch rings a bell for the others; what others write is not announced yet.
   */
  readonly exclusive: boolean;
  /** The time in the ids of chunks. */
  readonly clock: Clock;
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
  readonly #parts: KvLogParts;
  readonly #calls: KvCalls;
  readonly #heads: HeadCache;
  readonly #registrations = new RegistrationCache();
  readonly #subscribers: Subscribers;
  readonly #doubts: Doubts;
  readonly #writer: GroupWriter;
  readonly #metrics: LogMetrics;
  #closing: Promise<void> | undefined;

  /**
   * Opens a store, and makes it a log if it is empty.
   *
   * @throws {GraftError} `invalid` when it holds something else, or a log of another format;
   * `unavailable` when it does not answer.
   */
  static async open(parts: KvLogParts): Promise<KvLog> {
    const calls = new KvCalls(parts.kv, parts.name, parts.metrics);
    return new KvLog(parts, calls, await openStore(calls, parts.random));
  }

  private constructor(parts: KvLogParts, calls: KvCalls, storeId: string) {
    this.name = parts.name;
    this.storeId = storeId;
    this.exclusive = parts.exclusive;
    this.#parts = parts;
    this.#calls = calls;
    this.#heads = new HeadCache(parts.headsMax ?? HEADS_MAX);
    this.#metrics = logMetrics(parts.metrics);
    this.#subscribers = new Subscribers(parts.metrics, parts.onListenerError);
    this.#doubts = new Doubts(this.#subscribers);
    this.#writer = new GroupWriter({
      calls,
      heads: this.#heads,
      doubts: this.#doubts,
      subscribers: this.#subscribers,
      metrics: this.#metrics,
      exclusive: parts.exclusive,
    });
  }

  get healthy(): boolean | undefined {
    return this.#calls.healthy;
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

  async append(
    record: CommitRecord,
    base: HeadRead,
    checkedAgainst: unknown,
  ): Promise<AppendOutcome> {
    assertFollows(record, base);
    const { vid, lsn, pageCount, cid, digest, timestampMs } = record;
    const head = { lsn, pageCount, cid, digest, timestampMs, deleted: false };
    const key = recordKey(vid, lsn);
    const value = encodeChunkable(key, (writer) => writeRecord(writer, record));
    const { stored, parts } = await this.#storeParts(key, value);
    const outcome = await this.#writer.change({
      vid,
      baseVersion: versionOf(base.version),
      checkedAgainst: versionOf(checkedAgainst),
      head: { ...head, floorLsn: base.head?.floorLsn ?? FIRST_LSN },
      record,
      mutations: [
        { key: headKey(vid), value: encodeHead(vid, head) },
        { key, value: stored },
        ...record.segments.map(({ sid }) => reference(sid, vid, lsn)),
      ],
    });
    if (outcome === "stale") this.#discard(parts);
    return outcome;
  }

  async tombstone(vid: VolumeId, base: HeadRead): Promise<AppendOutcome> {
    assert(
      base.head !== undefined && !base.head.deleted,
      "Only a volume that is there can be deleted",
    );
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
    await Promise.all(registrations.map((registration) => this.#register(registration)));
  }

  async registration(sid: SegmentId): Promise<Registration | undefined> {
    const known = this.#registrations.get(sid);
    if (known !== undefined) return known;
    const key = registrationKey(sid);
    const { value, versionstamp } = await this.#calls.get(key);
    if (versionstamp === null) return undefined;
    const read = await decodeChunkable(
      this.#calls,
      key,
      value,
      (reader) => readRegistration(reader, sid),
    );
    this.#registrations.put(read);
    return read;
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

  subscribe(listener: ChangeListener): () => void {
    return this.#subscribers.subscribe(listener);
  }

  close(): Promise<void> {
    return this.#closing ??= this.#close();
  }

  async #close(): Promise<void> {
    await this.#writer.close();
    this.#calls.close();
    this.#parts.onClosed?.();
  }

  async #register(registration: Registration): Promise<void> {
    const key = registrationKey(registration.sid);
    const value = encodeChunkable(key, (writer) => writeRegistration(writer, registration));
    const { stored } = await this.#storeParts(key, value);
    await this.#writer.write([{ key, value: stored }]);
    this.#registrations.put(registration);
    this.#metrics.registrations.add();
  }

  /** Stores the parts of a value that is too large for its key; returns what to set there. */
  async #storeParts(
    key: KvKey,
    value: Uint8Array,
  ): Promise<{ stored: Uint8Array; parts: readonly Mutation[] }> {
    if (value.length <= VALUE_BYTES_MAX) return { stored: value, parts: [] };
    // any fresh id does, and those of segments sort by their time
    const group = newGid("segment", this.#parts.clock, this.#parts.random);
    const { parts, name } = cutValue(key, value, group);
    await Promise.all(parts.map((part) => this.#writer.write([part])));
    return { stored: name, parts };
  }

  /** Removes parts that nothing names; what fails to go is for the collector. */
  #discard(parts: readonly Mutation[]): void {
    if (parts.length === 0) return;
    this.#writer.write(parts.map(({ key }) => ({ key, value: undefined }))).catch(() => {});
  }

  async #decodeRecord(vid: VolumeId, lsn: Lsn, value: unknown): Promise<CommitRecord> {
    const key = recordKey(vid, lsn);
    return await decodeChunkable(this.#calls, key, value, (reader) => readRecord(reader, vid, lsn));
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

function assertFollows(record: CommitRecord, { head }: HeadRead): void {
  assert(head?.deleted !== true, "A deleted volume takes no commits");
  assert(record.lsn === nextLsn(head?.lsn), "A record is not the next of its volume");
  assert(
    digestsEqual(record.parentDigest, head?.digest ?? EMPTY_DIGEST),
    "A record is not chained to the one before it",
  );
  assert(
    record.timestampMs >= (head?.timestampMs ?? 0),
    "A record is older than the one before it",
  );
  assert(record.segments.length <= COMMIT_SEGMENTS_MAX, "A record has too many segments");
}

function versionOf(version: unknown): KvVersion {
  assert(version === null || typeof version === "string", "A version is not one of this log");
  return version;
}

function reference(sid: SegmentId, vid: VolumeId, lsn: Lsn): Mutation {
  const key = referenceKey(sid, vid);
  return { key, value: encodeValue(keyText(key), (writer) => writer.varint(lsn)) };
}
