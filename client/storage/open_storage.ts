/**
 * Opens a replica's storage by its URL.
 *
 * @module
 */

import { GraftError } from "../../src/core/errors.ts";
import { MemoryStorage } from "./memory_storage.ts";
import type { ReplicaStorage } from "./replica_storage.ts";

/** How a storage is opened. */
export interface OpenStorageOptions {
  /**
   * Whether to wait while another program or tab has the storage open, and to take it over once it is
   * closed there; default: the call is refused at once.
   */
  readonly wait?: boolean;
  /** Gives up the wait; the call then rejects with GraftError `aborted`. */
  readonly signal?: AbortSignal;
}

type Open = (place: string, options: OpenStorageOptions) => Promise<ReplicaStorage>;

// each is loaded when it is asked for: a program carries the code of its own storage alone
const SCHEMES: Readonly<Record<string, Open>> = {
  async sqlite(path, options) {
    const { SqliteStorage } = await import("./sqlite_storage.ts");
    return SqliteStorage.open(path, options);
  },
  async opfs(name, options) {
    const { openOpfsStorage } = await import("./opfs/opfs_storage.ts");
    return openOpfsStorage(name, options);
  },
  async idb(name, options) {
    const { IdbStorage } = await import("./idb/idb_storage.ts");
    return IdbStorage.open(name, options);
  },
};

/**
 * Opens the storage that a URL names:
 *
 * | URL | what it is | where |
 * |---|---|---|
 * | `memory:` | memory: gone with the program | everywhere |
 * | `sqlite:PATH` | a file of SQLite | Deno, Node 22.13 and later, Bun 1.4 |
 * | `opfs:NAME` | files of the browser's own file system | in a dedicated worker |
 * | `idb:NAME` | the browser's IndexedDB; slower to read than `opfs:` | in a page or any worker |
 *
 * In a browser a NAME belongs to the page's origin, and has 1 to 100 letters, digits, `-`, `_` and dots.
 *
 * @throws {GraftError} `invalid` for a URL that names none, or one that this platform lacks; `unavailable`
 * when another has it open, or it cannot be reached; `damaged`; `aborted`.
 *
 * @example
 * ```ts
 * import { openStorage } from "./open_storage.ts";
 *
 * const storage = await openStorage("memory:");
 * console.log(storage.name); // "memory:"
 * await storage.close();
 * ```
 */
export async function openStorage(
  url: string,
  options: OpenStorageOptions = {},
): Promise<ReplicaStorage> {
  if (url === "memory:") return new MemoryStorage();
  const [, scheme, place] = /^([a-z]+):(.*)$/s.exec(url) ?? [];
  const isKnown = Object.hasOwn(SCHEMES, scheme);
  if (isKnown && place !== "") return await SCHEMES[scheme](place, options);
  const state = isKnown ? `nothing stands behind "${url}"` : "there is none of that name";
  throw new GraftError("invalid", `Cannot open the storage "${url}": ${state}`, {
    hint: "Use memory:, sqlite:PATH, opfs:NAME or idb:NAME",
  });
}
