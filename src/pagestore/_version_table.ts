// Versions of pages, as linked lists in typed arrays.
//
// A page's versions form a list from the newest to the oldest. Besides the link to its predecessor every
// version holds a jump to an older one, placed so that any ancestor is found in O(log n) steps (E. Myers,
// "An applicative random-access stack", 1983). A read at an old LSN therefore costs about the same as one
// at the head, however often the page was rewritten in between. 26 bytes a version.

import { assert } from "../core/assert.ts";

/** The version every list ends with: before all LSNs, without a page. */
export const NO_VERSION = 0;
/** The segment slot of a version that says: the page was cut off here. */
export const CUT_OFF = 0xffff_ffff;

const BYTES_PER_VERSION = 26;
const INITIAL_CAPACITY = 64;

/** All versions of a volume's pages. LSNs are kept as u32 distances from the index's base. */
export class VersionTable {
  #count = 1;
  #page = new Uint32Array(INITIAL_CAPACITY);
  #distance = new Uint32Array(INITIAL_CAPACITY);
  #segment = new Uint32Array(INITIAL_CAPACITY).fill(CUT_OFF, 0, 1);
  #rank = new Uint16Array(INITIAL_CAPACITY);
  #older = new Uint32Array(INITIAL_CAPACITY);
  #jump = new Uint32Array(INITIAL_CAPACITY);
  #depth = new Uint32Array(INITIAL_CAPACITY);

  /** Versions held, without the end marker. */
  get count(): number {
    return this.#count - 1;
  }

  /** Bytes of the arrays. */
  get memoryBytes(): number {
    return this.#distance.length * BYTES_PER_VERSION;
  }

  /** The slot of the segment that holds this version, or {@linkcode CUT_OFF}. */
  segment(version: number): number {
    return this.#segment[version];
  }

  /** The page's rank in the page set of that segment. */
  rank(version: number): number {
    return this.#rank[version];
  }

  /** The pages of the versions from number `first` to number `last`, in the order of the versions: a view. */
  pages(first: number, last: number): Uint32Array {
    return this.#page.subarray(first, last + 1);
  }

  /** Puts a version of a page in front of the list that starts at `older`; returns its number. */
  push(page: number, older: number, distance: number, segment: number, rank: number): number {
    assert(distance > this.#distance[older], "Versions of a page must come in the order of LSNs");
    if (this.#count === this.#distance.length) this.#grow();
    const version = this.#count++;
    const jump = this.#jump[older];
    const same = this.#depth[older] - this.#depth[jump] ===
      this.#depth[jump] - this.#depth[this.#jump[jump]];
    this.#page[version] = page;
    this.#distance[version] = distance;
    this.#segment[version] = segment;
    this.#rank[version] = rank;
    this.#older[version] = older;
    this.#jump[version] = same ? this.#jump[jump] : older;
    this.#depth[version] = this.#depth[older] + 1;
    return version;
  }

  /** The newest version in the list from `version` on at or below `distance`. */
  at(version: number, distance: number): number {
    let found = version;
    while (this.#distance[found] > distance) found = this.step(found, distance);
    return found;
  }

  /** From a version above `distance` to an older one that is not past the wanted. */
  protected step(version: number, distance: number): number {
    const jump = this.#jump[version];
    return this.#distance[jump] > distance ? jump : this.#older[version];
  }

  #grow(): void {
    const capacity = this.#distance.length * 2;
    const grown = <T extends Uint32Array | Uint16Array>(to: T, from: T): T => {
      to.set(from);
      return to;
    };
    this.#page = grown(new Uint32Array(capacity), this.#page);
    this.#distance = grown(new Uint32Array(capacity), this.#distance);
    this.#segment = grown(new Uint32Array(capacity), this.#segment);
    this.#rank = grown(new Uint16Array(capacity), this.#rank);
    this.#older = grown(new Uint32Array(capacity), this.#older);
    this.#jump = grown(new Uint32Array(capacity), this.#jump);
    this.#depth = grown(new Uint32Array(capacity), this.#depth);
  }
}
