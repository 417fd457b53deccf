/**
 * A replica as it was at one moment.
 *
 * @module
 */

import { assert } from "../../src/core/assert.ts";
import { GraftError } from "../../src/core/errors.ts";
import type { VolumeId } from "../../src/core/gid.ts";
import { PAGE_SIZE } from "../../src/core/limits.ts";
import type { Lsn } from "../../src/core/lsn.ts";
import { type PageIdx, toPageIdx } from "../../src/core/page.ts";
import { ZERO_PAGE } from "./local/page_codec.ts";
import type { PageFetcher } from "./page_fetcher.ts";
import type { ReplicaStore } from "./local/replica_store.ts";
import type { SnapshotPoint } from "./local/snapshot_points.ts";

/** What a snapshot is read through. */
export interface SnapshotParts {
  readonly store: ReplicaStore;
  readonly fetcher: PageFetcher;
  /** A state that is held already, and released with the snapshot; default: the newest. */
  readonly point?: SnapshotPoint;
}

interface Held {
  readonly store: ReplicaStore;
  readonly point: SnapshotPoint;
}

// what nobody closed is let go of when the collector finds it
const forgotten = new FinalizationRegistry<Held>(({ store, point }) => store.release(point));

/**
 * A volume as it was at one moment in a replica, local commits included. It stays as it is whatever is
 * committed or pulled later.
 *
 * Older versions of pages are kept for as long as a snapshot sees them: close it, or declare it with `using`.
 * One that is dropped is closed by the garbage collector, some time.
 *
 * @example
 * ```ts
 * import { openReplica } from "../open_replica.ts";
 *
 * await using replica = await openReplica("http://127.0.0.1:3000");
 * await replica.transaction((tx) => tx.write(2, new Uint8Array(4096).fill(7)));
 * using snapshot = replica.snapshot();
 * console.log(snapshot.pageCount, (await snapshot.read(2))[0], snapshot.peek(1)?.[0]); // 2 7 0
 * ```
 */
export class ReplicaSnapshot {
  readonly #parts: SnapshotParts;
  readonly #point: SnapshotPoint;
  #isClosed = false;
  #isLent = false;

  /** Holds a state; a replica's `snapshot()` does so. */
  constructor(parts: SnapshotParts) {
    this.#parts = parts;
    this.#point = parts.point ?? parts.store.hold();
    forgotten.register(this, { store: parts.store, point: this.#point }, this);
  }

  /** The volume. */
  get vid(): VolumeId {
    return this.#parts.store.vid;
  }

  /** The LSN that the server knows it by; local commits come on top. Undefined for a volume that it does not have. */
  get lsn(): Lsn | undefined {
    return this.#point.base?.lsn;
  }

  /** Counts the replica's states: where two snapshots have the same number they are the same. */
  get state(): number {
    return this.#point.state;
  }

  /** How many pages the volume has. */
  get pageCount(): number {
    return this.#point.pageCount;
  }

  /**
   * A page: from the replica, or from the server, which then is kept. Those that are asked for in the same
   * turn are one request.
   *
   * @param pageIdx From 1; beyond the page count, and where nothing was written, are zeros.
   * @returns 4,096 bytes; do not write to them.
   * @throws {GraftError} `unavailable` when the page is not here and the server does not answer; `missing`
   * when the server no longer has pages of so long ago; `damaged` when the storage changed it; `aborted` when the
   * replica is closed; `unauthorized` and `forbidden` when the token does not do.
   */
  async read(pageIdx: number): Promise<Uint8Array> {
    toPageIdx(pageIdx);
    const { store, fetcher } = this.#parts;
    for (;;) {
      this.#requireOpen();
      const found = store.find(this.#point, pageIdx);
      if (found === undefined) {
        return ownZeros(await fetcher.fetch(store.lsnOf(this.#point, pageIdx), pageIdx));
      }
      const page = found instanceof Promise ? await found : found;
      if (page !== undefined) return ownZeros(page);
    }
  }

  /**
   * Several pages; what is not here is fetched together.
   *
   * @returns Each page by its index, in the order in which they were asked for.
   */
  async readMany(pages: Iterable<number>): Promise<Map<PageIdx, Uint8Array>> {
    const indexes = [...pages].map(toPageIdx);
    const read = await Promise.all(indexes.map((pageIdx) => this.read(pageIdx)));
    return new Map(indexes.map((pageIdx, i) => [pageIdx, read[i]]));
  }

  /**
   * A page that can be had at once; undefined for one that is elsewhere: on the server, or in a storage that
   * cannot answer at once.
   *
   * @returns 4,096 bytes; do not write to them.
   */
  peek(pageIdx: number): Uint8Array | undefined {
    toPageIdx(pageIdx);
    this.#requireOpen();
    const { store, fetcher } = this.#parts;
    const found = store.find(this.#point, pageIdx);
    if (found === undefined) {
      const fetched = fetcher.peek(store.lsnOf(this.#point, pageIdx), pageIdx);
      return fetched && ownZeros(fetched);
    }
    if (!(found instanceof Promise)) return ownZeros(found);
    // whoever reads the page in earnest hears of the error
    found.catch(() => {});
    return undefined;
  }

  /** Whether a page can be read without the server. */
  has(pageIdx: number): boolean {
    this.#requireOpen();
    return !this.#parts.store.lacks(this.#point, toPageIdx(pageIdx));
  }

  /**
   * Fetches pages in the background, those that are not here; with pages that are read in the same turn
   * they are one request. Failures are told to nobody: whoever reads such a page meets them.
   *
   * @param pages From 1; beyond the page count there is nothing to fetch.
   */
  prefetch(pages: Iterable<number>): void {
    this.#requireOpen();
    const { store, fetcher } = this.#parts;
    for (const pageIdx of pages) {
      if (!store.lacks(this.#point, toPageIdx(pageIdx))) continue;
      // the fetcher's promises may fail unheard
      fetcher.fetch(store.lsnOf(this.#point, pageIdx), pageIdx);
    }
  }

  /** Lets go of the snapshot; once more does no harm. */
  close(): void {
    if (this.#isClosed) return;
    this.#forget();
    // a commit that is under way still needs it
    if (!this.#isLent) this.#parts.store.release(this.#point);
  }

  /** Closes it. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** Where it stands, for a commit, which releases it if it succeeds; {@linkcode takeBack} tells. */
  lend(): SnapshotPoint {
    this.#requireOpen();
    assert(!this.#isLent, "A snapshot is committed on once at a time");
    this.#isLent = true;
    return this.#point;
  }

  /** A commit has ended. */
  takeBack(isReleased: boolean): void {
    this.#isLent = false;
    if (isReleased && !this.#isClosed) this.#forget();
    if (!isReleased && this.#isClosed) this.#parts.store.release(this.#point);
  }

  #forget(): void {
    this.#isClosed = true;
    forgotten.unregister(this);
  }

  #requireOpen(): void {
    if (this.#parts.store.isClosed) {
      throw new GraftError("aborted", `Cannot read volume "${this.vid}": its replica is closed`);
    }
    if (!this.#isClosed) return;
    throw new GraftError("invalid", "Cannot read the snapshot: it is closed");
  }
}

/** The page of zeros is everybody's: who writes to a page in spite of all gets one of their own. */
function ownZeros(page: Uint8Array): Uint8Array {
  return page === ZERO_PAGE ? new Uint8Array(PAGE_SIZE) : page;
}
