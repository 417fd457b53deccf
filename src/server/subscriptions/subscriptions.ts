/**
 * Everybody who follows volumes through this process.
 *
 * @module
 */

import { getLogger, type Logger } from "@logtape/logtape";
import type { Clock } from "../../core/clock.ts";
import { GraftError } from "../../core/errors.ts";
import type { VolumeId } from "../../core/gid.ts";
import type { Counter, Metrics } from "../../core/metrics.ts";
import type { Timers } from "../../core/timers.ts";
import type { LogChange } from "../../log/commit_log.ts";
import type { MetastoreApi } from "../engines.ts";
import { decodeEventId } from "./event_ids.ts";
import { EventStream } from "./event_stream.ts";
import { type Follower, VolumeTopic } from "./volume_topic.ts";

/** What {@linkcode Subscriptions} are made of. */
export interface SubscriptionsParts {
  /** Where changes come from. */
  readonly metastore: MetastoreApi;
  /** Tells when tokens end. */
  readonly clock: Clock;
  /** Wakes the heartbeat. */
  readonly timers: Timers;
  /** Counts readers. */
  readonly metrics: Metrics;
}

/** Who wants to follow what. */
export interface Subscription {
  /** The volumes. */
  readonly vids: readonly VolumeId[];
  /** Volumes that the reader asked for and may not follow. */
  readonly forbidden?: readonly VolumeId[];
  /** The id of the last event that the reader has seen; undefined for a new reader. */
  readonly lastEventId: string | undefined;
  /** When the reader's token ends, in milliseconds since 1970; undefined: never. */
  readonly expiresAtMs: number | undefined;
}

/** Volumes that one connection may follow. */
export const EVENT_VOLUMES_MAX = 1000;
/** Readers of one process. */
const STREAMS_MAX = 10_000;
/** The one timer of all: what it does is due every second or eighth time. */
const TICK_MS = 2000;
/** A silent connection shows a sign of life every 14 to 16 seconds. */
const TICKS_PER_BEAT = 7;
/** Heads that are read at once. */
const LOOK_UPS_MAX = 32;

/**
 * Fed from the commit path: a commit of this process is encoded once and handed to all who follow its
 * volume before the committer has its answer. What other processes commit comes from the log's feed, or,
 * where there is none, from looking at the heads of the volumes that somebody follows every two seconds.
 */
export class Subscriptions {
  readonly #parts: SubscriptionsParts;
  readonly #log: Logger = getLogger(["graft", "server"]);
  readonly #topics = new Map<VolumeId, VolumeTopic>();
  readonly #streams = new Set<EventStream>();
  readonly #behind: Counter;
  readonly #unsubscribe: () => void;
  /** Topics that a look could not settle. */
  readonly #unsettled = new Set<VolumeTopic>();
  #cancelTick: (() => void) | undefined;
  #ticks = 0;
  #looking = false;
  #closed = false;

