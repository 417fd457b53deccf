/**
 * Where a replica keeps the bytes of its pages: in its storage, or nowhere but in memory.
 *
 * @module
 */

import type { VolumeId } from "../../../src/core/gid.ts";
import { PAGE_SIZE } from "../../../src/core/limits.ts";
import type { ReplicaStorage } from "../../storage/replica_storage.ts";
import { PageCache } from "./page_cache.ts";
import { isZero, ownPage, PageCodec, pageOf, ZERO_PAGE } from "./page_codec.ts";
import type { PageRow } from "./page_rows.ts";

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

/** Keeps the pages of rows. */
export interface PageKeeper {
  /** Whether the pages are in memory alone: `row.page` is always there, and no row is ever written. */
  readonly isVolatile: boolean;
  /** The bytes of everything that is kept. */
  readonly bytes: number;
  /** The bytes that a batch adds, which puts these rows. */
  added(batch: Batch, rows: readonly PageRow[]): number;
  /** Keeps a page for a row, once the batch is written. @param isOwned Whether it need not be copied. */
  put(batch: Batch, row: PageRow, page: Uint8Array, isOwned: boolean): void;
  /**
   * The page of a row, checked: whoever read it before may have written to what it was given.
   *
   * @returns Undefined where the row is gone.
   * @throws {GraftError} `damaged` when it is not what was kept.
   */
  get(row: PageRow): Uint8Array | undefined | Promise<Uint8Array | undefined>;
  /** Leaves the page of a row to whoever needs it from now on. */
  leave(row: PageRow): void;
}

/** 16 MiB of pages that a storage has to be asked for only once. */
const CACHE_PAGES = 4096;
/** What a row takes beside its value, about. */
const KEY_BYTES = 64;

/** Pages in a storage; some are in memory, too. */
export class StoredPages implements PageKeeper {
  readonly isVolatile = false;
  readonly #storage: ReplicaStorage;
  readonly #codec: PageCodec;
  readonly #cache = new PageCache(CACHE_PAGES);

  /** The pages of one volume. */
  constructor(storage: ReplicaStorage, vid: VolumeId) {
    this.#storage = storage;
    this.#codec = new PageCodec(vid);
  }

  /** Those of the storage. */
  get bytes(): number {
    return this.#storage.bytes;
  }

  /** Those of the batch, whose keys may take the place of others. */
  added({ put }: Batch): number {
    let bytes = 0;
    for (const value of put.values()) bytes += value.length + KEY_BYTES;
    return bytes;
  }

  /** Adds the row to the batch. */
  put(batch: Batch, row: PageRow, page: Uint8Array, isOwned: boolean): void {
    const value = this.#codec.encode(row.pageIdx, row.state, page, isOwned);
    batch.put.set(row.key, value);
    this.#cache.add(row, pageOf(value));
  }

  /** Reads the row. */
  get(row: PageRow): Uint8Array | undefined | Promise<Uint8Array | undefined> {
    const value = this.#storage.get(row.key);
    // any kind of promise, as storages may be the user's
    if (value === undefined || value instanceof Uint8Array) return this.#decode(row, value);
    return value.then((found) => this.#decode(row, found));
  }

  /** Forgets that it is in memory. */
  leave(row: PageRow): void {
    this.#cache.leave(row);
  }

  #decode(row: PageRow, value: Uint8Array | undefined): Uint8Array | undefined {
    if (value === undefined) return undefined;
    const page = this.#codec.decode(row.pageIdx, row.state, value);
    this.#cache.add(row, page);
    return page;
  }
}

/** Pages in memory alone. */
export class VolatilePages implements PageKeeper {
  readonly isVolatile = true;
  readonly #codec: PageCodec;
  readonly #count: () => number;

  /** @param count How many there are. */
  constructor(vid: VolumeId, count: () => number) {
    this.#codec = new PageCodec(vid);
    this.#count = count;
  }

  /** All pages count as whole ones. */
  get bytes(): number {
    return this.#count() * (PAGE_SIZE + KEY_BYTES);
  }

  /** Those of the rows. */
  added(_batch: Batch, rows: readonly PageRow[]): number {
    return rows.length * (PAGE_SIZE + KEY_BYTES);
  }

  /** It is in memory at once: whoever drops the row has forgotten it. */
  put(_batch: Batch, row: PageRow, page: Uint8Array, isOwned: boolean): void {
    row.page = isZero(page) ? ZERO_PAGE : isOwned ? page : ownPage(page);
    row.hash = this.#codec.hash(row.pageIdx, row.state, page);
  }

  /** Checks the page. */
  get(row: PageRow): Uint8Array | undefined {
    const { pageIdx, state, page, hash } = row;
    if (page === undefined) return undefined;
    if (this.#codec.hash(pageIdx, state, page) === hash) return page;
    throw this.#codec.damaged(pageIdx, state, "its checksum differs");
  }

  /** There is nobody else to need it. */
  leave(): void {}
}
