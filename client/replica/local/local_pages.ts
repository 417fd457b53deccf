/**
 * The pages that a replica has: the newest rows, and older ones for whoever still reads them.
 *
 * @module
 */

import type { GraftError } from "../../../src/core/errors.ts";
import type { VolumeId } from "../../../src/core/gid.ts";
import type { PageSet } from "../../../src/core/page_set.ts";
import type { ReplicaStorage, StorageBatch } from "../../storage/replica_storage.ts";
import { PageCache } from "./page_cache.ts";
import { OwnedPages, PageCodec, pageOf } from "./page_codec.ts";
import { PageRow, type PageRows } from "./page_rows.ts";
import { type PageVersion, PageVersions } from "./page_versions.ts";
import type { LoadedReplica } from "./replica_loader.ts";
import { damagedRow, type State } from "./rows.ts";
import { SnapshotPoints } from "./snapshot_points.ts";
import type { Turns } from "../turns.ts";

/** What is written together. */
export interface Batch {
  /** Rows to set, by key. */
  readonly put: Map<string, Uint8Array>;
  /** The keys of rows to remove; what is put wins. */
  readonly delete: Set<string>;
}

/** A batch of nothing. */
export function newBatch(): Batch {
  return { put: new Map(), delete: new Set() };
}

/** 16 MiB of pages that a storage other than memory has to be asked for only once. */
const CACHE_PAGES = 4096;

/** The rows of pages, in the storage and in memory. Memory is changed only after the storage was. */
export class LocalPages {
  /** The newest rows. */
  readonly rows: PageRows;
  /** Who reads what. */
  readonly points = new SnapshotPoints();
  readonly #vid: VolumeId;
  readonly #storage: ReplicaStorage;
  readonly #turns: Turns;
  readonly #codec: PageCodec;
  readonly #versions = new PageVersions();
  /** Whether the storage answers a row with the very same bytes each time. */
  readonly #isMemory: boolean;
  readonly #cache = new PageCache(CACHE_PAGES);
  /** Rows that nobody sees any more; they go with the next batch. */
  #garbage: string[];

  /** @param turns What writes; who waits for them sees what they wrote. */
  constructor(storage: ReplicaStorage, vid: VolumeId, turns: Turns, loaded: LoadedReplica) {
    this.#vid = vid;
    this.#storage = storage;
    this.#turns = turns;
    this.#codec = new PageCodec(vid);
    this.#isMemory = storage.name.startsWith("memory:");
    this.rows = loaded.rows;
    this.#garbage = loaded.garbage;
    for (const version of loaded.versions) this.#versions.add(version);
  }

  /** The row that a page had at a state, if it is not the newest one. */
  versionAt(pageIdx: number, state: State): PageRow | undefined {
    return this.#versions.at(pageIdx, state);
  }

  /** The page in a row; a promise of undefined where the row is about to go: look again. */
  read(row: PageRow): Uint8Array | Promise<Uint8Array | undefined> {
    row.used = true;
    if (row.page !== undefined) return row.page;
    const value = this.#storage.get(row.key);
    if (value instanceof Promise) return this.#readLater(row, value);
    return value === undefined ? this.#lookAgain(row) : this.#decode(row, value);
  }

  /** The page in a row, checked once more: whoever read it before may have written to what it was given. */
  async readChecked(row: PageRow): Promise<Uint8Array | undefined> {
    const value = await this.#storage.get(row.key);
    return value === undefined ? await this.#lookAgain(row) : this.#decode(row, value);
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
      const value = this.#codec.encode(pageIdx, state, page, areOwned);
      batch.put.set(row.key, value);
      this.#hold(row, pageOf(value));
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
        this.#versions.add({ row: old, until: row.state, isStored: true });
      } else this.#garbage.push(old.key);
    }
  }

  /** Adds the removal of rows, and of all older ones of their pages, to a batch. */
  putRemoval(batch: Batch, rows: readonly PageRow[]): void {
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
        this.#cache.leave(version.row);
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
    const garbage = this.#garbage.length;
    for (const key of this.#garbage) batch.delete.add(key);
    for (const key of batch.put.keys()) batch.delete.delete(key);
    const writing = this.#storage.write({ put: batch.put, delete: batch.delete, durability });
    // any kind of promise, as storages may be the user's
    // what is found meanwhile is not in the batch
    const forget = () => void this.#garbage.splice(0, garbage);
    return writing === undefined ? forget() : Promise.resolve(writing).then(forget);
  }

  #hold(row: PageRow, page: Uint8Array): void {
    if (this.#isMemory) row.page = page;
    else this.#cache.add(row, page);
  }

  #decode(row: PageRow, value: Uint8Array): Uint8Array {
    const page = this.#codec.decode(row.pageIdx, row.state, value);
    this.#hold(row, page);
    return page;
  }

  async #readLater(
    row: PageRow,
    value: Promise<Uint8Array | undefined>,
  ): Promise<Uint8Array | undefined> {
    const found = await value;
    return found === undefined ? await this.#lookAgain(row) : this.#decode(row, found);
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
    const value = await this.#storage.get(row.key);
    if (value === undefined) throw gone(row);
    return this.#decode(row, value);
  }
}

/** The rows of the pages that other snapshots of the server have otherwise. */
export function rowsAmong(rows: PageRows, pages: PageSet | undefined): PageRow[] {
  return pages === undefined ? rows.above(0) : rows.among(pages);
}

function gone(row: PageRow): GraftError {
  return damagedRow(row.key, "it is gone");
}
