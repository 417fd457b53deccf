/**
 * Runs of pages.
 *
 * @module
 */

import { PageSet } from "../../src/core/page_set.ts";

/** The pages from `first` to `last`, none where they are in the wrong order. */
export function pagesFrom(first: number, last: number): PageSet {
  return first > last ? PageSet.empty : PageSet.range(first, last);
}
