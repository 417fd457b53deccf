// Reads a protobuf message that arrives in chunks of any size. @bufbuild/protobuf needs the whole body in
// one piece; the largest body of this protocol is a gigabyte of pages.

import { WireType } from "@bufbuild/protobuf/wire";
import { assert } from "../core/assert.ts";
import { unreadable } from "./_refusals.ts";

const VARINT_BYTES_MAX = 10;
const TAG_MAX = 2 ** 32 - 1;
const GROUP_DEPTH_MAX = 100;

/** What a scanner finds, in order. A method that throws ends the scan. */
export interface FieldSink {
  /** A field begins. False: it is unknown, skip it. Throws for a known field of another wire type. */
  begin(field: number, wireType: WireType): boolean;
  /** The value of a varint field; not exact above 2^53, but never below it then. */
  varint(field: number, value: number): void;
  /**
   * The length of a bytes field is known. Answers where its bytes go (as many), or "message" to have its
   * fields reported as well, up to {@linkcode FieldSink.end}.
   */
  bytes(field: number, length: number): Uint8Array | "message";
  /** The target given for a bytes field is full, or a message that was entered is over. */
  end(field: number): void;
}

type State = "tag" | "varint" | "length" | "fill" | "skip";

/**
 * A push parser of fields, with at most one level of messages inside the message. What it keeps between
 * chunks is a few numbers: bytes go straight from the chunk into the sink's target.
 */
export class FieldScanner {
  readonly #sink: FieldSink;
  readonly #subject: string;
  readonly #end: number;

  #chunk = new Uint8Array(0);
  #at = 0;
  #chunkStart = 0;

  #state: State = "tag";
  #varint = 0;
  #varintScale = 1;
  #varintBytes = 0;

  #field = 0;
  #known = false;
  #target = new Uint8Array(0);
  #left = 0;
  #groups: number[] = [];
  /** Where the message that was entered ends; 0 outside of one. */
  #innerEnd = 0;
  #innerField = 0;

  /**
   * @param sink Takes what is found.
   * @param subject What is read, for errors: "the write pages request".
   * @param expectedBytes The length of the whole body, if it is known: what reaches beyond is refused.
   */
  constructor(sink: FieldSink, subject: string, expectedBytes = Infinity) {
    this.#sink = sink;
    this.#subject = subject;
    this.#end = expectedBytes;
  }

  /** Bytes of the body that were taken so far. */
  get position(): number {
    return this.#chunkStart + this.#at;
  }

  /** Whether the cursor is within a message inside the message. */
  get inner(): boolean {
    return this.#innerEnd > 0;
  }

