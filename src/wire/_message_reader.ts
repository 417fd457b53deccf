// Reads one protobuf message field by field into the types of core. Protobuf itself accepts much
// that this protocol does not (missing ids, zero LSNs), so every getter names its field when it refuses.

import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";
import type { GraftError } from "../core/errors.ts";
import type { ClientId, SegmentId, VolumeId } from "../core/gid.ts";
import { gidFromBytes } from "../core/gid.ts";
import type { Lsn } from "../core/lsn.ts";
import type { PageCount } from "../core/page.ts";
import { toPageCount } from "../core/page.ts";
import { PageSet } from "../core/page_set.ts";
import { convertField, refuseField, refuseWireType, unreadable } from "./_refusals.ts";

/**
 * A cursor over the fields of one message. Call {@linkcode next}, look at {@linkcode field}, then call
 * exactly one getter (or {@linkcode skip}), until `next` answers false.
 */
export class MessageReader {
  /** The number of the field at the cursor. */
  field = 0;
  readonly #reader: BinaryReader;
  readonly #subject: string;
  readonly #path: string;
  #wireType: WireType = WireType.Varint;

  /**
   * @param bytes The message, without a length prefix. Views of it may be kept.
   * @param subject What it is, for errors: "the commit request".
   * @param path What comes before the names of its fields in errors: "segments[0].".
   */
  constructor(bytes: Uint8Array, subject: string, path = "") {
    this.#reader = new BinaryReader(bytes);
    this.#subject = subject;
    this.#path = path;
  }

  /** Reads a request, which always has at least one field: an empty body is refused. */
  static ofRequest(bytes: Uint8Array, subject: string): MessageReader {
    if (bytes.length === 0) throw unreadable(subject, "the body is empty");
    return new MessageReader(bytes, subject);
  }

  /** Steps to the next field; false at the end of the message. */
  next(): boolean {
    if (this.#reader.pos >= this.#reader.len) return false;
    [this.field, this.#wireType] = this.#guard("a field's tag", () => this.#reader.tag());
    return true;
  }

  /** Steps over a field that this version does not know. */
  skip(): void {
    const [field, wireType] = [this.field, this.#wireType];
    this.#guard(`unknown field ${field}`, () => this.#reader.skip(wireType, field));
  }

  /** A view of the field's bytes. */
  bytes(name: string): Uint8Array {
    this.#expect(name, WireType.LengthDelimited);
    return this.#guard(this.#quoted(name), () => this.#reader.bytes());
  }

  /** Text; what is not UTF-8 in it is replaced. */
  text(name: string): string {
    this.#expect(name, WireType.LengthDelimited);
    return this.#guard(this.#quoted(name), () => this.#reader.string());
  }

  /** A message within the message. */
  message(name: string): MessageReader {
    return new MessageReader(this.bytes(name), this.#subject, `${this.#path}${name}.`);
  }

  /** A uint64 or uint32; what is above 2^53 - 1 becomes 2^53 - 1. */
  uint(name: string): number {
    this.#expect(name, WireType.Varint);
    const value = BigInt(this.#guard(this.#quoted(name), () => this.#reader.uint64()));
    return value > Number.MAX_SAFE_INTEGER ? Number.MAX_SAFE_INTEGER : Number(value);
  }

  /** An int64 or int32. The result is exact up to 2^53 either way. */
  int(name: string): number {
    this.#expect(name, WireType.Varint);
    return Number(this.#guard(this.#quoted(name), () => this.#reader.int64()));
  }

  /** An LSN; one above 2^53 - 1 becomes 2^53 - 1, which is above every head too. */
  lsn(name: string): Lsn {
    const value = this.uint(name);
    if (value === 0) throw this.refuse(name, "is 0, but LSNs start at 1");
    return value as Lsn;
  }

  /** A page count. */
  pageCount(name: string): PageCount {
    const value = this.uint(name);
    return this.#convert(name, "page count", () => toPageCount(value));
  }

  /** A volume's identifier. */
  volumeId(name: string): VolumeId {
    const bytes = this.bytes(name);
    return this.#convert(name, "volume id", () => gidFromBytes("volume", bytes));
  }

  /** A segment's identifier. */
  segmentId(name: string): SegmentId {
    const bytes = this.bytes(name);
    return this.#convert(name, "segment id", () => gidFromBytes("segment", bytes));
  }

  /** A client's identifier. */
  clientId(name: string): ClientId {
    const bytes = this.bytes(name);
    return this.#convert(name, "client id", () => gidFromBytes("client", bytes));
  }

  /** A set of page indexes, so without 0. It may be empty. */
  pageSet(name: string): PageSet {
    const bytes = this.bytes(name);
    const pageSet = this.#convert(name, "page set", () => PageSet.decode(bytes));
    if (pageSet.first === 0) throw this.refuse(name, "holds page 0, but pages start at 1");
    return pageSet;
  }

  /** `value`, unless the message ended without it. */
  required<T>(name: string, value: T | undefined): T {
    if (value === undefined) throw this.refuse(name, "is missing");
    return value;
  }

  /** The error that says what is wrong with a field. */
  refuse(name: string, state: string, cause?: unknown): GraftError {
    return refuseField(this.#subject, this.#path + name, state, cause);
  }

  #quoted(name: string): string {
    return `field "${this.#path}${name}"`;
  }

  #expect(name: string, wireType: WireType): void {
    if (this.#wireType === wireType) return;
    throw refuseWireType(this.#subject, this.#path + name, this.#wireType, wireType);
  }

  #convert<T>(name: string, what: string, convert: () => T): T {
    return convertField(this.#subject, this.#path + name, what, convert);
  }

  #guard<T>(what: string, read: () => T): T {
    try {
      return read();
    } catch (error) {
      // the library throws RangeError at the end of the input and plain Error for what it cannot parse
      const state = error instanceof RangeError
        ? `${what} reaches beyond the end`
        : `${what} is malformed`;
      throw unreadable(this.#subject, state, error);
    }
  }
}
