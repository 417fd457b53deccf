// The one writer of a log: what waits is written together.

import { GraftError, isGraftError } from "../../../core/errors.ts";
import { notAnswering } from "../../../objects/store_failure.ts";
import type { AppendOutcome, LogChange } from "../../commit_log.ts";
import { encodeValue } from "../../codec/sealed_value.ts";
import type { Announcements } from "../_feed/announcements.ts";
import { Batch, type Mutation } from "./batch.ts";
import type { Doubts } from "./doubts.ts";
import { encodeFeed } from "../_feed/feed_entry.ts";
import { type HeadCache, isNewer, type KvVersion } from "../_head_cache.ts";
import { readHeads } from "../_store/head_reads.ts";
import { BELL_KEY, COLLECTION_KEY, feedKey, headKey, keyText } from "../_keys.ts";
import type { KvCalls } from "../_store/kv_calls.ts";
import type { KvAtomic } from "../kv_handle.ts";
import {
  type AtomicLimits,
  ATTEMPTS_MAX,
  FAILURES_WAITED_MAX,
  FEED_RETENTION_MS,
} from "../_limits.ts";
import type { LogMetrics } from "../../_log_metrics.ts";
import { type HeadChange, type Pending, PendingChange, PendingWrite } from "./pending.ts";

/** What a {@linkcode GroupWriter} is made of. */
export interface GroupWriterParts {
  readonly calls: KvCalls;
  readonly heads: HeadCache;
  readonly doubts: Doubts;
  readonly announcements: Announcements;
  readonly metrics: LogMetrics;
  /** Whether nobody else writes to the store. */
  readonly exclusive: boolean;
  /** What one atomic write takes. */
  readonly limits: AtomicLimits;
  /** Batches that may be under way at once. */
  readonly batchesMax: number;
}

/**
 * Writes in batches: while as many are under way as may be, the next gathers. So nobody waits for a timer, a
 * lone writer has a batch of its own, and a store that is slow gets larger ones. A local store would only
 * queue several batches, one fsync each; one on the network, whose batches are smaller and take longer, has
 * several under way. They never meet: an append follows from a head that has landed.
 */
export class GroupWriter {
  readonly #parts: GroupWriterParts;
  #waiting: Pending[] = [];
  /** How many write, each one batch after the other. */
  #writers = 0;
  /** Batches that the store failed. */
  #failures = 0;
  /** Batches under way. */
  readonly #batches = new Set<Promise<void>>();
  /** The newest version of the collection key that was seen; undefined before the first look. */
  #collection: KvVersion | undefined;

  constructor(parts: GroupWriterParts) {
    this.#parts = parts;
  }

