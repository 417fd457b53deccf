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
  /** In the order in which they were superseded. */
  #all: PageVersion[] = [];

  /** Keeps a version. */
  add(version: PageVersion): void {
    const { pageIdx } = version.row;
    const versions = this.#byPage.get(pageIdx);
    if (versions === undefined) this.#byPage.set(pageIdx, [version]);
    else versions.push(version);
    this.#all.push(version);
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

  /** Forgets what no state from `oldest` on sees; returns the keys of what is in the storage. */
  prune(oldest: State): string[] {
    const keys: string[] = [];
    let count = 0;
    for (const version of this.#all) {
      if (version.until > oldest) break;
      count++;
      const { row } = version;
      if (version.isStored) keys.push(row.key);
      const rest = this.of(row.pageIdx).filter((other) => other !== version);
      if (rest.length === 0) this.#byPage.delete(row.pageIdx);
      else this.#byPage.set(row.pageIdx, rest);
    }
    this.#all.splice(0, count);
    return keys;
  }
}
