/**
 * The request of `write_pages`, decoded as it arrives.
 *
 * @module
 */

import { WireType } from "@bufbuild/protobuf/wire";
import type { GraftError } from "../core/errors.ts";
import type { VolumeId } from "../core/gid.ts";
import { GID_BYTES, gidFromBytes } from "../core/gid.ts";
import { PAGE_COUNT_MAX, PAGE_SIZE, WRITE_PART_PAGES } from "../core/limits.ts";
import { PageBuffer } from "../core/page_buffer.ts";
import type { FieldSink } from "./_field_scanner.ts";
import { FieldScanner } from "./_field_scanner.ts";
import { convertField, refuseField, refuseWireType, unreadable } from "./_refusals.ts";
import { SeenPages } from "./seen_pages.ts";

const SUBJECT = "the write pages request";
/** The least that a page takes in a body; the rest is its own length, its index and their tags. */
const PAGE_MESSAGE_BYTES_MIN = PAGE_SIZE + 8;
/** A page with its index, and room for fields of later versions: a longer one is not a page. */
const PAGE_MESSAGE_BYTES_MAX = 64 * 1024;

/** The fields of the request, and of a page within it, with the wire types that they must have. */
const VID = 1;
const PAGES = 2;
const PAGE_IDX = 1;
const DATA = 2;
const REQUEST_TYPES = new Map([[VID, WireType.LengthDelimited], [PAGES, WireType.LengthDelimited]]);
const PAGE_TYPES = new Map([[PAGE_IDX, WireType.Varint], [DATA, WireType.LengthDelimited]]);

/**
 * Decodes a `write_pages` request from chunks of any size. Every page is copied once, from its chunk into
 * its place in {@linkcode WritePagesDecoder.pages}. What is wrong is refused at the first byte that shows
 * it, so a hostile body costs no memory; after an error the decoder is of no more use.
 *
 * @example
 * ```ts
 * import { parseGid } from "../core/gid.ts";
 * import { encodeWritePagesRequest } from "./page_messages.ts";
 * import { WritePagesDecoder } from "./write_pages_decoder.ts";
 *
 * const vid = parseGid("volume", "GonwTRj2SohJzYLLjD9nSq");
 * const pages = { indexes: Uint32Array.of(3), page: () => new Uint8Array(4096) };
 * const body = encodeWritePagesRequest(vid, pages);
 *
 * const decoder = new WritePagesDecoder(body.length);
 * decoder.push(body.subarray(0, 1000));
 * decoder.push(body.subarray(1000));
 * decoder.finish();
 * console.log(decoder.vid === vid, decoder.pages.indexes); // true Uint32Array(1) [ 3 ]
 * ```
 */
export class WritePagesDecoder {
  readonly #expectedBytes: number | undefined;
  readonly #scanner: FieldScanner;
  readonly #seen = new SeenPages();
  #vid: VolumeId | undefined;
  #pages: PageBuffer;
  #count = 0;

  /** The page that is being read. */
  #pageIdx: number | undefined;
  #slot: Uint8Array<ArrayBuffer> | undefined;
  readonly #vidBytes = new Uint8Array(GID_BYTES);

  /**
   * @param expectedBytes The length of the body, where it is known: it sizes the first buffer (of at most
   * 1 MiB), and lengths that reach beyond it are refused.
   */
  constructor(expectedBytes?: number) {
    this.#expectedBytes = expectedBytes;
    this.#scanner = new FieldScanner(this.#sink(), SUBJECT, expectedBytes);
    this.#pages = this.#newBuffer();
  }

  /** The volume; undefined until it has come. */
  get vid(): VolumeId | undefined {
    return this.#vid;
  }

  /** The pages since the last {@linkcode takePages}; the last of them may still be arriving. */
  get pages(): PageBuffer {
    return this.#pages;
  }

  /**
   * Takes the next bytes of the body, which may be reused afterwards.
   *
   * @throws {GraftError} `invalid` that says which part of the request is wrong.
   */
  push(chunk: Uint8Array): void {
    this.#scanner.push(chunk);
  }

