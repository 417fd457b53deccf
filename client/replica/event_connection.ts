/**
 * One connection over which a server tells of many volumes.
 *
 * @module
 */

import { GraftError, isGraftError } from "../../src/core/errors.ts";
import type { VolumeId } from "../../src/core/gid.ts";
import { isMediaType } from "../../src/wire/v1/media_types.ts";
import {
  type CommitEvent,
  decodeVolumeEvent,
  type VolumeEvent,
} from "../../src/wire/v1/volume_event.ts";
import { retryDelayMs } from "../_retry.ts";
import { EventParser } from "./event_parser.ts";
import type { RemoteNews } from "./remote.ts";
import { NoV1Error, type V1TransportParts } from "./v1_transport.ts";

/** What an {@linkcode EventConnection} is made of. */
export interface EventConnectionParts extends V1TransportParts {
  /** Called when the server turns out not to speak v1. */
  readonly onNoV1?: () => void;
}

/** Volumes of one connection. */
export const EVENT_VOLUMES_MAX = 1000;
/** A connection over which nothing came for so long is dead: a line comes every 14 seconds or so. */
const SILENCE_MS = 40_000;
/** Volumes that are named in a URL; a longer list, and the id that goes with it, is a body. */
const URL_VOLUMES_MAX = 64;
/** How long a connection waits for further volumes before it is made anew. */
const GATHER_MS = 5;

type Listener = (news: RemoteNews) => void;

/** Follows volumes. Where the connection breaks it is made again, and goes on where it was. */
export class EventConnection {
  readonly #parts: EventConnectionParts;
  readonly #listeners = new Map<VolumeId, Set<Listener>>();
  #lastId: string | undefined;
  #failures = 0;
  /** Ends the connection that is, or is being made. */
  #current = new AbortController();
  /** Cancels the wait for the next one. */
  #cancelWait: (() => void) | undefined;
  #isOnline: boolean | undefined;
  #isClosed = false;

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
    this.#isClosed = true;
    this.#listeners.clear();
    this.#disconnect();
  }

  #disconnect(): void {
    this.#cancelWait?.();
    this.#cancelWait = undefined;
    this.#current.abort();
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
      this.#current.abort();
      const current = new AbortController();
      this.#current = current;
      void this.#connect(current.signal);
    });
  }

  async #connect(signal: AbortSignal): Promise<void> {
    try {
      await this.#listen(signal);
      // the server ends connections of its own accord, too: that is no failure
      if (!signal.aborted) this.#wait(this.#delayMs());
    } catch (error) {
      if (signal.aborted || this.#isClosed) return;
      if (error instanceof NoV1Error) return this.#parts.onNoV1?.();
      this.#setOffline(error);
      this.#wait(this.#delayMs());
    }
  }

  #delayMs(): number {
    this.#failures++;
    return retryDelayMs(this.#failures, 0, this.#parts.random);
  }

  async #listen(signal: AbortSignal): Promise<void> {
    const silence = new AbortController();
    let cancel = this.#watch(silence);
    const either = AbortSignal.any([signal, silence.signal]);
    try {
      const reader = await this.#open(either);
      const parser = new EventParser();
      for (;;) {
        const { done, value } = await reader.read();
        if (done) return;
        cancel();
        cancel = this.#watch(silence);
        this.#setOnline();
        for (const { type, data } of parser.push(value)) this.#take(decodeVolumeEvent(type, data));
        this.#lastId = parser.lastId ?? this.#lastId;
      }
    } finally {
      cancel();
    }
  }

  #watch(silence: AbortController): () => void {
    return this.#parts.timers.after(SILENCE_MS, () => silence.abort());
  }

  async #open(signal: AbortSignal): Promise<ReadableStreamDefaultReader<Uint8Array>> {
    const response = await this.#request(signal);
    const { status, body } = response;
    const type = response.headers.get("content-type");
    if (status === 200 && isMediaType(type, "text/event-stream") && body !== null) {
      return body.getReader();
    }
    await body?.cancel();
    const isProblem = isMediaType(type, "application/problem+json");
    if (!isProblem && (status === 404 || status === 405)) throw new NoV1Error(ACTION, status);
    throw new GraftError(
      status === 401 ? "unauthorized" : status === 403 ? "forbidden" : "unavailable",
      `Cannot ${ACTION}: the server answered ${status}`,
    );
  }

  #request(signal: AbortSignal): Promise<Response> {
    const { token, fetch } = this.#parts;
    const url = `${this.#parts.url}/v1/events`;
    const headers: Record<string, string> = { accept: "text/event-stream" };
    if (token !== undefined) headers.authorization = `Bearer ${token}`;
    const volumes = [...this.#listeners.keys()].sort();
    const lastEventId = this.#lastId;
    if (volumes.length > URL_VOLUMES_MAX) {
      headers["content-type"] = "application/json";
      const body = JSON.stringify({ volumes, lastEventId });
      return fetch(url, { method: "POST", headers, body, signal });
    }
    if (lastEventId !== undefined) headers["last-event-id"] = lastEventId;
    return fetch(`${url}?volumes=${volumes}`, { headers, signal });
  }

  #setOnline(): void {
    this.#failures = 0;
    if (this.#isOnline === true) return;
    this.#isOnline = true;
    for (const vid of this.#listeners.keys()) this.#tell(vid, { kind: "online" });
  }

  #setOffline(cause: unknown): void {
    this.#isOnline = false;
    const error = isGraftError(cause)
      ? cause
      : new GraftError("unavailable", `Cannot ${ACTION}: the connection failed`, { cause });
    for (const vid of this.#listeners.keys()) this.#tell(vid, { kind: "offline", error });
  }

  #take(event: VolumeEvent | undefined): void {
    if (event === undefined) return;
    if (event.type === "deleted") return this.#tell(event.vid, { kind: "deleted" });
    if (event.type === "commit") return this.#tell(event.vid, newsOf(event));
    for (const vid of this.#listeners.keys()) this.#tell(vid, { kind: "behind" });
  }

  #tell(vid: VolumeId, news: RemoteNews): void {
    for (const listener of [...this.#listeners.get(vid) ?? []]) listener(news);
  }
}

const ACTION = "follow the volumes";

function newsOf(event: CommitEvent): RemoteNews {
  const { vid, cid, lsn, digest, pageCount, timestampMs, since, graft } = event;
  if (graft === undefined || since === undefined) return { kind: "behind", lsn };
  const snapshot = { vid, cid, lsn, digest, pageCount, timestampMs };
  return { kind: "changes", changes: { snapshot, since, pages: graft } };
}
