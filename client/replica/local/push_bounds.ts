/**
 * How much of a long line is pushed at once.
 *
 * A push carries of each page the newest version up to its last state. Older versions are gone, but for those of
 * the states at which a line is cut: these are kept, so that a line of any length can leave in parts.
 *
 * @module
 */

import { assert } from "../../../src/core/assert.ts";
import type { LocalCommit, State } from "./rows.ts";

/** Pages of one push: 16 MiB. A single commit may have more. */
export const PUSH_PAGES_MAX = 4096;
/** A line is cut where so many pages were written since the last time. */
const CUT_PAGES = 1024;

/** Where a line that grows is cut. */
export class LineCuts {
  #states = new Set<State>();
  /** Pages written since the last cut. */
  #pages = 0;

  /** Begins with the line that is there. */
  constructor(line: readonly LocalCommit[]) {
    for (const commit of line) this.add(commit);
  }

  /** The states, ascending. */
  get states(): readonly State[] {
    return [...this.#states];
  }

  /** Whether the line is cut behind a state. */
  has(state: State): boolean {
    return this.#states.has(state);
  }

  /** Takes a commit that follows; answers whether the line is cut behind it. */
  add({ state, pages }: LocalCommit): boolean {
    this.#pages += pages.size;
    if (this.#pages < CUT_PAGES) return false;
    this.#states.add(state);
    this.#pages = 0;
    return true;
  }

  /** Forgets the cuts up to a state; answers those. */
  dropUpTo(last: State): State[] {
    const dropped = this.states.filter((state) => state <= last);
    for (const state of dropped) this.#states.delete(state);
    return dropped;
  }
}

/** What is known of the versions of pages. */
export interface VersionFacts {
  /** The state of a page's version at the end of the line; undefined where it has none. */
  readonly newest: (pageIdx: number) => State | undefined;
  /** Whether a page's version as of the state of a cut is there. */
  readonly isKept: (pageIdx: number, cut: State) => boolean;
}

/**
 * The last state of a push of at most `pagesMax` pages, or of the fewest that there can be.
 *
 * @param line What waits, not empty.
 */
export function lastToPush(
  line: readonly LocalCommit[],
  pagesMax: number,
  cuts: LineCuts,
  { newest, isKept }: VersionFacts,
): State {
  let last = line.at(-1)?.state;
  assert(last !== undefined, "Only local commits can be pushed");
  if (line.reduce((sum, { pages }) => sum + pages.size, 0) <= pagesMax) return last;
  const written = new Set<number>();
  let reach = 0;
  let found: State | undefined;
  for (const { state, pages } of line) {
    for (const pageIdx of pages) {
      written.add(pageIdx);
      reach = Math.max(reach, newest(pageIdx) ?? 0);
    }
    if (found !== undefined && written.size > pagesMax) break;
    const isWhole = reach <= state || (cuts.has(state) && areKept(written, state));
    if (isWhole) found = last = state;
  }
  return last;

  function areKept(indexes: Iterable<number>, cut: State): boolean {
    for (const pageIdx of indexes) {
      if ((newest(pageIdx) ?? 0) > cut && !isKept(pageIdx, cut)) return false;
    }
    return true;
  }
}
