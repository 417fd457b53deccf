/**
 * The metastore: each volume's line of commits.
 *
 * @module
 */

import { assert } from "../core/assert.ts";
import type { Clock } from "../core/clock.ts";
import type { Digest } from "../core/content_digest.ts";
import { GraftError, isGraftError } from "../core/errors.ts";
import { type ClientId, newGid, type VolumeId } from "../core/gid.ts";
import { GRAFT_BYTES_MAX } from "../core/limits.ts";
import { FIRST_LSN, type Lsn, type LsnRange, toLsn } from "../core/lsn.ts";
import { toPageCount } from "../core/page.ts";
import { PageSet } from "../core/page_set.ts";
import type { Random } from "../core/random.ts";
import type {
  AppendOutcome,
  CommitLog,
  CommitRecord,
  Head,
  HeadRead,
  LogChange,
} from "../log/commit_log.ts";
import { requireReadable, type VolumeIndexes } from "../pagestore/volume_indexes.ts";
import type { Commit, OpenLsnRange } from "../wire/messages.ts";
import type { ChainedSnapshot, Changes } from "../wire/v1/mod.ts";
import type { CommitIntent } from "./commit_intent.ts";
import { Committer } from "./committer.ts";

/** What a {@linkcode Metastore} is made of. */
export interface MetastoreParts {
  /** Where commits are kept. */
  readonly log: CommitLog;
  /** Which pages each commit changed. */
  readonly indexes: VolumeIndexes;
  /** The time of commits. */
  readonly clock: Clock;
  /** Makes ids of volumes. */
  readonly random: Random;
  /** Age after which unreferenced segments are collected, in milliseconds; a commit takes them up to half of it. */
  readonly graceMs: number;
}

/** The answer of {@linkcode Metastore.pullGraft}. */
export interface PulledGraft {
  /** The volume at the end of the range. */
  readonly snapshot: ChainedSnapshot;
  /** The range answered. */
  readonly range: LsnRange;
  /** Every page that may have changed in it. */
  readonly graft: PageSet;
}

/** A commit with the digest of its snapshot. */
export interface ChainedCommit extends Commit {
  /** The snapshot that it made. */
  readonly snapshot: ChainedSnapshot;
}

/** Bytes of commits in one answer: a longer range is cut after them, and the reader asks on. */
const COMMITS_BYTES_MAX = 4 * 1024 * 1024;
/** What a commit takes in an answer beside its page sets, at most. */
const COMMIT_BYTES = 96;
const SEGMENT_BYTES = 32;
/** Times that a deletion looks at a head that moves before it gives up. */
const DELETE_ATTEMPTS_MAX = 16;

/** Snapshots, commits and pulls. Every answer about the head comes from a strong read of the log. */
export class Metastore {
  readonly #parts: MetastoreParts;
  readonly #committer: Committer;

  /** Takes its parts; nothing is started. */
  constructor(parts: MetastoreParts) {
    this.#parts = parts;
    this.#committer = new Committer(parts);
  }

