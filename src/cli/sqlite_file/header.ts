/**
 * The first 100 bytes of an SQLite database file.
 *
 * ```text
 *  0  16  "SQLite format 3" and a zero byte
 * 16   2  page size (1 stands for 65536)
 * 18   1  write version: 1 legacy, 2 WAL
 * 19   1  read version: 1 legacy, 2 WAL
 * 24   4  change counter
 * 28   4  size in pages; true only where 92 is the same as 24
 * 92   4  the change counter for which the size at 28 was written
 * ```
 *
 * All numbers are big-endian: https://www.sqlite.org/fileformat2.html#the_database_header
 *
 * @module
 */

/** Bytes of the header. */
export const HEADER_BYTES = 100;

const MAGIC = new TextEncoder().encode("SQLite format 3\0");
const VERSIONS = [18, 19];
const LEGACY = 1;
const WAL = 2;
const CHANGE_COUNTER = 24;
const SIZE_IN_PAGES = 28;
const VALID_FOR = 92;

/** Whether bytes begin as an SQLite database does. Those of an encrypted one do not. */
export function isDatabase(bytes: Uint8Array): boolean {
  return bytes.length >= HEADER_BYTES && MAGIC.every((byte, i) => bytes[i] === byte);
}

/**
 * Says in a first page that the database has a rollback journal, where it says that it has a WAL: a volume
 * has none, and SQLite would look for one.
 */
export function clearWal(page: Uint8Array): void {
  for (const at of VERSIONS) if (page[at] === WAL) page[at] = LEGACY;
}

/**
 * Makes the size in a first page the true one. Where it is already, nothing changes.
 *
 * Volumes are written by SQLites that take the size from the volume and leave these fields behind.
 *
 * @param pageCount How many pages of 4,096 bytes the file has.
 */
export function settleSize(page: Uint8Array, pageCount: number): void {
  const view = new DataView(page.buffer, page.byteOffset, page.byteLength);
  view.setUint32(SIZE_IN_PAGES, pageCount);
  view.setUint32(VALID_FOR, view.getUint32(CHANGE_COUNTER));
}
