/**
 * Object stores by URL.
 *
 * @module
 */

import { GraftError } from "../core/errors.ts";
import { DiskStore, type DiskStoreOptions } from "./disk_store.ts";
import { MemoryStore } from "./memory_store.ts";
import type { ObjectStore } from "./object_store.ts";
import type { S3StoreParts } from "./s3/s3_store_parts.ts";
import { openS3Store } from "./s3/s3_store.ts";

/** What {@linkcode openObjectStore} may be given. */
export interface OpenObjectStoreOptions {
  /** For `file:`. */
  readonly disk?: DiskStoreOptions;
  /** For `s3:`, which cannot be opened without. */
  readonly s3?: S3StoreParts;
}

/**
 * Opens the object store that a URL names:
 *
 * | URL | store |
 * |---|---|
 * | `file:DIR` | files in a directory, relative or absolute; `file:///DIR` is absolute too |
 * | `s3://bucket/prefix` | a bucket, on AWS or wherever the settings point; the prefix may be left out |
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
      if (options.s3 === undefined) {
        throw refused(url, "there are no settings for S3", "Set AWS_ACCESS_KEY_ID and the others");
      }
      return await openS3Store(url, options.s3);
    default:
      throw refused(
        url,
        "it names no kind of store",
        "Use file:DIR, s3://bucket/prefix or memory:",
      );
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
