/**
 * One `write_pages` request on its way to durable segments.
 *
 * @module
 */

import { assert } from "../core/assert.ts";
import { GraftError } from "../core/errors.ts";
import type { VolumeId } from "../core/gid.ts";
import { PAGE_SIZE, WRITE_PART_PAGES } from "../core/limits.ts";
import type { PageBuffer } from "../core/page_buffer.ts";
import type { SegmentUse } from "../core/snapshot.ts";
import type { Registration } from "../log/commit_log.ts";
import { splitPages } from "../segment/segment_budget.ts";
import type { SegmentWriter } from "./segment_writer.ts";

/** The most that one request holds of its body: a part, and the chunk that filled it. */
const PART_BYTES = (WRITE_PART_PAGES + 64) * PAGE_SIZE;
/** What a request reserves at a time, as its pages arrive: as much as a buffer allocates at once. */
const STEP_BYTES = 1024 * 1024;

/** Bytes of request bodies that may be in memory at once. */
export class IngestBudget {
  readonly #bytesMax: number;
  #bytes = 0;

  /** `bytesMax` bounds what {@linkcode IngestBudget.reserve} gives out. */
  constructor(bytesMax: number) {
    assert(bytesMax >= PART_BYTES, "The ingest budget must hold at least one part");
    this.#bytesMax = bytesMax;
  }

  /** Bytes reserved now. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Takes `bytes` until they are released.
   *
   * @throws {GraftError} `unavailable` when too much is in memory already.
   */
  reserve(bytes: number): void {
    if (this.#bytes + bytes > this.#bytesMax) {
      throw new GraftError(
        "unavailable",
        `Cannot write pages: ${this.#bytes} of at most ${this.#bytesMax} bytes are in memory already`,
        { hint: "Try again in a moment" },
      );
    }
    this.#bytes += bytes;
  }

  /** Gives back what was reserved. */
  release(bytes: number): void {
    this.#bytes -= bytes;
    assert(this.#bytes >= 0, "More ingest budget was given back than taken");
  }
}

/**
 * The pages of one request. Parts of a large one are stored while the rest still streams in, but nothing
 * is registered before the request is complete, so one that is refused half-way leaves only objects that
 * nobody can commit.
 */
export class PageWrite {
  readonly #writer: SegmentWriter;
  readonly #budget: IngestBudget;
  readonly #stored: Promise<Registration>[] = [];
  #reserved = 0;

  /** Reserves memory for the first bytes, all of a short body; see {@linkcode IngestBudget.reserve}. */
  constructor(writer: SegmentWriter, budget: IngestBudget, expectedBytes: number | undefined) {
    this.#writer = writer;
    this.#budget = budget;
    this.#reserve(Math.min(expectedBytes ?? STEP_BYTES, STEP_BYTES));
  }

  /**
   * Says how many bytes of pages wait in the buffer that comes with the next call of `add` or `finish`.
   * What was merely announced takes no memory from others.
   *
   * @throws {GraftError} `unavailable` when that is more than there is memory for.
   */
  hold(bytes: number): void {
    const needed = Math.min(bytes, PART_BYTES);
    while (this.#reserved < needed) this.#reserve(STEP_BYTES);
  }

  #reserve(bytes: number): void {
    this.#budget.reserve(bytes);
    this.#reserved += bytes;
  }

  /** Stores a part of the request; resolves when the caller may read on. */
  async add(vid: VolumeId, pages: PageBuffer): Promise<void> {
    for (const part of splitPages({ vid, pages })) {
      const { stored } = await this.#writer.upload(part.vid, part.pages);
      // awaited in finish; until then its failure must not count as unhandled
      stored.catch(() => {});
      this.#stored.push(stored);
    }
  }

  /**
   * Writes the last pages, and registers everything.
   *
   * @returns The segments, together holding exactly the request's pages.
   * @throws {GraftError} `unavailable` when the store or the log did not take them.
   */
  async finish(vid: VolumeId, pages: PageBuffer): Promise<SegmentUse[]> {
    try {
      const parts = pages.count === 0 ? [] : splitPages({ vid, pages });
      const written = parts.map((part) => this.#writer.write(part.vid, part.pages));
      const [registrations, uses] = await Promise.all([
        Promise.all(this.#stored),
        Promise.all(written),
      ]);
      if (registrations.length > 0) await this.#writer.register(registrations);
      const stored = registrations.map(({ sid, volumes }) => ({
        sid,
        pageSet: volumes[0].pageSet,
      }));
      return [...stored, ...uses];
    } finally {
      this.abort();
    }
  }

  /** Gives the memory back. What was stored stays unregistered; the collector removes it. */
  abort(): void {
    this.#budget.release(this.#reserved);
    this.#reserved = 0;
  }
}
