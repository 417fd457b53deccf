/**
 * Which segment holds a page at an LSN, and what changed between two LSNs.
 *
 * @module
 */

import { assert } from "../core/assert.ts";
import { digestsEqual, EMPTY_DIGEST } from "../core/content_digest.ts";
import { GraftError } from "../core/errors.ts";
import type { SegmentId, VolumeId } from "../core/gid.ts";
import type { Lsn, LsnRange } from "../core/lsn.ts";
import { PageSet } from "../core/page_set.ts";
import type { CommitRecord } from "../log/commit_log.ts";
import { PackedRecords } from "./_packed_records.ts";
import { PageTable } from "./_page_table.ts";
import { U32List } from "./_u32_list.ts";
import { CUT_OFF, NO_VERSION, VersionTable } from "./_version_table.ts";

/** Where the versions of some pages are: one entry a page that exists, in parallel arrays. */
export interface Located {
  /** How many pages exist; only that many entries of each array count. */
  readonly count: number;
  /** The page's index. */
  readonly indexes: Uint32Array;
  /** The slot of the segment; {@linkcode VolumeIndex.segment} names it. */
  readonly segments: Uint32Array;
  /** The page's rank in the segment's page set. */
  readonly ranks: Uint16Array;
}

/** What the id of a segment costs with its place in the map. */
const SEGMENT_BYTES = 150;
/** Unions remembered: a range of LSNs never changes, and many replicas ask for the same one. */
const UNIONS_MAX = 8;
/** Larger ones are made anew: they are few, and must not add up to more than the index itself. */
const UNION_BYTES_MAX = 16 * 1024;

/**
 * The index of one volume: its line of commits and, for each page, the versions that it had.
 *
 * It is filled by {@linkcode VolumeIndex.apply}, one record after the other from LSN 1, and answers from
 * memory. A page cut off by a smaller page count gets a version that says so, so that it stays gone when
 * the volume grows again; each such version stands against one that was written, so that they at most
 * double the table.
 */
export class VolumeIndex {
  /** The volume. */
  readonly vid: VolumeId;
  readonly #records: PackedRecords;
  /** By LSN: the page count, and how many versions there were when it had been applied. */
  readonly #pageCounts = new U32List();
  readonly #versionCounts = new U32List();
  readonly #pages = new PageTable();
  readonly #versions = new VersionTable();
  readonly #segments: SegmentId[] = [];
  readonly #slots = new Map<SegmentId, number>();
  readonly #unions = new Map<string, PageSet>();
  #unionBytes = 0;
  #pageCountMax = 0;

  /** An index that has seen no commit. */
  constructor(vid: VolumeId) {
    this.vid = vid;
    this.#records = new PackedRecords(vid);
  }

  /** The newest LSN applied; 0 before the first. */
  get headLsn(): number {
    return this.#records.count;
  }

  /** The largest page count that the volume ever had. */
  get pageCountMax(): number {
    return this.#pageCountMax;
  }

  /** About how many bytes this index takes. */
  get memoryBytes(): number {
    return this.#records.memoryBytes + this.#unionBytes + this.#pages.memoryBytes +
      this.#versions.memoryBytes + this.#pageCounts.memoryBytes + this.#versionCounts.memoryBytes +
      this.#segments.length * SEGMENT_BYTES;
  }

  /** The segment in a slot. */
  segment(slot: number): SegmentId {
    return this.#segments[slot];
  }

  /** The record at an LSN up to the head. */
  record(lsn: Lsn): CommitRecord {
    assert(lsn >= 1 && lsn <= this.headLsn, "An index is asked for a record that it does not hold");
    return this.#records.at(lsn);
  }

