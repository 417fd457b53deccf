/**
 * The pages that a replica has: the newest rows, and older ones for whoever still reads them.
 *
 * @module
 */

import type { GraftError } from "../../../src/core/errors.ts";
import type { VolumeId } from "../../../src/core/gid.ts";
import type { PageSet } from "../../../src/core/page_set.ts";
import type { ReplicaStorage, StorageBatch } from "../../storage/replica_storage.ts";
import { disown, OwnedPages } from "./page_codec.ts";
import { type Batch, type PageKeeper, StoredPages, VolatilePages } from "./page_keeper.ts";
import { PageRow, type PageRows } from "./page_rows.ts";
import { type PageVersion, PageVersions } from "./page_versions.ts";
import type { LoadedReplica } from "./replica_loader.ts";
import { damagedRow, type State } from "./rows.ts";
import { SnapshotPoints } from "./snapshot_points.ts";
import type { Turns } from "../turns.ts";

/** The rows of pages, in the storage and in memory. Memory is changed only after the storage was. */
export class LocalPages {
  /** The newest rows. */
  readonly rows: PageRows;
  /** Who reads what. */
  readonly points = new SnapshotPoints();
  readonly #vid: VolumeId;
  readonly #storage: ReplicaStorage;
  readonly #turns: Turns;
  readonly #keeper: PageKeeper;
  readonly #versions = new PageVersions();
  /** Rows that nobody sees any more; they go with the next batch. */
  #garbage: string[];