  /**
   * The newest snapshot, or the one at `lsn`.
   *
   * @throws {GraftError} `missing` when there is none.
   */
  async snapshot(vid: VolumeId, lsn?: Lsn): Promise<ChainedSnapshot> {
    const { head } = await this.#parts.log.head(vid);
    const live = requireReadable(vid, lsn ?? head?.lsn ?? FIRST_LSN, head);
    if (lsn === undefined || lsn === live.lsn) return snapshotOfHead(vid, live);
    return snapshotOf(await this.#record(vid, lsn), live.floorLsn);
  }

  /**
   * The last snapshot at or before a time.
   *
   * @param timestampMs Milliseconds since 1970.
   * @throws {GraftError} `missing` when the volume is not there, or was made (or cut off) later.
   */
  async snapshotAt(vid: VolumeId, timestampMs: number): Promise<ChainedSnapshot> {
    const { head } = await this.#parts.log.head(vid);
    const live = requireReadable(vid, head?.lsn ?? FIRST_LSN, head);
    if (live.timestampMs <= timestampMs) return snapshotOfHead(vid, live);
    // times never step back along the line, so the last one at or before the wanted is found by halving
    let low = live.floorLsn - 1;
    let high: number = live.lsn;
    let found: CommitRecord | undefined;
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2);
      const record = await this.#record(vid, toLsn(middle));
      if (record.timestampMs <= timestampMs) {
        low = middle;
        found = record;
      } else high = middle;
    }
    if (found !== undefined) return snapshotOf(found, live.floorLsn);
    throw new GraftError(
      "missing",
      `Cannot read volume "${vid}": it has no commit at or before ${
        new Date(timestampMs).toISOString()
      }`,
    );
  }

  /**
   * Commits on the snapshot that the request names; see {@linkcode Committer}.
   *
   * @returns The snapshot that landed, now or, for a repeat, before.
   * @throws {GraftError} `invalid`, `conflict`, `missing` (the record that would tell whether it landed
   * is gone), `unavailable` (it may have landed: repeat it).
   */
  async commit(request: CommitIntent): Promise<ChainedSnapshot> {
    const { record, floorLsn } = await this.#committer.commit(request);
    return snapshotOf(record, floorLsn);
  }

  /**
   * Which pages changed in a range of LSNs (without one: since the checkpoint).
   *
   * @throws {GraftError} `missing` when the volume is not there, the range ends above the head or starts
   * above its end.
   */
  async pullGraft(vid: VolumeId, range: OpenLsnRange | undefined): Promise<PulledGraft> {
    const { head } = await this.#parts.log.head(vid);
    const live = requireReadable(vid, head?.lsn ?? FIRST_LSN, head);
    return await this.#pull(vid, closeRange(vid, range, live), live);
  }

  /**
   * What changed after an LSN.
   *
   * @param options `since`: the LSN that the caller has, 0 for none of the volume; without it only the
   * snapshot is answered. `to`: the LSN to end at (default: the newest).
   * @throws {GraftError} `missing` when the volume is not there, `since` or `to` is above the head, or
   * `to` below `since`.
   */
  async changes(vid: VolumeId, options: { since?: number; to?: Lsn } = {}): Promise<Changes> {
    const { head } = await this.#parts.log.head(vid);
    const end = options.to ?? head?.lsn ?? FIRST_LSN;
    const live = requireReadable(vid, end, head);
    const since = options.since ?? end;
    if (since > live.lsn) throw aboveHead(vid, since, live);
    if (since > end) throw notThere(vid, since + 1, end, live);
    if (since === end) {
      const snapshot = end === live.lsn
        ? snapshotOfHead(vid, live)
        : snapshotOf(await this.#record(vid, end), live.floorLsn);
      const sinceDigest = options.since === undefined ? undefined : snapshot.digest;
      return { snapshot, range: undefined, graft: undefined, sinceDigest };
    }
    const pulled = await this.#pull(vid, { start: toLsn(since + 1), end }, live);
    return { ...pulled, sinceDigest: await this.#digestAt(vid, since, live) };
  }

  /**
   * The newest snapshot, where there is one.
   *
   * @returns `deleted` for a volume that was there; `absent` for one that has no commit yet.
   */
  async find(vid: VolumeId): Promise<ChainedSnapshot | "deleted" | "absent"> {
    const { head } = await this.#parts.log.head(vid);
    if (head === undefined) return "absent";
    return head.deleted ? "deleted" : snapshotOfHead(vid, head);
  }

  /**
   * Deletes a volume for ever: its reads are `missing` from here on, its commits `conflict`.
   *
   * @throws {GraftError} `missing` when it is not there, or was deleted before; `unavailable` when nobody
   * knows whether it was deleted.
   */
  async deleteVolume(vid: VolumeId): Promise<void> {
    const { log } = this.#parts;
    let read = await log.head(vid);
    requireReadable(vid, read.head?.lsn ?? FIRST_LSN, read.head);
    for (let attempt = 1; attempt <= DELETE_ATTEMPTS_MAX; attempt++) {
      if (await this.#tombstone(vid, read) === "landed") return;
      read = await log.headFromStore(vid);
      // an attempt whose answer was lost, or somebody else's
      if (read.head?.deleted) return;
    }
    throw new GraftError(
      "unavailable",
      `Cannot delete volume "${vid}": it is being committed to all the time`,
      { hint: "Try again in a moment" },
    );
  }

  /**
   * Calls `listener` for every change that this process learns of, and `onResync` where it may have missed
   * some; see {@linkcode CommitLog.subscribe}.
   *
   * @returns What ends it.
   */
  subscribe(listener: (changes: readonly LogChange[]) => void, onResync?: () => void): () => void {
    return this.#parts.log.subscribe(listener, onResync);
  }

  /** Whether {@linkcode Metastore.subscribe} also tells of what other processes write. */
  get announcesAll(): boolean {
    return this.#parts.log.announcesAll;
  }

  /**
   * The commits of a range, oldest first. Where they are more than 4 MiB the answer ends early, after a
   * whole commit: ask on from the one after its last.
   *
   * @throws {GraftError} `missing` as {@linkcode Metastore.pullGraft} does, and for a start below the floor.
   */
  async pullCommits(vid: VolumeId, range: OpenLsnRange | undefined): Promise<ChainedCommit[]> {
    const { head } = await this.#parts.log.head(vid);
    const live = requireReadable(vid, range?.start ?? head?.floorLsn ?? FIRST_LSN, head);
    return await this.#commits(vid, closeRange(vid, range, live), live, Infinity);
  }

  /**
   * A volume's commits, oldest first.
   *
   * @param options `from`: the first LSN (default: the oldest); `limit`: how many at most.
   */
  async log(vid: VolumeId, options: { from?: Lsn; limit: number }): Promise<ChainedCommit[]> {
    const { head } = await this.#parts.log.head(vid);
    const live = requireReadable(vid, head?.lsn ?? FIRST_LSN, head);
    const start = toLsn(Math.max(options.from ?? FIRST_LSN, live.floorLsn));
    if (start > live.lsn) return [];
    return await this.#commits(vid, { start, end: live.lsn }, live, options.limit);
  }

  /** The volumes whose id starts with `prefix`, ascending by id, from after `after`. */
  async volumes(
    options: { prefix?: string; after?: VolumeId; limit: number },
  ): Promise<ChainedSnapshot[]> {
    const entries = await this.#parts.log.volumes(options);
    return entries.map(({ vid, head }) => snapshotOfHead(vid, head));
  }

  /** Makes a volume: a new id, and an empty commit at LSN 1. */
  async createVolume(cid: ClientId): Promise<ChainedSnapshot> {
    const vid = newGid("volume", this.#parts.clock, this.#parts.random);
    const pageCount = toPageCount(0);
    return await this.commit({ vid, cid, snapshotLsn: undefined, pageCount, segments: [] });
  }

  async #pull(vid: VolumeId, range: LsnRange, live: Head): Promise<PulledGraft> {
    const index = await this.#parts.indexes.at(vid, range.end);
    const changes = range.start < live.floorLsn ? undefined : index.changes(range);
    const graft = changes === undefined || changes.bytes.length > GRAFT_BYTES_MAX
      ? everyPage(index.pageCountMax)
      : changes;
    return { snapshot: snapshotOf(index.record(range.end), live.floorLsn), range, graft };
  }

  async #digestAt(vid: VolumeId, lsn: number, live: Head): Promise<Digest | undefined> {
    if (lsn < live.floorLsn) return undefined;
    const index = await this.#parts.indexes.at(vid, toLsn(lsn));
    return index.record(toLsn(lsn)).digest;
  }

  async #tombstone(vid: VolumeId, read: HeadRead): Promise<AppendOutcome | "unknown"> {
    try {
      return await this.#parts.log.tombstone(vid, read);
    } catch (error) {
      if (!isGraftError(error, "unavailable")) throw error;
      return "unknown";
    }
  }

  async #commits(
    vid: VolumeId,
    range: LsnRange,
    live: Head,
    limit: number,
  ): Promise<ChainedCommit[]> {
    const commits: ChainedCommit[] = [];
    let bytes = 0;
    const end = toLsn(Math.min(range.end, range.start + limit - 1));
    for await (const record of this.#parts.log.records(vid, range.start, end)) {
      if (record.lsn !== range.start + commits.length) break;
      bytes += record.segments.reduce(
        (sum, { pageSet }) => sum + pageSet.bytes.length + SEGMENT_BYTES,
        COMMIT_BYTES,
      );
      if (commits.length > 0 && bytes > COMMITS_BYTES_MAX) return commits;
      commits.push({ snapshot: snapshotOf(record, live.floorLsn), segments: record.segments });
    }
    if (commits.length === end - range.start + 1) return commits;
    throw gap(vid, range.start + commits.length);
  }

  async #record(vid: VolumeId, lsn: Lsn): Promise<CommitRecord> {
    const record = await this.#parts.log.record(vid, lsn);
    if (record === undefined) throw gap(vid, lsn);
    return record;
  }
}

