/**
 * Protobuf by hand, independent of the codecs under test: a mistake that an encoder and its decoder
 * share would otherwise pass every test.
 *
 * @module
 */

/** Bytes whose buffer is their own. */
export type Bytes = Uint8Array<ArrayBuffer>;

/** A decoded message: each field number with its values, in order of arrival. */
export type Fields = Map<number, (bigint | Bytes)[]>;

const VARINT = 0;
const LENGTH_DELIMITED = 2;

/** The parts, one after the other. */
export function join(...parts: Uint8Array[]): Bytes {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** A base-128 number, 0 to 2^64 - 1. */
export function varint(value: number | bigint): Bytes {
  const digits: number[] = [];
  let rest = BigInt(value);
  while (rest > 127n) {
    digits.push(Number(rest & 127n) | 128);
    rest >>= 7n;
  }
  digits.push(Number(rest));
  return new Uint8Array(digits);
}

/** A number field. */
export function uint(field: number, value: number | bigint): Bytes {
  return join(varint((field << 3) | VARINT), varint(value));
}

/** The tag and length of a field whose content follows, or only claims to. */
export function lengthPrefix(field: number, length: number | bigint): Bytes {
  return join(varint((field << 3) | LENGTH_DELIMITED), varint(length));
}

/** A field of bytes or of an embedded message. */
export function bytes(field: number, content: Uint8Array): Bytes {
  return join(lengthPrefix(field, content.length), content);
}

/** Reads a whole message of numbers and bytes; throws on anything else. */
export function parse(message: Uint8Array): Fields {
  const fields: Fields = new Map();
  let at = 0;
  const number = (): bigint => {
    let value = 0n;
    for (let shift = 0n;; shift += 7n) {
      if (at >= message.length || shift > 63n) throw new Error("A varint does not end");
      const digit = message[at++];
      value |= BigInt(digit & 127) << shift;
      if (digit < 128) return value;
    }
  };
  while (at < message.length) {
    const tag = Number(number());
    const values = fields.get(tag >> 3) ?? [];
    fields.set(tag >> 3, values);
    if ((tag & 7) === VARINT) values.push(number());
    else if ((tag & 7) === LENGTH_DELIMITED) {
      const length = Number(number());
      if (at + length > message.length) throw new Error(`Field ${tag >> 3} is cut off`);
      values.push(message.slice(at, at += length));
    } else throw new Error(`Field ${tag >> 3} has wire type ${tag & 7}`);
  }
  return fields;
}

/** The last value of a number field, as protobuf has it; 0 when absent. */
export function numberAt(fields: Fields, field: number): number {
  const value = fields.get(field)?.at(-1) ?? 0n;
  if (typeof value !== "bigint") throw new Error(`Field ${field} is not a number`);
  return Number(value);
}

/** The last value of a bytes field; empty when absent. */
export function bytesAt(fields: Fields, field: number): Bytes {
  const value = fields.get(field)?.at(-1) ?? new Uint8Array(0);
  if (typeof value === "bigint") throw new Error(`Field ${field} is a number`);
  return value;
}

/** All values of a repeated bytes field. */
export function allAt(fields: Fields, field: number): Bytes[] {
  return (fields.get(field) ?? []).map((value) => {
    if (typeof value === "bigint") throw new Error(`Field ${field} is a number`);
    return value;
  });
}
