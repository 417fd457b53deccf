// Directories whose names survive a power loss.

import { dirname } from "node:path";
import { assert } from "../../core/assert.ts";
import { type DiskIo, type FileDescriptor, systemCode } from "../_disk_io.ts";

/** What to do about a sync that failed. It must not return. */
export type SyncFailure = (path: string, error: unknown) => never;

/** The syncs of one directory. */
interface SyncState {
  /** The sync under way; names changed after it began are not covered by it. */
  running: Promise<void>;
  /** The sync that follows it, shared by all who came since. */
  next: Promise<void> | undefined;
}

/**
 * Makes and syncs the directories of one tree.
 *
 * After a sync has failed the kernel reports later ones as done although the data may be lost, so a
 * failure is never retried: it goes to `onSyncFailure`.
 */
export class Directories {
  readonly #io: DiskIo;
  readonly #root: string;
  readonly #onSyncFailure: SyncFailure;
  readonly #syncs = new Map<string, SyncState>();
  readonly #settling = new Map<string, Promise<boolean>>();
  readonly #settled = new Set<string>();

  private constructor(io: DiskIo, root: string, onSyncFailure: SyncFailure) {
    this.#io = io;
    this.#root = root;
    this.#onSyncFailure = onSyncFailure;
  }

  /** Makes the root, and what is missing above it, durable. */
  static async open(io: DiskIo, root: string, onSyncFailure: SyncFailure): Promise<Directories> {
    const directories = new Directories(io, root, onSyncFailure);
    await directories.#makeRoot(root);
    directories.#settled.add(root);
    return directories;
  }

  /** Whether {@linkcode Directories.settle} has done its work for a directory. */
  isSettled(path: string): boolean {
    return this.#settled.has(path);
  }

  /**
   * Makes what can be seen in a directory durable, and its own name and those above it too. A process
   * that was killed between a rename and its sync leaves names that could still be lost; nobody may
   * build on one before it is synced. Needed once for each directory in the life of a process.
   *
   * @param make Whether to make the directory, and those above it, where they are missing.
   * @returns Whether the directory is there.
   */
  async settle(path: string, make: boolean): Promise<boolean> {
    while (!this.#settled.has(path)) {
      const waiting = this.#settling.get(path);
      if (waiting === undefined) return await this.#settleAlone(path, make);
      // the one under way may have been told not to make it
      if (!(await waiting) && !make) return false;
    }
    return true;
  }

  /** Makes the names that a directory holds now durable. Callers that wait together share a sync. */
  sync(path: string): Promise<void> {
    const state = this.#syncs.get(path);
    if (state === undefined) return this.#start(path);
    // the one under way may have begun before the caller's change; a failure is its own callers' to hear
    state.next ??= state.running.catch(() => {}).then(() => this.#start(path));
    return state.next;
  }

  async #makeRoot(path: string): Promise<void> {
    const parent = dirname(path);
    const isThere = this.#io.stat(path)?.kind === "directory";
    if (!isThere) {
      if (parent !== path) await this.#makeRoot(parent);
      this.#make(path);
      await this.#sync(parent);
    }
    if (path !== this.#root) return;
    await this.#sync(path);
    if (isThere && parent !== path) await this.#syncIfAllowed(parent);
  }

  #settleAlone(path: string, make: boolean): Promise<boolean> {
    assert(path.startsWith(this.#root), "A directory is not in its store");
    const settling = this.#settle(path, make).finally(() => this.#settling.delete(path));
    this.#settling.set(path, settling);
    return settling;
  }

  async #settle(path: string, make: boolean): Promise<boolean> {
    const parent = dirname(path);
    if (!(await this.settle(parent, make))) return false;
    if (make) this.#make(path);
    else if (this.#io.stat(path)?.kind !== "directory") return false;
    await this.sync(parent);
    await this.sync(path);
    this.#settled.add(path);
    return true;
  }

  #make(path: string): void {
    try {
      this.#io.makeDirectory(path);
    } catch (error) {
      if (systemCode(error) !== "EEXIST" || this.#io.stat(path)?.kind !== "directory") throw error;
    }
  }

  #start(path: string): Promise<void> {
    const running = this.#sync(path);
    const state: SyncState = { running, next: undefined };
    this.#syncs.set(path, state);
    const forget = () => {
      if (state.next === undefined) this.#syncs.delete(path);
    };
    running.then(forget, forget);
    return running;
  }

  async #sync(path: string): Promise<void> {
    const directory = this.#io.openDirectory(path);
    try {
      await this.#flush(path, directory);
    } finally {
      this.#io.close(directory);
    }
  }

  async #flush(path: string, directory: FileDescriptor): Promise<void> {
    try {
      await this.#io.sync(directory);
    } catch (error) {
      this.#onSyncFailure(path, error);
    }
  }

  /** The root's own name may be from a process that was killed; not everyone may open its parent. */
  async #syncIfAllowed(path: string): Promise<void> {
    try {
      await this.#sync(path);
    } catch (error) {
      if (systemCode(error) !== "EACCES" && systemCode(error) !== "EPERM") throw error;
    }
  }
}