/** The range with both ends, checked against the head; a missing one starts at the checkpoint. */
function closeRange(vid: VolumeId, range: OpenLsnRange | undefined, live: Head): LsnRange {
  const start = range?.start ?? live.floorLsn;
  const end = range?.end ?? live.lsn;
  if (end > live.lsn || start > end) throw notThere(vid, start, end, live);
  return { start, end };
}

function aboveHead(vid: VolumeId, lsn: number, live: Head): GraftError {
  return new GraftError(
    "missing",
    `Cannot read volume "${vid}": LSN ${lsn} is above its head ${live.lsn}`,
  );
}

function notThere(vid: VolumeId, start: number, end: number, live: Head): GraftError {
  return new GraftError(
    "missing",
    `Cannot pull volume "${vid}": LSNs ${start} to ${end} are not all there, its head is ${live.lsn}`,
  );
}

function everyPage(pageCount: number): PageSet {
  return pageCount === 0 ? PageSet.empty : PageSet.range(1, pageCount);
}

function gap(vid: VolumeId, lsn: number): GraftError {
  return new GraftError(
    "damaged",
    `Cannot read volume "${vid}": its log has no record at LSN ${lsn}`,
  );
}

function snapshotOf(record: CommitRecord, checkpointLsn: Lsn): ChainedSnapshot {
  const { vid, cid, lsn, pageCount, timestampMs, digest } = record;
  return { vid, cid, lsn, checkpointLsn, pageCount, timestampMs, digest };
}

function snapshotOfHead(vid: VolumeId, head: Head): ChainedSnapshot {
  assert(!head.deleted, "A deleted volume has no snapshot");
  const { cid, lsn, floorLsn, pageCount, timestampMs, digest } = head;
  return { vid, cid, lsn, checkpointLsn: floorLsn, pageCount, timestampMs, digest };
}
