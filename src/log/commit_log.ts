/**
 * The seam to whatever keeps the commit log.
 *
 * @module
 */

import type { Digest } from "../core/content_digest.ts";
import type { ClientId, SegmentId, VolumeId } from "../core/gid.ts";
import type { Lsn } from "../core/lsn.ts";
import type { PageCount } from "../core/page.ts";
import type { SegmentUse } from "../core/snapshot.ts";
import type { SegmentVolume } from "../segment/segment.ts";

/** One commit, as it is kept. */
export interface CommitRecord {
  /** The volume. */
  readonly vid: VolumeId;
  /** Its place in the volume's line. */
  readonly lsn: Lsn;
  /** The client that committed. */
  readonly cid: ClientId;
  /** How many pages the volume has from here on. */
  readonly pageCount: PageCount;
  /** When, in milliseconds since 1970; never before the parent's. */
  readonly timestampMs: number;
  /** The client's own id of the request, where it gave one (v1). */
  readonly requestId: Uint8Array | undefined;
  /** The segments that hold its pages: at most 64, without overlaps. */
  readonly segments: readonly SegmentUse[];
  /** Covers volume, client, base LSN, page count, content digest and the parent's digest (digest.ts). */
  readonly digest: Digest;
  /** The digest of the record before it; 16 zero bytes at LSN 1. */
  readonly parentDigest: Digest;
}

/** The newest commit of a volume. */
export interface Head {
  /** Its LSN. */
  readonly lsn: Lsn;
  /** The page count there. */
  readonly pageCount: PageCount;
  /** Who committed it. */
  readonly cid: ClientId;
  /** Its record's digest. */
  readonly digest: Digest;
  /** Its record's time. */
  readonly timestampMs: number;
  /** The oldest LSN that is still readable. */
  readonly floorLsn: Lsn;
  /** A deleted volume keeps its head as a tombstone: reads are `missing`, commits `conflict`, for ever. */
  readonly deleted: boolean;
}

/** A head together with the version that an append is compared with. */
export interface HeadRead {
  /** The head; undefined when the volume has no commit. */
  readonly head: Head | undefined;
  /** Opaque: what {@linkcode CommitLog.append} compares. */
  readonly version: unknown;
}

/** A segment that is durable and may be committed. */
export interface Registration {
  /** The segment. */
  readonly sid: SegmentId;
  /** When it was registered, in milliseconds since 1970. */
  readonly timestampMs: number;
  /** The length of its object. */
  readonly sizeBytes: number;
  /** What it holds, sorted by volume. */
  readonly volumes: readonly SegmentVolume[];
}

/**
 * How an append ended:
 *
 * - `landed`: the record is durable.
 * - `stale`: the head is not the one compared with. It says nothing about who changed it: the
 *   record at base + 1 may be one's own, from an attempt whose answer was lost.
 */
export type AppendOutcome = "landed" | "stale";

/** Some volumes moved on. */
export interface LogChange {
  /** The volume. */
  readonly vid: VolumeId;
  /** Its new head's LSN. */
  readonly lsn: Lsn;
  /** The record, where this process wrote it itself. */
  readonly record: CommitRecord | undefined;
  /** Whether the volume was deleted; its LSN is then the one that it had. */
  readonly deleted: boolean;
}

/** One row of a listing of volumes. */
export interface VolumeEntry {
  /** The volume. */
  readonly vid: VolumeId;
  /** Its newest commit. */
  readonly head: Head;
}

/**
 * A commit log: for every volume one line of records, and the segments that may be committed.
 *
 * Every method may reject with GraftError `unavailable`: the store did not answer, and whether a write
 * took effect is then unknown. All implementations pass the same conformance suite (`_conformance.ts`).
 */
export interface CommitLog {
  /** What the log is, for messages: `kv:/data/log.kv`, `memory:`. */
  readonly name: string;
  /** Identifies the data this log belongs to; the object store holds the same one. */
  readonly storeId: string;
  /** Whether no other process can write to it, so that heads read or written here stay true. */
  readonly exclusive: boolean;
  /**
   * Whether subscribers hear of what other processes write without anybody asking. Where it is false, they
   * hear of it when a head is read.
   */
  readonly announcesAll: boolean;

