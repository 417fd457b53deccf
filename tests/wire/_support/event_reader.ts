/**
 * A reader of server-sent events that shares no code with the server.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { Endpoints } from "./calls.ts";

/** One event. */
export interface TestEvent {
  readonly id: string | undefined;
  readonly type: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** One connection. */
export class EventReader implements AsyncDisposable {
  readonly #reader: ReadableStreamDefaultReader<string>;
  #text = "";
  #id: string | undefined;

  private constructor(reader: ReadableStreamDefaultReader<string>) {
    this.#reader = reader;
  }

  static async open(
    to: Endpoints,
    vids: readonly string[],
    options: { lastEventId?: string; headers?: Record<string, string> } = {},
  ): Promise<EventReader> {
    const headers: Record<string, string> = { ...options.headers };
    if (options.lastEventId !== undefined) headers["last-event-id"] = options.lastEventId;
    const response = await fetch(`${to.metastore}/v1/events?volumes=${vids}`, { headers });
    assert.equal(response.status, 200);
    assert.match(response.headers.get("content-type") ?? "", /^text\/event-stream/);
    return new EventReader(response.body!.pipeThrough(new TextDecoderStream()).getReader());
  }

  /** The next event. */
  async next(): Promise<TestEvent> {
    const event = await this.tryNext();
    assert.ok(event !== undefined, "the events ended");
    return event;
  }

  /** The next event; undefined when there is none any more. */
  async tryNext(): Promise<TestEvent | undefined> {
    for (;;) {
      const end = this.#text.indexOf("\n\n");
      if (end < 0) {
        const { done, value } = await this.#reader.read();
        if (done) return undefined;
        this.#text += value;
        continue;
      }
      const lines = this.#text.slice(0, end).split("\n");
      this.#text = this.#text.slice(end + 2);
      const event = this.#parse(lines);
      if (event !== undefined) return event;
    }
  }

  #parse(lines: readonly string[]): TestEvent | undefined {
    const fields = new Map(lines.map((line) => {
      const at = line.indexOf(": ");
      return [line.slice(0, at), line.slice(at + 2)];
    }));
    this.#id = fields.get("id") ?? this.#id;
    const data = fields.get("data");
    if (data === undefined) return undefined;
    return { id: this.#id, type: fields.get("event") ?? "message", data: JSON.parse(data) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#reader.cancel().catch(() => {});
  }
}