  /** Changes a head if it is still the one that the change was based on. */
  change(change: HeadChange): Promise<AppendOutcome> {
    const pending = new PendingChange(change, this.#failures);
    this.#enqueue(pending);
    return pending.outcome;
  }

  /** Writes mutations whatever else there is. They take effect together. */
  write(mutations: readonly Mutation[]): Promise<void> {
    const pending = new PendingWrite(mutations);
    this.#enqueue(pending);
    return pending.outcome;
  }

  /**
   * A version that the collection key had, not necessarily its newest: one that is older makes a change
   * lose, never land, and a change that loses is followed by a look at the key.
   */
  async collectionVersion(): Promise<KvVersion> {
    if (this.#collection === undefined) await this.#lookAtCollection();
    return this.#collection ?? null;
  }

  /** Resolves when nothing waits any more. */
  async idle(): Promise<void> {
    while (this.#writers > 0) await this.settled();
  }

  /** Resolves when the batches that are under way now are through: landed and announced, lost, or given up. */
  async settled(): Promise<void> {
    await Promise.all(this.#batches);
  }

  #enqueue(pending: Pending): void {
    this.#waiting.push(pending);
    if (this.#writers < this.#parts.batchesMax) this.#run();
  }

  async #run(): Promise<void> {
    this.#writers++;
    // whoever asks in this same turn shares the first batch
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const batch = this.#nextBatch();
      if (batch.items.length === 0) continue;
      const committed = this.#commit(batch).finally(() => this.#batches.delete(committed));
      this.#batches.add(committed);
      await committed;
    }
    this.#writers--;
  }

  /** Takes as much as fits from the front of what waits, answering what has lost already. */
  #nextBatch(): Batch<Pending> {
    const batch = new Batch<Pending>(this.#parts.limits);
    const left: Pending[] = [];
    for (const pending of this.#waiting) {
      if (pending instanceof PendingChange && this.#hasLost(pending.change)) {
        this.#answerStale(pending);
      } else if (!batch.add(pending)) left.push(pending);
    }
    this.#waiting = left;
    return batch;
  }

  #hasLost({ vid, baseVersion, checkedAgainst }: HeadChange): boolean {
    const known = this.#parts.heads.get(vid);
    if (known !== undefined && isNewer(known.version, baseVersion)) return true;
    return checkedAgainst !== undefined && isNewer(this.#collection ?? null, checkedAgainst);
  }

  async #commit(batch: Batch<Pending>): Promise<void> {
    const { calls, metrics } = this.#parts;
    try {
      const version = await calls.commit(this.#atomic(batch));
      if (version === undefined) return await this.#sortOut(batch);
      metrics.writtenBytes.add(batch.bytes);
      this.#land(batch, version);
    } catch (error) {
      this.#giveUp(batch, error);
    }
  }

  #atomic(batch: Batch<Pending>): KvAtomic {
    const { calls, exclusive } = this.#parts;
    const changes = changesOf(batch);
    let atomic = calls.atomic();
    for (const { change } of changes) {
      atomic = atomic.check({ key: headKey(change.vid), versionstamp: change.baseVersion });
    }
    for (const { mutations } of batch.items) {
      for (const { key, value } of mutations) {
        atomic = value === undefined ? atomic.delete(key) : atomic.set(key, value);
      }
    }
    if (changes.length === 0) return atomic;
    const feed = encodeFeed(
      changes.map(({ change: { vid, head } }) => ({ vid, lsn: head.lsn, deleted: head.deleted })),
    );
    atomic = atomic.check({ key: COLLECTION_KEY, versionstamp: this.#collection ?? null })
      .set(feedKey(calls.commitVersionstamp()), feed, { expireIn: FEED_RETENTION_MS });
    return exclusive ? atomic : atomic.set(BELL_KEY, BELL);
  }

  #land(batch: Batch<Pending>, version: string): void {
    const { heads, doubts, announcements, metrics } = this.#parts;
    const news: LogChange[] = [];
    for (const { change: { vid, head, record } } of changesOf(batch)) {
      heads.put(vid, { head, version });
      doubts.drop(vid);
      news.push({ vid, lsn: head.lsn, record, deleted: head.deleted });
    }
    if (news.length > 0) {
      metrics.commits.add(news.length);
      metrics.batchCommits.record(news.length);
      announcements.publish(news);
    }
    for (const pending of batch.items) pending.resolve("landed");
  }

  /** A check failed, so nothing was written: finds the losers, and lets the others try again. */
  async #sortOut(batch: Batch<Pending>): Promise<void> {
    const { calls, heads, doubts } = this.#parts;
    const changes = changesOf(batch);
    const [reads] = await Promise.all([
      readHeads(calls, changes.map(({ vid }) => vid)),
      this.#lookAtCollection(),
    ]);
    for (const [i, read] of reads.entries()) {
      heads.put(changes[i].vid, read);
      doubts.settle(changes[i].vid, read.head);
    }
    const lost = new Set<Pending>(
      changes.filter(({ change }, i) =>
        reads[i].version !== change.baseVersion || this.#hasLost(change)
      ),
    );
    const again: Pending[] = [];
    for (const pending of batch.items) {
      if (pending instanceof PendingWrite) again.push(pending);
      else if (lost.has(pending)) this.#answerStale(pending);
      else if (lost.size > 0 || ++pending.fruitless < ATTEMPTS_MAX) again.push(pending);
      else pending.reject(refusedForNothing(calls.name, pending));
    }
    this.#waiting.unshift(...again);
  }

  /** Whether the batch was written is not known. */
  #giveUp(batch: Batch<Pending>, error: unknown): void {
    const { heads, doubts } = this.#parts;
    const again: Pending[] = [];
    for (const pending of batch.items) {
      if (pending instanceof PendingWrite) {
        if (pending.repeated) pending.reject(error);
        else again.push(pending);
        pending.repeated = true;
      } else {
        heads.forget(pending.vid);
        doubts.add(pending.vid, pending.change.head.lsn);
        pending.reject(error);
      }
    }
    this.#waiting.unshift(...again);
    if (isGraftError(error, "unavailable")) this.#endWaits(error);
  }

  /** A store that is down takes each batch's whole deadline: the last in a long queue would wait for hundreds. */
  #endWaits(error: GraftError): void {
    this.#failures++;
    this.#waiting = this.#waiting.filter((pending) => {
      if (pending instanceof PendingWrite) return true;
      if (this.#failures - pending.failuresBefore < FAILURES_WAITED_MAX) return true;
      pending.reject(error);
      return false;
    });
  }

  #answerStale(pending: PendingChange): void {
    this.#parts.metrics.staleAppends.add();
    pending.resolve("stale");
  }

  async #lookAtCollection(): Promise<void> {
    const { versionstamp } = await this.#parts.calls.get(COLLECTION_KEY);
    if (this.#collection === undefined || isNewer(versionstamp, this.#collection)) {
      this.#collection = versionstamp;
    }
  }
}

/** The bell's value says nothing: that it was set is the news. */
const BELL = encodeValue(keyText(BELL_KEY), () => {});

function changesOf(batch: Batch<Pending>): PendingChange[] {
  return batch.items.filter((pending) => pending instanceof PendingChange);
}

function refusedForNothing(name: string, { vid }: PendingChange): GraftError {
  return new GraftError(
    "unavailable",
    `Cannot write to log "${name}": it refused ${ATTEMPTS_MAX} times to move volume "${vid}" though nothing had changed`,
    { publicMessage: notAnswering("commit log") },
  );
}
