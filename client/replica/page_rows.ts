/**
 * Which pages of a volume are in the storage, as of which state.
 *
 * @module
 */

import type { VolumeId } from "../../src/core/gid.ts";
import { pageKey, pagePrefix, parsePageKey, type State } from "./rows.ts";
import type { ReplicaStorage } from "../storage/replica_storage.ts";

/** The newest row of a page. */
export interface PageRow {
  /** The state that the page is as of. */
  readonly state: State;
  /** The row's key. */
  readonly key: string;
}

interface Entry extends PageRow {
  /** Whether it was read since the last sweep. */
  used: boolean;
}

/** How many rows one sweep looks at, at most, for each that it is to find. */
const SWEEP_STEPS = 4;

/** The newest row of each page that the storage has. About 200 bytes a page. */
export class PageRows {
  readonly #vid: VolumeId;
  /** In the order in which a sweep comes by. */
  readonly #entries = new Map<number, Entry>();

  /** No rows. */
  constructor(vid: VolumeId) {
    this.#vid = vid;
  }

  /**
   * Lists the rows of a volume.
   *
   * @returns The newest of each page, and the keys of those that an older state left behind.
   */
  static async load(
    storage: ReplicaStorage,
    vid: VolumeId,
  ): Promise<{ rows: PageRows; older: string[] }> {
    const rows = new PageRows(vid);
    const older: string[] = [];
    for await (const key of storage.keys({ prefix: pagePrefix(vid) })) {
      const { pageIdx, state } = parsePageKey(key);
      // a page's keys come in the order of their states
      const previous = rows.#entries.get(pageIdx);
      if (previous !== undefined) older.push(previous.key);
      rows.#entries.set(pageIdx, { state, key, used: false });
    }
    return { rows, older };
  }

  /** How many pages there are. */
  get count(): number {
    return this.#entries.size;
  }

  /** The row of a page, which counts as used. */
  get(pageIdx: number): PageRow | undefined {
    const entry = this.#entries.get(pageIdx);
    if (entry !== undefined) entry.used = true;
    return entry;
  }

  /** Notes a page's new row; returns it, and the one that it supersedes. */
  set(pageIdx: number, state: State): { row: PageRow; superseded: PageRow | undefined } {
    const superseded = this.#entries.get(pageIdx);
    const row = { state, key: pageKey(this.#vid, pageIdx, state), used: false };
    this.#entries.set(pageIdx, row);
    return { row, superseded };
  }

  /** Forgets a page's row; returns it. */
  delete(pageIdx: number): PageRow | undefined {
    const row = this.#entries.get(pageIdx);
    this.#entries.delete(pageIdx);
    return row;
  }

  /** The pages among `members` (ascending) that have a row; it looks at whichever of the two is smaller. */
  among(
    members: { readonly size: number; has(member: number): boolean } & Iterable<number>,
  ): number[] {
    if (members.size <= this.#entries.size) {
      return [...members].filter((pageIdx) => this.#entries.has(pageIdx));
    }
    return [...this.#entries.keys()].filter((pageIdx) => members.has(pageIdx)).sort((a, b) =>
      a - b
    );
  }

  /** The pages above `pageCount`. */
  above(pageCount: number): number[] {
    return [...this.#entries.keys()].filter((pageIdx) => pageIdx > pageCount);
  }

  /** The pages as of a state after `state`: those that only this replica has. */
  newerThan(state: State): number[] {
    return [...this.#entries].filter(([, entry]) => entry.state > state).map(([pageIdx]) =>
      pageIdx
    );
  }

  /**
   * Up to `count` pages that may go: as of `pushed` or before, and not read since the last sweep came by,
   * unless all were.
   */
  idle(count: number, pushed: State): number[] {
    const found: number[] = [];
    let left = count * SWEEP_STEPS;
    for (const [pageIdx, entry] of this.#entries) {
      if (found.length === count || left-- === 0) break;
      if (entry.state <= pushed && !entry.used) {
        found.push(pageIdx);
        continue;
      }
      entry.used = false;
      this.#entries.delete(pageIdx);
      this.#entries.set(pageIdx, entry);
    }
    return found;
  }
}
