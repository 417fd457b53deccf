/**
 * The parts of page 1 that a volume does not take literally (https://sqlite.org/fileformat2.html, "The Database
 * Header").
 *
 * The change counter (bytes 24 to 27, big-endian) tells a connection whether its cache is stale. A volume
 * has snapshots for that: each connection is shown a counter of its own, which differs exactly when its
 * snapshot does. Where the counter differs from "version valid for" (bytes 92 to 95) SQLite ignores the file size in
 * the header and takes the volume's: so it does unless it wrote both itself.
 *
 * @module
 */

const MAGIC = new TextEncoder().encode("SQLite format 3\0");
const PAGE_SIZE_AT = 16;
/** 65,536 does not fit into two bytes. */
const LARGEST_PAGE_SIZE = 1;
/** Who may write to the file, and read it: 1 with rollback journals, 2 with a WAL. */
const FORMATS_AT = [18, 19];
const ROLLBACK_JOURNAL = 1;
const COUNTER_AT = 24;
const VALID_FOR_AT = 92;
/** Counters that connections are shown begin here, far from those of ordinary files. */
export const FIRST_COUNTER = 0x8000_0000;

/** What a connection sees of the counters. */
export interface ShownCounter {
  readonly counter: number;
  /** Whether SQLite wrote it; else it is one of ours, and "version valid for" has to be another. */
  readonly isWritten: boolean;
}

/** The page size that page 1 tells of; undefined where it is no page 1 of SQLite's. */
export function readPageSize(page: Uint8Array): number | undefined {
  if (MAGIC.some((byte, i) => page[i] !== byte)) return undefined;
  const size = page[PAGE_SIZE_AT] << 8 | page[PAGE_SIZE_AT + 1];
  return size === LARGEST_PAGE_SIZE ? 65_536 : size;
}

/** The change counter in page 1. */
export function readCounter(page: Uint8Array): number {
  return new DataView(page.buffer, page.byteOffset).getUint32(COUNTER_AT);
}

/**
 * Makes bytes of page 1 what a connection is to see: its counters, and that there is no WAL. A database that had one
 * when it was copied into the volume could not be opened otherwise, though all that counts is in its pages.
 *
 * @param bytes The page from byte `from` on.
 */
export function showPageOne(
  bytes: Uint8Array,
  from: number,
  { counter, isWritten }: ShownCounter,
): void {
  for (const at of FORMATS_AT) {
    if (bytes[at - from] > ROLLBACK_JOURNAL) bytes[at - from] = ROLLBACK_JOURNAL;
  }
  putUint32(bytes, COUNTER_AT - from, counter);
  if (!isWritten) putUint32(bytes, VALID_FOR_AT - from, ~counter);
}

/** Whether two versions of page 1 differ in no more than counters. */
export function isSameButCounters(a: Uint8Array, b: Uint8Array): boolean {
  const left = words(a);
  const right = words(b);
  return isSame(left, right, 0, COUNTER_AT / 4) &&
    isSame(left, right, COUNTER_AT / 4 + 1, VALID_FOR_AT / 4) &&
    isSame(left, right, VALID_FOR_AT / 4 + 1, left.length);
}

/** Most transactions compare all of a page, and find no difference: so nothing is asked on the way. */
function isSame(left: Uint32Array, right: Uint32Array, from: number, to: number): boolean {
  let differing = 0;
  for (let i = from; i < to; i++) differing |= left[i] ^ right[i];
  return differing === 0;
}

/** Four bytes at a time; what does not lie as that takes is copied. */
function words(page: Uint8Array): Uint32Array {
  const { buffer, byteOffset, length } = page.byteOffset % 4 === 0 ? page : page.slice();
  return new Uint32Array(buffer, byteOffset, length / 4);
}

/** Big-endian; what lies outside is left out. */
function putUint32(bytes: Uint8Array, at: number, value: number): void {
  for (let i = 0; i < 4; i++) {
    if (at + i >= 0 && at + i < bytes.length) bytes[at + i] = value >>> (24 - 8 * i);
  }
}
