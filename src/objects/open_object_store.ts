/**
 * Object stores by URL.
 *
 * @module
 */

import { GraftError } from "../core/errors.ts";
import { DiskStore, type DiskStoreOptions } from "./disk_store.ts";
import { MemoryStore } from "./memory_store.ts";
import type { ObjectStore } from "./object_store.ts";

/** What {@linkcode openObjectStore} may be given. */
export interface OpenObjectStoreOptions {
  /** For `file:`. */
  readonly disk?: DiskStoreOptions;
}

/**
 * Opens the object store that a URL names:
 *
 * | URL | store |
 * |---|---|
 * | `file:DIR` | files in a directory, relative or absolute; `file:///DIR` is absolute too |
 * | `memory:` | memory; everything is lost at the end |
 *
 * @throws {GraftError} `invalid` for any other URL; `unavailable` when the store cannot be opened.
 *
 * @example
 * ```ts
 * import { openObjectStore } from "./open_object_store.ts";
 *
 * const store = await openObjectStore("memory:");
 * console.log(store.name); // "memory:"
 * ```
 */
export async function openObjectStore(
  url: string,
  options: OpenObjectStoreOptions = {},
): Promise<ObjectStore> {
  const scheme = url.slice(0, url.indexOf(":") + 1);
  const rest = url.slice(scheme.length);
  switch (scheme) {
    case "file:":
      return await DiskStore.open(directoryOf(url, rest), options.disk);
    case "memory:":
      if (rest !== "") throw refused(url, "memory has no name", "Write memory: alone");
      return new MemoryStore();
    case "s3:":
      throw refused(url, "this version has no S3 store yet", "Use file:DIR");
    default:
      throw refused(url, "it names no kind of store", "Use file:DIR or memory:");
  }
}

function directoryOf(url: string, rest: string): string {
  const directory = rest.startsWith("///") ? rest.slice(2) : rest;
  if (directory === "") throw refused(url, "it names no directory", "Write file:DIR");
  if (directory.startsWith("//")) {
    throw refused(url, "it names a host", "Write file:DIR or file:///DIR");
  }
  return directory;
}

function refused(url: string, state: string, hint: string): GraftError {
  return new GraftError("invalid", `Cannot open the object store "${url}": ${state}`, { hint });
}