  /**
   * A head to base an append on: the newest that this process knows, which others may have passed; from
   * memory where there is one, else by a strong read. An append on an old one is stale, and never lands.
   * No answer about the head may come from it.
   */
  lastKnownHead(vid: VolumeId): Promise<HeadRead>;
  /** The newest commit, by a strong read (from memory where the log is exclusive). */
  head(vid: VolumeId): Promise<HeadRead>;
  /** Like {@linkcode CommitLog.head}, past every cache: for use after an unknown outcome. */
  headFromStore(vid: VolumeId): Promise<HeadRead>;
  /**
   * Appends `record`, if the head is still `base`. Appends of many volumes that wait together become
   * one write. When it ends `landed`, every subscriber has been told.
   *
   * The record must follow from `base`: the next LSN, its digest as the parent's, no earlier time, at
   * most 64 segments, and no deleted head; anything else is an assertion.
   *
   * @param checkedAgainst The collection version that was read before the ages of the record's
   * segments were checked; when a collector has run since, the outcome is `stale`.
   * @throws {GraftError} `unavailable` when nobody knows whether it landed; the record at its LSN,
   * read after {@linkcode CommitLog.headFromStore}, tells.
   */
  append(record: CommitRecord, base: HeadRead, checkedAgainst: unknown): Promise<AppendOutcome>;
  /**
   * Deletes a volume, if the head is still `base`: the head stays as a tombstone, so that every later
   * append is stale. Records and references stay until they are collected. Subscribers are told with
   * the LSN of the head and no record. As with an append, `stale` does not say who changed the head.
   *
   * @param base A head that is there and not deleted; anything else is an assertion.
   * @throws {GraftError} `unavailable` when nobody knows whether it took effect.
   */
  tombstone(vid: VolumeId, base: HeadRead): Promise<AppendOutcome>;
  /**
   * What {@linkcode CommitLog.append} takes as `checkedAgainst`. Read it before checking ages. It may
   * be from memory: an older one makes an append stale, never land; after that it is read again.
   */
  collectionVersion(): Promise<unknown>;
  /** The record at an LSN; undefined where there is none. */
  record(vid: VolumeId, lsn: Lsn): Promise<CommitRecord | undefined>;
  /**
   * The records from `start` to `end` (both inclusive), ascending. Without a gap as far as it goes;
   * it may end early where the line was truncated or damaged while it was read: the caller checks.
   */
  records(vid: VolumeId, start: Lsn, end: Lsn): AsyncIterable<CommitRecord>;

  /**
   * Makes durable segments known. Registrations that wait together become one write. After a rejection
   * any part of them may be known; to register again is harmless.
   */
  register(registrations: readonly Registration[]): Promise<void>;
  /** What is known of a segment; undefined if nothing. */
  registration(sid: SegmentId): Promise<Registration | undefined>;

  /** Whether the log holds neither volumes (deleted ones included) nor segments. */
  isEmpty(): Promise<boolean>;
  /**
   * Volumes with at least one commit whose id starts with `prefix`, ascending, from after `after`, at
   * most `limit`. Deleted ones are left out.
   */
  volumes(options: { prefix?: string; after?: VolumeId; limit: number }): Promise<VolumeEntry[]>;

  /**
   * Calls `listener` for every change, in each volume's order, until the returned function is called.
   * It is called from the middle of a write, so it should be quick; what it throws is reported and
   * disturbs nobody. A change whose answer was lost is announced, without its record, by the next read
   * of the volume's head from the store. Changes that other processes made are announced soon after,
   * without their records; where one of them was passed by a later change first, only the later is.
   *
   * @param onResync Called where changes of any volume may have been missed, because this process could
   * not follow the others for too long: what was derived from changes must be made anew.
   */
  subscribe(
    listener: (changes: readonly LogChange[]) => void,
    onResync?: () => void,
  ): () => void;
  /** Whether the store answered its last calls: undefined before the first. */
  readonly healthy: boolean | undefined;
  /** Finishes the writes that wait, then lets go; to close again changes nothing. What comes later is refused. */
  close(): Promise<void>;
}
