/**
 * A replica's rows in the browser's own file system (OPFS), in a worker.
 *
 * @module
 */

import { GraftError } from "../../../src/core/errors.ts";
import { browserError } from "../_browser_errors.ts";
import { takeOwnership } from "../_ownership.ts";
import { checkName } from "../_storage_name.ts";
import type { OpenStorageOptions } from "../open_storage.ts";
import { hasSyncFiles, openFolder } from "./_opfs_files.ts";
import { LogStorage } from "./log_storage.ts";

/**
 * Opens the storage `opfs:NAME`: a log in the folder `graft/NAME` of the origin's private file system.
 *
 * It works in a dedicated worker only, as files that are read without waiting do.
 *
 * @param name The storage's name: 1 to 100 letters, digits, `-`, `_` and `.`, not beginning with a dot.
 * @throws {GraftError} `invalid` outside a dedicated worker, or for another name; `unavailable` when another
 * tab or worker has it open, or the browser gives no room; `damaged`; `aborted`.
 */
export async function openOpfsStorage(
  name: string,
  options: OpenStorageOptions = {},
): Promise<LogStorage> {
  const url = `opfs:${name}`;
  checkName(url, name);
  checkPlace(url, name);
  const release = await takeOwnership(url, options);
  try {
    const folder = await openFolder(name);
    return await LogStorage.open({ name: url, folder, onClosed: release });
  } catch (error) {
    release();
    throw browserError(`open "${url}"`, error);
  }
}

function checkPlace(url: string, name: string): void {
  if (hasSyncFiles()) return;
  throw new GraftError("invalid", `Cannot open "${url}": this is no dedicated worker`, {
    hint: `Open the replica in a dedicated worker, or use "idb:${name}"`,
  });
}