  /** Takes the next bytes of the body. The chunk may be reused afterwards. */
  push(chunk: Uint8Array): void {
    this.#chunkStart += this.#at;
    this.#chunk = chunk as Uint8Array<ArrayBuffer>;
    this.#at = 0;
    while (this.#at < chunk.length) this.#step();
  }

  /** Has the bytes that still come for target `from` put into `to`, which holds the earlier ones already. */
  retarget(from: Uint8Array, to: Uint8Array): void {
    if (this.#target === from) this.#target = to as Uint8Array<ArrayBuffer>;
  }

  /** The body is over. Throws if that is in the middle of something. */
  finish(): void {
    const whole = this.#state === "tag" && this.#varintBytes === 0 && !this.inner &&
      this.#groups.length === 0;
    if (!whole) throw this.#refuse(`the body ends early, after ${this.position} bytes`);
  }

  #step(): void {
    switch (this.#state) {
      case "tag":
        if (this.#readVarint()) this.#beginField();
        break;
      case "varint":
        if (this.#readVarint()) this.#endVarint();
        break;
      case "length":
        if (this.#readVarint()) this.#beginBytes();
        break;
      case "fill":
        this.#fill();
        break;
      case "skip":
        this.#skip();
    }
  }

  /** Collects a varint; true once it is whole, in #varint. */
  #readVarint(): boolean {
    if (this.#varintBytes === 0) {
      this.#varint = 0;
      this.#varintScale = 1;
    }
    while (this.#at < this.#chunk.length) {
      const byte = this.#chunk[this.#at++];
      this.#varint += (byte & 0x7f) * this.#varintScale;
      if (byte < 0x80) {
        this.#varintBytes = 0;
        return true;
      }
      this.#varintScale *= 128;
      if (++this.#varintBytes === VARINT_BYTES_MAX) {
        throw this.#refuse("a varint is longer than 10 bytes");
      }
    }
    return false;
  }

  #beginField(): void {
    const tag = this.#varint;
    const wireType = tag % 8;
    this.#field = Math.floor(tag / 8);
    if (tag > TAG_MAX || this.#field === 0 || wireType > WireType.Bit32) {
      throw this.#refuse(`a field's tag is malformed: ${tag}`);
    }
    this.#known = this.#groups.length === 0 && this.#sink.begin(this.#field, wireType);
    this.#beginValue(wireType);
  }

  #beginValue(wireType: WireType): void {
    switch (wireType) {
      case WireType.Varint:
        this.#state = "varint";
        break;
      case WireType.LengthDelimited:
        this.#state = "length";
        break;
      case WireType.Bit32:
        this.#beginSkip(4);
        break;
      case WireType.Bit64:
        this.#beginSkip(8);
        break;
      case WireType.StartGroup:
        if (this.#groups.push(this.#field) > GROUP_DEPTH_MAX) {
          throw this.#refuse(`groups are nested more than ${GROUP_DEPTH_MAX} deep`);
        }
        this.#endElement();
        break;
      case WireType.EndGroup:
        if (this.#groups.pop() !== this.#field) {
          throw this.#refuse("a group ends that did not begin");
        }
        this.#endElement();
    }
  }

  #endVarint(): void {
    if (this.#known) this.#sink.varint(this.#field, this.#varint);
    this.#endElement();
  }

  #beginBytes(): void {
    const length = this.#varint;
    const room = (this.inner ? this.#innerEnd : this.#end) - this.position;
    if (length > room) {
      throw this.#refuse(`the length ${length} of field ${this.#field} reaches beyond the end`);
    }
    if (!this.#known) return this.#beginSkip(length);
    const target = this.#sink.bytes(this.#field, length);
    if (target === "message") return this.#enter(length);
    assert(target.length === length, "A sink's target has another length than its field");
    this.#target = target as Uint8Array<ArrayBuffer>;
    this.#left = length;
    this.#state = "fill";
    if (length === 0) this.#endBytes();
  }

  #enter(length: number): void {
    assert(!this.inner, "Messages are nested deeper than one level");
    this.#innerField = this.#field;
    this.#innerEnd = this.position + length;
    this.#endElement();
  }

  #fill(): void {
    const take = Math.min(this.#left, this.#chunk.length - this.#at);
    const from = this.#target.length - this.#left;
    this.#target.set(this.#chunk.subarray(this.#at, this.#at + take), from);
    this.#at += take;
    this.#left -= take;
    if (this.#left === 0) this.#endBytes();
  }

  #endBytes(): void {
    this.#sink.end(this.#field);
    this.#endElement();
  }

  #beginSkip(length: number): void {
    this.#left = length;
    this.#state = "skip";
    if (length === 0) this.#endElement();
  }

  #skip(): void {
    const take = Math.min(this.#left, this.#chunk.length - this.#at);
    this.#at += take;
    this.#left -= take;
    if (this.#left === 0) this.#endElement();
  }

  /** After every element: is the inner message over? */
  #endElement(): void {
    this.#state = "tag";
    if (!this.inner || this.position < this.#innerEnd) return;
    if (this.position > this.#innerEnd || this.#groups.length > 0) {
      throw this.#refuse(`field ${this.#innerField} ends within one of its fields`);
    }
    this.#innerEnd = 0;
    this.#sink.end(this.#innerField);
  }

  #refuse(state: string): Error {
    return unreadable(this.#subject, state);
  }
}
