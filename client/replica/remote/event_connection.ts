/**
 * One connection over which a server tells of many volumes.
 *
 * @module
 */

import { bodyChunks } from "../../../src/core/body_chunks.ts";
import { GraftError, type GraftErrorCode, isGraftError } from "../../../src/core/errors.ts";
import type { VolumeId } from "../../../src/core/gid.ts";
import { isMediaType } from "../../../src/wire/v1/media_types.ts";
import {
  type CommitEvent,
  decodeVolumeEvent,
  type VolumeEvent,
} from "../../../src/wire/v1/volume_event.ts";
import { retryDelayMs } from "../../_retry.ts";
import { EventParser } from "./event_parser.ts";
import type { RemoteNews } from "./remote.ts";
import type { V1TransportParts } from "./v1_transport.ts";

/** What an {@linkcode EventConnection} is made of. */
export type EventConnectionParts = V1TransportParts;

/** Volumes of one connection. */
export const EVENT_VOLUMES_MAX = 1000;
/** A connection over which nothing came for so long is dead: a line comes every 14 seconds or so. */
const SILENCE_MS = 40_000;
/** Volumes that are named in a URL; a longer list, and the id that goes with it, is a body. */
const URL_VOLUMES_MAX = 64;
/** How long a connection waits for further volumes before it is made anew. */
const GATHER_MS = 5;
/** The server begins at once; where nothing came for so long, something in between holds events back. */
const FIRST_BYTES_MS = 5000;
/** Without events volumes are asked for so often at first, and half as often each time, down to the last. */
const POLL_FIRST_MS = 1000;
const POLL_MAX_MS = 10_000;

/** What the server itself may say for good; what is in between may say anything. */
const REFUSALS: ReadonlyMap<number, GraftErrorCode> = new Map([
  [401, "unauthorized"],
  [403, "forbidden"],
]);

type Listener = (news: RemoteNews) => void;

/** Follows volumes. Where the connection breaks it is made again, and goes on where it was. */
export class EventConnection {
  readonly #parts: EventConnectionParts;
  readonly #listeners = new Map<VolumeId, Set<Listener>>();
  #lastId: string | undefined;
  /** The volumes that the id is of: to a connection for others it says nothing. */
  #lastVolumes = "";
  #failures = 0;
  /** Ends the connection that is, or is being made. */
  #current: AbortController | undefined;
  /** Cancels the wait for the next one. */
  #cancelWait: (() => void) | undefined;
  /** Cancels the next poll; undefined while events come. */
  #cancelPoll: (() => void) | undefined;
  #isOnline: boolean | undefined;

  /** Nothing is followed, and nothing connected. */
  constructor(parts: EventConnectionParts) {
    this.#parts = parts;
  }

  /** How many volumes are followed. */
  get size(): number {
    return this.#listeners.size;
  }

  /** Whether a volume is followed. */
  has(vid: VolumeId): boolean {
    return this.#listeners.has(vid);
  }

  /** Tells `listener` of a volume until the returned function is called. */
  follow(vid: VolumeId, listener: Listener): () => void {
    const listeners = this.#listeners.get(vid) ?? new Set();
    listeners.add(listener);
    if (listeners.size === 1) {
      this.#listeners.set(vid, listeners);
      this.#reconnect();
    } else {
      // the head was told already, to the others
      listener({ kind: "behind" });
    }
    return () => {
      if (!listeners.delete(listener) || listeners.size > 0) return;
      this.#listeners.delete(vid);
      if (this.#listeners.size === 0) this.#disconnect();
    };
  }

  /** Ends the connection. */
  close(): void {
    this.#listeners.clear();
    this.#disconnect();
  }

  #disconnect(): void {
    this.#cancelWait?.();
    this.#cancelWait = undefined;
    this.#current?.abort();
    this.#current = undefined;
    this.#stopPolling();
    this.#isOnline = undefined;
  }

