/**
 * The parts of page 1 that a volume does not take literally (https://sqlite.org/fileformat2.html, "The Database
 * Header").
 *
 * The change counter (bytes 24 to 27, big-endian) tells a connection whether its cache is stale. A volume
 * has snapshots for that: each connection is shown a counter of its own, which differs exactly when its
 * snapshot does. Where the counter differs from "version valid for" (bytes 92 to 95) SQLite ignores the file size in
 * the header and takes the volume's.
 *
 * @module
 */

const COUNTER_AT = 24;
const VALID_FOR_AT = 92;
/** Counters that connections are shown begin here: no file was changed so often, so "version valid for" is another. */
export const FIRST_COUNTER = 0x8000_0000;

/** The change counter in page 1. */
export function readCounter(page: Uint8Array): number {
  return new DataView(page.buffer, page.byteOffset).getUint32(COUNTER_AT);
}

/**
 * Puts a counter over bytes of page 1.
 *
 * @param bytes The page from byte `from` on.
 */
export function showCounter(bytes: Uint8Array, from: number, counter: number): void {
  for (let i = 0; i < 4; i++) {
    const at = COUNTER_AT + i - from;
    if (at >= 0 && at < bytes.length) bytes[at] = counter >>> (24 - 8 * i);
  }
}

/** Whether two versions of page 1 differ in no more than counters. */
export function isSameButCounters(a: Uint8Array, b: Uint8Array): boolean {
  for (let i = 0; i < a.length; i++) {
    if (a[i] !== b[i] && !isCounter(i)) return false;
  }
  return true;
}

function isCounter(at: number): boolean {
  return (at & ~3) === COUNTER_AT || (at & ~3) === VALID_FOR_AT;
}
