// What heads a log takes for the newest, and what holds where several processes write to one.

import { deepEqual, equal } from "node:assert/strict";
import { clientIdFromName, type VolumeId } from "../core/gid.ts";
import { toPageCount } from "../core/page.ts";
import type { Behaviour } from "./_conformance.ts";
import {
  commit,
  headOf,
  newVolume,
  recordAfter,
  recordsOf,
  rejectsWith,
  tryCommit,
} from "./_testing.ts";
import type { AppendOutcome, CommitLog, HeadRead } from "./commit_log.ts";

/** Appends to a head without asking whether it is the newest. */
async function appendTo(log: CommitLog, vid: VolumeId, base: HeadRead): Promise<AppendOutcome> {
  return await log.append(recordAfter(vid, base), base, await log.collectionVersion());
}

export const sharingBehaviours: Record<string, Behaviour> = {
  "the last known head follows the own commits, and takes the next": async ({ log }) => {
    const vid = newVolume();
    equal((await log.lastKnownHead(vid)).head, undefined);
    for (let i = 0; i < 3; i++) {
      equal(await appendTo(log, vid, await log.lastKnownHead(vid)), "landed");
      deepEqual((await log.lastKnownHead(vid)).head, (await log.headFromStore(vid)).head);
    }
    equal((await log.lastKnownHead(vid)).head?.lsn, 3);
  },

  "the last known head of a volume deleted here is deleted": async ({ log }) => {
    const vid = newVolume();
    const record = await commit(log, vid);
    equal(await log.tombstone(vid, await log.lastKnownHead(vid)), "landed");
    deepEqual((await log.lastKnownHead(vid)).head, { ...headOf(record), deleted: true });
  },

  "an append on a last known head that another passed is stale, and never lands": async (
    tested,
  ) => {
    const { log, another } = tested;
    if (another === undefined) return;
    const other = await another();
    const vid = newVolume();
    const first = await commit(log, vid);
    const known = await log.lastKnownHead(vid);
    const second = await commit(other, vid);
    equal(await appendTo(log, vid, known), "stale");
    // having lost, it knows what it lost to
    equal(await appendTo(log, vid, await log.lastKnownHead(vid)), "landed");
    deepEqual((await recordsOf(other, vid, 1, 9)).slice(0, 2), [first, second]);
    equal((await other.head(vid)).head?.lsn, 3);
    await other.close();
  },

  "no answer about the head comes from what is known here": async ({ log, another }) => {
    if (another === undefined) return;
    const other = await another();
    const [vid, deleted, young] = [newVolume(), newVolume(), newVolume()];
    await commit(log, vid);
    await commit(log, deleted);
    equal((await log.head(young)).head, undefined);
    const record = await commit(other, vid, { pageCount: toPageCount(9) });
    await other.tombstone(deleted, await other.head(deleted));
    await commit(other, young);
    deepEqual((await log.head(vid)).head, headOf(record));
    equal((await log.head(deleted)).head?.deleted, true);
    equal((await log.head(young)).head?.lsn, 1);
    equal(other.storeId, log.storeId);
    await other.close();
  },

  "an append on a volume that another deleted is stale": async ({ log, another }) => {
    if (another === undefined) return;
    const other = await another();
    const vid = newVolume();
    await commit(log, vid);
    const known = await log.lastKnownHead(vid);
    equal(await other.tombstone(vid, await other.head(vid)), "landed");
    equal(await appendTo(log, vid, known), "stale");
    equal(await log.tombstone(vid, known), "stale");
    equal((await log.head(vid)).head?.deleted, true);
    await other.close();
  },

  "of two logs that append to one head exactly one lands": async ({ log, another }) => {
    if (another === undefined) return;
    const other = await another();
    const vid = newVolume();
    for (let lsn = 1; lsn <= 8; lsn++) {
      const bases = await Promise.all([log, other].map((each) => each.head(vid)));
      const outcomes = await Promise.all(
        [log, other].map((each, i) => appendTo(each, vid, bases[i])),
      );
      deepEqual(outcomes.toSorted(), ["landed", "stale"]);
      equal((await log.head(vid)).head?.lsn, lsn);
    }
    await other.close();
  },

  "writers in two logs that try until they land make a line without gaps": async (tested) => {
    const { log, another } = tested;
    if (another === undefined) return;
    const other = await another();
    const vids = [newVolume(), newVolume(), newVolume()];
    await Promise.all(Array.from({ length: 24 }, async (_, i) => {
      const cid = clientIdFromName(`writer ${i}`);
      const through = i % 2 === 0 ? log : other;
      const vid = vids[i % vids.length];
      while ((await tryCommit(through, vid, { cid })).outcome === "stale");
    }));
    for (const vid of vids) {
      const records = await recordsOf(other, vid, 1, 99);
      deepEqual(await recordsOf(log, vid, 1, 99), records);
      deepEqual(records.map(({ lsn }) => lsn), [1, 2, 3, 4, 5, 6, 7, 8]);
      equal(new Set(records.map(({ cid }) => cid)).size, 8);
    }
    await other.close();
  },

  "a log that was closed leaves the other as it was": async ({ log, another }) => {
    if (another === undefined) return;
    const other = await another();
    const vid = newVolume();
    const record = await commit(other, vid);
    await other.close();
    await rejectsWith(other.headFromStore(vid), "unavailable");
    deepEqual((await log.head(vid)).head, headOf(record));
    equal((await commit(log, vid)).lsn, 2);
  },
};
