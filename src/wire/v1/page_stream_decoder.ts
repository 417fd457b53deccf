/**
 * Page streams on their way in: the answers of a server, the commits of a client.
 *
 * @module
 */

import { type Decompress, ItemDecoder, type TakePage } from "./_item_decoder.ts";
import { COMMIT_HEADER_BYTES, STREAM_HEADER_BYTES } from "./page_stream_format.ts";
import {
  type CommitHeader,
  decodeCommitHeader,
  decodeStreamHeader,
  malformed,
  type StreamHeader,
} from "./page_stream_header.ts";

export type { Decompress, TakePage } from "./_item_decoder.ts";

/** What to do with a stream. */
export interface PageStreamOptions {
  /** Takes each page, in the order of their arrival, after its checksum was found right. */
  readonly take: TakePage;
  /** Decompresses frames; without it a compressed one is refused. */
  readonly decompress?: Decompress;
}

/** A kind of header. */
interface HeaderForm<H> {
  readonly subject: string;
  readonly bytes: number;
  decode(bytes: Uint8Array): H;
}

/** What both decoders do: the header first, then items. */
class StreamDecoder<H> {
  readonly #form: HeaderForm<H>;
  readonly #options: PageStreamOptions;
  readonly #headerBytes: Uint8Array<ArrayBuffer>;
  #headerLength = 0;
  #header: H | undefined;
  #items: ItemDecoder | undefined;

  constructor(form: HeaderForm<H>, options: PageStreamOptions) {
    this.#form = form;
    this.#options = options;
    this.#headerBytes = new Uint8Array(form.bytes);
  }

  /** What the stream begins with; undefined until it has come. */
  get header(): H | undefined {
    return this.#header;
  }

  /**
   * Takes the next bytes, which may be reused afterwards.
   *
   * @throws {GraftError} `invalid` at the first byte that shows that something is wrong: the stream is
   * malformed, or was changed on its way. After an error the decoder is of no more use.
   */
  push(chunk: Uint8Array): void {
    const missing = this.#form.bytes - this.#headerLength;
    const taken = chunk.subarray(0, missing);
    this.#headerBytes.set(taken, this.#headerLength);
    this.#headerLength += taken.length;
    if (this.#headerLength < this.#form.bytes) return;
    this.#items ??= this.#begin();
    this.#items.push(chunk.subarray(taken.length));
  }

  /**
   * The stream is over.
   *
   * @throws {GraftError} `invalid` when its end has not come.
   */
  finish(): void {
    if (this.#items?.ended) return;
    throw malformed(this.#form.subject, "it is cut short");
  }

  #begin(): ItemDecoder {
    const { subject } = this.#form;
    const header = this.#headerBytes;
    this.#header = this.#form.decode(header);
    const { take, decompress } = this.#options;
    return new ItemDecoder({ subject, header, take, decompress });
  }
}

/**
 * Decodes the answer to a read of pages from chunks of any size. The bytes may be anything: at most one
 * item is held (64 KiB), and every page was checked when it is handed over.
 *
 * @example
 * ```ts
 * import { parseGid } from "../../core/gid.ts";
 * import { toLsn } from "../../core/lsn.ts";
 * import { PageStreamDecoder } from "./page_stream_decoder.ts";
 * import { PageStreamEncoder } from "./page_stream_encoder.ts";
 * import { encodeStreamHeader } from "./page_stream_header.ts";
 *
 * const vid = parseGid("volume", "GonwTRj2SohJzYLLjD9nSq");
 * const encoder = new PageStreamEncoder(encodeStreamHeader({ vid, lsn: toLsn(7) }));
 * encoder.addPages({ indexes: Uint32Array.of(3), page: () => new Uint8Array(4096) });
 * encoder.end();
 *
 * const found: number[] = [];
 * const decoder = new PageStreamDecoder({ take: (pageIdx) => found.push(pageIdx) });
 * decoder.push(encoder.take());
 * decoder.finish();
 * console.log(decoder.header?.lsn, found); // 7 [ 3 ]
 * ```
 */
export class PageStreamDecoder extends StreamDecoder<StreamHeader> {
  /** Nothing has come yet. */
  constructor(options: PageStreamOptions) {
    super({
      subject: "the page stream",
      bytes: STREAM_HEADER_BYTES,
      decode: decodeStreamHeader,
    }, options);
  }
}

/** Decodes a commit; otherwise as {@linkcode PageStreamDecoder}. */
export class CommitStreamDecoder extends StreamDecoder<CommitHeader> {
  /** Nothing has come yet. */
  constructor(options: PageStreamOptions) {
    super({
      subject: "the commit",
      bytes: COMMIT_HEADER_BYTES,
      decode: decodeCommitHeader,
    }, options);
  }
}
