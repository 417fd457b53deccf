// The names of a tree in the order of their keys.

import { isKeyPart, RESERVED_PART } from "../_call_checks.ts";
import type { DirectoryEntry, DiskIo } from "../_disk_io.ts";
import type { ObjectEntry } from "../object_store.ts";
import { isAbsence } from "./errors.ts";
import { sortInTurns } from "./sort_in_turns.ts";

/** Entries after which other work of the event loop has its turn: about two milliseconds. */
const ENTRIES_PER_TURN = 256;
/** Names after which it has one while the directory is read. */
const NAMES_PER_TURN = 16_384;

/** Which keys are wanted. */
export interface KeyRange {
  /** They start with this. */
  readonly prefix: string;
  /** They sort after this. */
  readonly after: string;
}

/** One name of a directory: a file's key, or a directory's with a slash at its end. */
interface Candidate {
  readonly key: string;
  readonly isDirectory: boolean;
}

/** Lists the files of one tree. */
export class Listing {
  readonly #io: DiskIo;
  readonly #root: string;
  readonly #range: KeyRange;
  readonly #settle: (path: string) => Promise<boolean>;
  #sinceTurn = 0;

  /** `settle` is called on a directory before its names are read. */
  constructor(
    io: DiskIo,
    root: string,
    range: KeyRange,
    settle: (path: string) => Promise<boolean>,
  ) {
    this.#io = io;
    this.#root = root;
    this.#range = range;
    this.#settle = settle;
  }

  /** The entries, ascending by key. What is removed meanwhile may be missing, all else is there. */
  async *entries(): AsyncGenerator<ObjectEntry> {
    // the folders that the prefix names in full need no look at their siblings
    const { prefix } = this.#range;
    const folder = prefix.slice(0, prefix.lastIndexOf("/") + 1);
    if (isFolder(folder)) yield* this.#walk(folder);
  }

  async *#walk(folder: string): AsyncGenerator<ObjectEntry> {
    for (const { key, isDirectory } of await this.#candidates(folder)) {
      if (isDirectory) {
        yield* this.#walk(key);
      } else {
        const stat = this.#io.stat(`${this.#root}/${key}`);
        if (stat?.kind === "file") yield { key, sizeBytes: stat.sizeBytes };
        if (++this.#sinceTurn % ENTRIES_PER_TURN === 0) await this.#io.breathe();
      }
    }
  }

  async #candidates(folder: string): Promise<Candidate[]> {
    const candidates: Candidate[] = [];
    let seen = 0;
    for (const { name, kind } of await this.#names(folder)) {
      if (++seen % NAMES_PER_TURN === 0) await this.#io.breathe();
      if (kind === "other" || !isKeyPart(name)) continue;
      if (folder === "" && name === RESERVED_PART) continue;
      const isDirectory = kind === "directory";
      const key = folder + name + (isDirectory ? "/" : "");
      if (isDirectory ? this.#mayHold(key) : this.#holds(key)) {
        candidates.push({ key, isDirectory });
      }
    }
    // a directory's slash takes part in the order: all keys below it sort as "folder/" does
    return await sortInTurns(candidates, () => this.#io.breathe());
  }

  async #names(folder: string): Promise<DirectoryEntry[]> {
    const path = folder === "" ? this.#root : `${this.#root}/${folder.slice(0, -1)}`;
    if (!(await this.#settle(path))) return [];
    try {
      return await this.#io.list(path);
    } catch (error) {
      if (isAbsence(error)) return [];
      throw error;
    }
  }

  #holds(key: string): boolean {
    return key.startsWith(this.#range.prefix) && key > this.#range.after;
  }

  #mayHold(folder: string): boolean {
    const { prefix, after } = this.#range;
    if (!folder.startsWith(prefix) && !prefix.startsWith(folder)) return false;
    return after < folder || after.startsWith(folder);
  }
}

/** Whether keys can start so: a prefix like "../" must not lead out of the root. */
function isFolder(folder: string): boolean {
  const parts = folder.split("/").slice(0, -1);
  return parts.every(isKeyPart) && parts[0] !== RESERVED_PART;
}
