// What tests of logs share.

import { equal } from "node:assert/strict";
import { systemClock } from "../core/clock.ts";
import { EMPTY_DIGEST } from "../core/content_digest.ts";
import {
  type ClientId,
  clientIdFromName,
  newGid,
  type SegmentId,
  type VolumeId,
} from "../core/gid.ts";
import { type Lsn, nextLsn, toLsn } from "../core/lsn.ts";
import { noMetrics } from "../core/metrics.ts";
import { toPageCount } from "../core/page.ts";
import { PageSet } from "../core/page_set.ts";
import { systemRandom } from "../core/random.ts";
import type { SegmentUse } from "../core/snapshot.ts";
import { systemTimers } from "../core/timers.ts";
import type { TestedLog } from "./_conformance.ts";
import type { AppendOutcome, CommitLog, CommitRecord, Head, HeadRead } from "./commit_log.ts";
import { commitDigest } from "./digest.ts";
import { COLLECTION_KEY } from "./kv/_keys.ts";
import type { KvHandle } from "./kv/kv_handle.ts";
import { KvLog, type KvLogParts } from "./kv/kv_log.ts";

export { rejectsWith } from "../objects/_testing.ts";

export const CLIENT: ClientId = clientIdFromName("test");

export function newVolume(): VolumeId {
  return newGid("volume", systemClock, systemRandom);
}

export function newSegment(): SegmentId {
  return newGid("segment", systemClock, systemRandom);
}

/** A segment of a commit. */
export function use(pages: PageSet = PageSet.from([1, 2])): SegmentUse {
  return { sid: newSegment(), pageSet: pages };
}

/** A set whose encoding takes about `bytes` bytes: lone members, far apart. */
export function sparseSet(bytes: number): PageSet {
  return PageSet.from(Array.from({ length: Math.ceil(bytes / 5) }, (_, i) => 1 + i * 257));
}

/** What may differ from record to record. */
export type RecordChanges = Partial<
  Pick<CommitRecord, "cid" | "pageCount" | "timestampMs" | "requestId" | "segments">
>;

/** The record that follows from a head. */
export function recordAfter(
  vid: VolumeId,
  base: HeadRead,
  changes: RecordChanges = {},
): CommitRecord {
  const parentDigest = base.head?.digest ?? EMPTY_DIGEST;
  const fields = {
    cid: CLIENT,
    pageCount: toPageCount(2),
    timestampMs: base.head?.timestampMs ?? 1_700_000_000_000,
    requestId: undefined,
    segments: [use()],
    ...changes,
  };
  const { cid, pageCount } = fields;
  const digest = commitDigest({
    vid,
    cid,
    baseLsn: base.head?.lsn,
    pageCount,
    contentDigest: EMPTY_DIGEST,
    parentDigest,
  });
  return { ...fields, vid, lsn: nextLsn(base.head?.lsn), digest, parentDigest };
}

/** Appends a record to the head, wherever that is. */
export async function tryCommit(
  log: CommitLog,
  vid: VolumeId,
  changes: RecordChanges = {},
): Promise<{ record: CommitRecord; outcome: AppendOutcome }> {
  const base = await log.head(vid);
  const record = recordAfter(vid, base, changes);
  const outcome = await log.append(record, base, await log.collectionVersion());
  return { record, outcome };
}

/** The same, and it must land. */
export async function commit(
  log: CommitLog,
  vid: VolumeId,
  changes: RecordChanges = {},
): Promise<CommitRecord> {
  const { record, outcome } = await tryCommit(log, vid, changes);
  equal(outcome, "landed");
  return record;
}

/** The head that a record makes. */
export function headOf(record: CommitRecord): Head {
  const { lsn, pageCount, cid, digest, timestampMs } = record;
  return { lsn, pageCount, cid, digest, timestampMs, floorLsn: toLsn(1), deleted: false };
}

/** The records of a range, as an array. */
export async function recordsOf(
  log: CommitLog,
  vid: VolumeId,
  start: number,
  end: number,
): Promise<CommitRecord[]> {
  return await Array.fromAsync(log.records(vid, start as Lsn, end as Lsn));
}

/** A log over a handle, exclusive unless told otherwise. */
export async function openOver(kv: KvHandle, parts: Partial<KvLogParts> = {}): Promise<KvLog> {
  return await KvLog.open({
    kv,
    name: "test:",
    exclusive: true,
    clock: systemClock,
    random: systemRandom,
    timers: systemTimers,
    metrics: noMetrics,
    onListenerError: (error) => {
      throw error;
    },
    ...parts,
  });
}

/** A log over a store in memory, with the store. Closing the log closes both. */
export async function openInMemory(
  parts: Partial<KvLogParts> = {},
): Promise<{ kv: Deno.Kv; log: KvLog }> {
  const kv = await Deno.openKv(":memory:");
  return { kv, log: await openOver(kv, parts) };
}

/** A log in a KV file or in memory, as the conformance suite wants it; `layer` stands between the two. */
export async function testedKvLog(
  place: "file" | "memory",
  layer: (kv: KvHandle) => KvHandle = (kv) => kv,
): Promise<TestedLog> {
  const directory = place === "file" ? await Deno.makeTempDir() : undefined;
  const path = directory === undefined ? ":memory:" : `${directory}/log.kv`;
  const listenerErrors: unknown[] = [];
  const onListenerError = (error: unknown) => listenerErrors.push(error);
  let kv = await Deno.openKv(path);
  const open = () => openOver(layer(kv), { onListenerError });
  let log = await open();
  const reopen = async () => {
    await log.close();
    kv = await Deno.openKv(path);
    return log = await open();
  };
  return {
    log,
    listenerErrors,
    keepsRegistrations: true,
    collect: async () => void await kv.set([...COLLECTION_KEY], new Uint8Array(1)),
    reopen: place === "file" ? reopen : undefined,
    dispose: async () => {
      await log.close();
      if (directory !== undefined) await Deno.remove(directory, { recursive: true });
    },
  };
}
