/**
 * Page sets as people write them: `1-64,70`.
 *
 * @module
 */

import { GraftError } from "../../core/errors.ts";
import { PAGE_COUNT_MAX } from "../../core/limits.ts";
import { type MemberRange, PageSet } from "../../core/page_set.ts";

/**
 * Reads page indexes and ranges of them, both ends inclusive, between commas.
 *
 * @throws {GraftError} `invalid` that names the part that is none.
 *
 * @example
 * ```ts
 * import { parsePageRanges } from "./page_ranges.ts";
 *
 * console.log([...parsePageRanges("1-3,70")]); // [ 1, 2, 3, 70 ]
 * ```
 */
export function parsePageRanges(text: string): PageSet {
  return PageSet.union(text.split(",").map(parseRange));
}

/**
 * Writes a page set as {@linkcode parsePageRanges} reads it; `""` for the empty set.
 *
 * @example
 * ```ts
 * import { PageSet } from "../../core/page_set.ts";
 * import { formatPageRanges } from "./page_ranges.ts";
 *
 * console.log(formatPageRanges(PageSet.from([1, 2, 3, 70]))); // "1-3,70"
 * ```
 */
export function formatPageRanges(pages: PageSet): string {
  const parts: string[] = [];
  let first = 0;
  let last = 0;
  const close = () => first > 0 && parts.push(first === last ? `${first}` : `${first}-${last}`);
  for (const pageIdx of pages) {
    if (pageIdx !== last + 1 || first === 0) {
      close();
      first = pageIdx;
    }
    last = pageIdx;
  }
  close();
  return parts.join(",");
}

function parseRange(part: string): MemberRange {
  const digits = /^(\d{1,9})(?:-(\d{1,9}))?$/.exec(part);
  const first = Number(digits?.[1]);
  const last = Number(digits?.[2] ?? digits?.[1]);
  if (first >= 1 && first <= last && last <= PAGE_COUNT_MAX) return { first, last };
  throw new GraftError(
    "invalid",
    `Cannot read "${part.slice(0, 40)}" as pages: it is neither a page index nor a range of them`,
    { hint: `For example 1-64,70; pages run from 1 to ${PAGE_COUNT_MAX}` },
  );
}
