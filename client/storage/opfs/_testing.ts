// A folder of files in memory, whose power can be cut, and that can be full.

import type { SyncFile, SyncFiles } from "./sync_files.ts";

interface Content {
  /** What a reader sees. */
  bytes: Uint8Array;
  /** What survives a power cut. */
  flushed: Uint8Array;
}

/** Blocks of this size survive a power cut each on its own. */
const SECTOR_BYTES = 512;

/** Files in memory. */
export class SimulatedFiles implements SyncFiles {
  readonly #files = new Map<string, Content>();
  /** Removed files that a power cut may bring back. */
  readonly #removed = new Map<string, Content>();
  readonly #open = new Set<string>();
  /** How many bytes all files may have. */
  bytesMax = Infinity;
  /** What a flush throws. */
  flushError: Error | undefined;
  /** How often a file was flushed. */
  flushes = 0;

  /** The names of all files. */
  list(): Promise<string[]> {
    return Promise.resolve([...this.#files.keys()].reverse());
  }

  /** Opens a file for one owner. */
  open(name: string): Promise<SyncFile> {
    if (this.#open.has(name)) {
      throw new DOMException("A handle is open", "NoModificationAllowedError");
    }
    this.#open.add(name);
    const none = new Uint8Array();
    const content = this.#files.get(name) ?? { bytes: none, flushed: none };
    this.#files.set(name, content);
    return Promise.resolve({
      size: () => content.bytes.length,
      read: (into, at) => {
        const bytes = content.bytes.subarray(at, at + into.length);
        into.set(bytes);
        return bytes.length;
      },
      write: (bytes, at) => this.#write(content, bytes, at),
      truncate: (size) => void (content.bytes = resized(content.bytes, size)),
      flush: () => this.#flush(content),
      close: () => void this.#open.delete(name),
    });
  }

  /** Removes a file. */
  remove(name: string): Promise<void> {
    const content = this.#files.get(name);
    if (content === undefined || this.#open.has(name)) {
      throw new DOMException(`Cannot remove ${name}`, "InvalidModificationError");
    }
    this.#files.delete(name);
    this.#removed.set(name, content);
    return Promise.resolve();
  }

  /** The names of the open files. */
  get openNames(): string[] {
    return [...this.#open];
  }

  /** Bytes of all files. */
  get bytes(): number {
    return [...this.#files.values()].reduce((sum, { bytes }) => sum + bytes.length, 0);
  }

  /** A file's bytes, to be changed in place. */
  contentOf(name: string): Uint8Array {
    return this.#files.get(name)?.bytes ?? new Uint8Array();
  }

  /** What a power cut leaves: of what was not flushed any sectors, in any order. */
  cutPower(random: () => number): SimulatedFiles {
    const left = new SimulatedFiles();
    for (const [name, content] of this.#files) left.#keep(name, torn(content, random));
    for (const [name, content] of this.#removed) {
      if (!this.#files.has(name) && random() < 0.5) left.#keep(name, content.flushed);
    }
    return left;
  }

  #keep(name: string, bytes: Uint8Array): void {
    this.#files.set(name, { bytes: bytes.slice(), flushed: bytes.slice() });
  }

  #write(content: Content, bytes: Uint8Array, at: number): void {
    const room = this.bytesMax - this.bytes + content.bytes.length - at;
    const fitting = bytes.subarray(0, Math.max(0, room));
    content.bytes = resized(content.bytes, Math.max(content.bytes.length, at + fitting.length));
    content.bytes.set(fitting, at);
    if (fitting.length < bytes.length) throw new DOMException("No room", "QuotaExceededError");
  }

  #flush(content: Content): void {
    if (this.flushError !== undefined) throw this.flushError;
    this.flushes++;
    content.flushed = content.bytes.slice();
  }
}

/** Longer with zeros, or shorter; always a copy. */
function resized(bytes: Uint8Array, size: number): Uint8Array {
  const copy = new Uint8Array(size);
  copy.set(bytes.subarray(0, size));
  return copy;
}

function torn({ bytes, flushed }: Content, random: () => number): Uint8Array {
  const longest = Math.max(bytes.length, flushed.length);
  const shortest = Math.min(bytes.length, flushed.length);
  const left = resized(flushed, shortest + Math.floor(random() * (longest - shortest + 1)));
  for (let at = 0; at < left.length; at += SECTOR_BYTES) {
    if (random() < 0.5) left.set(bytes.subarray(at, Math.min(at + SECTOR_BYTES, left.length)), at);
  }
  return left;
}

/** Numbers from 0 to 1 that are the same for the same seed (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
