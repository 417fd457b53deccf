/**
 * Widths of the segment format that TypeScript reads itself; wasm/assembly/segment_format.ts has all of
 * them, and docs/formats/segment.md draws them.
 *
 * @module
 */

import { PAGE_SIZE, SEGMENT_TAIL_BYTES_MAX } from "../core/limits.ts";
import { assert } from "../core/assert.ts";

/** Bytes before the first frame. */
export const HEADER_BYTES = 32;
/** How a header starts: "GRAFTSEG" and format version 1. Zeros follow, then the segment's id. */
export const HEADER_START: readonly number[] = [0x47, 0x52, 0x41, 0x46, 0x54, 0x53, 0x45, 0x47, 1];
/** Bytes after the directory. */
export const TRAILER_BYTES = 64;
/** Bytes of a volume's entry in the directory, before its frames. */
export const VOLUME_ENTRY_BYTES = 48;
/** Bytes of a frame's entry in the directory. */
export const FRAME_ENTRY_BYTES = 20;
/** Bytes of a page's hash in a frame. */
export const PAGE_HASH_BYTES = 8;
/** What a directory may take. */
export const DIRECTORY_BYTES_MAX = SEGMENT_TAIL_BYTES_MAX - TRAILER_BYTES;

/** How a frame's pages are stored. */
export const FRAME_CODEC = { raw: 0, zstd: 1 } as const;

/** Places within a volume's entry. */
export const VOLUME_ENTRY = { digest: 16, pageSetBytes: 36, pages: 40, frames: 44 } as const;
/** Places within a frame's entry. */
export const FRAME_ENTRY = {
  firstRank: 0,
  pages: 2,
  codec: 3,
  offset: 4,
  storedBytes: 8,
  hash: 12,
} as const;

/** The bytes of so many pages with their hashes: the most that a frame of them is stored in. */
export function rawFrameBytes(pages: number): number {
  return pages * (PAGE_HASH_BYTES + PAGE_SIZE);
}

assert(VOLUME_ENTRY.frames + 4 === VOLUME_ENTRY_BYTES, "A volume's entry ends with its frames");
assert(FRAME_ENTRY.hash + 8 === FRAME_ENTRY_BYTES, "A frame's entry ends with its hash");