  /**
   * Adds the commit after the head.
   *
   * @throws {GraftError} `damaged` when the record does not follow from the one before it.
   */
  apply(record: CommitRecord): void {
    assert(record.vid === this.vid, "A record of another volume was applied");
    this.#checkFollows(record);
    if (record.pageCount < this.#pageCountAt(this.headLsn)) this.#cutOff(record);
    this.#records.push(record);
    this.#pageCounts.push(record.pageCount);
    this.#pageCountMax = Math.max(this.#pageCountMax, record.pageCount);
    for (const use of record.segments) this.#addSegment(record.lsn, use.sid, use.pageSet);
    this.#versionCounts.push(this.#versions.count);
  }

  #checkFollows(record: CommitRecord): void {
    const parent = this.#records.newest;
    const follows = record.lsn === this.headLsn + 1 &&
      digestsEqual(record.parentDigest, parent?.digest ?? EMPTY_DIGEST);
    if (follows) return;
    throw new GraftError(
      "damaged",
      `Cannot read volume "${this.vid}": the record at LSN ${record.lsn} does not follow LSN ${this.headLsn}`,
      { hint: "The log is damaged: restore it, or report how it came to this" },
    );
  }

  #addSegment(lsn: Lsn, sid: SegmentId, pageSet: PageSet): void {
    const slot = this.#slotOf(sid);
    const members = pageSet.toArray();
    for (let rank = 0; rank < members.length; rank++) {
      const older = this.#pages.get(members[rank]);
      this.#pages.set(members[rank], this.#versions.push(members[rank], older, lsn, slot, rank));
    }
  }

  #slotOf(sid: SegmentId): number {
    let slot = this.#slots.get(sid);
    if (slot === undefined) {
      slot = this.#segments.push(sid) - 1;
      this.#slots.set(sid, slot);
    }
    return slot;
  }

  #cutOff(record: CommitRecord): void {
    this.#pages.replaceAbove(
      record.pageCount,
      (version, pageIdx) =>
        this.#versions.segment(version) === CUT_OFF
          ? version
          : this.#versions.push(pageIdx, version, record.lsn, CUT_OFF, 0),
    );
  }

  /** Finds the newest version at or below `lsn` of each page in `wanted` (ascending). */
  locate(wanted: Uint32Array, lsn: Lsn): Located {
    const indexes = new Uint32Array(wanted.length);
    const segments = new Uint32Array(wanted.length);
    const ranks = new Uint16Array(wanted.length);
    let count = 0;
    for (let i = 0; i < wanted.length; i++) {
      const version = this.#versions.at(this.#pages.get(wanted[i]), lsn);
      const segment = version === NO_VERSION ? CUT_OFF : this.#versions.segment(version);
      if (segment === CUT_OFF) continue;
      indexes[count] = wanted[i];
      segments[count] = segment;
      ranks[count] = this.#versions.rank(version);
      count++;
    }
    return { count, indexes, segments, ranks };
  }

  /** The pages written or cut off by the commits of the range, which must end at or below the head. */
  changes(range: LsnRange): PageSet {
    const key = `${range.start}-${range.end}`;
    let union = this.#unions.get(key);
    if (union === undefined) {
      union = PageSet.union(this.#changedParts(range));
      if (union.bytes.length <= UNION_BYTES_MAX) this.#remember(key, union);
    }
    return union;
  }

  #remember(key: string, union: PageSet): void {
    this.#unions.set(key, union);
    this.#unionBytes += union.bytes.length;
    for (const [oldest, { bytes }] of this.#unions) {
      if (this.#unions.size <= UNIONS_MAX) break;
      this.#unions.delete(oldest);
      this.#unionBytes -= bytes.length;
    }
  }

  *#changedParts(range: LsnRange): Generator<PageSet | { first: number; last: number }> {
    const first = range.start === 1 ? 1 : this.#versionCounts.at(range.start - 2) + 1;
    yield PageSet.from(this.#versions.pages(first, this.#versionCounts.at(range.end - 1)));
    for (let lsn = range.start; lsn <= range.end; lsn++) {
      const [before, after] = [this.#pageCountAt(lsn - 1), this.#pageCountAt(lsn)];
      if (after < before) yield { first: after + 1, last: before };
    }
  }

  #pageCountAt(lsn: number): number {
    return lsn === 0 ? 0 : this.#pageCounts.at(lsn - 1);
  }
}
