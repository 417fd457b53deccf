/**
 * What a reader asks the metastore: snapshots and pulls.
 *
 * @module
 */

import { BinaryWriter } from "@bufbuild/protobuf/wire";
import type { VolumeId } from "../core/gid.ts";
import type { Lsn, LsnRange } from "../core/lsn.ts";
import type { PageSet } from "../core/page_set.ts";
import type { SegmentUse, Snapshot } from "../core/snapshot.ts";
import { MessageReader } from "./_message_reader.ts";
import {
  readCommit,
  readLsnRange,
  readOnlySnapshot,
  readOpenLsnRange,
  readSnapshot,
  writeCommit,
  writeGid,
  writeLsnRange,
  writeMessage,
  writePageSet,
  writeSnapshot,
  writeUint,
} from "./_parts.ts";

/** A range of LSNs that may be open at its end. */
export interface OpenLsnRange {
  /** The first LSN of the range. */
  readonly start: Lsn;
  /** The last LSN of the range; undefined: to the head. Above 2^53 - 1 it is clamped, which is above every head. */
  readonly end: Lsn | undefined;
}

/** Asks for a volume's snapshot. */
export interface SnapshotRequest {
  /** The volume. */
  readonly vid: VolumeId;
  /** Which snapshot; undefined: the latest. */
  readonly lsn: Lsn | undefined;
}

/** Asks what changed over a range: the request of both pulls. */
export interface PullRequest {
  /** The volume. */
  readonly vid: VolumeId;
  /** The range; undefined: from the checkpoint to the head. */
  readonly range: OpenLsnRange | undefined;
}

/** What `pull_graft` answers. */
export interface PulledGraft {
  /** The snapshot at the range's end. */
  readonly snapshot: Snapshot;
  /** The range that is answered. */
  readonly range: LsnRange;
  /** Every page that changed in the range, pages cut off included. */
  readonly graft: PageSet;
}

/** One commit of a volume, as `pull_commits` answers it. */
export interface Commit {
  /** The snapshot that it made. */
  readonly snapshot: Snapshot;
  /** The segments that hold its pages. */
  readonly segments: readonly SegmentUse[];
}

/** Encodes a {@linkcode SnapshotRequest}. */
export function encodeSnapshotRequest(request: SnapshotRequest): Uint8Array<ArrayBuffer> {
  const writer = new BinaryWriter();
  writeGid(writer, 1, request.vid);
  if (request.lsn !== undefined) writeUint(writer, 2, request.lsn);
  return writer.finish();
}

/**
 * Decodes a {@linkcode SnapshotRequest}.
 *
 * @throws {GraftError} `invalid`.
 */
export function decodeSnapshotRequest(bytes: Uint8Array): SnapshotRequest {
  const message = MessageReader.ofRequest(bytes, "the snapshot request");
  let vid: VolumeId | undefined;
  let lsn: Lsn | undefined;
  while (message.next()) {
    if (message.field === 1) vid = message.volumeId("vid");
    else if (message.field === 2) lsn = message.lsn("lsn");
    else message.skip();
  }
  return { vid: message.required("vid", vid), lsn };
}

/** Encodes the answer to a {@linkcode SnapshotRequest}. */
export function encodeSnapshotResponse(snapshot: Snapshot): Uint8Array<ArrayBuffer> {
  const writer = new BinaryWriter();
  writeMessage(writer, 1, snapshot, writeSnapshot);
  return writer.finish();
}

/**
 * Decodes the answer to a {@linkcode SnapshotRequest}.
 *
 * @throws {GraftError} `invalid`.
 */
export function decodeSnapshotResponse(bytes: Uint8Array): Snapshot {
  return readOnlySnapshot(new MessageReader(bytes, "the snapshot response"));
}

/** Encodes a {@linkcode PullRequest}. */
export function encodePullRequest(request: PullRequest): Uint8Array<ArrayBuffer> {
  const writer = new BinaryWriter();
  writeGid(writer, 1, request.vid);
  if (request.range !== undefined) writeMessage(writer, 2, request.range, writeLsnRange);
  return writer.finish();
}

/**
 * Decodes a {@linkcode PullRequest}. A start above the end is not this layer's to refuse: it is
 * "snapshot missing".
 *
 * @throws {GraftError} `invalid`.
 */
export function decodePullRequest(bytes: Uint8Array): PullRequest {
  const message = MessageReader.ofRequest(bytes, "the pull request");
  let vid: VolumeId | undefined;
  let range: OpenLsnRange | undefined;
  while (message.next()) {
    if (message.field === 1) vid = message.volumeId("vid");
    else if (message.field === 2) range = readOpenLsnRange(message.message("range"));
    else message.skip();
  }
  return { vid: message.required("vid", vid), range };
}

/** Encodes the answer of `pull_graft`. */
export function encodePullGraftResponse(pulled: PulledGraft): Uint8Array<ArrayBuffer> {
  const writer = new BinaryWriter();
  writeMessage(writer, 1, pulled.snapshot, writeSnapshot);
  writeMessage(writer, 2, pulled.range, writeLsnRange);
  writePageSet(writer, 3, pulled.graft);
  return writer.finish();
}

/**
 * Decodes the answer of `pull_graft`.
 *
 * @throws {GraftError} `invalid`.
 */
export function decodePullGraftResponse(bytes: Uint8Array): PulledGraft {
  const message = new MessageReader(bytes, "the pull graft response");
  let snapshot: Snapshot | undefined;
  let range: LsnRange | undefined;
  let graft: PageSet | undefined;
  while (message.next()) {
    if (message.field === 1) snapshot = readSnapshot(message.message("snapshot"));
    else if (message.field === 2) range = readLsnRange(message.message("range"));
    else if (message.field === 3) graft = message.pageSet("graft");
    else message.skip();
  }
  return {
    snapshot: message.required("snapshot", snapshot),
    range: message.required("range", range),
    graft: message.required("graft", graft),
  };
}

/** Encodes the answer of `pull_commits`. */
export function encodePullCommitsResponse(commits: Iterable<Commit>): Uint8Array<ArrayBuffer> {
  const writer = new BinaryWriter();
  for (const commit of commits) writeMessage(writer, 1, commit, writeCommit);
  return writer.finish();
}

/**
 * Decodes the answer of `pull_commits`.
 *
 * @throws {GraftError} `invalid`.
 */
export function decodePullCommitsResponse(bytes: Uint8Array): Commit[] {
  const message = new MessageReader(bytes, "the pull commits response");
  const commits: Commit[] = [];
  while (message.next()) {
    if (message.field === 1) {
      commits.push(readCommit(message.message(`commits[${commits.length}]`)));
    } else message.skip();
  }
  return commits;
}