  /** @param turns What writes; who waits for them sees what they wrote. */
  constructor(storage: ReplicaStorage, vid: VolumeId, turns: Turns, loaded: LoadedReplica) {
    this.#vid = vid;
    this.#storage = storage;
    this.#turns = turns;
    this.#keeper = storage.isVolatile
      ? new VolatilePages(vid, () => this.rows.count + this.#versions.count)
      : new StoredPages(storage, vid);
    this.rows = loaded.rows;
    this.#garbage = loaded.garbage;
    for (const version of loaded.versions) this.#versions.add(version);
  }

  /** Whether the pages are in memory alone, so that nothing needs to be written. */
  get isVolatile(): boolean {
    return this.#keeper.isVolatile;
  }

  /** The bytes of everything that is kept. */
  get bytes(): number {
    return this.#keeper.bytes;
  }

  /** The bytes that a batch adds, which puts these rows. */
  added(batch: Batch, rows: readonly PageRow[]): number {
    return this.#keeper.added(batch, rows);
  }

  /** The row that a page had at a state, if it is not the newest one. */
  versionAt(pageIdx: number, state: State): PageRow | undefined {
    return this.#versions.at(pageIdx, state);
  }

  /** The page in a row; a promise of undefined where the row is about to go: look again. */
  read(row: PageRow): Uint8Array | Promise<Uint8Array | undefined> {
    row.used = true;
    row.isLent = true;
    if (row.page !== undefined) return row.page;
    const found = this.#keeper.get(row);
    return found instanceof Uint8Array ? found : this.#orLookAgain(row, found);
  }

  /** The page in a row, checked once more: whoever read it before may have written to what it was given. */
  async readChecked(row: PageRow): Promise<Uint8Array | undefined> {
    row.isLent = true;
    return await this.#orLookAgain(row, this.#keeper.get(row));
  }

  /**
   * Adds pages as of a state to a batch. The rows count once they are {@linkcode supersede}d into place.
   *
   * @param pages They are copied, unless they are {@linkcode OwnedPages}.
   */
  put(
    batch: Batch,
    state: State,
    pages: Iterable<readonly [pageIdx: number, page: Uint8Array]>,
  ): PageRow[] {
    const rows: PageRow[] = [];
    const areOwned = pages instanceof OwnedPages;
    for (const [pageIdx, page] of pages) {
      const row = new PageRow(this.#vid, pageIdx, state);
      this.#keeper.put(batch, row, page, areOwned);
      rows.push(row);
    }
    return rows;
  }

  /** Puts rows that were written into place. */
  supersede(rows: readonly PageRow[]): void {
    for (const row of rows) {
      const old = this.rows.set(row);
      if (old === undefined) continue;
      if (this.points.sees(old.state, row.state)) {
        this.#versions.add({ row: old, until: row.state, isStored: !this.isVolatile });
      } else this.#forget(old);
    }
  }

  /** Adds the removal of rows, and of all older ones of their pages, to a batch. */
  putRemoval(batch: Batch, rows: readonly PageRow[]): void {
    if (this.isVolatile) return;
    for (const { pageIdx, key } of rows) {
      batch.delete.add(key);
      for (const { row } of this.#versions.of(pageIdx)) batch.delete.add(row.key);
    }
  }

  /**
   * Reads the versions among rows to be removed that the server does not have and somebody sees, or may see
   * before they are removed.
   *
   * @param pushed What is newer is not on the server.
   * @param until The state that is going to remove them.
   */
  async rescue(rows: readonly PageRow[], pushed: State, until: State): Promise<PageVersion[]> {
    const rescued: PageVersion[] = [];
    for (const row of rows) {
      for (const version of [...this.#versions.of(row.pageIdx), { row, until }]) {
        const { state } = version.row;
        if (state <= pushed && !this.points.seesUnpushed(state)) continue;
        version.row.page ??= await this.#mustRead(version.row);
        // it is nowhere else from now on
        this.#keeper.leave(version.row);
        rescued.push({ ...version, isStored: false });
      }
    }
    return rescued;
  }

  /** Forgets rows that were removed, but for the versions that were rescued. */
  remove(rows: readonly PageRow[], rescued: readonly PageVersion[]): void {
    for (const { pageIdx } of rows) {
      this.rows.delete(pageIdx);
      this.#versions.forget(pageIdx);
    }
    for (const version of rescued) {
      if (this.points.sees(version.row.state, version.until)) this.#versions.add(version);
    }
  }

  /** Up to `count` rows that the server has, too, and that were not read lately. */
  idle(count: number, pushed: State): PageRow[] {
    return this.rows.idle(count, pushed).filter((row) =>
      // without its newest row, a page would be what an older one says
      !this.points.seesUnpushed(row.state) && this.#versions.of(row.pageIdx).length === 0
    );
  }

  /** A state is not read any more. */
  release(state: State): void {
    this.points.release(state);
    const isSeen = (from: State, until: State) => this.points.sees(from, until);
    this.#garbage.push(...this.#versions.prune(state, isSeen));
  }

  /** Writes a batch, and the removal of what nobody sees any more; a promise where the storage takes its time. */
  write(batch: Batch, durability?: StorageBatch["durability"]): Promise<void> | void {
    if (this.isVolatile) return;
    const garbage = this.#garbage.length;
    for (const key of this.#garbage) batch.delete.add(key);
    for (const key of batch.put.keys()) batch.delete.delete(key);
    const writing = this.#storage.write({ put: batch.put, delete: batch.delete, durability });
    // any kind of promise, as storages may be the user's
    // what is found meanwhile is not in the batch
    const forget = () => void this.#garbage.splice(0, garbage);
    return writing === undefined ? forget() : Promise.resolve(writing).then(forget);
  }

  /** Nobody sees a row any more. */
  #forget(row: PageRow): void {
    if (!this.isVolatile) return void this.#garbage.push(row.key);
    if (row.page !== undefined && !row.isLent) disown(row.page);
    row.page = undefined;
  }

  async #orLookAgain(
    row: PageRow,
    reading: Uint8Array | undefined | Promise<Uint8Array | undefined>,
  ): Promise<Uint8Array | undefined> {
    return await reading ?? await this.#lookAgain(row);
  }

  /** A row is being removed, so there is another state soon; or it was removed behind our back. */
  async #lookAgain(row: PageRow): Promise<undefined> {
    if (this.#turns.busy) {
      await this.#turns.idle();
      return;
    }
    const isNewest = this.rows.get(row.pageIdx) === row;
    const isVersion = this.#versions.of(row.pageIdx).some((version) => version.row === row);
    if (isNewest || isVersion) throw gone(row);
  }

  async #mustRead(row: PageRow): Promise<Uint8Array> {
    const page = await this.#keeper.get(row);
    if (page === undefined) throw gone(row);
    return page;
  }
}

/** The rows of the pages that other snapshots of the server have otherwise. */
export function rowsAmong(rows: PageRows, pages: PageSet | undefined): PageRow[] {
  return pages === undefined ? rows.above(0) : rows.among(pages);
}

function gone(row: PageRow): GraftError {
  return damagedRow(row.key, "it is gone");
}
