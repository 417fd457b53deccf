/**
 * What fits one segment.
 *
 * @module
 */

import { assert } from "../core/assert.ts";
import { SEGMENT_PAGES_MAX, SEGMENT_VOLUMES_MAX } from "../core/limits.ts";
import { PageBuffer } from "../core/page_buffer.ts";
import { TailBound, tailBytesMax } from "./_tail_bound.ts";
import type { VolumePages } from "./segment.ts";
import { DIRECTORY_BYTES_MAX } from "./segment_format.ts";

/**
 * Tells whether volumes still fit a segment: its pages, its volumes and its tail are limited. What it
 * lets in always fits; of very sparse page sets in no order it may refuse what would just have fitted.
 *
 * @example
 * ```ts
 * import { PageBuffer } from "../core/page_buffer.ts";
 * import { parseGid } from "../core/gid.ts";
 * import { SegmentBudget } from "./segment_budget.ts";
 *
 * const pages = new PageBuffer();
 * pages.add(7).fill(1);
 * const budget = new SegmentBudget();
 * console.log(budget.add({ vid: parseGid("volume", "GonwTRj2SohJzYLLjD9nSq"), pages })); // true
 * console.log(budget.pages); // 1
 * ```
 */
export class SegmentBudget {
  #pages = 0;
  #volumes = 0;
  #directoryBytes = 0;

  /** Pages taken in. */
  get pages(): number {
    return this.#pages;
  }

  /** Volumes taken in. */
  get volumes(): number {
    return this.#volumes;
  }

  /**
   * Takes a volume in, if it fits; else changes nothing. A volume may be added once.
   *
   * @returns Whether it fits.
   */
  add({ pages }: VolumePages): boolean {
    if (this.#volumes === SEGMENT_VOLUMES_MAX) return false;
    if (this.#pages + pages.count > SEGMENT_PAGES_MAX) return false;
    const room = DIRECTORY_BYTES_MAX - this.#directoryBytes;
    const bytes = boundWithin(pages.indexes, room);
    if (bytes > room) return false;
    this.#volumes++;
    this.#pages += pages.count;
    this.#directoryBytes += bytes;
    return true;
  }
}

/** Sorting gives the tight bound, but is only worth it when the loose one says that there is no room. */
function boundWithin(indexes: Uint32Array, room: number): number {
  const loose = tailBytesMax(indexes);
  return loose <= room ? loose : tailBytesMax(indexes.toSorted());
}

/**
 * Splits pages that one segment cannot take, because they are too many or too sparse, into parts that
 * each fit a segment of their own. Each part holds a stretch of the sorted indexes.
 *
 * Pages that fit are returned as they are, in their own buffer; others are copied, and the buffer given
 * can be let go.
 *
 * @returns At least one part; together exactly the pages given.
 */
export function splitPages(volume: VolumePages): VolumePages[] {
  assert(volume.pages.count > 0, "There are no pages to split");
  if (new SegmentBudget().add(volume)) return [volume];
  const { indexes } = volume.pages;
  const order = Uint32Array.from(indexes.keys()).sort((a, b) => indexes[a] - indexes[b]);
  const parts: VolumePages[] = [];
  for (let start = 0; start < order.length;) {
    const end = partEnd(indexes, order, start);
    parts.push({ vid: volume.vid, pages: copyPages(volume.pages, order.subarray(start, end)) });
    start = end;
  }
  return parts;
}

/** Where the longest part ends that starts at `start` and fits. */
function partEnd(indexes: Uint32Array, order: Uint32Array, start: number): number {
  const bound = new TailBound();
  let end = start;
  while (end < order.length && end - start < SEGMENT_PAGES_MAX) {
    if (bound.add(indexes[order[end]]) > DIRECTORY_BYTES_MAX) break;
    end++;
  }
  assert(end > start, "A segment must have room for one page");
  return end;
}

function copyPages(from: PageBuffer, places: Uint32Array): PageBuffer {
  const { indexes } = from;
  const pages = new PageBuffer(places.length);
  for (const place of places) pages.add(indexes[place]).set(from.page(place));
  return pages;
}
