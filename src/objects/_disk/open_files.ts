// Files that stay open between reads.

import { LRUCache } from "lru-cache";
import type { DiskIo, FileDescriptor } from "../_disk_io.ts";

/** A file that is open for reading. Objects never change, so its size is looked up once. */
export interface OpenFile {
  /** What the disk reads by. */
  readonly file: FileDescriptor;
  /** Bytes in it. */
  readonly sizeBytes: number;
}

interface Entry extends OpenFile {
  /** Reads under way. */
  users: number;
  /** Whether it has left the cache, so that its last user closes it. */
  retired: boolean;
}

/**
 * A bounded set of open files, the least recently used closed first.
 *
 * A descriptor that is closed under a read would be given to the next file that is opened, and the
 * read would return that one's bytes: so a file with users is closed by the last of them.
 */
export class OpenFiles {
  readonly #io: DiskIo;
  readonly #entries: LRUCache<string, Entry>;

  /** Keeps at most `filesMax` files open, not counting those that are being read. */
  constructor(io: DiskIo, filesMax: number) {
    this.#io = io;
    this.#entries = new LRUCache<string, Entry>({
      max: filesMax,
      dispose: (entry) => this.#retire(entry),
    });
  }

  /** How many files the cache holds. */
  get count(): number {
    return this.#entries.size;
  }

  /** Whether a file is open. */
  has(path: string): boolean {
    return this.#entries.has(path);
  }

  /** Opens a file, or takes it from the cache, for as long as `read` works. Throws the disk's errors. */
  async use<T>(path: string, read: (file: OpenFile) => T | Promise<T>): Promise<T> {
    const entry = this.#entries.get(path) ?? this.#open(path);
    entry.users++;
    try {
      return await read(entry);
    } finally {
      entry.users--;
      this.#closeIfIdle(entry);
    }
  }

  /** Forgets a file whose name is gone or names another one now. */
  drop(path: string): void {
    this.#entries.delete(path);
  }

  /** Forgets all files. */
  clear(): void {
    this.#entries.clear();
  }

  #open(path: string): Entry {
    const entry: Entry = { ...this.#io.open(path), users: 0, retired: false };
    this.#entries.set(path, entry);
    return entry;
  }

  #retire(entry: Entry): void {
    entry.retired = true;
    this.#closeIfIdle(entry);
  }

  #closeIfIdle(entry: Entry): void {
    if (entry.retired && entry.users === 0) this.#io.close(entry.file);
  }
}
