/**
 * Values on their way into SQLite and out of it.
 *
 * @module
 */

import { GraftError } from "../../../src/core/errors.ts";
import type { Engine } from "./engine.ts";
import { ValueType } from "./result_codes.ts";
import type { Pointer } from "./sqlite_module.ts";

/**
 * What SQLite answers: integers as numbers, and as bigints where a number is not exact (above 2^53 - 1); blobs
 * as copies.
 */
export type SqlValue = number | bigint | string | Uint8Array | null;

/** What a parameter may be. Booleans are 1 and 0; a `Date` is refused, as there is no one way to store it. */
export type SqlParameter = SqlValue | boolean;

const decoder = new TextDecoder();
/** Up to here, code units one by one are faster than the decoder. */
const SHORT_TEXT_BYTES = 24;
const INT32_MIN = -(2 ** 31);
const INT32_MAX = 2 ** 31 - 1;

/** The value of a column of the row that a statement is at. */
export function readColumn(engine: Engine, statement: Pointer, column: number): SqlValue {
  const { exports } = engine;
  switch (exports.sqlite3_column_type(statement, column)) {
    case ValueType.INTEGER:
      return readInteger(engine, statement, column);
    case ValueType.FLOAT:
      return exports.sqlite3_column_double(statement, column);
    case ValueType.TEXT: {
      const at = exports.sqlite3_column_text(statement, column);
      return readText(engine.heap, at, exports.sqlite3_column_bytes(statement, column));
    }
    case ValueType.BLOB: {
      const at = exports.sqlite3_column_blob(statement, column);
      return engine.heap.slice(at, at + exports.sqlite3_column_bytes(statement, column));
    }
    default:
      return null;
  }
}

/** An integer: as a number where that is exact. */
function readInteger(engine: Engine, statement: Pointer, column: number): number | bigint {
  const { exports } = engine;
  // a double is exact as long as it is safe
  const value = exports.sqlite3_column_double(statement, column);
  if (Number.isSafeInteger(value)) return value;
  return engine.toBigInt(exports.sqlite3_column_int64(statement, column));
}

/** UTF-8 in the memory. */
export function readText(heap: Uint8Array, at: Pointer, length: number): string {
  if (length > SHORT_TEXT_BYTES) return decoder.decode(heap.subarray(at, at + length));
  let text = "";
  for (let i = at; i < at + length; i++) {
    const unit = heap[i];
    if (unit > 0x7f) return decoder.decode(heap.subarray(at, at + length));
    text += String.fromCharCode(unit);
  }
  return text;
}

/**
 * Sets a parameter.
 *
 * @param index From 1.
 * @returns A result code.
 * @throws {GraftError} `invalid` for what SQLite has no type for.
 */
export function bindParameter(
  engine: Engine,
  statement: Pointer,
  index: number,
  value: SqlParameter,
): number {
  const { exports } = engine;
  switch (typeof value) {
    case "number":
      return bindNumber(engine, statement, index, value);
    case "bigint":
      return bindBigInt(engine, statement, index, value);
    case "boolean":
      return exports.sqlite3_bind_int(statement, index, value ? 1 : 0);
    case "string": {
      const { pointer, bytes } = engine.allocateText(value);
      return exports.sqlite3_bind_text(statement, index, pointer, bytes, exports.getSqliteFree());
    }
    default:
      if (value === null) {
        return exports.sqlite3_bind_null(statement, index);
      }
      return bindBytes(engine, statement, index, value);
  }
}

function bindNumber(engine: Engine, statement: Pointer, index: number, value: number): number {
  const { exports } = engine;
  if (!Number.isSafeInteger(value) || Object.is(value, -0)) {
    return exports.sqlite3_bind_double(statement, index, value);
  }
  if (value >= INT32_MIN && value <= INT32_MAX) {
    return exports.sqlite3_bind_int(statement, index, value);
  }
  return bindBigInt(engine, statement, index, BigInt(value));
}

function bindBigInt(engine: Engine, statement: Pointer, index: number, value: bigint): number {
  if (BigInt.asIntN(64, value) !== value) {
    throw new GraftError("invalid", `Cannot bind ${value}: SQLite's integers have 64 bits`);
  }
  const low = Number(BigInt.asIntN(32, value));
  const high = Number(BigInt.asIntN(32, value >> 32n));
  return engine.exports.sqlite3_bind_int64(statement, index, low, high);
}

function bindBytes(engine: Engine, statement: Pointer, index: number, value: unknown): number {
  const { exports } = engine;
  const bytes = toBytes(value);
  const pointer = engine.allocateBytes(bytes);
  return exports.sqlite3_bind_blob(
    statement,
    index,
    pointer,
    bytes.length,
    exports.getSqliteFree(),
  );
}

function toBytes(value: unknown): Uint8Array {
  if (value instanceof Uint8Array) return value;
  if (value instanceof ArrayBuffer) return new Uint8Array(value);
  if (ArrayBuffer.isView(value)) {
    return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  }
  const type = value instanceof Date ? "a Date" : `a value of type ${typeof value}`;
  throw new GraftError("invalid", `Cannot bind ${type}: SQLite has no type for it`, {
    hint: "Pass a number, bigint, string, boolean, Uint8Array or null",
  });
}
