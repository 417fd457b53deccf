/**
 * Page streams on their way out: the answers of a server, the commits of a client.
 *
 * @module
 */

import { assert } from "../../core/assert.ts";
import { xxh64 } from "../../core/content_digest.ts";
import { FRAME_PAGES_MAX, PAGE_COUNT_MAX, PAGE_SIZE } from "../../core/limits.ts";
import type { PageList } from "../page_messages.ts";
import {
  checkedBytes,
  CODECS,
  type FrameCodecName,
  hashPages,
  ITEM,
  ITEM_BYTES_MAX,
  ITEM_HEAD_BYTES,
  ITEM_PAGE_BYTES,
  PAGE_HASH_BYTES,
  type PageFrame,
} from "./page_stream_format.ts";

/** Pages whose hashes may be known already. */
export interface HashedPageList extends PageList {
  /** The xxh64 of the page at position `i`, 8 bytes little-endian. */
  hash?(i: number): Uint8Array;
}

/** Compresses pages into one zstd frame that states its content size. */
export type Compress = (raw: Uint8Array) => Uint8Array;

/**
 * Encodes one page stream.
 *
 * @example
 * ```ts
 * import { parseGid } from "../../core/gid.ts";
 * import { toLsn } from "../../core/lsn.ts";
 * import { PageStreamEncoder } from "./page_stream_encoder.ts";
 * import { encodeStreamHeader } from "./page_stream_header.ts";
 *
 * const vid = parseGid("volume", "GonwTRj2SohJzYLLjD9nSq");
 * const encoder = new PageStreamEncoder(encodeStreamHeader({ vid, lsn: toLsn(7) }));
 * encoder.addPages({ indexes: Uint32Array.of(3), page: () => new Uint8Array(4096) });
 * encoder.end();
 * console.log(encoder.take().length); // 40 + 16 + 12 + 4096 + 16 = 4180
 * ```
 */
export class PageStreamEncoder {
  readonly #seed: bigint;
  #bytes: Uint8Array<ArrayBuffer>;
  #length = 0;
  #pages = 0;

  /**
   * Begins with a header.
   *
   * @param header What `encodeStreamHeader` or `encodeCommitHeader` made.
   * @param expectedPages How many pages come before the first {@linkcode take}; a hint.
   */
  constructor(header: Uint8Array, expectedPages = 1) {
    this.#seed = xxh64(header, 0n);
    this.#bytes = new Uint8Array(header.length + roomFor(expectedPages));
    this.#bytes.set(header);
    this.#length = header.length;
  }

  /** Bytes since the last {@linkcode take}. */
  get length(): number {
    return this.#length;
  }

  /**
   * Adds pages in frames of up to 16.
   *
   * @param compress Makes a frame shorter, where the reader can decompress.
   */
  addPages(pages: HashedPageList, compress?: Compress): void {
    for (let from = 0; from < pages.indexes.length; from += FRAME_PAGES_MAX) {
      this.#addGroup(pages, from, compress);
    }
  }

  #addGroup(pages: HashedPageList, from: number, compress: Compress | undefined): void {
    const indexes = pages.indexes.subarray(from, from + FRAME_PAGES_MAX);
    const count = indexes.length;
    const item = this.#room(ITEM_HEAD_BYTES + count * (ITEM_PAGE_BYTES + PAGE_SIZE));
    const hashesAt = ITEM_HEAD_BYTES + count * 4;
    const pagesAt = hashesAt + count * PAGE_HASH_BYTES;
    for (let i = 0; i < count; i++) {
      const page = pages.page(from + i);
      assert(page.length === PAGE_SIZE, "A page to encode has another size");
      item.set(page, pagesAt + i * PAGE_SIZE);
    }
    const raw = item.subarray(pagesAt, pagesAt + count * PAGE_SIZE);
    if (pages.hash === undefined) item.set(hashPages(raw), hashesAt);
    else for (let i = 0; i < count; i++) item.set(pages.hash(from + i), hashesAt + i * 8);
    const packed = compress?.(raw);
    const shorter = packed !== undefined && packed.length < raw.length;
    if (shorter) item.set(packed, pagesAt);
    const storedBytes = count * PAGE_HASH_BYTES + (shorter ? packed.length : raw.length);
    this.#finish(item, indexes, fullMask(count), shorter ? "zstd" : "raw", storedBytes);
  }

  /** Adds a frame as it is. */
  addFrame({ indexes, mask, codec, stored }: PageFrame): void {
    const storedAt = ITEM_HEAD_BYTES + indexes.length * 4;
    const item = this.#room(storedAt + stored.length);
    item.set(stored, storedAt);
    this.#finish(item, indexes, mask, codec, stored.length);
  }

  /** Ends the stream; nothing may be added any more. */
  end(): void {
    const item = this.#room(ITEM_HEAD_BYTES);
    const view = viewOf(item);
    view.setUint32(ITEM.count, 0, true);
    view.setUint32(ITEM.length, this.#pages, true);
    this.#seal(item, 0);
    this.#length += ITEM_HEAD_BYTES;
  }

  /** Hands over all bytes since the last time. */
  take(): Uint8Array<ArrayBuffer> {
    const taken = this.#bytes.subarray(0, this.#length);
    this.#bytes = new Uint8Array(0);
    this.#length = 0;
    return taken;
  }

  #finish(
    item: Uint8Array,
    indexes: Uint32Array,
    mask: number,
    codec: FrameCodecName,
    storedBytes: number,
  ): void {
    const count = indexes.length;
    assert(count >= 1 && count <= FRAME_PAGES_MAX, "A frame has from 1 to 16 pages");
    assert(mask >= 1 && mask <= fullMask(count), "A frame's mask has a bit for each page");
    const view = viewOf(item);
    view.setUint8(ITEM.count, count);
    view.setUint8(ITEM.codec, CODECS.indexOf(codec));
    view.setUint16(ITEM.mask, mask, true);
    view.setUint32(ITEM.length, storedBytes, true);
    for (const [i, pageIdx] of indexes.entries()) {
      assert(pageIdx >= 1 && pageIdx <= PAGE_COUNT_MAX, "A page to encode has no valid index");
      view.setUint32(ITEM.indexes + i * 4, pageIdx, true);
    }
    this.#seal(item, count);
    this.#pages += bitCount(mask);
    this.#length += ITEM_HEAD_BYTES + count * 4 + storedBytes;
  }

  #seal(item: Uint8Array, count: number): void {
    const checked = item.subarray(ITEM.count, ITEM.count + checkedBytes(count));
    viewOf(item).setBigUint64(ITEM.checksum, xxh64(checked, this.#seed), true);
  }

  /** Where the next bytes go; at least so many are free there. */
  #room(bytes: number): Uint8Array<ArrayBuffer> {
    if (this.#length + bytes > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + bytes));
      grown.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = grown;
    }
    return this.#bytes.subarray(this.#length);
  }
}

/** How many bits of a mask are set. */
export function bitCount(mask: number): number {
  let bits = 0;
  for (let rest = mask; rest > 0; rest &= rest - 1) bits++;
  return bits;
}

/** The mask of a frame in which every page counts. */
export function fullMask(count: number): number {
  return (1 << count) - 1;
}

function roomFor(pages: number): number {
  return Math.ceil(pages / FRAME_PAGES_MAX) * ITEM_HEAD_BYTES +
    pages * (ITEM_PAGE_BYTES + PAGE_SIZE) + ITEM_HEAD_BYTES;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

assert(
  roomFor(FRAME_PAGES_MAX) === ITEM_BYTES_MAX + ITEM_HEAD_BYTES,
  "The room for a full frame is an item and the end",
);
