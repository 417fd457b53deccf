/**
 * The directory that a server keeps its data in, held by one process at a time.
 *
 * @module
 */

import { resolve } from "node:path";
import { GraftError } from "../core/errors.ts";
import { Directories, type SyncFailure } from "./_disk/directories.ts";
import { toGraftError } from "./_disk/errors.ts";
import { type DiskIo, endProcess, type NotedLock, systemCode, systemDisk } from "./_disk_io.ts";

/** What {@linkcode DataDirectory.open} may be given. */
export interface DataDirectoryOptions {
  /** What to do when the disk fails to sync; see `DiskStoreOptions.onSyncFailure`. */
  readonly onSyncFailure?: SyncFailure;
  /** The disk; the machine's unless told. */
  readonly io?: DiskIo;
}

/**
 * A data directory that this process holds. The kernel's lock on `DIR/lock` ends with the process,
 * however that ends, so a file that is left over never stands in the way.
 *
 * @example
 * ```ts
 * import { DataDirectory } from "./data_directory.ts";
 *
 * const path = await Deno.makeTempDir();
 * const directory = await DataDirectory.open(path);
 * console.log(directory.resolve("log.kv")); // "…/log.kv"
 * directory.close();
 * await Deno.remove(path, { recursive: true });
 * ```
 */
export class DataDirectory {
  /** Its absolute path. */
  readonly path: string;
  readonly #lock: NotedLock;

  private constructor(path: string, lock: NotedLock) {
    this.path = path;
    this.#lock = lock;
  }

  /**
   * Makes the directory durably where it is missing, and takes its lock.
   *
   * @throws {GraftError} `unavailable` when another process holds it, or it cannot be made or used.
   */
  static async open(directory: string, options: DataDirectoryOptions = {}): Promise<DataDirectory> {
    const { io = systemDisk, onSyncFailure = endProcess } = options;
    const path = resolve(directory);
    try {
      await Directories.open(io, path, onSyncFailure);
      const lock = io.tryLockFile(`${path}/lock`);
      if (lock === undefined) throw heldElsewhere(path, io.readText(`${path}/lock`));
      lock.note(`${io.processId}\n`);
      return new DataDirectory(path, lock);
    } catch (error) {
      throw placeRefusal(path, error) ?? toGraftError(`open the data directory "${path}"`, error);
    }
  }

  /** The absolute path of a file in the directory. */
  resolve(name: string): string {
    return `${this.path}/${name}`;
  }

  /** Lets another process have the directory. */
  close(): void {
    this.#lock.release();
  }
}

/** What it means where a server is given its place, rather than where it writes into a place it has. */
function placeRefusal(path: string, cause: unknown): GraftError | undefined {
  const state = PLACE_STATES[systemCode(cause) ?? ""];
  if (state === undefined) return undefined;
  return new GraftError("unavailable", `Cannot create the data directory "${path}": ${state}`, {
    cause,
    hint: "Choose another place with --data",
  });
}

const PLACE_STATES: Readonly<Record<string, string>> = {
  ENOENT: "nothing can be created there",
  EROFS: "the file system is read-only",
};

function heldElsewhere(path: string, note: string | undefined): GraftError {
  const holder = /^\d+$/.test(note?.trim() ?? "") ? `process ${note?.trim()}` : "another process";
  return new GraftError(
    "unavailable",
    `Cannot open the data directory "${path}": ${holder} holds it`,
    { hint: "Stop that process, or give this one a directory of its own with --data" },
  );
}
