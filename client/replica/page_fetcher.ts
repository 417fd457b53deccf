/**
 * Pages on their way from the server.
 *
 * @module
 */

import { isGraftError } from "../../src/core/errors.ts";
import type { VolumeId } from "../../src/core/gid.ts";
import type { Lsn } from "../../src/core/lsn.ts";
import { PageSet } from "../../src/core/page_set.ts";
import { type Deferred, deferred } from "./deferred.ts";
import { ZERO_PAGE } from "./local/page_codec.ts";
import type { ReplicaRemote } from "./remote/remote.ts";
import type { SnapshotPoint } from "./local/snapshot_points.ts";

/** What a {@linkcode PageFetcher} is made of. */
export interface PageFetcherParts {
  readonly vid: VolumeId;
  readonly remote: ReplicaRemote;
  /** The newest state, held until it is released. */
  readonly hold: () => SnapshotPoint;
  readonly release: (point: SnapshotPoint) => void;
  /** Keeps pages that came, unless they changed since the point. */
  readonly keep: (point: SnapshotPoint, pages: ReadonlyMap<number, Uint8Array>) => Promise<void>;
  /** Which pages are worth fetching along with those that were missed; those that are here already do no good. */
  readonly prefetch: (missed: PageSet, point: SnapshotPoint) => Iterable<number>;
  /** Called when a request has ended; undefined: well. */
  readonly onEnd: (error: unknown) => void;
}

/** Pages of one request. */
export const REQUEST_PAGES_MAX = 1024;
/** Requests that are on their way at once. */
const REQUESTS_MAX = 4;
/** Pages that are kept together. */
const KEEP_PAGES = 256;

interface Waiting extends Deferred<Uint8Array> {
  /** The page, once it is here. */
  page?: Uint8Array;
}

/** Pages of one LSN that are asked for together. */
interface Wanted {
  readonly lsn: Lsn;
  readonly pages: Map<number, Waiting>;
}

/** Fetches pages. Misses that wait together become one request. */
export class PageFetcher {
  readonly #parts: PageFetcherParts;
  /** What is wanted, or on its way and not kept yet, by LSN. */
  readonly #waiting = new Map<Lsn, Map<number, Waiting>>();
  /** What the server was not asked for yet. */
  readonly #queue: Wanted[] = [];
  readonly #end = new AbortController();
  #isScheduled = false;
  readonly #requests = new Set<Promise<void>>();

  /** Nothing is fetched yet. */
  constructor(parts: PageFetcherParts) {
    this.#parts = parts;
  }

  /** A page at an LSN; do not write to it. */
  fetch(lsn: Lsn, pageIdx: number): Promise<Uint8Array> {
    const known = this.#waiting.get(lsn)?.get(pageIdx);
    if (known !== undefined) return known.promise;
    const last = this.#queue.at(-1);
    const isOpen = last?.lsn === lsn && last.pages.size < REQUEST_PAGES_MAX;
    const wanted: Wanted = isOpen ? last : { lsn, pages: new Map() };
    if (!isOpen) this.#queue.push(wanted);
    if (!this.#isScheduled) {
      this.#isScheduled = true;
      // all that is read in the same turn goes together
      queueMicrotask(() => this.#send());
    }
    return this.#expect(wanted, pageIdx).promise;
  }

  /** A page that has come and is not kept yet; undefined for any other. */
  peek(lsn: Lsn, pageIdx: number): Uint8Array | undefined {
    return this.#waiting.get(lsn)?.get(pageIdx)?.page;
  }

  /** Gives up what is under way; what came is kept. */
  async close(): Promise<void> {
    this.#end.abort();
    await Promise.all(this.#requests);
  }

  #expect({ lsn, pages }: Wanted, pageIdx: number): Waiting {
    const waiting: Waiting = deferred<Uint8Array>();
    // who waits hears of a failure; for pages that are fetched along nobody may wait
    waiting.promise.catch(() => {});
    const byPage = this.#waiting.get(lsn) ?? new Map<number, Waiting>();
    this.#waiting.set(lsn, byPage.set(pageIdx, waiting));
    pages.set(pageIdx, waiting);
    return waiting;
  }

  #send(): void {
    this.#isScheduled = false;
    while (this.#requests.size < REQUESTS_MAX) {
      const wanted = this.#queue.shift();
      if (wanted === undefined) return;
      const request = this.#request(wanted).finally(() => {
        this.#requests.delete(request);
        this.#send();
      });
      this.#requests.add(request);
    }
  }

  async #request(wanted: Wanted): Promise<void> {
    const { hold, release, onEnd } = this.#parts;
    const point = hold();
    const keeping: Promise<void>[] = [];
    try {
      this.#addPrefetched(wanted, point);
      await this.#receive(wanted, (pages) => {
        const kept = this.#keep(point, wanted.lsn, pages);
        // it is looked at when all pages have come
        kept.catch(() => {});
        keeping.push(kept);
      });
      await Promise.all(keeping);
      onEnd(undefined);
    } catch (error) {
      for (const waiting of wanted.pages.values()) waiting.reject(error);
      onEnd(error);
    } finally {
      await Promise.allSettled(keeping);
      this.#forget(wanted);
      release(point);
    }
  }

  /** Asks the server, and hands pages over in portions to be kept. */
  async #receive(
    { lsn, pages }: Wanted,
    keep: (pages: ReadonlyMap<number, Uint8Array>) => void,
  ): Promise<void> {
    const { vid, remote } = this.#parts;
    const absent = new Set(pages.keys());
    let arrived = new Map<number, Uint8Array>();
    const take = (pageIdx: number, page: Uint8Array) => {
      const waiting = pages.get(pageIdx);
      if (waiting !== undefined) waiting.page = page;
      waiting?.resolve(page);
      absent.delete(pageIdx);
      arrived.set(pageIdx, page);
      if (arrived.size < KEEP_PAGES) return;
      keep(arrived);
      arrived = new Map();
    };
    try {
      const wanted = PageSet.from(pages.keys());
      const onPage = (pageIdx: number, view: Uint8Array) => take(pageIdx, view.slice());
      await remote.readPages(vid, lsn, wanted, onPage, this.#end.signal);
      // what did not come does not exist
      for (const pageIdx of [...absent]) take(pageIdx, ZERO_PAGE);
    } finally {
      if (arrived.size > 0) keep(arrived);
    }
  }

  /** Keeps pages of the newest snapshot. That there is no room for them is no harm. */
  async #keep(
    point: SnapshotPoint,
    lsn: Lsn,
    pages: ReadonlyMap<number, Uint8Array>,
  ): Promise<void> {
    if (point.base?.lsn !== lsn) return;
    try {
      await this.#parts.keep(point, pages);
    } catch (error) {
      if (!isGraftError(error, "unavailable")) throw error;
    }
  }

  #addPrefetched(wanted: Wanted, point: SnapshotPoint): void {
    if (point.base?.lsn !== wanted.lsn) return;
    const known = this.#waiting.get(wanted.lsn);
    for (const pageIdx of this.#parts.prefetch(PageSet.from(wanted.pages.keys()), point)) {
      if (wanted.pages.size >= REQUEST_PAGES_MAX) return;
      if (known?.has(pageIdx) !== true) this.#expect(wanted, pageIdx);
    }
  }

  #forget({ lsn, pages }: Wanted): void {
    const byPage = this.#waiting.get(lsn);
    for (const pageIdx of pages.keys()) byPage?.delete(pageIdx);
    if (byPage?.size === 0) this.#waiting.delete(lsn);
  }
}
