// What a read asks for, and whether that is what it was answered.

import { GraftError } from "../src/core/errors.ts";
import { READ_PAGES_MAX } from "../src/core/limits.ts";
import { toPageIdx } from "../src/core/page.ts";
import { PageSet } from "../src/core/page_set.ts";
import { decodeReadPagesResponse } from "../src/wire/page_messages.ts";

/** The pages wanted, in sets that one request may ask for. */
export function* pageSetsOf(pages: Iterable<number>): Generator<PageSet> {
  const all = pages instanceof PageSet ? pages.toArray() : sortedPages(pages);
  for (let from = 0; from < all.length; from += READ_PAGES_MAX) {
    yield PageSet.from(all.subarray(from, from + READ_PAGES_MAX));
  }
}

function sortedPages(pages: Iterable<number>): Uint32Array {
  const distinct = new Set<number>();
  for (const pageIdx of pages) distinct.add(toPageIdx(pageIdx));
  return Uint32Array.from(distinct).sort();
}

/** The pages of an answer, which must be some of those wanted, each at most once. */
export function wantedPages(answer: Uint8Array, wanted: PageSet): [number, Uint8Array][] {
  const { indexes, page } = decodeReadPagesResponse(answer);
  const pages = new Map<number, Uint8Array>();
  indexes.forEach((pageIdx, i) => {
    if (!wanted.has(pageIdx) || pages.has(pageIdx)) {
      const state = wanted.has(pageIdx) ? "came twice" : "was not asked for";
      throw new GraftError(
        "invalid",
        `Cannot read the read pages response: page ${pageIdx} ${state}`,
      );
    }
    pages.set(pageIdx, page(i));
  });
  return [...pages];
}
