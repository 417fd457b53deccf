/**
 * An object store in a directory of the local disk.
 *
 * @module
 */

import { dirname, resolve } from "node:path";
import { isGraftError } from "../core/errors.ts";
import { type Random, systemRandom } from "../core/random.ts";
import {
  assertRange,
  checkKey,
  checkRangeWithin,
  checkSignal,
  missingObject,
  RESERVED_PART,
  takenObject,
} from "./_call_checks.ts";
import { AtomicWriter } from "./_disk/atomic_writer.ts";
import { Directories, type SyncFailure } from "./_disk/directories.ts";
import { isAbsence, toGraftError } from "./_disk/errors.ts";
import { Listing } from "./_disk/listing.ts";
import { type OpenFile, OpenFiles } from "./_disk/open_files.ts";
import { type DiskIo, endProcess, SYNC_IO_BYTES_MAX, systemCode, systemDisk } from "./_disk_io.ts";
import type {
  ObjectCallOptions,
  ObjectEntry,
  ObjectListOptions,
  ObjectStore,
  ObjectTail,
} from "./object_store.ts";

/** What a {@linkcode DiskStore} may be given. */
export interface DiskStoreOptions {
  /** Files that stay open between reads; 256 unless told. */
  readonly openFilesMax?: number;
  /**
   * What to do when the disk fails to sync a file or a directory. It must not return: afterwards
   * nobody can tell what the disk holds. Unless told it names the path on stderr and ends the process
   * with code 1.
   */
  readonly onSyncFailure?: SyncFailure;
  /** The disk; the machine's unless told. */
  readonly io?: DiskIo;
  /** Gives the names of temporary files; the platform's unless told. */
  readonly random?: Random;
}

interface DiskStoreParts {
  readonly io: DiskIo;
  readonly directories: Directories;
  readonly files: OpenFiles;
  readonly writer: AtomicWriter;
}

/**
 * Keeps objects as files: the object `segments/a` is the file `ROOT/segments/a`.
 *
 * A put writes a temporary file in `ROOT/tmp`, syncs its data, renames it and syncs the directory, so
 * that an object is whole or absent after a power loss, and there once the put has answered.
 *
 * Limitations
 *
 * * One key cannot be another's folder: `a` and `a/b` exclude each other.
 * * Other files in the root are listed as objects if their names are keys; list with a folder's prefix.
 * * Names differ in case only where the file system tells them apart.
 * * `ifAbsent` needs a file system with hard links.
 *
 * @example
 * ```ts
 * import { DiskStore } from "./disk_store.ts";
 *
 * const directory = await Deno.makeTempDir();
 * const store = await DiskStore.open(directory);
 * await store.put("segments/a", new Uint8Array([1, 2, 3]));
 * console.log(await store.getRange("segments/a", 1, 2)); // Uint8Array [ 2, 3 ]
 * await store.close();
 * await Deno.remove(directory, { recursive: true });
 * ```
 */
export class DiskStore implements ObjectStore {
  /** What messages call the store: `file:` and its absolute path. */
  readonly name: string;
  readonly #io: DiskIo;
  readonly #root: string;
  readonly #directories: Directories;
  readonly #files: OpenFiles;
  readonly #writer: AtomicWriter;

  private constructor(root: string, parts: DiskStoreParts) {
    this.name = `file:${root}`;
    this.#root = root;
    this.#io = parts.io;
    this.#directories = parts.directories;
    this.#files = parts.files;
    this.#writer = parts.writer;
  }

  /**
   * Opens the store in a directory, which is made if needed, and removes what puts that were
   * interrupted left in it.
   *
   * @throws {GraftError} `unavailable` when the directory cannot be made or used.
   */
  static async open(directory: string, options: DiskStoreOptions = {}): Promise<DiskStore> {
    const { io = systemDisk, onSyncFailure = endProcess, random = systemRandom } = options;
    const root = resolve(directory);
    try {
      const directories = await Directories.open(io, root, onSyncFailure);
      const temporary = `${root}/${RESERVED_PART}`;
      const writer = await AtomicWriter.open(io, temporary, { onSyncFailure, random });
      const files = new OpenFiles(io, options.openFilesMax ?? 256);
      return new DiskStore(root, { io, directories, files, writer });
    } catch (error) {
      throw toGraftError(`open the object store "${root}"`, error);
    }
  }

