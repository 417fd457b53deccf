// The messages of KV Connect, versions 2 and 3 (denokv's proto/schema/datapath.proto): what the log needs of
// them. Values are bytes; a value of another kind is read as undefined, which no value of the log is.

import { BinaryReader, BinaryWriter, type WireType } from "@bufbuild/protobuf/wire";
import type { KvKey } from "../kv_handle.ts";
import { packKey } from "./key_codec.ts";

const VALUE_IS_BYTES = 3;
const STATUS_SUCCESS = 1;
const STATUS_CHECK_FAILURE = 2;
const STATUS_WRITES_DISABLED = 5;
const MUTATION_SET = 1;
const MUTATION_DELETE = 2;
const MUTATION_SET_STAMPED = 9;

/** Some keys from `start` (inclusive) to `end` (exclusive), in their encoding. */
export interface RangeRequest {
  readonly start: Uint8Array;
  readonly end: Uint8Array;
  readonly limit: number;
}

/** A value as it was read. */
export interface StoredEntry {
  /** In its encoding. */
  readonly key: Uint8Array;
  /** Undefined where it is not bytes. */
  readonly value: Uint8Array | undefined;
  /** Hexadecimal text. */
  readonly versionstamp: string;
}

/** What a read brought. */
export interface ReadAnswer {
  /** For each range asked for, what is there. */
  readonly ranges: readonly (readonly StoredEntry[])[];
  /** Whether this endpoint may be believed: it serves reads, and strong ones. */
  readonly strong: boolean;
}

/** What became of a write; `disabled`: this endpoint takes none at the moment. */
export type WriteAnswer =
  | { readonly status: "landed"; readonly versionstamp: string }
  | { readonly status: "failed check" | "disabled" | "unknown" };

/** Builds an atomic write, in the order of the calls. */
export class WriteRequest {
  readonly #writer = new BinaryWriter();

  check(key: KvKey, versionstamp: string | null): void {
    this.#writer.uint32(tag(1)).fork().uint32(tag(1)).bytes(packKey(key).bytes);
    if (versionstamp !== null) this.#writer.uint32(tag(2)).bytes(Uint8Array.fromHex(versionstamp));
    this.#writer.join();
  }

  /** `expiresAtMs` 0: never. */
  set(key: KvKey, value: Uint8Array, expiresAtMs: number): void {
    const { bytes, stamped } = packKey(key);
    this.#writer.uint32(tag(2)).fork().uint32(tag(1)).bytes(bytes);
    this.#writer.uint32(tag(2)).fork();
    this.#writer.uint32(tag(1)).bytes(value).uint32(tag(2, VARINT)).int32(VALUE_IS_BYTES);
    this.#writer.join();
    this.#writer.uint32(tag(3, VARINT)).int32(stamped ? MUTATION_SET_STAMPED : MUTATION_SET);
    if (expiresAtMs > 0) this.#writer.uint32(tag(4, VARINT)).int64(expiresAtMs);
    this.#writer.join();
  }

  delete(key: KvKey): void {
    this.#writer.uint32(tag(2)).fork().uint32(tag(1)).bytes(packKey(key).bytes);
    this.#writer.uint32(tag(3, VARINT)).int32(MUTATION_DELETE).join();
  }

  finish(): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.#writer.finish());
  }
}

export function encodeRead(ranges: readonly RangeRequest[]): Uint8Array<ArrayBuffer> {
  const writer = new BinaryWriter();
  for (const { start, end, limit } of ranges) {
    writer.uint32(tag(1)).fork();
    writer.uint32(tag(1)).bytes(start).uint32(tag(2)).bytes(end);
    writer.uint32(tag(3, VARINT)).int32(limit).join();
  }
  return new Uint8Array(writer.finish());
}

export function encodeWatch(key: KvKey): Uint8Array<ArrayBuffer> {
  const writer = new BinaryWriter();
  writer.uint32(tag(1)).fork().uint32(tag(1)).bytes(packKey(key).bytes).join();
  return new Uint8Array(writer.finish());
}

/** @param hasStatus Whether the answer names its status: from version 3 on. */
export function decodeRead(bytes: Uint8Array, hasStatus: boolean): ReadAnswer {
  const ranges: StoredEntry[][] = [];
  let [disabled, strong, status] = [false, false, 0];
  readFields(bytes, {
    1: (reader) => void ranges.push(decodeRange(reader.bytes())),
    2: (reader) => disabled = reader.bool(),
    4: (reader) => strong = reader.bool(),
    8: (reader) => status = reader.int32(),
  });
  return { ranges, strong: strong && !disabled && (!hasStatus || status === STATUS_SUCCESS) };
}

export function decodeWrite(bytes: Uint8Array): WriteAnswer {
  let [status, versionstamp] = [0, ""];
  readFields(bytes, {
    1: (reader) => status = reader.int32(),
    2: (reader) => versionstamp = reader.bytes().toHex(),
  });
  if (status === STATUS_SUCCESS) return { status: "landed", versionstamp };
  if (status === STATUS_CHECK_FAILURE) return { status: "failed check" };
  return { status: status === STATUS_WRITES_DISABLED ? "disabled" : "unknown" };
}

/** @returns Whether the store serves the watch; what changed is not looked at. */
export function decodeWatch(bytes: Uint8Array): boolean {
  let status = 0;
  readFields(bytes, { 1: (reader) => status = reader.int32() });
  return status === STATUS_SUCCESS;
}

function decodeRange(bytes: Uint8Array): StoredEntry[] {
  const entries: StoredEntry[] = [];
  readFields(bytes, { 1: (reader) => void entries.push(decodeEntry(reader.bytes())) });
  return entries;
}

function decodeEntry(bytes: Uint8Array): StoredEntry {
  let [key, value]: Uint8Array[] = [new Uint8Array(), new Uint8Array()];
  let [versionstamp, encoding] = ["", 0];
  readFields(bytes, {
    1: (reader) => key = reader.bytes(),
    2: (reader) => value = reader.bytes(),
    3: (reader) => encoding = reader.int32(),
    4: (reader) => versionstamp = reader.bytes().toHex(),
  });
  return { key, value: encoding === VALUE_IS_BYTES ? value : undefined, versionstamp };
}

const VARINT = 0 satisfies WireType;
const LENGTH_DELIMITED = 2 satisfies WireType;

function tag(field: number, wireType: WireType = LENGTH_DELIMITED): number {
  return field << 3 | wireType;
}

function readFields(
  bytes: Uint8Array,
  fields: Record<number, (reader: BinaryReader) => void>,
): void {
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    const read = fields[field];
    if (read === undefined) reader.skip(wireType, field);
    else read(reader);
  }
}
