/**
 * What SQLite asks of a file system: one volume, and files in memory for all the rest.
 *
 * @module
 */

import { GraftError } from "../../../src/core/errors.ts";
import { PAGE_SIZE } from "../../../src/core/limits.ts";
import { FileControl, OpenFlag, ResultCode } from "../engine/result_codes.ts";
import type { Answer, Pointer, VfsMethods } from "../engine/sqlite_module.ts";
import { MemoryFile } from "./memory_file.ts";
import { VolumeFile, type VolumeFileParts } from "./volume_file.ts";

/** Answers a pragma: text, a promise of it, or undefined for SQLite to answer it. */
export type PragmaHandler = (
  name: string,
  value: string | undefined,
) => string | Promise<string> | undefined;

/** What a {@linkcode VolumeVfs} is made of. */
export interface VolumeVfsParts extends Omit<VolumeFileParts, "heap"> {
  /** The engine's memory; another object after it has grown. */
  readonly heap: () => Uint8Array<ArrayBuffer>;
  /** Room in that memory, which SQLite frees. */
  readonly allocateText: (text: string) => Pointer;
  /** What pragmas are answered here. What it throws is what the statement fails with. */
  readonly pragma: PragmaHandler;
}

/** Writing beyond what is asked never harms neighbours, and what was written in order is there in order. */
const DEVICE = 0x200 | 0x400 | 0x1000; // SAFE_APPEND, SEQUENTIAL, POWERSAFE_OVERWRITE
const PATH_BYTES_MAX = 512;
const TWO_32 = 2 ** 32;
const decoder = new TextDecoder();

/**
 * The file system of one connection. Only the database itself is kept; a journal never exists when SQLite looks for
 * one, so nothing is ever recovered from it.
 */
export class VolumeVfs implements VfsMethods {
  readonly name = "graft";
  readonly mxPathname: number = PATH_BYTES_MAX;
  /** The database. */
  readonly file: VolumeFile;
  readonly #parts: VolumeVfsParts;
  readonly #open = new Map<Pointer, VolumeFile | MemoryFile>();

  /** Nothing is open yet. */
  constructor(parts: VolumeVfsParts) {
    this.#parts = parts;
    this.file = new VolumeFile(parts);
  }

  /** Those that may wait for pages. */
  hasAsyncMethod(method: string): boolean {
    return method === "xRead" || method === "xWrite" || method === "xFileControl";
  }

  /** Opens the volume, or a file in memory. */
  xOpen(_vfs: Pointer, name: Pointer, file: Pointer, flags: number, outFlags: Pointer): number {
    const isDatabase = (flags & OpenFlag.MAIN_DB) !== 0;
    if (isDatabase && this.#text(name) !== this.#parts.source.vid) return ResultCode.CANTOPEN;
    this.#open.set(file, isDatabase ? this.file : new MemoryFile());
    if (outFlags !== 0) this.#view().setInt32(outFlags, flags, true);
    return ResultCode.OK;
  }

  /** Files in memory go when they are closed. */
  xDelete(): number {
    return ResultCode.OK;
  }

  /** No file exists before it is opened: no journal is ever found. */
  xAccess(_vfs: Pointer, _name: Pointer, _flags: number, out: Pointer): number {
    this.#view().setInt32(out, 0, true);
    return ResultCode.OK;
  }

  /** Names are taken as they are. */
  xFullPathname(_vfs: Pointer, name: Pointer, outBytes: number, out: Pointer): number {
    const heap = this.#parts.heap();
    const end = heap.indexOf(0, name);
    if (end - name >= outBytes) return ResultCode.CANTOPEN;
    heap.copyWithin(out, name, end + 1);
    return ResultCode.OK;
  }

  /** Closes a file. */
  xClose(file: Pointer): number {
    const open = this.#open.get(file);
    this.#open.delete(file);
    return open instanceof VolumeFile ? open.close() : ResultCode.OK;
  }

  /** Reads. */
  xRead(file: Pointer, data: Pointer, length: number, low: number, high: number): Answer {
    return this.#try(ResultCode.IOERR_READ, () => {
      const open = this.#fileOf(file);
      const offset = (low >>> 0) + high * TWO_32;
      if (open instanceof VolumeFile) return open.read(data, length, offset);
      return open.read(this.#parts.heap().subarray(data, data + length), offset);
    });
  }

