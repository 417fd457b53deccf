/**
 * Which states somebody still reads, and what changed since.
 *
 * @module
 */

import { assert } from "../../../src/core/assert.ts";
import { PageSet } from "../../../src/core/page_set.ts";
import type { RemoteSnapshot } from "../remote/remote.ts";
import type { State } from "./rows.ts";

/** Where a snapshot stands. */
export interface SnapshotPoint {
  /** The state that it shows. */
  readonly state: State;
  /** What the state rested on. */
  readonly base: RemoteSnapshot | undefined;
  /** The last state that the server had then: later ones up to the snapshot's are local commits. */
  readonly pushed: State;
  /** How many pages it has. */
  readonly pageCount: number;
  /** The smallest page count of its local commits: what lies above and has no row is zeros. */
  readonly lowest: number;
}

interface Living {
  count: number;
  /** The smallest of the points at the state. */
  pushed: State;
}

interface ChangeSet {
  /** The newest state in which one of the pages changed. */
  state: State;
  pages: PageSet;
  /** More pages: those of small changes one by one, so that a small one costs little. */
  readonly few: Set<number>;
}

/** Up to so many pages a change is a small one. */
const FEW_PAGES_MAX = 64;
/** So many pages become a set. */
const MANY_PAGES = 4096;

/** The states that are read, and the pages that changed after the oldest of them. */
export class SnapshotPoints {
  readonly #living = new Map<State, Living>();
  /** Ascending by state. Changes that no living state lies between are one. */
  readonly #changes: ChangeSet[] = [];

  /** A state is read from now on. */
  hold({ state, pushed }: Pick<SnapshotPoint, "state" | "pushed">): void {
    const living = this.#living.get(state);
    if (living === undefined) this.#living.set(state, { count: 1, pushed });
    else {
      living.count++;
      living.pushed = Math.min(living.pushed, pushed);
    }
  }

  /** A state is read by one less. */
  release(state: State): void {
    const living = this.#living.get(state);
    assert(living !== undefined, "A snapshot that is released was held");
    if (--living.count === 0) this.#living.delete(state);
    const oldest = this.oldest;
    while (this.#changes.length > 0 && this.#changes[0].state <= oldest) this.#changes.shift();
  }

  /** The oldest state that is read; infinite where none is. */
  get oldest(): State {
    let oldest = Infinity;
    for (const state of this.#living.keys()) oldest = Math.min(oldest, state);
    return oldest;
  }

  /** Whether a state from `from` (inclusive) to `until` (exclusive) is read. */
  sees(from: State, until: State): boolean {
    for (const state of this.#living.keys()) {
      if (state >= from && state < until) return true;
    }
    return false;
  }

  /** Whether a state from `from` on is read in which what was made at `from` was not pushed yet. */
  seesUnpushed(from: State): boolean {
    for (const [state, { pushed }] of this.#living) {
      if (state >= from && pushed < from) return true;
    }
    return false;
  }

  /** A new state changed pages. */
  changed(state: State, pages: PageSet): void {
    if (this.#living.size === 0 || pages.size === 0) return;
    const last = this.#changes.at(-1);
    if (last === undefined || this.sees(last.state, state)) {
      this.#changes.push({ state, pages, few: new Set() });
      return;
    }
    last.state = state;
    if (pages.size > FEW_PAGES_MAX) last.pages = last.pages.union(pages);
    else for (const pageIdx of pages) last.few.add(pageIdx);
    if (last.few.size < MANY_PAGES) return;
    last.pages = last.pages.union(PageSet.from(last.few));
    last.few.clear();
  }

  /** Whether a page changed after a state, which must be held. */
  changedSince(state: State, pageIdx: number): boolean {
    for (let i = this.#changes.length - 1; i >= 0; i--) {
      const { state: changedAt, pages, few } = this.#changes[i];
      if (changedAt <= state) return false;
      if (few.has(pageIdx) || pages.has(pageIdx)) return true;
    }
    return false;
  }
}
