/**
 * How a commit lands.
 *
 * @module
 */

import type { Clock } from "../core/clock.ts";
import { type Digest, digestsEqual, EMPTY_DIGEST } from "../core/content_digest.ts";
import { GraftError, isGraftError } from "../core/errors.ts";
import { FIRST_LSN, type Lsn, nextLsn } from "../core/lsn.ts";
import { type PageCount, toPageCount } from "../core/page.ts";
import type { SegmentUse } from "../core/snapshot.ts";
import type { CommitLog, CommitRecord, Head, HeadRead } from "../log/commit_log.ts";
import { commitDigest } from "../log/digest.ts";
import type { VolumeIndex } from "../pagestore/volume_index.ts";
import type { VolumeIndexes } from "../pagestore/volume_indexes.ts";
import { checkAges, type CommitContent, findContent } from "./_commit_content.ts";
import { checkShape, refuse } from "./_commit_shape.ts";
import type { CommitIntent } from "./commit_intent.ts";

/** What a {@linkcode Committer} is made of. */
export interface CommitterParts {
  /** Where commits are kept. */
  readonly log: CommitLog;
  /** Every record of a volume, for finding a repeat that others have committed after. */
  readonly indexes: VolumeIndexes;
  /** The time of commits. */
  readonly clock: Clock;
  /** A commit takes segments up to half this age, in milliseconds. */
  readonly graceMs: number;
}

/** A commit that landed. */
export interface Landed {
  /** Its record. */
  readonly record: CommitRecord;
  /** The volume's floor. */
  readonly floorLsn: Lsn;
}

/** Appends that may end `stale` or unknown before the caller is told to come again. */
const ATTEMPTS_MAX = 4;

/**
 * Lands commits, each on the snapshot it was based on, or not at all.
 *
 * The order of the checks keeps two promises. A repeat of a landed commit is answered with what landed,
 * whatever became of its segments since; and a taken LSN is a `conflict` (which makes a client stop and
 * pull), never an `invalid` for its segments (which the v0.1 client would repeat for ever). A conflict is
 * only ever reported after a strong read of the head, and after looking whether the record that took the
 * LSN is the caller's own, from an attempt whose answer was lost.
 */
export class Committer {
  readonly #parts: CommitterParts;

  /** Takes its parts; nothing is started. */
  constructor(parts: CommitterParts) {
    this.#parts = parts;
  }

  /** See {@linkcode Metastore.commit}. */
  async commit(request: CommitIntent): Promise<Landed> {
    checkShape(request);
    const { log } = this.#parts;
    // where that is the base, the append itself finds out whether it still is the head
    let read = await log.lastKnownHead(request.vid);
    if (!isBase(request, read.head)) read = await log.head(request.vid);
    for (let attempt = 1;; attempt++) {
      if (!isBase(request, read.head)) return await this.#repeatOrConflict(request, read.head);
      if (!hasDigest(request, read.head)) await this.#refuseDigest(request);
      const outcome = await this.#append(request, read);
      if (typeof outcome !== "string") return outcome;
      if (attempt === ATTEMPTS_MAX) throw undecided(request);
      read = outcome === "stale"
        ? await log.head(request.vid)
        : await log.headFromStore(request.vid);
    }
  }

