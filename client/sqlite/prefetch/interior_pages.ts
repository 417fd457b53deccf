/**
 * All interior pages of a database, at once.
 *
 * @module
 */

import type { DatabaseSnapshot } from "../source.ts";
import { type InteriorPage, parseInterior } from "./b_tree_page.ts";

/** Pages that are fetched at most: the interior pages of some 20 GB. */
const PAGES_MAX = 16_384;

/**
 * Fetches the interior pages of b-trees, level by level: two requests for each level above the leaves, however many
 * trees there are. All leaves of a tree are equally deep, so one child tells what its siblings are.
 *
 * @param roots The root pages.
 * @returns How many pages were looked at.
 */
export async function fetchInteriorPages(
  snapshot: DatabaseSnapshot,
  roots: readonly number[],
): Promise<number> {
  const seen = new Set<number>();
  const read = async (pages: readonly number[]): Promise<(InteriorPage | undefined)[]> => {
    for (const pageIdx of pages) seen.add(pageIdx);
    const bytes = await Promise.all(pages.map((pageIdx) => snapshot.read(pageIdx)));
    return pages.map((pageIdx, i) => parseInterior(pageIdx, bytes[i], snapshot.pageCount));
  };
  const unseen = (pages: Iterable<number>) => {
    const fresh = new Set([...pages].filter((pageIdx) => !seen.has(pageIdx)));
    return [...fresh].slice(0, Math.max(0, PAGES_MAX - seen.size));
  };
  for (let level = await read(unseen(roots)); level.length > 0;) {
    const nodes = level.filter((node) => node !== undefined);
    // a node whose first child is a leaf has only leaves below it
    const first = unseen(nodes.map(({ children }) => children[0]));
    const below = await read(first);
    const isInterior = new Set(first.filter((_, i) => below[i] !== undefined));
    const above = nodes.filter(({ children }) => isInterior.has(children[0]));
    level = [...below, ...await read(unseen(above.flatMap(({ children }) => [...children])))];
  }
  return seen.size;
}