  /** Hands over the whole pages held and goes on with a new buffer, where a page that is still arriving moves. */
  takePages(): PageBuffer {
    const taken = this.#pages;
    this.#pages = this.#newBuffer();
    if (this.#slot !== undefined) {
      const moved = this.#pages.add(this.#pageIdx ?? 0);
      moved.set(this.#slot);
      this.#scanner.retarget(this.#slot, moved);
      this.#slot = moved;
      taken.dropLast();
    }
    return taken;
  }

  /**
   * The body is over.
   *
   * @throws {GraftError} `invalid` when it ends early, or lacks the volume or any page.
   */
  finish(): void {
    if (this.#scanner.position === 0) throw unreadable(SUBJECT, "the body is empty");
    this.#scanner.finish();
    if (this.#vid === undefined) throw refuseField(SUBJECT, "vid", "is missing");
    if (this.#count === 0) throw refuseField(SUBJECT, "pages", "is missing");
  }

  #newBuffer(): PageBuffer {
    if (this.#expectedBytes === undefined) return new PageBuffer();
    const left = this.#expectedBytes - this.#scanner.position;
    return new PageBuffer(Math.floor(left / PAGE_MESSAGE_BYTES_MIN));
  }

  #sink(): FieldSink {
    return {
      begin: (field, wireType) => this.#begin(field, wireType),
      varint: (_field, value) => this.#takePageIdx(value),
      bytes: (field, length) => this.#beginBytes(field, length),
      end: (field) => this.#end(field),
    };
  }

  #begin(field: number, wireType: WireType): boolean {
    const types = this.#scanner.inner ? PAGE_TYPES : REQUEST_TYPES;
    const wanted = types.get(field);
    if (wanted === undefined) return false;
    if (wanted !== wireType) throw refuseWireType(SUBJECT, this.#pathOf(field), wireType, wanted);
    return true;
  }

  #takePageIdx(value: number): void {
    if (value === 0) throw this.#refusePage("pageidx", "is 0, but pages start at 1");
    if (value > PAGE_COUNT_MAX) {
      throw this.#refusePage("pageidx", `is ${value}, but pages end at ${PAGE_COUNT_MAX}`);
    }
    this.#pageIdx = value;
  }

  #beginBytes(field: number, length: number): Uint8Array | "message" {
    if (this.#scanner.inner) return this.#beginData(length);
    if (field === VID) return this.#beginVid(length);
    if (length > PAGE_MESSAGE_BYTES_MAX) {
      const state = `has ${length} bytes, more than the ${PAGE_MESSAGE_BYTES_MAX} of any page`;
      throw refuseField(SUBJECT, this.#pathOf(PAGES), state);
    }
    return "message";
  }

  #beginVid(length: number): Uint8Array {
    if (length === GID_BYTES) return this.#vidBytes;
    const state = `is not a volume id: it has ${length} bytes instead of ${GID_BYTES}`;
    throw refuseField(SUBJECT, "vid", state);
  }

  #beginData(length: number): Uint8Array {
    if (length !== PAGE_SIZE) {
      throw this.#refusePage("data", `has ${length} bytes instead of ${PAGE_SIZE}`);
    }
    // the index may come after the data, so it is settled when the page ends
    this.#slot ??= this.#pages.add(this.#pageIdx ?? 0);
    return this.#slot;
  }

  #end(field: number): void {
    // the end of a page's data is not the end of the page
    if (this.#scanner.inner) return;
    if (field === VID) this.#endVid();
    else this.#endPage();
  }

  #endVid(): void {
    const read = () => gidFromBytes("volume", this.#vidBytes);
    const vid = convertField(SUBJECT, "vid", "volume id", read);
    if (this.#vid !== undefined && vid !== this.#vid) {
      throw refuseField(SUBJECT, "vid", "occurs twice and differs");
    }
    this.#vid = vid;
  }

  #endPage(): void {
    const pageIdx = this.#pageIdx;
    if (pageIdx === undefined) {
      throw this.#refusePage("pageidx", "is missing, so 0, but pages start at 1");
    }
    if (this.#slot === undefined) throw this.#refusePage("data", "is missing");
    if (!this.#seen.add(pageIdx)) {
      throw this.#refusePage("pageidx", `is ${pageIdx}, which occurs twice in the request`);
    }
    this.#pages.indexes[this.#pages.count - 1] = pageIdx;
    this.#count++;
    this.#pageIdx = undefined;
    this.#slot = undefined;
    // nothing can be stored without the volume's id
    if (this.#vid === undefined && this.#pages.count >= WRITE_PART_PAGES) {
      throw refuseField(SUBJECT, "vid", `does not come within ${WRITE_PART_PAGES} pages`);
    }
  }

  #pathOf(field: number): string {
    if (!this.#scanner.inner) return field === VID ? "vid" : `pages[${this.#count}]`;
    return `pages[${this.#count}].${field === PAGE_IDX ? "pageidx" : "data"}`;
  }

  #refusePage(name: "pageidx" | "data", state: string): GraftError {
    return refuseField(SUBJECT, `pages[${this.#count}].${name}`, state);
  }
}
