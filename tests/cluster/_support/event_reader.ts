/**
 * A reader of `/v1/events` that keeps all that it is told.
 *
 * @module
 */

import { equal } from "node:assert/strict";
import { EventParser } from "../../../client/replica/remote/event_parser.ts";
import type { VolumeId } from "../../../src/core/gid.ts";
import { decodeVolumeEvent, type VolumeEvent } from "../../../src/wire/v1/mod.ts";
import { until } from "../../harness/poll.ts";

/** Something that is waited for is looked for so often. */
const EVERY_MS = 10;

/** How a reader begins. */
export interface EventReaderOptions {
  /** The server's base URL. */
  readonly url: string;
  /** The volumes to follow. */
  readonly vids: readonly VolumeId[];
  /** The id of the last event of an earlier reader. */
  readonly lastEventId?: string;
}

/** One connection, until it is closed. */
export class EventReader implements AsyncDisposable {
  /** What it was told, in order. */
  readonly events: VolumeEvent[] = [];
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #parser = new EventParser();
  readonly #reading: Promise<void>;

  private constructor(body: ReadableStream<Uint8Array>) {
    this.#reader = body.getReader();
    this.#reading = this.#read();
    // whoever waits for something learns that nothing comes any more
    this.#reading.catch(() => {});
  }

  /** Connects; resolves when the server follows the volumes. */
  static async open({ url, vids, lastEventId }: EventReaderOptions): Promise<EventReader> {
    const response = await fetch(`${url}/v1/events`, {
      method: "POST",
      body: JSON.stringify({ volumes: vids, lastEventId }),
    });
    equal(response.status, 200, "The server does not tell events");
    return new EventReader(response.body!);
  }

  /** The id of the last event that had one. */
  get lastId(): string | undefined {
    return this.#parser.lastId;
  }

  /** The newest LSN that it was told of a volume; 0 for none. */
  lsnOf(vid: VolumeId): number {
    const lsns = this.events.map((event) =>
      event.type === "commit" && event.vid === vid ? event.lsn : 0
    );
    return Math.max(0, ...lsns);
  }

  /** Waits until it was told of an LSN of a volume, or of a later one. */
  async untilTold(vid: VolumeId, lsn: number): Promise<void> {
    await this.until(`an event of LSN ${lsn}`, () => this.lsnOf(vid) >= lsn);
  }

  /** Waits until an event of a type came. */
  async untilType(type: VolumeEvent["type"]): Promise<void> {
    await this.until(`an event "${type}"`, () => this.events.some((event) => event.type === type));
  }

  /** Waits until the connection ended, in whatever way. */
  async untilEnd(): Promise<void> {
    await this.#reading.catch(() => {});
  }

  /** Waits for anything; fails when the connection ends before. */
  async until(what: string, isThere: () => boolean): Promise<void> {
    const ended = this.untilEnd().then(() => {
      if (!isThere()) throw new Error(`Cannot wait for ${what}: the events ended`);
    });
    await Promise.race([
      until(what, () => Promise.resolve(isThere()), { everyMs: EVERY_MS }),
      ended,
    ]);
  }

  /** Closes the connection. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#reader.cancel().catch(() => {});
    await this.untilEnd();
  }

  async #read(): Promise<void> {
    for (;;) {
      const { done, value } = await this.#reader.read();
      if (done) return;
      for (const { type, data } of this.#parser.push(value)) {
        const event = decodeVolumeEvent(type, data);
        if (event !== undefined) this.events.push(event);
      }
    }
  }
}
