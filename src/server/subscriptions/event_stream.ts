/**
 * One reader of events.
 *
 * @module
 */

import type { VolumeId } from "../../core/gid.ts";
import { encodeVolumeEvent } from "../../wire/v1/mod.ts";
import { concat } from "../http/request_body.ts";
import { checksumOf, encodeEventId } from "./event_ids.ts";
import type { Announcement, Follower, VolumeTopic } from "./volume_topic.ts";

/** What an {@linkcode EventStream} is made of. */
export interface EventStreamParts {
  /** What it follows, ascending by volume. */
  readonly topics: readonly VolumeTopic[];
  /** The LSN seen of each; undefined: the reader is new, and is told of the heads. */
  readonly seen: readonly number[] | undefined;
  /** Volumes that it asked for and may not follow. */
  readonly forbidden: readonly VolumeId[];
  /** When its token ends, in milliseconds since 1970; undefined: never. */
  readonly expiresAtMs: number | undefined;
  /** Called once when it is over. */
  readonly onEnd: (stream: EventStream) => void;
  /** Called when the reader is too slow, and is told the newest of each volume only. */
  readonly onBehind: () => void;
}

/** Events that wait for a reader; beyond them it is told the newest of each volume only. */
const QUEUE_EVENTS_MAX = 64;
const QUEUE_BYTES_MAX = 256 * 1024;

/** How long a browser waits before it calls again. */
const RETRY = "retry: 1000\n\n";
const RESYNC = "event: resync\ndata: {}\n\n";

const encoder = new TextEncoder();
const HEARTBEAT = encoder.encode(":\n\n");

interface Queued {
  readonly topic: VolumeTopic;
  readonly announcement: Announcement;
}

/**
 * Events on their way to one reader. What it has not taken waits, up to a bound; then the queue is dropped
 * and each volume in it is told of by one event, when the reader gets to it.
 */
export class EventStream implements Follower {
  /** The body of the answer. */
  readonly body: ReadableStream<Uint8Array>;
  readonly #parts: EventStreamParts;
  /** The LSN told of each volume. */
  readonly #told = new Map<VolumeTopic, number>();
  #queue: Queued[] = [];
  #queueBytes = 0;
  /** Volumes of which one event stands for all that was dropped. */
  readonly #behind = new Set<VolumeTopic>();
  #prologue: string;
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  /** The volumes' part of the ids, made when it is first needed. */
  #checksum: string | undefined;
  /** Whether the reader waits for something to happen: what is sent goes to it at once. */
  #isWaiting = false;
  #ended = false;

  /** Follows the topics, which must be ready, until it ends. */
  constructor(parts: EventStreamParts) {
    this.#parts = parts;
    const refusals = parts.forbidden.map((vid) => encodeVolumeEvent({ type: "forbidden", vid }));
    this.#prologue = RETRY + refusals.map((text) => `${text}\n`).join("");
    this.#begin();
    this.body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        this.#controller = controller;
      },
      pull: () => this.#pull(),
      cancel: () => this.#finish(),
    }, { highWaterMark: 0 });
  }

  /** Takes an announcement: to the reader if it waits, else to the queue. */
  take(topic: VolumeTopic, announcement: Announcement): void {
    if (this.#isWaiting && this.#parts.topics.length === 1) {
      this.#told.set(topic, announcement.lsn);
      return this.#send(announcement.alone);
    }
    if (this.#behind.has(topic)) return;
    this.#queue.push({ topic, announcement });
    this.#queueBytes += announcement.bytes.length;
    if (this.#isWaiting) this.#flush();
    else if (this.#queue.length > QUEUE_EVENTS_MAX || this.#queueBytes > QUEUE_BYTES_MAX) {
      this.#collapse();
    }
  }

  /**
   * Shows the reader, and whatever is in between, that the connection lives.
   *
   * @param nowMs Milliseconds since 1970: a stream whose token has ended is over.
   */
  beat(nowMs: number): void {
    const { expiresAtMs } = this.#parts;
    if (expiresAtMs !== undefined && expiresAtMs <= nowMs) return this.end();
    if (this.#isWaiting) this.#send(HEARTBEAT);
  }

  /** Changes may have been missed: the reader is to ask for each of its volumes. */
  resync(): void {
    this.#prologue += RESYNC;
    if (this.#isWaiting) this.#flush();
  }

  /** Ends the answer. */
  end(): void {
    if (this.#ended) return;
    this.#finish();
    this.#controller?.close();
  }

  #begin(): void {
    const { topics, seen } = this.#parts;
    topics.forEach((topic, i) => {
      const lsn = seen?.[i];
      this.#told.set(topic, lsn ?? 0);
      topic.followers.add(this);
      if (topic.hasNewsFor(lsn ?? 0)) this.#behind.add(topic);
    });
    // an LSN that was told of is gone: the log is another one than it was
    if (topics.some((topic, i) => topic.isBelow(seen?.[i] ?? 0))) this.#prologue += RESYNC;
  }

  #pull(): void {
    this.#isWaiting = true;
    if (this.#prologue !== "" || this.#queue.length > 0 || this.#behind.size > 0) this.#flush();
  }

  #flush(): void {
    const parts: Uint8Array[] = [encoder.encode(this.#prologue)];
    const events = this.#takeEvents();
    for (const [i, { topic, announcement }] of events.entries()) {
      this.#told.set(topic, announcement.lsn);
      if (i === events.length - 1) parts.push(encoder.encode(`id: ${this.#id()}\n`));
      parts.push(announcement.bytes);
    }
    this.#prologue = "";
    this.#send(concat(parts));
  }

  #takeEvents(): Queued[] {
    const events = this.#queue;
    for (const topic of this.#behind) {
      const announcement = topic.summary;
      if (announcement !== undefined) events.push({ topic, announcement });
    }
    this.#queue = [];
    this.#queueBytes = 0;
    this.#behind.clear();
    return events;
  }

  #collapse(): void {
    for (const { topic } of this.#queue) this.#behind.add(topic);
    this.#queue = [];
    this.#queueBytes = 0;
    this.#parts.onBehind();
  }

  #send(bytes: Uint8Array): void {
    if (this.#ended) return;
    this.#isWaiting = false;
    this.#controller?.enqueue(bytes);
  }

  #id(): string {
    const { topics } = this.#parts;
    this.#checksum ??= checksumOf(topics.map(({ vid }) => vid));
    return encodeEventId(this.#checksum, topics.map((topic) => this.#told.get(topic) ?? 0));
  }

  #finish(): void {
    if (this.#ended) return;
    this.#ended = true;
    for (const topic of this.#parts.topics) topic.followers.delete(this);
    this.#isWaiting = false;
    this.#parts.onEnd(this);
  }
}
