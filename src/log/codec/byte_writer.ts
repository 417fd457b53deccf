/**
 * Writes the binary values of the log.
 *
 * @module
 */

import { assert } from "../../core/assert.ts";

const FIRST_BYTES = 256;

/**
 * Collects bytes in a buffer that grows.
 *
 * @example
 * ```ts
 * import { ByteWriter } from "./byte_writer.ts";
 *
 * const writer = new ByteWriter();
 * writer.varint(300);
 * console.log(writer.finish()); // Uint8Array [ 172, 2 ]
 * ```
 */
export class ByteWriter {
  #bytes: Uint8Array<ArrayBuffer> = new Uint8Array(FIRST_BYTES);
  #length = 0;

  /** Bytes written so far. */
  get length(): number {
    return this.#length;
  }

  /** One byte, from 0 to 255. */
  byte(value: number): void {
    this.#reserve(1);
    this.#bytes[this.#length++] = value;
  }

  /** A whole number from 0 to 2^53 - 1 in 1 to 8 bytes: seven bits a byte, the lowest first (LEB128). */
  varint(value: number): void {
    assert(Number.isSafeInteger(value) && value >= 0, "A number is not one that a varint can hold");
    this.#reserve(8);
    let rest = value;
    while (rest > 0x7f) {
      this.#bytes[this.#length++] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    this.#bytes[this.#length++] = rest;
  }

  /** Bytes whose number the reader knows. */
  raw(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** Bytes after their number as a varint. */
  sized(bytes: Uint8Array): void {
    this.varint(bytes.length);
    this.raw(bytes);
  }

  /** Everything written so far: a copy. */
  finish(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(0, this.#length);
  }

  #reserve(count: number): void {
    const needed = this.#length + count;
    if (needed <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
  }
}