  /** Writes. */
  xWrite(file: Pointer, data: Pointer, length: number, low: number, high: number): Answer {
    return this.#try(ResultCode.IOERR_WRITE, () => {
      const open = this.#fileOf(file);
      const offset = (low >>> 0) + high * TWO_32;
      if (open instanceof VolumeFile) return open.write(data, length, offset);
      return open.write(this.#parts.heap().subarray(data, data + length), offset);
    });
  }

  /** Cuts a file off. */
  xTruncate(file: Pointer, low: number, high: number): number {
    return this.#fileOf(file).truncate((low >>> 0) + high * TWO_32);
  }

  /** What is durable is decided by the commit. */
  xSync(): number {
    return ResultCode.OK;
  }

  /** How long a file is. */
  xFileSize(file: Pointer, out: Pointer): number {
    const answer = this.#try(ResultCode.IOERR, () => {
      const { size } = this.#fileOf(file);
      this.#view().setBigInt64(out, BigInt(size), true);
      return ResultCode.OK;
    });
    return answer as number;
  }

  /** Locks the volume; files in memory have one user. */
  xLock(file: Pointer, level: number): number {
    const answer = this.#try(ResultCode.IOERR, () => {
      const open = this.#fileOf(file);
      return open instanceof VolumeFile ? open.lock(level) : ResultCode.OK;
    });
    return answer as number;
  }

  /** Unlocks it. */
  xUnlock(file: Pointer, level: number): number {
    const open = this.#fileOf(file);
    return open instanceof VolumeFile ? open.unlock(level) : ResultCode.OK;
  }

  /** Whether anybody is about to write. */
  xCheckReservedLock(file: Pointer, out: Pointer): number {
    const open = this.#fileOf(file);
    this.#view().setInt32(out, open instanceof VolumeFile && open.isReserved ? 1 : 0, true);
    return ResultCode.OK;
  }

  /** Commits, and answers pragmas. */
  xFileControl(file: Pointer, operation: number, argument: Pointer): Answer {
    const open = this.#fileOf(file);
    if (!(open instanceof VolumeFile)) return ResultCode.NOTFOUND;
    if (operation === FileControl.COMMIT_PHASETWO) return open.commit();
    if (operation === FileControl.PRAGMA) return this.#pragma(argument);
    return ResultCode.NOTFOUND;
  }

  /** A page is written as a whole. */
  xSectorSize(): number {
    return PAGE_SIZE;
  }

  /** What can be relied on. */
  xDeviceCharacteristics(): number {
    return DEVICE;
  }

  #pragma(argument: Pointer): Answer {
    const [, name, value] = [0, 4, 8].map((at) => this.#view().getUint32(argument + at, true));
    try {
      const text = value === 0 ? undefined : this.#text(value);
      const answer = this.#parts.pragma(this.#text(name).toLowerCase(), text);
      if (answer === undefined) return ResultCode.NOTFOUND;
      if (typeof answer === "string") return this.#answer(argument, answer);
      return answer.then(
        (later) => this.#answer(argument, later),
        (error) => this.#refuse(argument, error),
      );
    } catch (error) {
      return this.#refuse(argument, error);
    }
  }

  #answer(argument: Pointer, text: string): number {
    const pointer = this.#parts.allocateText(text);
    this.#view().setUint32(argument, pointer, true);
    return ResultCode.OK;
  }

  #refuse(argument: Pointer, error: unknown): number {
    this.#parts.onFailure(error);
    this.#answer(argument, error instanceof Error ? error.message : String(error));
    return ResultCode.ERROR;
  }

  /** Nothing may be thrown through SQLite. */
  #try(failed: number, run: () => Answer): Answer {
    try {
      return run();
    } catch (error) {
      this.#parts.onFailure(error);
      return failed;
    }
  }

  #fileOf(file: Pointer): VolumeFile | MemoryFile {
    const open = this.#open.get(file);
    if (open !== undefined) return open;
    throw new GraftError("internal", "Cannot use a file of SQLite: it is not open");
  }

  #view(): DataView<ArrayBuffer> {
    return new DataView(this.#parts.heap().buffer);
  }

  #text(pointer: Pointer): string {
    const heap = this.#parts.heap();
    return decoder.decode(heap.subarray(pointer, heap.indexOf(0, pointer)));
  }
}
