// The files of slabs: their names, and those that stay open for reading.

import { LRUCache } from "lru-cache";
import { type FileDescriptor, systemCode } from "../_disk_io.ts";
import type { SlabIo } from "../_slab_io.ts";

const NAME = /^(\d{10})\.slab$/;
const OPEN_FILES_MAX = 256;

/**
 * Reads are synchronous, so that no file is closed under one; a file that was read stays open, so that
 * reads go on when someone removes its name. Methods throw the system's errors.
 */
export class SlabFiles {
  readonly #io: SlabIo;
  readonly #directory: string;
  readonly #open: LRUCache<number, { readonly file: FileDescriptor }>;

  /** Touches nothing yet. */
  constructor(io: SlabIo, directory: string) {
    this.#io = io;
    this.#directory = directory;
    this.#open = new LRUCache({ max: OPEN_FILES_MAX, dispose: ({ file }) => io.close(file) });
  }

  /** Where the slab of a number is. */
  path(number: number): string {
    return `${this.#directory}/${String(number).padStart(10, "0")}.slab`;
  }

  /** The numbers of the slabs that are there, ascending. */
  async list(): Promise<number[]> {
    const entries = await this.#io.list(this.#directory);
    const numbers = entries.map(({ name }) => Number(NAME.exec(name)?.[1] ?? 0));
    return numbers.filter((number) => number > 0).sort((a, b) => a - b);
  }

  /** Makes the directory where it is missing. */
  makeDirectory(): void {
    try {
      this.#io.makeDirectory(this.#directory);
    } catch (error) {
      if (systemCode(error) !== "EEXIST") throw error;
    }
  }

  /** Bytes of a slab's file; undefined when there is none. */
  size(number: number): number | undefined {
    return this.#io.stat(this.path(number))?.sizeBytes;
  }

  /** As many as there are of `length` bytes of a slab. */
  read(number: number, offset: number, length: number): Uint8Array<ArrayBuffer> {
    let opened = this.#open.get(number);
    if (opened === undefined) {
      opened = this.#io.open(this.path(number));
      this.#open.set(number, opened);
    }
    const bytes = new Uint8Array(length);
    return bytes.subarray(0, this.#io.readSync(opened.file, bytes, offset));
  }

  /** Removes a slab's file, if it is there. */
  remove(number: number): void {
    try {
      this.#io.remove(this.path(number));
    } catch (error) {
      if (systemCode(error) !== "ENOENT") throw error;
    }
    this.#open.delete(number);
  }

  /** Closes all files. */
  close(): void {
    this.#open.clear();
  }
}
