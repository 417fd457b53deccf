/**
 * Another line of local commits, on another base.
 *
 * @module
 */

import { PageSet } from "../../../src/core/page_set.ts";
import { type LocalPages, rowsAmong } from "./local_pages.ts";
import { ZERO_PAGE } from "./page_codec.ts";
import type { Batch } from "./page_keeper.ts";
import type { PageRow, PageRows } from "./page_rows.ts";
import type { RemoteChanges, RemoteSnapshot } from "../remote/remote.ts";
import type { LocalChanges } from "./replica_store.ts";
import type { LocalCommit, State } from "./rows.ts";
import { pagesFrom } from "../pages_from.ts";

/**
 * The rows of the line, and of the pages that the server changed.
 *
 * @param pushed The last state that the server has: what is newer is the line's.
 */
export function rowsToRemove(
  rows: PageRows,
  pushed: State,
  changes: RemoteChanges | undefined,
): PageRow[] {
  const removed = new Set(rows.newerThan(pushed));
  if (changes === undefined) return [...removed];
  for (const row of rowsAmong(rows, changes.pages)) removed.add(row);
  for (const row of rows.above(changes.snapshot.pageCount)) removed.add(row);
  return [...removed];
}

/**
 * Every page that may be another one when the line and the base are replaced.
 *
 * @param base What the old line rests on.
 * @param commits Those of the old line, and of the new one.
 */
export function changedBy(
  changes: RemoteChanges | undefined,
  base: RemoteSnapshot | undefined,
  commits: readonly LocalCommit[],
): PageSet {
  const head = changes?.snapshot ?? base;
  const counts: number[] = [base?.pageCount ?? 0, head?.pageCount ?? 0];
  for (const { pageCount } of commits) counts.push(pageCount);
  const last = Math.max(...counts);
  if (changes !== undefined && changes.pages === undefined) return pagesFrom(1, last);
  return PageSet.union([
    ...commits.map(({ pages }) => pages),
    changes?.pages ?? PageSet.empty,
    // whatever was cut off by any of them, or is there again
    pagesFrom(Math.min(...counts) + 1, last),
  ]);
}

/** What a new line is made of. */
export interface NewLine {
  /** The rows that go. */
  readonly removed: readonly PageRow[];
  /** The state that it rests on. */
  readonly base: State;
  /** What it changes, oldest first. */
  readonly commits: readonly LocalChanges[];
}

/** Puts the pages of a new line on top of what is left; of each page the newest version. */
export function putLine(
  pages: LocalPages,
  batch: Batch,
  { removed, base, commits }: NewLine,
): { rows: PageRow[]; line: LocalCommit[] } {
  const gone = new Set(removed);
  const newest = new Map<number, readonly [State, Uint8Array]>();
  const line = commits.map((changes, i) => {
    const { pageCount } = changes;
    const state = base + 1 + i;
    const cut = pages.rows.above(pageCount).filter((row) => !gone.has(row));
    for (const { pageIdx } of cut) newest.set(pageIdx, [state, ZERO_PAGE]);
    for (const pageIdx of newest.keys()) {
      if (pageIdx > pageCount) newest.set(pageIdx, [state, ZERO_PAGE]);
    }
    for (const [pageIdx, page] of changes.pages) newest.set(pageIdx, [state, page]);
    return { state, pageCount, pages: PageSet.from(changes.pages.keys()) };
  });
  const rows = [...newest].flatMap(([pageIdx, [state, page]]) =>
    pages.put(batch, state, [[pageIdx, page]])
  );
  return { rows, line };
}
