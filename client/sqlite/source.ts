/**
 * The seam between SQLite and the pages of a volume.
 *
 * @module
 */

import type { VolumeId } from "../../src/core/gid.ts";
import type { Lsn } from "../../src/core/lsn.ts";
import type { LocalChanges } from "../replica/local/replica_store.ts";

/** The pages of a volume at one moment. A replica's snapshot is one. */
export interface DatabaseSnapshot {
  /** The LSN that the server knows it by; local commits come on top. Undefined for a volume that it does not have. */
  readonly lsn: Lsn | undefined;
  /** Counts the states of the source: where two snapshots have the same number they are the same. */
  readonly state: number;
  /** How many pages the volume has. */
  readonly pageCount: number;
  /**
   * A page that can be had at once; undefined for one that cannot.
   *
   * @returns 4,096 bytes; do not write to them.
   */
  peek(pageIdx: number): Uint8Array | undefined;
  /**
   * A page.
   *
   * @returns 4,096 bytes, zeros where nothing was written; do not write to them.
   */
  read(pageIdx: number): Promise<Uint8Array>;
  /** Fetches pages in the background; with pages that are read in the same turn they are one request. */
  prefetch(pages: Iterable<number>): void;
  /** Lets go of it. */
  close(): void;
}

/** Where a database's pages come from and go to. */
export interface DatabaseSource {
  /** The volume. */
  readonly vid: VolumeId;
  /** Whether nothing can be committed, as of a past LSN. */
  readonly isReadOnly: boolean;
  /** The number of the newest state. */
  readonly newest: number;
  /** The newest state. */
  snapshot(): DatabaseSnapshot;
  /**
   * Commits pages on a snapshot, which it closes.
   *
   * @param changes They are not changed afterwards.
   * @returns The snapshot that the commit made.
   * @throws {GraftError} `conflict` when the snapshot is not the newest any more; `unavailable` when the storage
   * takes no more.
   */
  commit(
    snapshot: DatabaseSnapshot,
    changes: LocalChanges,
  ): DatabaseSnapshot | Promise<DatabaseSnapshot>;
}