  /** Tries once. `unknown`: only the record at base + 1 can tell whether it landed. */
  async #append(request: CommitIntent, base: HeadRead): Promise<Landed | "stale" | "unknown"> {
    const { log, clock, graceMs } = this.#parts;
    const checkedAgainst = await log.collectionVersion();
    const content = await findContent(log, request);
    if (typeof content === "string") return refuse(request, content);
    checkAges(request, clock.now(), graceMs / 2);
    const record = makeRecord(request, base.head, content, clock.now());
    try {
      const outcome = await log.append(record, base, checkedAgainst);
      if (outcome === "stale") return "stale";
    } catch (error) {
      if (!isGraftError(error, "unavailable")) throw error;
      return "unknown";
    }
    return { record, floorLsn: base.head?.floorLsn ?? record.lsn };
  }

  /** The head is not the commit's base: either this commit landed before, or another did. */
  async #repeatOrConflict(request: CommitIntent, head: Head | undefined): Promise<Landed> {
    if (head !== undefined && !head.deleted && (request.snapshotLsn ?? 0) < head.lsn) {
      const lsn = nextLsn(request.snapshotLsn);
      if (lsn <= head.floorLsn && head.floorLsn > FIRST_LSN) {
        throw new GraftError(
          "missing",
          `Cannot commit to volume "${request.vid}": LSN ${lsn} is not above its floor, so nobody can tell what landed there`,
        );
      }
      const record = await this.#parts.log.record(request.vid, lsn);
      if (record === undefined) {
        throw new GraftError(
          "unavailable",
          `Cannot read volume "${request.vid}": its record at LSN ${lsn}`,
        );
      }
      if (await this.#isRepeat(request, record)) return { record, floorLsn: head.floorLsn };
      const later = await this.#findRequest(request, record, head);
      if (later !== undefined) return { record: later, floorLsn: head.floorLsn };
    }
    throw conflict(request, head);
  }

  /** The base is at the head's LSN and is another commit: the line was restored or replaced. */
  async #refuseDigest(request: CommitIntent): Promise<void> {
    const { head } = await this.#parts.log.headFromStore(request.vid);
    if (!isBase(request, head) || hasDigest(request, head)) return;
    throw new GraftError(
      "conflict",
      `Cannot commit to volume "${request.vid}" on LSN ${request.snapshotLsn}: another commit is there than the one that it is based on`,
      { hint: "The volume's history was replaced: read all of it again" },
    );
  }

  /** The record after `first` that the same request made. */
  async #findRequest(
    request: CommitIntent,
    first: CommitRecord,
    head: Head,
  ): Promise<CommitRecord | undefined> {
    if (request.requestId === undefined) return undefined;
    const index = await this.#indexAt(request, head);
    for (let lsn = nextLsn(first.lsn); lsn <= head.lsn; lsn = nextLsn(lsn)) {
      const record = index.record(lsn);
      if (isOfRequest(request, record)) return record;
    }
    return undefined;
  }

  /** @throws {GraftError} `conflict` when the volume was deleted since its head was read. */
  async #indexAt(request: CommitIntent, { lsn }: Head): Promise<VolumeIndex> {
    const { indexes, log } = this.#parts;
    try {
      return await indexes.at(request.vid, lsn);
    } catch (error) {
      if (!isGraftError(error, "missing")) throw error;
      const { head } = await log.headFromStore(request.vid);
      throw head?.deleted ? conflict(request, head) : error;
    }
  }

  async #isRepeat(request: CommitIntent, record: CommitRecord): Promise<boolean> {
    if (request.requestId !== undefined && !isOfRequest(request, record)) return false;
    if (record.cid !== request.cid) return false;
    if (request.pageCount !== undefined && record.pageCount !== request.pageCount) return false;
    if (sameSegments(request.segments, record.segments)) return true;
    const content = await findContent(this.#parts.log, request);
    if (typeof content === "string") return false;
    const { pageCount, parentDigest } = record;
    return digestsEqual(digestOn(request, content, pageCount, parentDigest), record.digest);
  }
}

function isBase(request: CommitIntent, head: Head | undefined): boolean {
  return (head?.lsn ?? 0) === (request.snapshotLsn ?? 0) && !head?.deleted;
}

function hasDigest(request: CommitIntent, head: Head | undefined): boolean {
  return request.baseDigest === undefined ||
    digestsEqual(request.baseDigest, head?.digest ?? EMPTY_DIGEST);
}

function isOfRequest({ cid, requestId }: CommitIntent, record: CommitRecord): boolean {
  if (record.cid !== cid || record.requestId?.length !== requestId?.length) return false;
  return requestId?.every((byte, i) => byte === record.requestId?.[i]) ?? false;
}

function pageCountOn(request: CommitIntent, parent: Head | undefined): PageCount {
  const last = Math.max(0, ...request.segments.map(({ pageSet }) => pageSet.last ?? 0));
  return request.pageCount ?? toPageCount(Math.max(parent?.pageCount ?? 0, last));
}

function makeRecord(
  request: CommitIntent,
  parent: Head | undefined,
  content: CommitContent,
  nowMs: number,
): CommitRecord {
  const parentDigest = parent?.digest ?? EMPTY_DIGEST;
  const pageCount = pageCountOn(request, parent);
  return {
    vid: request.vid,
    lsn: nextLsn(request.snapshotLsn),
    cid: request.cid,
    pageCount,
    timestampMs: Math.max(nowMs, parent?.timestampMs ?? 0),
    requestId: request.requestId,
    segments: content.segments,
    digest: digestOn(request, content, pageCount, parentDigest),
    parentDigest,
  };
}

function digestOn(
  request: CommitIntent,
  content: CommitContent,
  pageCount: PageCount,
  parentDigest: Digest,
): Digest {
  return commitDigest({
    vid: request.vid,
    cid: request.cid,
    baseLsn: request.snapshotLsn,
    pageCount,
    contentDigest: content.digest,
    parentDigest,
  });
}

function sameSegments(a: readonly SegmentUse[], b: readonly SegmentUse[]): boolean {
  return a.length === b.length &&
    a.every(({ sid, pageSet }, i) => sid === b[i].sid && pageSet.equals(b[i].pageSet));
}

function undecided(request: CommitIntent): GraftError {
  return new GraftError(
    "unavailable",
    `Cannot commit to volume "${request.vid}": the log gave no clear answer in ${ATTEMPTS_MAX} attempts`,
    { hint: "Repeat the same commit: if it has landed already, the answer is what landed" },
  );
}

function conflict(request: CommitIntent, head: Head | undefined): GraftError {
  const base = request.snapshotLsn === undefined ? "no commit" : `LSN ${request.snapshotLsn}`;
  const state = head === undefined
    ? "the volume has no commits"
    : head.deleted
    ? "the volume was deleted"
    : `its head is LSN ${head.lsn}`;
  return new GraftError(
    "conflict",
    `Cannot commit to volume "${request.vid}" on ${base}: ${state}`,
    { hint: "Pull, and make the changes again on the new snapshot" },
  );
}
