// Values that are too large for one key. They are cut into parts under a fresh id, written before the
// value that names them, so that whoever reads the name finds all parts. Parts that nothing names (the
// writer lost or died) are in nobody's way; their keys tell whose they were meant to be.

import { GraftError } from "../../../core/errors.ts";
import { GID_BYTES, gidFromBytes, gidToBytes, type SegmentId } from "../../../core/gid.ts";
import type { ByteReader } from "../../codec/byte_reader.ts";
import { damaged, decodeValue, encodeValue } from "../../codec/sealed_value.ts";
import type { Mutation } from "../_write/batch.ts";
import { chunkKey, chunkRange, keyText } from "../_keys.ts";
import type { KvCalls } from "./kv_calls.ts";
import type { KvKey } from "../kv_handle.ts";
import { CHUNKED_BYTES_MAX, VALUE_BYTES_MAX } from "../_limits.ts";

/** The first byte of a value's body: the value itself, or where its parts are. */
const WHOLE = 0;
const CHUNKED = 1;
const PART_VERSION = 1;
const PART_BYTES_MAX = VALUE_BYTES_MAX - 1;

/** What stands at a key whose value is in parts. */
interface ChunkedName {
  readonly group: SegmentId;
  readonly sizeBytes: number;
}

/** Encodes a value that may turn out too large for its key. */
export function encodeChunkable(
  key: KvKey,
  write: Parameters<typeof encodeValue>[1],
): Uint8Array<ArrayBuffer> {
  return encodeValue(keyText(key), (writer) => {
    writer.byte(WHOLE);
    write(writer);
  });
}

/** Cuts a value into parts: what to write first, and what then stands at the key instead of the value. */
export function cutValue(
  key: KvKey,
  value: Uint8Array,
  group: SegmentId,
): { parts: Mutation[]; name: Uint8Array<ArrayBuffer> } {
  const parts: Mutation[] = [];
  for (let from = 0; from < value.length; from += PART_BYTES_MAX) {
    const bytes = value.subarray(from, from + PART_BYTES_MAX);
    const part = new Uint8Array(1 + bytes.length);
    part[0] = PART_VERSION;
    part.set(bytes, 1);
    parts.push({ key: chunkKey(key, group, parts.length), value: part });
  }
  const name = encodeValue(keyText(key), (writer) => {
    writer.byte(CHUNKED);
    writer.raw(gidToBytes(group));
    writer.varint(value.length);
  });
  return { parts, name };
}

/** Decodes what {@linkcode encodeChunkable} made, fetching its parts where it was cut. */
export async function decodeChunkable<T>(
  calls: KvCalls,
  key: KvKey,
  value: unknown,
  read: (reader: ByteReader) => T,
): Promise<T> {
  const text = keyText(key);
  const decoded = decodeValue(text, value, (reader) => readForm(reader, read));
  if (!("group" in decoded)) return decoded.whole;
  const joined = await joinParts(calls, key, decoded);
  return decodeValue(text, joined, (reader) => {
    if (reader.byte() !== WHOLE) throw damaged(text, "its parts name parts again");
    return read(reader);
  });
}

function readForm<T>(
  reader: ByteReader,
  read: (reader: ByteReader) => T,
): { whole: T } | ChunkedName {
  const form = reader.byte();
  if (form === WHOLE) return { whole: read(reader) };
  if (form !== CHUNKED) {
    throw new GraftError("invalid", `Cannot read the value: its form is ${form}`);
  }
  const group = gidFromBytes("segment", reader.view(GID_BYTES));
  const sizeBytes = reader.varint();
  if (sizeBytes > CHUNKED_BYTES_MAX) {
    throw new GraftError("invalid", `Cannot read the value: it claims ${sizeBytes} bytes`);
  }
  return { group, sizeBytes };
}

async function joinParts(calls: KvCalls, key: KvKey, name: ChunkedName): Promise<Uint8Array> {
  const joined = new Uint8Array(name.sizeBytes);
  let at = 0;
  for await (const { value } of calls.list(chunkRange(key, name.group))) {
    if (!(value instanceof Uint8Array) || value[0] !== PART_VERSION) {
      throw damaged(keyText(key), "one of its parts is not one");
    }
    if (at + value.length - 1 > joined.length) {
      throw damaged(keyText(key), "its parts are too long");
    }
    joined.set(value.subarray(1), at);
    at += value.length - 1;
  }
  if (at < joined.length) throw damaged(keyText(key), "parts of it are missing");
  return joined;
}
