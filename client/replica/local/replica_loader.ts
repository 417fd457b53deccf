/**
 * Reads a replica from its storage.
 *
 * @module
 */

import type { VolumeId } from "../../../src/core/gid.ts";
import type { ReplicaStorage } from "../../storage/replica_storage.ts";
import { LineCuts } from "./push_bounds.ts";
import { type PageRow, PageRows } from "./page_rows.ts";
import type { PageVersion } from "./page_versions.ts";
import {
  commitPrefix,
  decodeCommit,
  decodeFooting,
  type Footing,
  footingKey,
  type LocalCommit,
  type State,
} from "./rows.ts";

/** What was found. */
export interface LoadedReplica {
  /** What the replica stands on; undefined where there is none. */
  readonly footing: Footing | undefined;
  /** The local commits, oldest first. */
  readonly line: readonly LocalCommit[];
  /** The newest row of each page. */
  readonly rows: PageRows;
  /** Older versions that the push under way needs, and those that may follow it. */
  readonly versions: readonly PageVersion[];
  /** The keys of rows that nobody needs: they were to be removed. */
  readonly garbage: string[];
  /** Pages that a local commit wrote and the storage has lost: nobody has them. */
  readonly lost: ReadonlySet<number>;
}

/** Reads what a storage has of a volume. */
export async function loadReplica(storage: ReplicaStorage, vid: VolumeId): Promise<LoadedReplica> {
  const value = await storage.get(footingKey(vid));
  const stored = value && decodeFooting(vid, value);
  const line: LocalCommit[] = [];
  for await (const [key, row] of storage.list({ prefix: commitPrefix(vid) })) {
    line.push(decodeCommit(key, row));
  }
  const footing = stored && { ...stored, newest: line.at(-1)?.state ?? stored.newest };
  const { rows, older } = await PageRows.load(storage, vid);
  const ends = [footing?.push?.last ?? 0, ...new LineCuts(line).states];
  const versions: PageVersion[] = [];
  const garbage: string[] = [];
  older.forEach((row, i) => {
    const next = older[i + 1]?.pageIdx === row.pageIdx ? older[i + 1] : rows.get(row.pageIdx);
    const until = next?.state ?? Infinity;
    if (isToBePushed(ends, footing, row, until)) versions.push({ row, until, isStored: true });
    else garbage.push(row.key);
  });
  versions.sort((a, b) => a.until - b.until);
  return { footing, line, rows, versions, garbage, lost: lostPages(line, rows) };
}

/** Each page of a local commit has a row of that state or a newer one. */
function lostPages(line: readonly LocalCommit[], rows: PageRows): ReadonlySet<number> {
  const lost = new Set<number>();
  for (const { state, pages } of line) {
    for (const pageIdx of pages) {
      if ((rows.get(pageIdx)?.state ?? -1) < state) lost.add(pageIdx);
    }
  }
  return lost;
}

/** Whether a push up to one of the states `ends` carries this version. */
function isToBePushed(
  ends: readonly State[],
  footing: Footing | undefined,
  row: PageRow,
  until: State,
): boolean {
  if (footing === undefined || row.state <= footing.pushed) return false;
  return ends.some((last) => row.state <= last && last < until);
}
