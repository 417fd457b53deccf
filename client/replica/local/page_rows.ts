/**
 * Which pages of a volume are in the storage, as of which state.
 *
 * @module
 */

import type { VolumeId } from "../../../src/core/gid.ts";
import { pageKey, pagePrefix, parsePageKey, type State } from "./rows.ts";
import type { ReplicaStorage } from "../../storage/replica_storage.ts";

/** A page as of a state. */
export class PageRow {
  /** The page, where it is at hand: read and checked once. */
  page: Uint8Array | undefined;
  /** The hash of a page that is in no storage. */
  hash: bigint | undefined;
  /** Whether it was read since the last sweep. */
  used = false;
  /** Whether its page was ever handed out: somebody may have it for as long as they like. */
  isLent = false;

  readonly #vid: VolumeId;
  #key: string | undefined;

  /** The row of a page of a volume. */
  constructor(vid: VolumeId, readonly pageIdx: number, readonly state: State) {
    this.#vid = vid;
  }

  /** Its key in a storage. */
  get key(): string {
    this.#key ??= pageKey(this.#vid, this.pageIdx, this.state);
    return this.#key;
  }
}

/** How many rows one sweep looks at, at most, for each that it is to find. */
const SWEEP_STEPS = 4;

/** The newest row of each page that the storage has. About 400 bytes a page. */
export class PageRows {
  /** In the order in which a sweep comes by. */
  readonly #rows = new Map<number, PageRow>();

  /**
   * Lists the rows of a volume.
   *
   * @returns The newest of each page, and those that an older state left behind, ascending by page and state.
   */
  static async load(
    storage: ReplicaStorage,
    vid: VolumeId,
  ): Promise<{ rows: PageRows; older: PageRow[] }> {
    const rows = new PageRows();
    const older: PageRow[] = [];
    for await (const key of storage.keys({ prefix: pagePrefix(vid) })) {
      const { pageIdx, state } = parsePageKey(key);
      // a page's keys come in the order of their states
      const previous = rows.set(new PageRow(vid, pageIdx, state));
      if (previous !== undefined) older.push(previous);
    }
    return { rows, older };
  }

  /** How many pages there are. */
  get count(): number {
    return this.#rows.size;
  }

  /** The row of a page. */
  get(pageIdx: number): PageRow | undefined {
    return this.#rows.get(pageIdx);
  }

  /** Notes a page's new row; returns the one that it supersedes. */
  set(row: PageRow): PageRow | undefined {
    const superseded = this.#rows.get(row.pageIdx);
    this.#rows.set(row.pageIdx, row);
    return superseded;
  }

  /** Forgets a page's row. */
  delete(pageIdx: number): void {
    this.#rows.delete(pageIdx);
  }

  /** The rows of the pages among `members`; it looks at whichever of the two is smaller. */
  among(
    members: { readonly size: number; has(member: number): boolean } & Iterable<number>,
  ): PageRow[] {
    if (members.size > this.#rows.size) return this.#filter((row) => members.has(row.pageIdx));
    const found: PageRow[] = [];
    for (const pageIdx of members) {
      const row = this.#rows.get(pageIdx);
      if (row !== undefined) found.push(row);
    }
    return found;
  }

  /** The rows of the pages above `pageCount`. */
  above(pageCount: number): PageRow[] {
    return this.#filter((row) => row.pageIdx > pageCount);
  }

  /** The rows as of a state after `state`: what only this replica has. */
  newerThan(state: State): PageRow[] {
    return this.#filter((row) => row.state > state);
  }

  /**
   * Up to `count` rows that may go: as of `pushed` or before, and not read since the last sweep came by.
   * It may find fewer, where many were read; then it finds more when called again.
   */
  idle(count: number, pushed: State): PageRow[] {
    const found: PageRow[] = [];
    let left = Math.min(count * SWEEP_STEPS, this.#rows.size);
    for (const row of this.#rows.values()) {
      if (found.length === count || left-- === 0) break;
      // what is looked at goes to the end, found or not: the storage may refuse to remove it
      this.#rows.delete(row.pageIdx);
      this.#rows.set(row.pageIdx, row);
      if (row.state <= pushed && !row.used) found.push(row);
      row.used = false;
    }
    return found;
  }

  #filter(isWanted: (row: PageRow) => boolean): PageRow[] {
    return [...this.#rows.values()].filter(isWanted);
  }
}
