// The items of a page stream, from chunks of any size.

import { xxh64 } from "../../core/content_digest.ts";
import { isGraftError } from "../../core/errors.ts";
import { FRAME_PAGES_MAX, PAGE_COUNT_MAX, PAGE_SIZE } from "../../core/limits.ts";
import type { PageIdx } from "../../core/page.ts";
import { SeenPages } from "../seen_pages.ts";
import { fullMask } from "./page_stream_encoder.ts";
import {
  checkedBytes,
  CODECS,
  hashPages,
  ITEM,
  ITEM_BYTES_MAX,
  ITEM_HEAD_BYTES,
  PAGE_HASH_BYTES,
} from "./page_stream_format.ts";
import { malformed } from "./page_stream_header.ts";

/** Takes a page: 4,096 bytes, a view that is valid during the call. */
export type TakePage = (pageIdx: PageIdx, page: Uint8Array) => void;

/**
 * Decompresses a zstd frame that anyone may have written, taking no memory beyond `rawLength`.
 *
 * @returns Exactly `rawLength` bytes.
 * @throws {GraftError} `damaged` when it does not decompress to that length.
 */
export type Decompress = (stored: Uint8Array, rawLength: number) => Uint8Array;

/** What an {@linkcode ItemDecoder} is made of. */
export interface ItemDecoderParts {
  /** What is read, for messages. */
  readonly subject: string;
  /** The stream's header: part of every checksum. */
  readonly header: Uint8Array;
  readonly take: TakePage;
  /** Undefined: compressed frames are refused. */
  readonly decompress: Decompress | undefined;
}

/** The head of an item. */
interface ItemHead {
  readonly count: number;
  readonly codec: number;
  readonly mask: number;
  readonly storedBytes: number;
  /** The length of the whole item. */
  readonly bytes: number;
}

/** Decodes the items after a header; at most one of them is held. */
export class ItemDecoder {
  readonly #parts: ItemDecoderParts;
  readonly #seed: bigint;
  readonly #seen = new SeenPages();
  /** The item that is arriving, where it did not come whole. */
  #held: Uint8Array<ArrayBuffer> | undefined;
  #heldBytes = 0;
  #pages = 0;
  #ended = false;

  constructor(parts: ItemDecoderParts) {
    this.#parts = parts;
    this.#seed = xxh64(parts.header, 0n);
  }

  get ended(): boolean {
    return this.#ended;
  }

  push(chunk: Uint8Array): void {
    let at = 0;
    while (at < chunk.length) {
      if (this.#ended) throw this.#refuse("bytes follow its end");
      at += this.#advance(chunk.subarray(at));
    }
  }

  /** Takes the first bytes of `rest`; returns how many. */
  #advance(rest: Uint8Array): number {
    if (this.#heldBytes === 0 && rest.length >= ITEM_HEAD_BYTES) {
      const head = this.#readHead(rest);
      if (rest.length >= head.bytes) {
        this.#takeItem(rest.subarray(0, head.bytes), head);
        return head.bytes;
      }
    }
    return this.#hold(rest);
  }

