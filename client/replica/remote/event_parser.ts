/**
 * Server-sent events, from chunks of any size.
 *
 * @module
 */

/** An event as it came. */
export interface ServerSentEvent {
  /** Its `event` field; `message` where it has none. */
  readonly type: string;
  /** Its `data` lines. */
  readonly data: string;
}

/** The longest event that is taken: a server that sends more is none of ours. */
const EVENT_CHARACTERS_MAX = 1024 * 1024;

/** Reads events as the HTML standard has them; `retry` and a byte order mark are passed over. */
export class EventParser {
  readonly #decoder = new TextDecoder();
  #text = "";
  #lastId: string | undefined;

  /** The last id that came with an event. */
  get lastId(): string | undefined {
    return this.#lastId;
  }

  /**
   * Takes the next bytes.
   *
   * @returns The events that end in them.
   * @throws {RangeError} For an event that does not end.
   */
  push(chunk: Uint8Array): ServerSentEvent[] {
    this.#text += this.#decoder.decode(chunk, { stream: true });
    const events: ServerSentEvent[] = [];
    for (let end; (end = /\r?\n\r?\n/.exec(this.#text)) !== null;) {
      const event = this.#parse(this.#text.slice(0, end.index));
      this.#text = this.#text.slice(end.index + end[0].length);
      if (event !== undefined) events.push(event);
    }
    if (this.#text.length > EVENT_CHARACTERS_MAX) throw new RangeError("An event does not end");
    return events;
  }

  #parse(text: string): ServerSentEvent | undefined {
    let type = "message";
    const data: string[] = [];
    for (const line of text.split(/\r?\n/)) {
      const [, name, value] = /^([^:]*):? ?(.*)$/s.exec(line) ?? [];
      if (name === "event") type = value;
      else if (name === "data") data.push(value);
      else if (name === "id") this.#lastId = value;
    }
    return data.length === 0 ? undefined : { type, data: data.join("\n") };
  }
}
