// Files that appear whole or not at all.

import type { Random } from "../../core/random.ts";
import { type DiskIo, type DiskLock, type FileDescriptor, systemCode } from "../_disk_io.ts";
import type { SyncFailure } from "./directories.ts";
import { isFull } from "./errors.ts";

interface AtomicWriterOptions {
  readonly onSyncFailure: SyncFailure;
  readonly random: Random;
}

/**
 * Writes files in a directory for temporary ones and then gives them their names. The data is durable
 * before the name is given; that the name is durable too is the caller's to see to.
 */
export class AtomicWriter {
  readonly #io: DiskIo;
  readonly #directory: string;
  readonly #onSyncFailure: SyncFailure;
  readonly #tag: string;
  readonly #lock: DiskLock;
  #count = 0;

  private constructor(
    io: DiskIo,
    directory: string,
    options: AtomicWriterOptions,
    lock: DiskLock,
  ) {
    this.#io = io;
    this.#directory = directory;
    this.#onSyncFailure = options.onSyncFailure;
    this.#tag = [...options.random.fill(new Uint8Array(6))]
      .map((byte) => byte.toString(16).padStart(2, "0")).join("");
    this.#lock = lock;
  }

  /** Makes the directory for temporary files and removes those of processes that have ended. */
  static async open(
    io: DiskIo,
    directory: string,
    options: AtomicWriterOptions,
  ): Promise<AtomicWriter> {
    makeIfMissing(io, directory);
    return new AtomicWriter(io, directory, options, await sweep(io, directory));
  }

  /**
   * Writes a file in place of what has its name. `check` is called when all is ready, and throws to
   * give up.
   */
  async replace(path: string, body: Uint8Array, check: () => void): Promise<void> {
    const temporary = await this.#write(body);
    try {
      check();
      this.#io.rename(temporary, path);
    } catch (error) {
      this.#discard(temporary);
      throw error;
    }
  }

  /**
   * Writes a file under a name that is free, else throws `EEXIST`. A rename would replace the other
   * file, and creating this one under its name would show it half-written: a hard link does neither.
   */
  async create(path: string, body: Uint8Array, check: () => void): Promise<void> {
    const temporary = await this.#write(body);
    try {
      check();
      this.#io.link(temporary, path);
    } finally {
      this.#discard(temporary);
    }
  }

  /** Lets go of the directory. */
  close(): void {
    this.#lock.release();
  }

  async #write(body: Uint8Array): Promise<string> {
    const temporary = `${this.#directory}/${this.#tag}-${this.#count++}`;
    const file = this.#io.create(temporary);
    try {
      await this.#fill(temporary, file, body);
      return temporary;
    } catch (error) {
      this.#discard(temporary);
      throw error;
    }
  }

  async #fill(temporary: string, file: FileDescriptor, body: Uint8Array): Promise<void> {
    try {
      await this.#io.write(file, body);
      await this.#io.syncData(file).catch((error) => this.#judgeSync(temporary, error));
    } finally {
      this.#io.close(file);
    }
  }

  /** File systems that find room late report a full disk here; the file is thrown away, so no harm. */
  #judgeSync(temporary: string, error: unknown): never {
    if (isFull(error)) throw error;
    this.#onSyncFailure(temporary, error);
  }

  #discard(temporary: string): void {
    try {
      this.#io.remove(temporary);
    } catch {
      // it stays until the next sweep; what led here is the error to report
    }
  }
}

function makeIfMissing(io: DiskIo, directory: string): void {
  try {
    io.makeDirectory(directory);
  } catch (error) {
    if (systemCode(error) !== "EEXIST") throw error;
  }
}

/**
 * Removes temporary files unless another process shares the directory: then some may be in the making.
 * All hold a shared lock; whoever gets the exclusive one is alone.
 */
async function sweep(io: DiskIo, directory: string): Promise<DiskLock> {
  const lock = io.tryLock(directory);
  if (lock === undefined) return await io.lockShared(directory);
  for (const { name, kind } of await io.list(directory)) {
    if (kind === "file") io.remove(`${directory}/${name}`);
  }
  lock.share();
  return lock;
}
