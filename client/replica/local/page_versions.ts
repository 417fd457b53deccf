/**
 * Versions of pages that are not the newest any more, for whoever still reads them.
 *
 * @module
 */

import type { PageRow } from "./page_rows.ts";
import type { State } from "./rows.ts";

/** A page as it was from one state (inclusive) to another (exclusive). */
export interface PageVersion {
  /** Where it is, unless the page itself is in memory (`row.page`). */
  readonly row: PageRow;
  /** The state that made the next version. */
  readonly until: State;
  /** Whether the row is in the storage; else the page is in memory only. */
  readonly isStored: boolean;
}

/** Versions by page. */
export class PageVersions {
  readonly #byPage = new Map<number, PageVersion[]>();
  /** Ascending by the state that superseded them. */
  #all: PageVersion[] = [];

  /** How many there are. */
  get count(): number {
    return this.#all.length;
  }

  /** Keeps a version. */
  add(version: PageVersion): void {
    const { pageIdx } = version.row;
    const versions = this.#byPage.get(pageIdx);
    if (versions === undefined) this.#byPage.set(pageIdx, [version]);
    else versions.push(version);
    const isInOrder = version.until >= (this.#all.at(-1)?.until ?? 0);
    this.#all.push(version);
    if (!isInOrder) this.#all.sort((a, b) => a.until - b.until);
  }

  /** A page's version as of a state. */
  at(pageIdx: number, state: State): PageRow | undefined {
    return this.#byPage.get(pageIdx)?.find(({ row, until }) => row.state <= state && state < until)
      ?.row;
  }

  /** All versions of a page. */
  of(pageIdx: number): readonly PageVersion[] {
    return this.#byPage.get(pageIdx) ?? [];
  }

  /** Forgets all versions of a page. */
  forget(pageIdx: number): void {
    const gone = this.#byPage.get(pageIdx);
    if (gone === undefined) return;
    this.#byPage.delete(pageIdx);
    this.#all = this.#all.filter((version) => version.row.pageIdx !== pageIdx);
  }

  /**
   * Forgets what nobody sees any more now that a state is not read any more.
   *
   * @param isSeen Whether a state from one (inclusive) to another (exclusive) is still read.
   * @returns The keys of what is in the storage.
   */
  prune(released: State, isSeen: (from: State, until: State) => boolean): string[] {
    // most states that are released are among the newest: then there is little to look at
    const later = this.#all.splice(firstAfter(this.#all, released));
    const keys: string[] = [];
    for (const version of later) {
      const { row, until } = version;
      if (row.state > released || isSeen(row.state, until)) this.#all.push(version);
      else keys.push(...this.#drop(version));
    }
    return keys;
  }

  #drop(version: PageVersion): string[] {
    const { row, isStored } = version;
    const rest = this.of(row.pageIdx).filter((other) => other !== version);
    if (rest.length === 0) this.#byPage.delete(row.pageIdx);
    else this.#byPage.set(row.pageIdx, rest);
    return isStored ? [row.key] : [];
  }
}

/** Where the versions begin that were superseded after a state. */
function firstAfter(versions: readonly PageVersion[], state: State): number {
  let first = versions.length;
  while (first > 0 && versions[first - 1].until > state) first--;
  return first;
}
