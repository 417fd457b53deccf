/**
 * A file in memory: journals and what SQLite needs for a while.
 *
 * @module
 */

import { ResultCode } from "../engine/result_codes.ts";

const BYTES_MIN = 4096;

/** A file in memory, which goes with its connection. */
export class MemoryFile {
  #bytes = new Uint8Array(0);
  #size = 0;

  /** How long it is, in bytes. */
  get size(): number {
    return this.#size;
  }

  /** Reads; what lies beyond the end is zeros. */
  read(target: Uint8Array, offset: number): number {
    const there = this.#bytes.subarray(Math.min(offset, this.#size), this.#size);
    target.set(there.subarray(0, target.length));
    if (there.length >= target.length) return ResultCode.OK;
    target.fill(0, there.length);
    return ResultCode.IOERR_SHORT_READ;
  }

  /** Writes; the file grows where it must. */
  write(source: Uint8Array, offset: number): number {
    const end = offset + source.length;
    this.#makeRoom(end);
    this.#bytes.set(source, offset);
    this.#size = Math.max(this.#size, end);
    return ResultCode.OK;
  }

  /** Cuts it off. */
  truncate(size: number): number {
    if (size >= this.#size) return ResultCode.OK;
    this.#bytes.fill(0, size, this.#size);
    this.#size = size;
    return ResultCode.OK;
  }

  #makeRoom(bytes: number): void {
    if (bytes <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(bytes, 2 * this.#bytes.length, BYTES_MIN));
    larger.set(this.#bytes.subarray(0, this.#size));
    this.#bytes = larger;
  }
}
