/**
 * What a volume must hold, kept outside of the server that is killed.
 *
 * @module
 */

import type { ClientId, VolumeId } from "../../src/core/gid.ts";
import type { SegmentUse } from "../../src/core/snapshot.ts";
import type { Commit, PageList } from "../../src/wire/messages.ts";
import { pageDefect } from "./server_page_content.ts";

/** One transaction that a writer tries. */
export interface Attempt {
  /** Unique over the whole test; its pages carry it. */
  readonly id: number;
  /** The volume. */
  readonly vid: VolumeId;
  /** The writer. */
  readonly cid: ClientId;
  /** The head that it was based on; 0 for none. */
  readonly base: number;
  /** The page count that it commits. */
  readonly pageCount: number;
  /** Its pages, ascending. */
  readonly pageIdxs: readonly number[];
  /** The segments that `write_pages` answered with; empty until it did. */
  segments: readonly SegmentUse[];
}

/** The commits of one volume that were acknowledged, and those whose answer never came. */
export class Ledger {
  readonly #acknowledged = new Map<number, Attempt>();
  readonly #inDoubt = new Set<Attempt>();

  #head = 0;

  /** Up to where every commit is acknowledged; 0 for an empty volume. */
  get head(): number {
    return this.#head;
  }

  /** The attempts whose commit was sent and not answered. */
  get inDoubt(): readonly Attempt[] {
    return [...this.#inDoubt];
  }

  /** Notes that the commit of `attempt` is about to be sent: from here on it may land. */
  sending(attempt: Attempt): void {
    this.#inDoubt.add(attempt);
  }

  /** Notes that `attempt` was answered with `lsn`. */
  acknowledge(attempt: Attempt, lsn: number): void {
    const other = this.#acknowledged.get(lsn);
    if (other !== undefined && other !== attempt) {
      throw new Error(`LSN ${lsn} was given to attempt ${other.id} and to attempt ${attempt.id}`);
    }
    if (lsn !== attempt.base + 1) {
      throw new Error(`Attempt ${attempt.id} on base ${attempt.base} landed at LSN ${lsn}`);
    }
    this.#inDoubt.delete(attempt);
    this.#acknowledged.set(lsn, attempt);
    // answers of two writers may overtake each other
    while (this.#acknowledged.has(this.#head + 1)) this.#head++;
  }

  /** Notes that the server refused `attempt`: it must never be seen. */
  refuse(attempt: Attempt): void {
    this.#inDoubt.delete(attempt);
  }

  /**
   * Compares the line that the server shows with the ledger. What was in doubt and is there becomes
   * acknowledged, as others may have built on it.
   *
   * @returns What is wrong, a line each.
   */
  checkLine(line: readonly Commit[]): string[] {
    const defects: string[] = [];
    line.forEach(({ snapshot }, i) => {
      if (snapshot.lsn !== i + 1) defects.push(`LSN ${snapshot.lsn} stands where ${i + 1} should`);
    });
    for (const commit of line) {
      const attempt = this.#attemptAt(commit);
      if (attempt === undefined) defects.push(`LSN ${commit.snapshot.lsn} was never tried`);
      else defects.push(...commitDefects(commit, attempt));
    }
    for (const [lsn, attempt] of this.#acknowledged) {
      if (lsn > line.length) defects.push(`attempt ${attempt.id}, acknowledged at ${lsn}, is gone`);
    }
    return defects;
  }

  #attemptAt(commit: Commit): Attempt | undefined {
    const { lsn } = commit.snapshot;
    const known = this.#acknowledged.get(lsn);
    if (known !== undefined) return known;
    const landed = this.inDoubt.find((attempt) =>
      attempt.base + 1 === lsn && commitDefects(commit, attempt).length === 0
    );
    if (landed !== undefined) this.acknowledge(landed, lsn);
    return landed;
  }

  /** The pages at `lsn`: page index → the attempt that wrote it last. */
  pagesAt(lsn: number): Map<number, number> {
    const pages = new Map<number, number>();
    for (let at = 1; at <= lsn; at++) {
      const attempt = this.#acknowledged.get(at);
      if (attempt === undefined) throw new Error(`The ledger has no LSN ${at}`);
      for (const pageIdx of pages.keys()) {
        if (pageIdx > attempt.pageCount) pages.delete(pageIdx);
      }
      for (const pageIdx of attempt.pageIdxs) pages.set(pageIdx, attempt.id);
    }
    return pages;
  }
}

function commitDefects({ snapshot, segments }: Commit, attempt: Attempt): string[] {
  const defects: string[] = [];
  const name = `LSN ${snapshot.lsn}`;
  if (snapshot.cid !== attempt.cid) defects.push(`${name} is of another client`);
  if (snapshot.pageCount !== attempt.pageCount) defects.push(`${name} has another page count`);
  const pageIdxs = segments.flatMap(({ pageSet }) => [...pageSet.toArray()]).sort((a, b) => a - b);
  if (pageIdxs.join() !== attempt.pageIdxs.join()) defects.push(`${name} has other pages`);
  return defects;
}

/**
 * Compares pages that the server answered with those that the ledger has.
 *
 * @param expected Page index → attempt; what is not in it must not be answered.
 * @param wanted The pages that were asked for.
 * @returns What is wrong, a line each.
 */
export function pageDefects(
  answered: PageList,
  expected: ReadonlyMap<number, number>,
  wanted: Iterable<number>,
): string[] {
  const missing = new Set([...wanted].filter((pageIdx) => expected.has(pageIdx)));
  const defects: string[] = [];
  answered.indexes.forEach((pageIdx, i) => {
    const attempt = expected.get(pageIdx);
    if (!missing.delete(pageIdx) || attempt === undefined) {
      defects.push(`page ${pageIdx} should not be in the answer`);
    } else {
      const defect = pageDefect(answered.page(i), attempt, pageIdx);
      if (defect !== undefined) defects.push(defect);
    }
  });
  return [...defects, ...[...missing].map((pageIdx) => `page ${pageIdx} is missing`)];
}
