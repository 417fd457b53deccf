/**
 * What every value of the log has around it.
 *
 * ```text
 * value := version (1 byte, 1) · body · checksum (8 bytes)
 * ```
 *
 * The checksum is the xxh64 of version and body, little-endian; its seed is the xxh64 (seed 0) of the key
 * as the text that messages name it by. A flipped bit in a page set would otherwise be a well-formed answer about the wrong pages,
 * and a value that came to stand under another key the answer to another question.
 *
 * @module
 */

import { xxh64 } from "../../core/content_digest.ts";
import { GraftError, isGraftError } from "../../core/errors.ts";
import { ByteReader } from "./byte_reader.ts";
import { ByteWriter } from "./byte_writer.ts";

const VERSION = 1;
const CHECKSUM_BYTES = 8;
const encoder = new TextEncoder();

/** Encodes the value that will stand under `key`; `write` writes its body. */
export function encodeValue(
  key: string,
  write: (writer: ByteWriter) => void,
): Uint8Array<ArrayBuffer> {
  const writer = new ByteWriter();
  writer.byte(VERSION);
  write(writer);
  writer.raw(checksum(writer.finish(), key));
  return writer.finish();
}

/**
 * Decodes the value found under `key`; `read` reads its body, all of it.
 *
 * @throws {GraftError} `damaged`, naming the key, for whatever is not a value that was written there.
 */
export function decodeValue<T>(
  key: string,
  value: unknown,
  read: (reader: ByteReader) => T,
): T {
  if (!(value instanceof Uint8Array)) throw damaged(key, "it is not bytes");
  const end = value.length - CHECKSUM_BYTES;
  if (end < 1) throw damaged(key, `it has only ${value.length} bytes`);
  if (value[0] !== VERSION) throw damaged(key, `it has version ${value[0]} instead of ${VERSION}`);
  const expected = checksum(value.subarray(0, end), key);
  if (expected.some((byte, i) => byte !== value[end + i])) {
    throw damaged(key, "its checksum differs");
  }
  try {
    const reader = new ByteReader(value.subarray(1, end));
    const decoded = read(reader);
    reader.end();
    return decoded;
  } catch (error) {
    // anything else is a bug of this program, and must not pass for a bad disk
    if (!isGraftError(error, "invalid")) throw error;
    throw damaged(key, error.message, error);
  }
}

/** The error of a value that is not as it was written. */
export function damaged(key: string, state: string, cause?: unknown): GraftError {
  return new GraftError("damaged", `Cannot use the log's value at "${key}": ${state}`, { cause });
}

function checksum(body: Uint8Array, key: string): Uint8Array {
  const bytes = new Uint8Array(CHECKSUM_BYTES);
  const seed = xxh64(encoder.encode(key), 0n);
  new DataView(bytes.buffer).setBigUint64(0, xxh64(body, seed), true);
  return bytes;
}
