/**
 * The local commits that the server does not have.
 *
 * @module
 */

import type { LocalPages } from "./local_pages.ts";
import { lastToPush, LineCuts } from "./push_bounds.ts";
import type { LocalCommit, State } from "./rows.ts";

/** Local commits, oldest first, and what each of their pages was where the line can be cut. */
export class LocalLine {
  readonly #pages: LocalPages;
  #commits: LocalCommit[];
  #lowest: number;
  /** Where the line can be cut although pages were written again since; these states are held. */
  #cuts!: LineCuts;

  /** @param pushed The last state that the server has. */
  constructor(pages: LocalPages, commits: readonly LocalCommit[], pushed: State) {
    this.#pages = pages;
    this.#commits = [...commits];
    this.#lowest = lowestOf(commits);
    this.#cut(pushed);
  }

  /** The commits, oldest first. */
  get commits(): readonly LocalCommit[] {
    return this.#commits;
  }

  /** How many pages the volume has from the newest commit on; undefined where there is none. */
  get pageCount(): number | undefined {
    return this.#commits.at(-1)?.pageCount;
  }

  /** The smallest page count of the commits: what lies above and has no row is zeros. Infinite where there is none. */
  get lowest(): number {
    return this.#lowest;
  }

  /** The commits up to a state. */
  upTo(last: State): LocalCommit[] {
    return this.#commits.filter(({ state }) => state <= last);
  }

  /** A commit follows. */
  add(commit: LocalCommit, pushed: State): void {
    this.#commits.push(commit);
    // a line that only grew has one more to look at, however long it is
    this.#lowest = Math.min(this.#lowest, commit.pageCount);
    if (this.#cuts.add(commit)) this.#pages.points.hold({ state: commit.state, pushed });
  }

  /** The server has the commits up to a state. */
  drop(last: State): void {
    this.#commits = this.#commits.filter(({ state }) => state > last);
    this.#lowest = lowestOf(this.#commits);
    for (const state of this.#cuts.dropUpTo(last)) this.#pages.release(state);
  }

  /** The commits are about to be given up: what only a cut needs may go. */
  uncut(): void {
    for (const state of this.#cuts.dropUpTo(Infinity)) this.#pages.release(state);
  }

  /** Others take the place of all commits, whose cuts were given up. */
  replace(commits: readonly LocalCommit[], pushed: State): void {
    this.#commits = [...commits];
    this.#lowest = lowestOf(commits);
    this.#cut(pushed);
  }

  /**
   * The last state of a push of the commits up to a state, which there must be.
   *
   * @param pagesMax How many pages it may have; a single commit may have more.
   */
  lastToPush(end: State, pagesMax: number, pushed: State): State {
    const at = (pageIdx: number, state: State) => {
      const newest = this.#pages.rows.get(pageIdx);
      return newest !== undefined && newest.state <= state
        ? newest
        : this.#pages.versionAt(pageIdx, state);
    };
    return lastToPush(this.upTo(end), pagesMax, this.#cuts, {
      newest: (pageIdx) => at(pageIdx, end)?.state,
      isKept: (pageIdx, cut) => (at(pageIdx, cut)?.state ?? 0) > pushed,
    });
  }

  #cut(pushed: State): void {
    this.#cuts = new LineCuts(this.#commits);
    for (const state of this.#cuts.states) this.#pages.points.hold({ state, pushed });
  }
}

/** The smallest page count of local commits; infinite where there is none. */
export function lowestOf(line: readonly LocalCommit[]): number {
  let lowest = Infinity;
  for (const { pageCount } of line) lowest = Math.min(lowest, pageCount);
  return lowest;
}
