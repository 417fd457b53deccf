/**
 * Copies of databases that cannot be read page by page as they are.
 *
 * @module
 */

import { statfsSync } from "node:fs";
import { join } from "node:path";
import { backup, type DatabaseSync } from "node:sqlite";
import { GraftError } from "../../core/errors.ts";
import { PAGE_SIZE } from "../../core/limits.ts";

/** Pages that a backup copies before it lets others have their turn. */
const BACKUP_PAGES = 4096;

/** What is copied. */
export interface Original {
  /** The bytes of a page. */
  readonly pageSize: number;
  /** How many pages there are. */
  readonly pageCount: number;
}

/** A copy with pages of 4,096 bytes. */
export interface WorkingCopy {
  /** The open file. It has no name any more, so that it is gone with the process. */
  readonly file: Deno.FsFile;
  /** How many pages there are. */
  readonly pageCount: number;
}

/**
 * Copies a database into the directory of temporary files: page by page where its pages have 4,096 bytes
 * (then the copy is the same in every byte), else through `VACUUM INTO`. The same content makes the same copy.
 *
 * @param database In a transaction, which is over afterwards.
 * @throws {GraftError} `invalid` where there is no room.
 */
export async function copyDatabase(
  database: DatabaseSync,
  original: Original,
  action: string,
): Promise<WorkingCopy> {
  const directory = Deno.makeTempDirSync({ prefix: "graft-import-" });
  try {
    requireSpace(directory, original.pageSize * original.pageCount, action);
    const path = join(directory, "copy.sqlite");
    if (original.pageSize === PAGE_SIZE) await backup(database, path, { rate: BACKUP_PAGES });
    else vacuumInto(database, path);
    const file = Deno.openSync(path);
    return { file, pageCount: file.statSync().size / PAGE_SIZE };
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
}

function vacuumInto(database: DatabaseSync, path: string): void {
  database.exec(`COMMIT; PRAGMA page_size = ${PAGE_SIZE}`);
  database.prepare("VACUUM INTO ?").run(path);
}

function requireSpace(directory: string, bytes: number, action: string): void {
  const { bavail, bsize } = statfsSync(directory);
  if (bavail * bsize >= bytes) return;
  const inMegabytes = (bytes: number) => `${Math.ceil(bytes / 1e6)} MB`;
  throw new GraftError(
    "invalid",
    `Cannot ${action}: its copy takes ${inMegabytes(bytes)}, and "${directory}" has room for ` +
      inMegabytes(bavail * bsize),
    { hint: "Name a directory with more room in the variable TMPDIR" },
  );
}
