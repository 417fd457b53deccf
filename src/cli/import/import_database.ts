/**
 * From a file to a volume, in commits that may be interrupted.
 *
 * @module
 */

import type { PageToWrite } from "../../../client/mod.ts";
import { GraftError, isGraftError } from "../../core/errors.ts";
import type { ClientId } from "../../core/gid.ts";
import { PAGE_SIZE } from "../../core/limits.ts";
import { ContentMark } from "./content_mark.ts";

/** Pages of one commit: 4 MiB. */
const PORTION_PAGES = 1024;

/** The pages that are imported; see `SourceDatabase`. */
export interface ImportSource {
  /** How many pages there are, at least 1. */
  readonly pageCount: number;
  /** Reads pages one after another, from an index on, into a buffer of their own. */
  read(first: number, count: number): Promise<Uint8Array<ArrayBuffer>>;
  /** Throws where they are not what they were. */
  assertUnchanged(): void;
}

/** A volume at its newest LSN. */
export interface VolumeHead {
  /** The LSN. */
  readonly lsn: number;
  /** Who committed it. */
  readonly cid: string;
  /** How many pages it has. */
  readonly pageCount: number;
}

/** The volume that is written. */
export interface ImportTarget {
  /** The volume. */
  readonly vid: string;
  /** The newest snapshot; undefined where the volume does not exist yet. */
  head(): Promise<VolumeHead | undefined>;
  /** Commits pages on the snapshot at `base`. */
  push(
    cid: ClientId,
    base: number | undefined,
    pages: readonly PageToWrite[],
    pageCount: number,
  ): Promise<VolumeHead>;
}

/** How an import goes. */
export interface ImportOptions {
  /** Told how many pages are done. */
  readonly onProgress?: (pages: number) => void;
  /** Pages of one commit, at least 1; default 1024. */
  readonly portionPages?: number;
}

/** What an import did. */
export interface Imported {
  /** The volume at the last commit. */
  readonly head: VolumeHead;
  /** How many pages were there already. */
  readonly pagesFound: number;
}

/**
 * Writes a database into a volume without pages, or goes on with an import that was interrupted.
 *
 * Pages are committed from the second on, a few megabytes at a time, and the first, without which nobody
 * takes the volume for a database, with the last of them. Each commit is made by a client id that stands for
 * the content so far ({@linkcode ContentMark}). Pages of zeros are not sent: what is not written reads so.
 *
 * @throws {GraftError} `conflict` where the volume has other content, or another client commits to it.
 */
export async function importDatabase(
  source: ImportSource,
  target: ImportTarget,
  options: ImportOptions = {},
): Promise<Imported> {
  const found = await target.head();
  const run = new ImportRun(source, target, found, options);
  const pagesFound = await run.skipFound();
  return { head: await run.writeRest(pagesFound), pagesFound };
}

/** Pages that are committed together. */
interface Portion {
  /** What the pages are views of. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly pages: PageToWrite[];
  /** The volume's page count with them. */
  readonly end: number;
  readonly cid: ClientId;
}

class ImportRun {
  readonly #source: ImportSource;
  readonly #target: ImportTarget;
  readonly #options: ImportOptions;
  readonly #portionPages: number;
  readonly #mark = new ContentMark();
  #head: VolumeHead | undefined;

  constructor(
    source: ImportSource,
    target: ImportTarget,
    head: VolumeHead | undefined,
    options: ImportOptions,
  ) {
    this.#source = source;
    this.#target = target;
    this.#head = head;
    this.#options = options;
    this.#portionPages = options.portionPages ?? PORTION_PAGES;
  }

  /** Compares what the volume has with the file, and returns how many of its pages are there. */
  async skipFound(): Promise<number> {
    const { pageCount, cid } = this.#head ?? { pageCount: 0, cid: "" };
    if (pageCount === 0) return 0;
    const { pageCount: wanted } = this.#source;
    if (pageCount > wanted) throw this.#otherContent();
    for (let first = 2; first <= pageCount; first += this.#portionPages) {
      const count = Math.min(this.#portionPages, pageCount - first + 1);
      const bytes = await this.#source.read(first, count);
      this.#mark.add(bytes);
      // V8 would let some 64 MiB of such buffers gather before it frees one
      bytes.buffer.transfer(0);
    }
    if (pageCount === wanted) this.#mark.add(await this.#source.read(1, 1));
    if (this.#mark.clientId() !== cid) throw this.#otherContent();
    return pageCount;
  }

  /** Writes what follows the pages that are there. */
  async writeRest(pagesDone: number): Promise<VolumeHead> {
    const { pageCount } = this.#source;
    this.#options.onProgress?.(pagesDone);
    // the first page goes last
    let next = pagesDone < pageCount ? this.#portion(Math.max(pagesDone, 1)) : undefined;
    while (next !== undefined) {
      const portion: Portion = await next;
      // read while the one before is sent
      next = portion.end < pageCount ? this.#portion(portion.end) : undefined;
      next?.catch(() => {});
      this.#head = await this.#push(portion);
      portion.bytes.buffer.transfer(0);
      this.#options.onProgress?.(portion.end);
    }
    if (this.#head === undefined) throw new Error("An import ended without a commit");
    return this.#head;
  }

  /** Reads the portion behind the first `done` pages. */
  async #portion(done: number): Promise<Portion> {
    const end = Math.min(done + this.#portionPages, this.#source.pageCount);
    const bytes = await this.#source.read(done + 1, end - done);
    this.#mark.add(bytes);
    const pages = pagesOf(bytes, done + 1);
    if (end === this.#source.pageCount) {
      const first = await this.#source.read(1, 1);
      this.#mark.add(first);
      pages.unshift([1, first]);
      this.#source.assertUnchanged();
    }
    return { bytes, pages, end, cid: this.#mark.clientId() };
  }

  async #push({ cid, pages, end }: Portion): Promise<VolumeHead> {
    try {
      return await this.#target.push(cid, this.#head?.lsn, pages, end);
    } catch (error) {
      if (!isGraftError(error, "conflict")) throw error;
      // a commit of an interrupted run may have landed after this one looked
      const head = await this.#target.head();
      if (head?.cid === cid && head.pageCount === end) return head;
      throw new GraftError(
        "conflict",
        `Cannot import into volume "${this.#target.vid}": another client commits to it`,
        { cause: error },
      );
    }
  }

  #otherContent(): GraftError {
    const { vid } = this.#target;
    return new GraftError(
      "conflict",
      `Cannot import into volume "${vid}": it has other content than this file begins with`,
      {
        hint: "Leave out --volume for a new volume, or give --replace to commit over what is there",
      },
    );
  }
}

/** Pages with their indexes, without those of zeros. */
function pagesOf(bytes: Uint8Array, first: number): PageToWrite[] {
  const pages: PageToWrite[] = [];
  for (let at = 0; at < bytes.length; at += PAGE_SIZE) {
    const page = bytes.subarray(at, at + PAGE_SIZE);
    if (page.some((byte) => byte !== 0)) pages.push([first + at / PAGE_SIZE, page]);
  }
  return pages;
}
