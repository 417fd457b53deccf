/**
 * What SQLite asks of a file system: one volume, and files in memory for all the rest.
 *
 * @module
 */

import { GraftError } from "../../../src/core/errors.ts";
import { PAGE_SIZE } from "../../../src/core/limits.ts";
import { FileControl, OpenFlag, ResultCode } from "../engine/result_codes.ts";
import type { Answer, Pointer, VfsFailure, VfsMethods } from "../engine/sqlite_module.ts";
import { readText } from "../engine/values.ts";
import { MemoryFile } from "./memory_file.ts";
import { VolumeFile, type VolumeFileParts } from "./volume_file.ts";

/** What a pragma answers: text, or null for no row at all. */
export type PragmaAnswer = string | null;

/** Answers a pragma, at once or later; undefined for SQLite to answer it. */
export type PragmaHandler = (
  name: string,
  value: string | undefined,
) => PragmaAnswer | Promise<PragmaAnswer> | undefined;

/** What a {@linkcode VolumeVfs} is made of. */
export interface VolumeVfsParts extends Omit<VolumeFileParts, "heap" | "onFailure"> {
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
/** No pragma that is answered here begins with an "e", as does one that SQLite itself asks for with each commit. */
const UNANSWERED = 0x65;
const TWO_32 = 2 ** 32;

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
  /** Whether something failed, so that what SQLite keeps in memory, beside its cache of pages, may be wrong. */
  isTainted = false;
  #failure: VfsFailure | undefined;

  /** Nothing is open yet. */
  constructor(parts: VolumeVfsParts) {
    this.#parts = parts;
    const onFailure = (cause: unknown, resultCode: number) => this.#note(cause, resultCode);
    this.file = new VolumeFile({ ...parts, onFailure });
  }

  /** Whether SQLite was told of a failure that must not go unheard. Until it is taken nothing is committed. */
  get hasFailed(): boolean {
    return this.#failure !== undefined && isGrave(this.#failure.resultCode);
  }

  /** What failed first, once. */
  takeFailure(): VfsFailure | undefined {
    const failure = this.#failure;
    this.#failure = undefined;
    return failure;
  }

  /** Those that may wait for pages. */
  hasAsyncMethod(method: string): boolean {
    return method === "xRead" || method === "xFileControl";
  }

