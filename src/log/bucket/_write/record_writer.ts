// How an object of a record is put.

import { isSameBytes } from "../../../core/bytes.ts";
import type { Clock } from "../../../core/clock.ts";
import { isGraftError } from "../../../core/errors.ts";
import type { VolumeId } from "../../../core/gid.ts";
import { type Lsn, nextLsn, toLsn } from "../../../core/lsn.ts";
import type { AppendOutcome, CommitRecord } from "../../commit_log.ts";
import type { LogMetrics } from "../../_log_metrics.ts";
import type { BucketCalls } from "../_bucket_calls.ts";
import { recordKey } from "../_format/keys.ts";
import { carriesFrom, isFold } from "../_format/positions.ts";
import { encodeRecordObject, type RecordObject } from "../_format/record_object.ts";
import { RecordRun } from "../_format/record_run.ts";
import type { HeadNews } from "../_heads/head_news.ts";
import type { HeadReader } from "../_heads/head_reader.ts";
import { type HeadState, objectLsn } from "../_heads/head_state.ts";
import type { KnownHeads } from "../_heads/known_heads.ts";
import { ageMs, dateMs, momentOf } from "../_heads/moment.ts";
import { ACKNOWLEDGED_WITHIN_MS, CARRIED_BYTES_MAX, FOLDED_BYTES_MAX } from "../_limits.ts";
import type { RecordObjects } from "../_records/record_objects.ts";

/** What a {@linkcode RecordWriter} is made of. */
export interface RecordWriterParts {
  readonly calls: BucketCalls;
  readonly objects: RecordObjects;
  readonly reader: HeadReader;
  readonly heads: KnownHeads;
  readonly news: HeadNews;
  readonly clock: Clock;
  readonly metrics: LogMetrics;
}

/**
 * Puts the object after a head, under its free name. Who asks for a name that is being put already waits
 * for that outcome and loses without a request.
 */
export class RecordWriter {
  readonly #parts: RecordWriterParts;
  readonly #underWay = new Map<string, Promise<AppendOutcome>>();

  constructor(parts: RecordWriterParts) {
    this.#parts = parts;
  }

  /** Puts a record after the head `base`, with those before it that belong into its object. */
  async append(record: CommitRecord, base: HeadState): Promise<AppendOutcome> {
    const { vid, lsn } = record;
    const outcome = await this.#alone(vid, lsn, async () => {
      const run = await this.#carry(record, base);
      return await this.#put(base, { lsn, deleted: false, record, run });
    });
    (outcome === "landed" ? this.#parts.metrics.commits : this.#parts.metrics.staleAppends).add();
    return outcome;
  }

  /** Puts a tombstone after the object `last`, which the head `base` shows. */
  async tombstone(base: HeadState, last: RecordObject): Promise<AppendOutcome> {
    const { record, run } = last;
    const lsn = nextLsn(last.lsn);
    const object = { lsn, deleted: true, record, run };
    return await this.#alone(record.vid, lsn, () => this.#put(base, object));
  }

  async #alone(
    vid: VolumeId,
    lsn: Lsn,
    write: () => Promise<AppendOutcome>,
  ): Promise<AppendOutcome> {
    const key = recordKey(vid, lsn);
    const rival = this.#underWay.get(key);
    if (rival !== undefined) {
      await rival;
      return "stale";
    }
    const known = this.#parts.heads.get(vid);
    const taken = known && objectLsn(known) + (known.isPassed ? 1 : 0);
    if (taken !== undefined && taken >= lsn) return "stale";
    const writing = write();
    this.#underWay.set(key, writing);
    try {
      return await writing;
    } finally {
      this.#underWay.delete(key);
    }
  }

  async #put(base: HeadState, object: RecordObject): Promise<AppendOutcome> {
    const { calls, clock, heads, news, metrics } = this.#parts;
    const { vid } = object.record;
    // a commit that cannot be acknowledged in time is better begun anew, ages of segments and all
    if (ageMs(base.knownAt, clock) >= ACKNOWLEDGED_WITHIN_MS) return "stale";
    const key = recordKey(vid, object.lsn);
    const body = encodeRecordObject(object);
    const knownAt = momentOf(clock);
    try {
      if (!await calls.putDated(key, body, dateMs(base.knownAt, clock))) {
        heads.pass(vid, object.lsn);
        return "stale";
      }
    } catch (error) {
      news.doubt(vid, object.lsn);
      throw error;
    }
    metrics.writtenBytes.add(key.length + body.length);
    if (ageMs(base.knownAt, clock) >= ACKNOWLEDGED_WITHIN_MS) {
      return await this.#confirm(object, body);
    }
    news.wrote(vid, { newest: object, knownAt }, object.deleted ? undefined : object.record);
    return "landed";
  }

  /** The answer came late: what is there now decides. */
  async #confirm({ record, lsn }: RecordObject, body: Uint8Array): Promise<AppendOutcome> {
    const { calls, news, reader } = this.#parts;
    news.doubt(record.vid, lsn);
    const state = await reader.read(record.vid);
    if (objectLsn(state) < lsn) return "stale";
    const stored = await calls.get(recordKey(record.vid, lsn));
    return stored !== undefined && isSameBytes(stored, body) ? "landed" : "stale";
  }

  async #carry(record: CommitRecord, { newest }: HeadState): Promise<RecordRun> {
    const from = carriesFrom(record.lsn);
    if (!isFold(record.lsn)) {
      const bounds = { from, bytesMax: CARRIED_BYTES_MAX };
      return RecordRun.carrying(record, newest === undefined ? [] : [newest.run], bounds);
    }
    const older = newest === undefined ? [] : [newest.run];
    const bottom = newest?.run.bottom ?? record.lsn;
    const folded = bottom > from ? await this.#runUpTo(record.vid, toLsn(bottom - 1)) : undefined;
    if (folded !== undefined) older.push(folded);
    return RecordRun.carrying(record, older, { from, bytesMax: FOLDED_BYTES_MAX });
  }

  /** What the object at an LSN carries; undefined where it cannot be had: readers then go on from there. */
  async #runUpTo(vid: VolumeId, lsn: Lsn): Promise<RecordRun | undefined> {
    const fold = this.#parts.heads.fold(vid);
    if (fold?.top === lsn) return fold;
    try {
      return await this.#parts.objects.run(vid, lsn);
    } catch (error) {
      if (isGraftError(error)) return undefined;
      throw error;
    }
  }
}