  /** Follows the log until {@linkcode Subscriptions.close}. */
  constructor(parts: SubscriptionsParts) {
    this.#parts = parts;
    const { metrics, metastore } = parts;
    metrics.gauge("event_streams", "Readers of events", () => this.#streams.size);
    metrics.gauge("event_volumes", "Volumes that somebody follows", () => this.#topics.size);
    this.#behind = metrics.counter("event_streams_behind", "Times that a reader was too slow");
    this.#unsubscribe = metastore.subscribe(
      (changes) => this.#follow(changes),
      () => this.#resync(),
    );
  }

  /**
   * Begins to follow volumes.
   *
   * @returns The body of the answer: it ends when the reader goes, its token ends, or the server stops.
   * @throws {GraftError} `unavailable` when there are too many readers, the server stops, or the log does
   * not answer.
   */
  async open(subscription: Subscription): Promise<ReadableStream<Uint8Array>> {
    this.#requireRoom();
    const vids = [...new Set(subscription.vids)].sort();
    const topics = vids.map((vid) => this.#topics.get(vid) ?? this.#add(vid));
    // so that no topic is forgotten while it is looked up
    const holder: Follower = { take() {} };
    for (const topic of topics) topic.followers.add(holder);
    try {
      const { lastEventId, expiresAtMs } = subscription;
      const seen = lastEventId === undefined ? undefined : decodeEventId(vids, lastEventId);
      await this.#lookUp(
        topics.filter((topic, i) => !topic.ready || topic.isBelow(seen?.[i] ?? 0)),
      );
      this.#requireRoom();
      const stream = new EventStream({
        topics,
        seen,
        forbidden: subscription.forbidden ?? [],
        expiresAtMs,
        onEnd: (ended) => this.#end(ended, topics),
        onBehind: () => this.#behind.add(),
      });
      if (lastEventId !== undefined && seen === undefined) stream.resync();
      this.#streams.add(stream);
      this.#cancelTick ??= this.#tickLater();
      return stream.body;
    } finally {
      for (const topic of topics) topic.followers.delete(holder);
      this.#drop(topics);
    }
  }

  /** Ends every stream, and takes no more. */
  close(): void {
    this.#closed = true;
    this.#unsubscribe();
    this.#cancelTick?.();
    for (const stream of [...this.#streams]) stream.end();
  }

  #requireRoom(): void {
    if (this.#closed) {
      throw new GraftError("unavailable", "Cannot follow volumes: the server is shutting down");
    }
    if (this.#streams.size < STREAMS_MAX) return;
    throw new GraftError(
      "unavailable",
      `Cannot follow volumes: ${STREAMS_MAX} readers follow some already`,
    );
  }

  #add(vid: VolumeId): VolumeTopic {
    const topic = new VolumeTopic(vid, this.#parts.metastore);
    this.#topics.set(vid, topic);
    return topic;
  }

  #end(stream: EventStream, topics: readonly VolumeTopic[]): void {
    this.#streams.delete(stream);
    this.#drop(topics);
    if (this.#streams.size > 0) return;
    this.#cancelTick?.();
    this.#cancelTick = undefined;
  }

  /** Forgets those that nobody follows. */
  #drop(topics: readonly VolumeTopic[]): void {
    for (const topic of topics) {
      if (topic.followers.size > 0) continue;
      this.#unsettled.delete(topic);
      if (this.#topics.get(topic.vid) === topic) this.#topics.delete(topic.vid);
    }
  }

  #follow(changes: readonly LogChange[]): void {
    for (const change of changes) {
      const topic = this.#topics.get(change.vid);
      if (topic === undefined || topic.take(change)) continue;
      this.#lookUpLater([topic]);
    }
  }

  #resync(): void {
    this.#lookUpLater([...this.#topics.values()]);
  }

  /** What fails is tried again with the next tick. */
  #lookUpLater(topics: readonly VolumeTopic[]): void {
    for (const topic of topics) this.#unsettled.add(topic);
    this.#lookUp(topics).catch((error) => {
      this.#log.warn("could not look at the volumes that are followed: {error}", { error });
    });
  }

  async #lookUp(topics: readonly VolumeTopic[]): Promise<void> {
    for (let from = 0; from < topics.length; from += LOOK_UPS_MAX) {
      await Promise.all(
        topics.slice(from, from + LOOK_UPS_MAX).map(async (topic) => {
          await topic.lookUp();
          this.#unsettled.delete(topic);
        }),
      );
    }
  }

  #tickLater(): () => void {
    return this.#parts.timers.after(TICK_MS, () => {
      this.#cancelTick = this.#tickLater();
      this.#tick();
    });
  }

  #tick(): void {
    if (++this.#ticks % TICKS_PER_BEAT === 0) {
      const nowMs = this.#parts.clock.now();
      for (const stream of [...this.#streams]) stream.beat(nowMs);
    }
    const wanted = this.#parts.metastore.announcesAll ? this.#unsettled : this.#topics.values();
    const topics = [...wanted];
    if (this.#looking || topics.length === 0) return;
    this.#looking = true;
    this.#lookUp(topics).catch((error) => {
      this.#log.warn("could not look at the volumes that are followed: {error}", { error });
    }).finally(() => this.#looking = false);
  }
}
