// Keys as KV Connect sends them: FoundationDB's tuple encoding, which sorts as the keys do.
//
// text    := 02 · UTF-8, each 00 followed by ff · 00
// bytes   := 01 · bytes, each 00 followed by ff · 00
// number  := 21 · IEEE 754 double, big-endian; sign bit flipped, or all bits if it was set
// false   := 26        true := 27
//
// The log's own keys have text and numbers only. The others are read because a store that holds something
// else must be told apart from an empty one; a part of any other kind ends the key as the bytes that are left.

import type { KvKey } from "../kv_handle.ts";

const BYTES = 0x01;
const TEXT = 0x02;
const NUMBER = 0x21;
const FALSE = 0x26;
const TRUE = 0x27;
const END = 0x00;
const ESCAPE = 0xff;
const NUMBER_BYTES = 8;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** A key with the symbol at its end taken off, where it has one. */
export interface PackedKey {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Whether the versionstamp of the write takes the place of the last part. */
  readonly stamped: boolean;
}

/** Encodes a key. A symbol, which stands for the versionstamp of the write, may only be its last part. */
export function packKey(key: KvKey): PackedKey {
  const stamped = typeof key.at(-1) === "symbol";
  const bytes: number[] = [];
  for (const part of stamped ? key.slice(0, -1) : key) packPart(bytes, part);
  return { bytes: Uint8Array.from(bytes), stamped };
}

function packPart(bytes: number[], part: KvKey[number]): void {
  if (typeof part === "string") packText(bytes, part);
  else if (typeof part === "number") packNumber(bytes, part);
  else if (typeof part === "boolean") bytes.push(part ? TRUE : FALSE);
  else throw new TypeError("A key's versionstamp is not its last part");
}

function packText(bytes: number[], text: string): void {
  bytes.push(TEXT);
  for (const byte of encoder.encode(text)) {
    bytes.push(byte);
    if (byte === END) bytes.push(ESCAPE);
  }
  bytes.push(END);
}

function packNumber(bytes: number[], value: number): void {
  const packed = new Uint8Array(NUMBER_BYTES);
  new DataView(packed.buffer).setFloat64(0, value);
  flipSign(packed, packed[0] >= 0x80);
  bytes.push(NUMBER, ...packed);
}

/** Makes doubles sort as bytes, and back: negative ones are flipped whole, the others in their first bit. */
function flipSign(bytes: Uint8Array, negative: boolean): void {
  if (negative) bytes.forEach((byte, i) => bytes[i] = byte ^ 0xff);
  else bytes[0] ^= 0x80;
}

/** Reads what {@linkcode packKey} made, or any other program's key. */
export function unpackKey(bytes: Uint8Array): Deno.KvKeyPart[] {
  const parts: Deno.KvKeyPart[] = [];
  for (let at = 0; at < bytes.length;) {
    const { part, end } = unpackPart(bytes, at) ?? { part: bytes.slice(at), end: bytes.length };
    parts.push(part);
    at = end;
  }
  return parts;
}

function unpackPart(
  bytes: Uint8Array,
  at: number,
): { part: Deno.KvKeyPart; end: number } | undefined {
  switch (bytes[at]) {
    case TEXT: {
      const found = unescape(bytes, at + 1);
      return found && { part: decoder.decode(found.raw), end: found.end };
    }
    case BYTES: {
      const found = unescape(bytes, at + 1);
      return found && { part: found.raw, end: found.end };
    }
    case NUMBER:
      return unpackNumber(bytes, at + 1);
    case FALSE:
    case TRUE:
      return { part: bytes[at] === TRUE, end: at + 1 };
  }
}

function unescape(
  bytes: Uint8Array,
  start: number,
): { raw: Uint8Array<ArrayBuffer>; end: number } | undefined {
  const raw: number[] = [];
  for (let at = start; at < bytes.length; at++) {
    if (bytes[at] === END && bytes[at + 1] !== ESCAPE) {
      return { raw: Uint8Array.from(raw), end: at + 1 };
    }
    raw.push(bytes[at]);
    if (bytes[at] === END) at++;
  }
}

function unpackNumber(
  bytes: Uint8Array,
  start: number,
): { part: number; end: number } | undefined {
  const end = start + NUMBER_BYTES;
  if (end > bytes.length) return undefined;
  const packed = bytes.slice(start, end);
  flipSign(packed, packed[0] < 0x80);
  return { part: new DataView(packed.buffer).getFloat64(0), end };
}
