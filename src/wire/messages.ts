/**
 * The protobuf messages of the v0.1 protocol.
 *
 * STUB: the seam; written by the wire room.
 *
 * @module
 */
import type { ClientId, VolumeId } from "../core/gid.ts";
import type { Lsn } from "../core/lsn.ts";
import type { PageCount } from "../core/page.ts";
import type { PageSet } from "../core/page_set.ts";
import type { SegmentUse, Snapshot } from "../core/snapshot.ts";

/** `end` undefined: to the head. LSNs above 2^53 - 1 are clamped to it (they are above every head). */
export interface OpenLsnRange {
  readonly start: Lsn;
  readonly end: Lsn | undefined;
}
export interface SnapshotRequest {
  readonly vid: VolumeId;
  readonly lsn: Lsn | undefined;
}
export interface PullRequest {
  readonly vid: VolumeId;
  readonly range: OpenLsnRange | undefined;
}
export interface CommitRequest {
  readonly vid: VolumeId;
  readonly cid: ClientId;
  /** The base; undefined for the first commit. */
  readonly snapshotLsn: Lsn | undefined;
  readonly pageCount: PageCount;
  readonly segments: readonly SegmentUse[];
}
export interface ReadPagesRequest {
  readonly vid: VolumeId;
  readonly lsn: Lsn;
  readonly pageSet: PageSet;
}
export interface Commit {
  readonly snapshot: Snapshot;
  readonly segments: readonly SegmentUse[];
}