  #hold(rest: Uint8Array): number {
    this.#held ??= new Uint8Array(ITEM_BYTES_MAX);
    const known = this.#heldBytes >= ITEM_HEAD_BYTES ? this.#readHead(this.#held) : undefined;
    const wanted = (known?.bytes ?? ITEM_HEAD_BYTES) - this.#heldBytes;
    const taken = Math.min(wanted, rest.length);
    this.#held.set(rest.subarray(0, taken), this.#heldBytes);
    this.#heldBytes += taken;
    if (this.#heldBytes < ITEM_HEAD_BYTES) return taken;
    const head = known ?? this.#readHead(this.#held);
    if (this.#heldBytes < head.bytes) return taken;
    this.#heldBytes = 0;
    this.#takeItem(this.#held.subarray(0, head.bytes), head);
    return taken;
  }

  #readHead(bytes: Uint8Array): ItemHead {
    const view = viewOf(bytes);
    const count = view.getUint8(ITEM.count);
    const codec = view.getUint8(ITEM.codec);
    const mask = view.getUint16(ITEM.mask, true);
    const storedBytes = view.getUint32(ITEM.length, true);
    if (count === 0) return { count, codec, mask, storedBytes, bytes: ITEM_HEAD_BYTES };
    if (count > FRAME_PAGES_MAX) throw this.#refuse(`an item has ${count} pages`);
    if (mask === 0 || mask > fullMask(count)) throw this.#refuse("an item's mask is malformed");
    if (CODECS[codec] === undefined) throw this.#refuse(`an item has the unknown codec ${codec}`);
    const rawBytes = count * (PAGE_HASH_BYTES + PAGE_SIZE);
    const isRaw = CODECS[codec] === "raw";
    if (isRaw ? storedBytes !== rawBytes : storedBytes >= rawBytes) {
      throw this.#refuse(`an item of ${count} pages has ${storedBytes} bytes`);
    }
    if (storedBytes <= count * PAGE_HASH_BYTES) throw this.#refuse("an item has no pages in it");
    return { count, codec, mask, storedBytes, bytes: ITEM_HEAD_BYTES + count * 4 + storedBytes };
  }

  #takeItem(item: Uint8Array, head: ItemHead): void {
    const checked = item.subarray(ITEM.count, ITEM.count + checkedBytes(head.count));
    if (xxh64(checked, this.#seed) !== viewOf(item).getBigUint64(ITEM.checksum, true)) {
      throw this.#refuse("an item fails its checksum");
    }
    if (head.count === 0) return this.#takeEnd(head);
    const hashesAt = ITEM_HEAD_BYTES + head.count * 4;
    const pagesAt = hashesAt + head.count * PAGE_HASH_BYTES;
    const pages = this.#unpack(item.subarray(pagesAt), head);
    const hashes = hashPages(pages);
    if (hashes.some((byte, i) => byte !== item[hashesAt + i])) {
      throw this.#refuse("a page fails its checksum");
    }
    this.#deliver(viewOf(item), head, pages);
  }

  #takeEnd({ codec, mask, storedBytes }: ItemHead): void {
    if (codec !== 0 || mask !== 0) throw this.#refuse("its end is malformed");
    if (storedBytes !== this.#pages) {
      throw this.#refuse(`its end counts ${storedBytes} pages, and ${this.#pages} came`);
    }
    this.#ended = true;
  }

  #unpack(payload: Uint8Array, { count, codec }: ItemHead): Uint8Array {
    if (CODECS[codec] === "raw") return payload;
    const { decompress } = this.#parts;
    if (decompress === undefined) throw this.#refuse("its pages are compressed");
    try {
      const { buffer, byteOffset, length } = decompress(payload, count * PAGE_SIZE);
      // Node's own decompressors make Buffers, whose slice() is no copy; whoever takes a page counts on one
      return new Uint8Array(buffer, byteOffset, length);
    } catch (error) {
      if (!isGraftError(error, "damaged")) throw error;
      throw this.#refuse("an item does not decompress", error);
    }
  }

  #deliver(item: DataView, { count, mask }: ItemHead, pages: Uint8Array): void {
    for (let i = 0; i < count; i++) {
      const pageIdx = item.getUint32(ITEM.indexes + i * 4, true);
      if (pageIdx === 0 || pageIdx > PAGE_COUNT_MAX) {
        throw this.#refuse(`${pageIdx} is no page index`);
      }
      if ((mask >> i & 1) === 0) continue;
      if (!this.#seen.add(pageIdx)) throw this.#refuse(`page ${pageIdx} occurs twice`);
      this.#pages++;
      this.#parts.take(pageIdx as PageIdx, pages.subarray(i * PAGE_SIZE, (i + 1) * PAGE_SIZE));
    }
  }

  #refuse(state: string, cause?: unknown) {
    return malformed(this.#parts.subject, state, cause);
  }
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