  /** Connects anew, since it is other volumes now. */
  #reconnect(): void {
    this.#cancelWait?.();
    this.#wait(GATHER_MS);
  }

  #wait(delayMs: number): void {
    this.#cancelWait = this.#parts.timers.after(delayMs, () => {
      this.#cancelWait = undefined;
      this.#current?.abort();
      this.#current = new AbortController();
      void this.#connect(this.#current);
    });
  }

  async #connect(connection: AbortController): Promise<void> {
    try {
      await this.#listen(connection);
      // the server ends connections of its own accord, too: that is no failure
      if (this.#current === connection) this.#wait(this.#delayMs());
    } catch (error) {
      if (this.#current !== connection) return;
      connection.abort();
      this.#failed(error);
      this.#wait(this.#delayMs());
    }
  }

  #delayMs(): number {
    this.#failures++;
    return retryDelayMs(this.#failures, 0, this.#parts.random);
  }

  async #listen(connection: AbortController): Promise<void> {
    const { timers } = this.#parts;
    const cancelFirst = timers.after(FIRST_BYTES_MS, () => this.#poll());
    let cancel = this.#watch(connection);
    try {
      const parser = new EventParser();
      const body = await this.#open(connection.signal);
      for await (const chunk of bodyChunks(body, connection.signal)) {
        // what comes over one that was given up is old
        if (this.#current !== connection) return;
        cancel();
        cancelFirst();
        cancel = this.#watch(connection);
        this.#heard();
        for (const { type, data } of parser.push(chunk)) this.#take(decodeVolumeEvent(type, data));
        this.#lastId = parser.lastId ?? this.#lastId;
      }
    } finally {
      cancel();
      cancelFirst();
    }
  }

  #watch(connection: AbortController): () => void {
    return this.#parts.timers.after(SILENCE_MS, () => {
      const error = new GraftError("unavailable", `Cannot ${ACTION}: nothing comes any more`);
      // a request would only hang as well
      if (this.#isOnline) this.#tellAll({ kind: "offline", error });
      connection.abort(error);
    });
  }

  async #open(signal: AbortSignal): Promise<Response["body"]> {
    const response = await this.#request(signal);
    const { status, body } = response;
    const type = response.headers.get("content-type");
    if (status === 200 && isMediaType(type, "text/event-stream")) return body;
    await body?.cancel();
    const isProblem = isMediaType(type, "application/problem+json");
    throw new GraftError(
      !isProblem ? "unavailable" : REFUSALS.get(status) ?? "unavailable",
      `Cannot ${ACTION}: ${this.#parts.url} answered ${status}`,
    );
  }

  #request(signal: AbortSignal): Promise<Response> {
    const { token, fetch } = this.#parts;
    const url = `${this.#parts.url}/v1/events`;
    const headers: Record<string, string> = { accept: "text/event-stream" };
    if (token !== undefined) headers.authorization = `Bearer ${token}`;
    const volumes = [...this.#listeners.keys()].sort();
    // of other volumes than before the server tells where they are: that is news to few
    if (`${volumes}` !== this.#lastVolumes) this.#lastId = undefined;
    this.#lastVolumes = `${volumes}`;
    const lastEventId = this.#lastId;
    if (volumes.length > URL_VOLUMES_MAX) {
      headers["content-type"] = "application/json";
      const body = JSON.stringify({ volumes, lastEventId });
      return fetch(url, { method: "POST", headers, body, signal });
    }
    if (lastEventId !== undefined) headers["last-event-id"] = lastEventId;
    return fetch(`${url}?volumes=${volumes}`, { headers, signal });
  }

  #heard(): void {
    this.#failures = 0;
    this.#stopPolling();
    if (this.#isOnline === true) return;
    this.#isOnline = true;
    this.#tellAll({ kind: "online" });
  }

  /** The server may be there all the same: those who follow ask it, until there are events again. */
  #failed(error: unknown): void {
    this.#isOnline = false;
    const isRefused = isGraftError(error, "unauthorized") || isGraftError(error, "forbidden");
    if (isRefused) this.#tellAll({ kind: "offline", error });
    else this.#poll();
  }

  #poll(polls = 0): void {
    if (this.#cancelPoll !== undefined && polls === 0) return;
    const delayMs = Math.min(POLL_FIRST_MS * 2 ** polls, POLL_MAX_MS);
    this.#cancelPoll = this.#parts.timers.after(delayMs, () => this.#poll(polls + 1));
    this.#tellAll({ kind: "unheard" });
  }

  #stopPolling(): void {
    this.#cancelPoll?.();
    this.#cancelPoll = undefined;
  }

  #take(event: VolumeEvent | undefined): void {
    if (event === undefined) return;
    if (event.type === "deleted") return this.#tell(event.vid, { kind: "deleted" });
    if (event.type === "forbidden") {
      return this.#tell(event.vid, { kind: "offline", error: forbidden(event.vid) });
    }
    if (event.type === "commit") return this.#tell(event.vid, newsOf(event));
    this.#tellAll({ kind: "behind" });
  }

  #tellAll(news: RemoteNews): void {
    for (const vid of [...this.#listeners.keys()]) this.#tell(vid, news);
  }

  #tell(vid: VolumeId, news: RemoteNews): void {
    for (const listener of [...this.#listeners.get(vid) ?? []]) listener(news);
  }
}

const ACTION = "follow the volumes";

function forbidden(vid: VolumeId): GraftError {
  return new GraftError("forbidden", `Cannot follow volume "${vid}": the token does not allow it`, {
    hint: "Ask for a token that allows to read this volume",
  });
}

function newsOf(event: CommitEvent): RemoteNews {
  const { vid, cid, lsn, digest, pageCount, timestampMs, since, graft } = event;
  if (graft === undefined || since === undefined) return { kind: "behind", lsn };
  const snapshot = { vid, cid, lsn, digest, pageCount, timestampMs };
  return { kind: "changes", changes: { snapshot, since, pages: graft } };
}