  /** Stores an object durably. See {@linkcode ObjectStore.put}. */
  put(
    key: string,
    body: Uint8Array<ArrayBuffer>,
    options: ObjectCallOptions & { readonly ifAbsent?: boolean } = {},
  ): Promise<void> {
    const what = `put "${key}" into ${this.name}`;
    return this.#attempt(what, key, options, async (path) => {
      await this.#directories.settle(dirname(path), true);
      if (options.ifAbsent) await this.#create(key, path, body, options.signal);
      else await this.#writer.replace(path, body, () => checkSignal(options.signal, what));
      this.#files.drop(path);
      await this.#directories.sync(dirname(path));
    });
  }

  /** The whole object. See {@linkcode ObjectStore.get}. */
  get(key: string, options: ObjectCallOptions = {}): Promise<Uint8Array<ArrayBuffer>> {
    return this.#withFile(key, options, (file) => this.#read(key, file, 0, file.sizeBytes));
  }

  /** A part of the object. See {@linkcode ObjectStore.getRange}. */
  getRange(
    key: string,
    offset: number,
    length: number,
    options: ObjectCallOptions = {},
  ): Promise<Uint8Array<ArrayBuffer>> {
    return this.#withFile(key, options, (file) => this.#read(key, file, offset, length));
  }

  /** The end of the object. See {@linkcode ObjectStore.getTail}. */
  getTail(key: string, length: number, options: ObjectCallOptions = {}): Promise<ObjectTail> {
    return this.#withFile(key, options, async (file) => {
      assertRange(0, length);
      const { sizeBytes } = file;
      const offset = Math.max(0, sizeBytes - length);
      return { bytes: await this.#read(key, file, offset, sizeBytes - offset), sizeBytes };
    });
  }

  /** The object's entry. See {@linkcode ObjectStore.head}. */
  head(key: string, options: ObjectCallOptions = {}): Promise<ObjectEntry | undefined> {
    return this.#attempt(`look up "${key}" in ${this.name}`, key, options, async (path) => {
      if (!(await this.#directories.settle(dirname(path), false))) return undefined;
      const stat = this.#io.stat(path);
      return stat?.kind === "file" ? { key, sizeBytes: stat.sizeBytes } : undefined;
    });
  }

  /** Removes an object durably. See {@linkcode ObjectStore.delete}. */
  delete(key: string, options: ObjectCallOptions = {}): Promise<void> {
    return this.#attempt(`delete "${key}" from ${this.name}`, key, options, async (path) => {
      if (!(await this.#directories.settle(dirname(path), false))) return;
      try {
        this.#io.remove(path);
      } catch (error) {
        // what is gone may be so by a delete that is still to be synced
        if (!isAbsence(error)) throw error;
      }
      this.#files.drop(path);
      await this.#directories.sync(dirname(path));
    });
  }

  /** The objects of a prefix. See {@linkcode ObjectStore.list}. */
  async *list(
    prefix: string,
    options: ObjectListOptions = {},
  ): AsyncGenerator<ObjectEntry> {
    const what = `list "${prefix}" of ${this.name}`;
    const range = { prefix, after: options.after ?? "" };
    const settle = (path: string) => this.#directories.settle(path, false);
    let left = options.limit ?? Infinity;
    try {
      checkSignal(options.signal, what);
      if (left <= 0) return;
      for await (const entry of new Listing(this.#io, this.#root, range, settle).entries()) {
        checkSignal(options.signal, what);
        yield entry;
        if (--left <= 0) return;
      }
    } catch (error) {
      throw toGraftError(what, error);
    }
  }

  /** Closes all files. See {@linkcode ObjectStore.close}. */
  close(): Promise<void> {
    this.#files.clear();
    this.#writer.close();
    return Promise.resolve();
  }

  /** Checks the call, then turns what the disk throws into GraftErrors. */
  async #attempt<T>(
    what: string,
    key: string,
    options: ObjectCallOptions,
    act: (path: string) => Promise<T>,
  ): Promise<T> {
    checkKey(key);
    checkSignal(options.signal, what);
    try {
      return await act(`${this.#root}/${key}`);
    } catch (error) {
      throw toGraftError(what, error);
    }
  }

  async #create(
    key: string,
    path: string,
    body: Uint8Array<ArrayBuffer>,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    try {
      if (this.#io.stat(path) !== undefined) throw takenObject(this.name, key);
      await this.#writer.create(path, body, () => checkSignal(signal, `put "${key}"`));
    } catch (error) {
      if (systemCode(error) !== "EEXIST" && !isGraftError(error, "conflict")) throw error;
      // what took the key may not be durable yet, and the caller will build on it
      await this.#directories.sync(dirname(path));
      throw takenObject(this.name, key);
    }
  }

  #withFile<T>(
    key: string,
    options: ObjectCallOptions,
    read: (file: OpenFile) => Promise<T>,
  ): Promise<T> {
    const what = `read "${key}" from ${this.name}`;
    return this.#attempt(what, key, options, async (path) => {
      if (!this.#files.has(path) && !(await this.#directories.settle(dirname(path), false))) {
        throw missingObject(this.name, key);
      }
      try {
        const result = await this.#files.use(path, read);
        checkSignal(options.signal, what);
        return result;
      } catch (error) {
        throw isAbsence(error) ? missingObject(this.name, key) : error;
      }
    });
  }

  async #read(
    key: string,
    file: OpenFile,
    offset: number,
    length: number,
  ): Promise<Uint8Array<ArrayBuffer>> {
    assertRange(offset, length);
    checkRangeWithin(this.name, key, { offset, length, sizeBytes: file.sizeBytes });
    const target = new Uint8Array(length);
    const count = length <= SYNC_IO_BYTES_MAX
      ? this.#io.readSync(file.file, target, offset)
      : await this.#io.read(file.file, target, offset);
    // the file was cut under us: what is left of the target was never read
    checkRangeWithin(this.name, key, { offset, length, sizeBytes: offset + count });
    return target;
  }
}
