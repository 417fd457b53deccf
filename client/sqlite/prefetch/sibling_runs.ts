/**
 * Pages that are read in the order of their keys.
 *
 * @module
 */

import type { BTreeMap, Direction } from "./b_tree_map.ts";
import type { WantedPages } from "./wanted_pages.ts";

/** Reading that goes from sibling to sibling. */
interface Run {
  /** The page that was read last. */
  last: number;
  /** Where that is; see {@linkcode BTreeMap.placeNumber}. */
  place: number;
  direction: Direction | 0;
  /** How many were read. */
  used: number;
}

/** Runs that are followed at once: those of a join. */
const RUNS_MAX = 8;
/** Siblings that are fetched ahead, for each that was read. */
const AHEAD = 0.5;

/**
 * Follows reading that goes through a table or an index. From the second sibling in a row on it fetches ahead,
 * half as many as were read: what is never read stays a small part.
 */
export class SiblingRuns {
  readonly #map: BTreeMap;
  /** The one that was continued last stands first. */
  #runs: Run[] = [];

  /** Nothing was read. */
  constructor(map: BTreeMap) {
    this.#map = map;
  }

  /** A page is read. */
  read(pageIdx: number): void {
    const place = this.#map.placeNumber(pageIdx);
    if (place === undefined) return;
    const [newest] = this.#runs;
    if (newest?.last === pageIdx) return;
    if (newest !== undefined && continues(newest, place)) return step(newest, pageIdx, place);
    this.#readOther(pageIdx, place);
  }

  /** Adds what the run wants next whose newest page this is. */
  addAhead(pageIdx: number, wanted: WantedPages): void {
    const run = this.#runs.find(({ last }) => last === pageIdx);
    if (run === undefined || run.used < 2 || run.direction === 0) return;
    let count = Math.ceil(run.used * AHEAD);
    const place = this.#map.place(pageIdx);
    let node = place?.node;
    let at = (place?.position ?? 0) + run.direction;
    while (node !== undefined && count > 0 && !wanted.isFull) {
      if (at >= 0 && at < node.children.length) {
        wanted.add(node.children[at]);
        at += run.direction;
        count--;
        continue;
      }
      const besideIdx = this.#map.beside(node, run.direction);
      if (besideIdx === undefined) return;
      // where it is not here it is to come along, so that the next time goes on below it
      wanted.add(besideIdx);
      node = this.#map.node(besideIdx);
      at = run.direction === 1 ? 0 : (node?.children.length ?? 0) - 1;
    }
    if (node !== undefined) this.#addBeside(node, at, run, wanted);
  }

  /** Forgets everything. */
  clear(): void {
    this.#runs = [];
  }

  /** Where the next time is going to reach the end of an interior page, the next one comes along already. */
  #addBeside(
    node: { readonly pageIdx: number; readonly children: Uint32Array },
    at: number,
    run: Run,
    wanted: WantedPages,
  ): void {
    const left = run.direction === 1 ? node.children.length - at : at + 1;
    if (left > run.used) return;
    const known = this.#map.node(node.pageIdx);
    const besideIdx = known && this.#map.beside(known, run.direction || 1);
    if (besideIdx !== undefined) wanted.add(besideIdx);
  }

  #readOther(pageIdx: number, place: number): void {
    let at = this.#runs.findIndex((run) => run.last === pageIdx || continues(run, place));
    if (at < 0) at = this.#runs.findIndex((run) => this.#crosses(run, pageIdx));
    const run = at < 0
      ? { last: pageIdx, place, direction: 0 as const, used: 1 }
      : this.#runs.splice(at, 1)[0];
    if (run.last !== pageIdx) {
      // from one interior page to the next
      if (!continues(run, place)) run.place = place - run.direction;
      step(run, pageIdx, place);
    }
    this.#runs.unshift(run);
    if (this.#runs.length > RUNS_MAX) this.#runs.pop();
  }

  /** Whether a page is the first below the interior page beside the one that a run was below. */
  #crosses(run: Run, pageIdx: number): boolean {
    if (run.direction === 0) return false;
    const [from, to] = [this.#map.place(run.last), this.#map.place(pageIdx)];
    if (from === undefined || to === undefined) return false;
    const isEnd = to.position === (run.direction === 1 ? 0 : to.node.children.length - 1);
    return isEnd && this.#map.beside(from.node, run.direction) === to.node.pageIdx;
  }
}

function continues({ place, direction }: Run, next: number): boolean {
  const difference = next - place;
  return direction === 0 ? Math.abs(difference) === 1 : difference === direction;
}

function step(run: Run, pageIdx: number, place: number): void {
  run.direction = place > run.place ? 1 : -1;
  run.last = pageIdx;
  run.place = place;
  run.used++;
}