  /** Opens the volume, once, or a file in memory. */
  xOpen(_vfs: Pointer, name: Pointer, file: Pointer, flags: number, outFlags: Pointer): number {
    return this.#try(ResultCode.CANTOPEN, () => {
      const isDatabase = (flags & OpenFlag.MAIN_DB) !== 0;
      if (isDatabase) this.#requireNew(this.#text(name));
      this.#open.set(file, isDatabase ? this.file : new MemoryFile());
      if (outFlags !== 0) this.#view().setInt32(outFlags, flags, true);
      return ResultCode.OK;
    });
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
    return this.#try(ResultCode.IOERR, () => {
      const open = this.#open.get(file);
      this.#open.delete(file);
      return open instanceof VolumeFile ? open.close() : ResultCode.OK;
    });
  }

  /** Reads. */
  xRead(file: Pointer, data: Pointer, length: number, low: number, high: number): Answer {
    return this.#tryLater(ResultCode.IOERR_READ, () => {
      const open = this.#fileOf(file);
      const offset = (low >>> 0) + high * TWO_32;
      if (open instanceof VolumeFile) return open.read(data, length, offset);
      return open.read(this.#parts.heap().subarray(data, data + length), offset);
    });
  }

  /** Writes. */
  xWrite(file: Pointer, data: Pointer, length: number, low: number, high: number): number {
    return this.#try(ResultCode.IOERR_WRITE, () => {
      const open = this.#fileOf(file);
      const offset = (low >>> 0) + high * TWO_32;
      if (open instanceof VolumeFile) return open.write(data, length, offset);
      return open.write(this.#parts.heap().subarray(data, data + length), offset);
    });
  }

  /** Cuts a file off. */
  xTruncate(file: Pointer, low: number, high: number): number {
    return this.#try(
      ResultCode.IOERR_TRUNCATE,
      () => this.#fileOf(file).truncate((low >>> 0) + high * TWO_32),
    );
  }

  /** What is durable is decided by the commit. */
  xSync(): number {
    return ResultCode.OK;
  }

  /** How long a file is. */
  xFileSize(file: Pointer, out: Pointer): number {
    return this.#try(ResultCode.IOERR, () => {
      const { size } = this.#fileOf(file);
      this.#view().setBigInt64(out, BigInt(size), true);
      return ResultCode.OK;
    });
  }

  /** Locks the volume; files in memory have one user. */
  xLock(file: Pointer, level: number): number {
    return this.#try(ResultCode.IOERR, () => {
      const open = this.#fileOf(file);
      return open instanceof VolumeFile ? open.lock(level) : ResultCode.OK;
    });
  }

  /** Unlocks it. */
  xUnlock(file: Pointer, level: number): number {
    return this.#try(ResultCode.IOERR, () => {
      const open = this.#fileOf(file);
      return open instanceof VolumeFile ? open.unlock(level) : ResultCode.OK;
    });
  }

  /** Whether anybody is about to write. */
  xCheckReservedLock(file: Pointer, out: Pointer): number {
    return this.#try(ResultCode.IOERR, () => {
      const open = this.#fileOf(file);
      this.#view().setInt32(out, open instanceof VolumeFile && open.isReserved ? 1 : 0, true);
      return ResultCode.OK;
    });
  }

  /** Commits, and answers pragmas. */
  xFileControl(file: Pointer, operation: number, argument: Pointer): Answer {
    return this.#tryLater(ResultCode.IOERR, () => {
      const open = this.#fileOf(file);
      if (!(open instanceof VolumeFile)) return ResultCode.NOTFOUND;
      if (operation === FileControl.PRAGMA) return this.#pragma(argument);
      if (operation !== FileControl.COMMIT_PHASETWO) return ResultCode.NOTFOUND;
      // where SQLite made light of a failure it has rolled back, and what it commits is only a part
      return this.hasFailed ? ResultCode.IOERR_COMMIT_ATOMIC : open.commit();
    });
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
    const view = this.#view();
    const name = view.getUint32(argument + 4, true);
    if (view.getUint8(name) === UNANSWERED) return ResultCode.NOTFOUND;
    const value = view.getUint32(argument + 8, true);
    try {
      const text = value === 0 ? undefined : this.#text(value);
      const answer = this.#parts.pragma(this.#text(name).toLowerCase(), text);
      if (answer === undefined) return ResultCode.NOTFOUND;
      if (!(answer instanceof Promise)) return this.#answer(argument, answer);
      return answer.then(
        (later) => this.#answer(argument, later),
        (error) => this.#refuse(argument, error),
      );
    } catch (error) {
      return this.#refuse(argument, error);
    }
  }

  #answer(argument: Pointer, answer: PragmaAnswer): number {
    const pointer = answer === null ? 0 : this.#parts.allocateText(answer);
    this.#view().setUint32(argument, pointer, true);
    return ResultCode.OK;
  }

  #refuse(argument: Pointer, error: unknown): number {
    this.#note(error, ResultCode.ERROR);
    this.#answer(argument, error instanceof Error ? error.message : String(error));
    return ResultCode.ERROR;
  }

  #requireNew(name: string): void {
    const { vid } = this.#parts.source;
    const isOpen = [...this.#open.values()].includes(this.file);
    if (name === vid && !isOpen) return;
    const state = name === vid ? "it is open already" : "a connection has one volume";
    throw new GraftError("invalid", `Cannot open the database "${name}": ${state}`, {
      hint: "Attach :memory: databases only",
    });
  }

  /** What failed first is the reason for what failed later; but for locks, which SQLite may ask for again. */
  #note(cause: unknown, resultCode: number): void {
    if (!this.hasFailed) this.#failure = { cause, resultCode };
    this.isTainted ||= isGrave(resultCode);
  }

  /** Nothing may be thrown through SQLite. */
  #try(failed: number, run: () => number): number {
    try {
      return run();
    } catch (error) {
      return this.#failWith(error, failed);
    }
  }

  #tryLater(failed: number, run: () => Answer): Answer {
    try {
      const answer = run();
      if (typeof answer === "number") return answer;
      return answer.catch((error) => this.#failWith(error, failed));
    } catch (error) {
      return this.#failWith(error, failed);
    }
  }

  #failWith(error: unknown, resultCode: number): number {
    this.#note(error, resultCode);
    return resultCode;
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
    return readText(heap, pointer, heap.indexOf(0, pointer) - pointer);
  }
}

/** Whether a transaction cannot go on after it. */
function isGrave(resultCode: number): boolean {
  const primary = resultCode & 0xff;
  return primary === ResultCode.IOERR || primary === ResultCode.INTERRUPT;
}
