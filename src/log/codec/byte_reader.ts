/**
 * Reads the binary values of the log, which may be damaged in any way.
 *
 * @module
 */

import { GraftError } from "../../core/errors.ts";

/** A safe integer has 53 bits, so at most eight groups of seven. */
const VARINT_BYTES_MAX = 8;

/**
 * Takes values from the front of some bytes. Whatever the bytes are, a call returns a value within its
 * documented range or throws GraftError `invalid`; nothing outside the bytes is read and nothing larger
 * than them is allocated.
 *
 * @example
 * ```ts
 * import { ByteReader } from "./byte_reader.ts";
 *
 * const reader = new ByteReader(Uint8Array.of(172, 2, 7));
 * console.log(reader.varint(), reader.byte()); // 300 7
 * reader.end();
 * ```
 */
export class ByteReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  /** Reads `bytes`, which must not change until the last value is taken. */
  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** Bytes not taken yet. */
  get left(): number {
    return this.#bytes.length - this.#at;
  }

  /** What is not taken yet, without taking it: a view. */
  rest(): Uint8Array {
    return this.#bytes.subarray(this.#at);
  }

  /** One byte. */
  byte(): number {
    this.#require(1);
    return this.#bytes[this.#at++];
  }

  /** A whole number from 0 to 2^53 - 1, in its shortest form. */
  varint(): number {
    let value = 0;
    for (let at = 0, scale = 1; at < VARINT_BYTES_MAX; at++, scale *= 0x80) {
      const byte = this.byte();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) {
        if (byte === 0 && at > 0) throw malformed("a number is longer than it needs to be");
        if (!Number.isSafeInteger(value)) break;
        return value;
      }
    }
    throw malformed("a number is above 2^53 - 1");
  }

  /**
   * A varint that counts what follows.
   *
   * @param bytesEach The fewest bytes that each of the counted things takes: a count that the rest
   * cannot hold is refused before anything is made of it.
   */
  count(bytesEach: number): number {
    const count = this.varint();
    if (count * bytesEach > this.left) {
      throw malformed(`${count} entries do not fit in ${this.left} bytes`);
    }
    return count;
  }

  /** The next `length` bytes: a view. */
  view(length: number): Uint8Array {
    this.#require(length);
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  /** Bytes after their number as a varint: a view. */
  sizedView(): Uint8Array {
    return this.view(this.varint());
  }

  /** The next `length` bytes: a copy, for what outlives the bytes read. */
  copy(length: number): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.view(length));
  }

  /** Refuses bytes after the last value. */
  end(): void {
    if (this.left > 0) throw malformed(`${this.left} bytes follow its end`);
  }

  #require(count: number): void {
    if (count > this.left) throw malformed(`it ends ${count - this.left} bytes early`);
  }
}

function malformed(state: string): GraftError {
  return new GraftError("invalid", `Cannot read the value: ${state}`);
}
