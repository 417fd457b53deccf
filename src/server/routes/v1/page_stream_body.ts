/**
 * The body of an answer with pages.
 *
 * @module
 */

import { getLogger } from "@logtape/logtape";
import type { VolumeId } from "../../../core/gid.ts";
import type { Lsn } from "../../../core/lsn.ts";
import { PageSet } from "../../../core/page_set.ts";
import {
  type Compress,
  encodeStreamHeader,
  type PageFrame,
  PageStreamEncoder,
} from "../../../wire/v1/mod.ts";
import type { PagestoreApi } from "../../engines.ts";

/** What a {@linkcode PageStreamBody} is made of. */
export interface PageStreamBodyParts {
  /** Where pages are. */
  readonly pagestore: PagestoreApi;
  /** The volume. */
  readonly vid: VolumeId;
  /** The LSN to read at. */
  readonly lsn: Lsn;
  /** The pages wanted, at least one. */
  readonly wanted: PageSet;
  /** Compresses pages with zstd, for a reader that takes them so; undefined for one that does not. */
  readonly compress: Compress | undefined;
}

/** Pages that are read at once, and held for one answer: 1 MiB. */
const BATCH_PAGES = 256;

/** Pages on their way out, a batch at a time as the reader takes them. */
export class PageStreamBody {
  readonly #parts: PageStreamBodyParts;
  readonly #indexes: Uint32Array<ArrayBuffer>;
  readonly #encoder: PageStreamEncoder;
  /** Pages sent because they are in a frame of another that was wanted. */
  readonly #sent = new Set<number>();
  #next = 0;

  /** Nothing is read yet. */
  constructor(parts: PageStreamBodyParts) {
    this.#parts = parts;
    this.#indexes = parts.wanted.toArray();
    const pages = Math.min(this.#indexes.length, BATCH_PAGES);
    this.#encoder = new PageStreamEncoder(encodeStreamHeader(parts), pages);
  }

  /**
   * Reads the first pages, so that what goes wrong with them is told by the status.
   *
   * @returns The whole body where it is short; else one that reads on.
   * @throws {GraftError} As {@linkcode PagestoreApi.read}.
   */
  async open(): Promise<Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array>> {
    const first = await this.#readBatch();
    if (this.#isDone) return first;
    let waiting: Uint8Array | undefined = first;
    return new ReadableStream<Uint8Array>({
      pull: async (controller) => {
        try {
          controller.enqueue(waiting ?? await this.#readBatch());
          waiting = undefined;
        } catch (error) {
          // the reader notices: the end of the stream does not come
          getLogger(["graft", "server"]).error("pages broke off: {error}", { error });
          throw error;
        }
        if (this.#isDone) controller.close();
      },
    });
  }

  get #isDone(): boolean {
    return this.#next >= this.#indexes.length;
  }

  async #readBatch(): Promise<Uint8Array<ArrayBuffer>> {
    const batch = this.#indexes.subarray(this.#next, this.#next + BATCH_PAGES);
    this.#next += batch.length;
    const isWhole = batch.length === this.#indexes.length;
    const wanted = isWhole
      ? this.#parts.wanted
      : PageSet.from(batch.filter((pageIdx) => !this.#sent.has(pageIdx)));
    if (wanted.size > 0) await this.#add(wanted);
    if (this.#isDone) this.#encoder.end();
    return this.#encoder.take();
  }

  async #add(wanted: PageSet): Promise<void> {
    const { pagestore, vid, lsn, compress } = this.#parts;
    if (compress === undefined) {
      return this.#encoder.addPages(await pagestore.read(vid, lsn, wanted));
    }
    const { frames, rest } = await pagestore.readFrames(vid, lsn, wanted);
    for (const frame of frames) this.#addFrame(frame);
    this.#encoder.addPages(rest, compress);
    for (const pageIdx of rest.indexes) this.#sent.add(pageIdx);
  }

  /** A frame may lie across two batches; each of its pages is sent once. */
  #addFrame(frame: PageFrame): void {
    let mask = 0;
    for (const [slot, pageIdx] of frame.indexes.entries()) {
      if ((frame.mask >> slot & 1) === 0 || this.#sent.has(pageIdx)) continue;
      this.#sent.add(pageIdx);
      mask |= 1 << slot;
    }
    if (mask !== 0) this.#encoder.addFrame({ ...frame, mask });
  }
}
