/**
 * The widths of the page stream; docs/formats/page_stream.md draws them.
 *
 * ```text
 * stream := header · item… · end
 * item   := xxh64 (8) · pages (1) · codec (1) · mask (2) · stored length (4) · index of each page (4 each) ·
 *           stored frame: xxh64 of each page (8 each) · the pages, raw or as one zstd frame
 * end    := xxh64 (8) · 0 · 0 · 0 0 · how many pages the stream delivered (4)
 * ```
 *
 * @module
 */

import { alloc, copyIn, copyOut, graft, reset } from "../../../wasm/mod.ts";
import { assert } from "../../core/assert.ts";
import { FRAME_PAGES_MAX, PAGE_SIZE } from "../../core/limits.ts";

/** How the pages of a frame are written down. */
export type FrameCodecName = "raw" | "zstd";

/** Up to 16 pages that are stored together, as a segment holds them and as a page stream sends them. */
export interface PageFrame {
  /** The index of each page: 1 to 16. */
  readonly indexes: Uint32Array;
  /** Which of them count, a bit each from the lowest: the others are there only because the frame is whole. */
  readonly mask: number;
  /** How the pages are written down. */
  readonly codec: FrameCodecName;
  /** The xxh64 of each page, then the pages. */
  readonly stored: Uint8Array;
}

/** The format's version. */
export const VERSION = 1;
/** Bytes before the items of a page stream. */
export const STREAM_HEADER_BYTES = 40;
/** Bytes before the items of a commit. */
export const COMMIT_HEADER_BYTES = 88;
/** Bytes of an item before its indexes, and of the end. */
export const ITEM_HEAD_BYTES = 16;
/** What an item takes a page beside the page itself: its index and its hash. */
export const ITEM_PAGE_BYTES = 12;
/** Bytes of a page's hash. */
export const PAGE_HASH_BYTES = 8;
/** The longest item. */
export const ITEM_BYTES_MAX = ITEM_HEAD_BYTES + FRAME_PAGES_MAX * (ITEM_PAGE_BYTES + PAGE_SIZE);

/** Places within an item. */
export const ITEM = { checksum: 0, count: 8, codec: 9, mask: 10, length: 12, indexes: 16 } as const;

/** The codecs by their number. */
export const CODECS: readonly FrameCodecName[] = ["raw", "zstd"];

/** Bytes of an item that its checksum covers, from {@linkcode ITEM.count} on. */
export function checkedBytes(count: number): number {
  return ITEM_HEAD_BYTES - ITEM.count + count * ITEM_PAGE_BYTES;
}

/** The xxh64 of each page, 8 bytes little-endian each. */
export function hashPages(pages: Uint8Array): Uint8Array<ArrayBuffer> {
  const count = pages.length / PAGE_SIZE;
  reset();
  const pagesAt = copyIn(pages);
  const hashesAt = alloc(count * PAGE_HASH_BYTES);
  graft.xxh64Pages(pagesAt, count, hashesAt);
  return copyOut(hashesAt, count * PAGE_HASH_BYTES);
}

assert(ITEM.indexes === ITEM_HEAD_BYTES, "An item's head ends where its indexes begin");
