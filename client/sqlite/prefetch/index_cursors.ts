/**
 * Rows of tables that are read in the order of an index.
 *
 * @module
 */

import type { BTreeMap, Direction, Place } from "./b_tree_map.ts";
import { indexedRowids } from "./b_tree_page.ts";
import type { WantedPages } from "./wanted_pages.ts";

/** A leaf of an index whose entries are followed to rows. */
interface Cursor {
  readonly leafIdx: number;
  readonly page: Uint8Array;
  /** The rowids of its entries, once they are looked at. */
  rowids: Float64Array | undefined;
  /** The entry whose row was read last; -1 for none. */
  at: number;
  direction: Direction;
  /** How many entries were used, those of the leaves before it too. */
  used: number;
}

const NO_ROWIDS = new Float64Array();
/** Leaves that are followed at once: those of a join. */
const CURSORS_MAX = 8;
/** Rows that are fetched ahead, for each that was used. */
const AHEAD = 0.2;
const AHEAD_MIN = 4;
/** Entries that may lie between two whose pages are missed: those in between lead to pages that are here. */
const SKIP_MAX = 256;

/**
 * Follows the entries of index leaves to the rows of tables. From the second row on it fetches the pages of the rows
 * that follow, and the leaves of the index that follow, as one set.
 */
export class IndexCursors {
  readonly #map: BTreeMap;
  readonly #peek: (pageIdx: number) => Uint8Array | undefined;
  /** The one that was used last stands first. */
  #cursors: Cursor[] = [];

  /** @param peek A page that is here, at once. */
  constructor(map: BTreeMap, peek: (pageIdx: number) => Uint8Array | undefined) {
    this.#map = map;
    this.#peek = peek;
  }

  /** A leaf of an index is read. */
  read(leafIdx: number, page: Uint8Array): void {
    const [newest] = this.#cursors;
    if (newest?.leafIdx === leafIdx && newest.page === page) return;
    const at = this.#cursors.findIndex((cursor) => cursor.leafIdx === leafIdx);
    if (at >= 0) this.#cursors.splice(at, 1);
    const before = this.#cursors.find((cursor) => this.#follows(cursor, leafIdx));
    const { used, direction } = before ?? { used: 0, direction: 1 as const };
    this.#cursors.unshift({ leafIdx, page, rowids: undefined, at: -1, direction, used });
    if (this.#cursors.length > CURSORS_MAX) this.#cursors.pop();
  }

  /** Adds what is wanted next where a page of a table is missed to which an entry leads. */
  addAhead(place: Place, wanted: WantedPages): void {
    if (!place.node.isTable) return;
    for (let i = 0; i < this.#cursors.length; i++) {
      const cursor = this.#cursors[i];
      const leads = this.#entriesTo(cursor, place);
      const next = this.#next(cursor, leads, place);
      const found = next ?? this.#any(cursor, leads);
      if (found === undefined) continue;
      if (next !== undefined && cursor.at >= 0) cursor.direction = next > cursor.at ? 1 : -1;
      cursor.used += next === undefined || cursor.at < 0 ? 1 : Math.abs(next - cursor.at);
      const isFirst = next === undefined || cursor.used < 2;
      cursor.at = found;
      if (i > 0) this.#cursors.unshift(...this.#cursors.splice(i, 1));
      if (!isFirst) this.#addRows(cursor, place, wanted);
      return;
    }
  }

  /** Forgets everything. */
  clear(): void {
    this.#cursors = [];
  }

  /** Whether a leaf stands beside that of a cursor. */
  #follows({ leafIdx, direction }: Cursor, nextIdx: number): boolean {
    return this.#besideLeaf(leafIdx, direction) === nextIdx;
  }

  #besideLeaf(leafIdx: number, direction: Direction): number | undefined {
    const place = this.#map.place(leafIdx);
    if (place === undefined) return undefined;
    const sibling = place.node.children[place.position + direction];
    if (sibling !== undefined) return sibling;
    const besideIdx = this.#map.beside(place.node, direction);
    const beside = besideIdx === undefined ? undefined : this.#map.node(besideIdx);
    return beside === undefined ? besideIdx : beside.children.at(direction === 1 ? 0 : -1);
  }

  /** Whether an entry leads to a page of a table. */
  #entriesTo(cursor: Cursor, place: Place): (entry: number) => boolean {
    const { above, upTo } = this.#map.rowidsBelow(place);
    const rowids = cursor.rowids ??= indexedRowids(cursor.leafIdx, cursor.page);
    return (entry) => above < rowids[entry] && rowids[entry] <= upTo;
  }

  /** The entry that comes next: after the last one, with nothing between them that has to be fetched. */
  #next(
    { at, rowids = NO_ROWIDS, direction, used }: Cursor,
    leads: (entry: number) => boolean,
    place: Place,
  ): number | undefined {
    // a leaf that is read on to is read from its end
    const from = at >= 0 ? at : used === 0 ? undefined : direction === 1 ? -1 : rowids.length;
    if (from === undefined) return undefined;
    for (const step of at < 0 ? [direction] : [direction, -direction]) {
      for (let skipped = 0; skipped < SKIP_MAX; skipped++) {
        const entry = from + step * (skipped + 1);
        if (leads(entry)) return entry;
        if (!(entry >= 0 && entry < rowids.length) || !this.#isHere(rowids[entry], place)) break;
      }
    }
    return undefined;
  }

  /** Any entry that leads to a page, the one that is nearest to the last. */
  #any({ at, rowids = NO_ROWIDS }: Cursor, leads: (entry: number) => boolean): number | undefined {
    let nearest: number | undefined;
    for (let entry = 0; entry < rowids.length; entry++) {
      if (!leads(entry)) continue;
      if (nearest === undefined || Math.abs(entry - at) < Math.abs(nearest - at)) nearest = entry;
    }
    return nearest;
  }

  #isHere(rowid: number, place: Place): boolean {
    const leaf = this.#map.leafOf(rowid, place);
    return leaf !== undefined && this.#peek(leaf) !== undefined;
  }

  #addRows(cursor: Cursor, place: Place, wanted: WantedPages): void {
    let count = Math.max(AHEAD_MIN, Math.ceil(cursor.used * AHEAD));
    let { leafIdx, rowids = NO_ROWIDS } = cursor;
    const { direction } = cursor;
    for (let i = cursor.at + direction; count > 0 && !wanted.isFull; i += direction) {
      if (i >= 0 && i < rowids.length) {
        const leaf = this.#map.leafOf(rowids[i], place);
        if (leaf !== undefined) wanted.add(leaf);
        count--;
        continue;
      }
      const nextIdx = this.#besideLeaf(leafIdx, direction);
      if (nextIdx === undefined) return;
      const page = this.#peek(nextIdx);
      if (page === undefined) return wanted.add(nextIdx);
      rowids = indexedRowids(nextIdx, page);
      if (rowids.length === 0) return;
      leafIdx = nextIdx;
      i = direction === 1 ? -1 : rowids.length;
    }
  }
}
