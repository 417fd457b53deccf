// How a log takes commits.

import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { AssertionError } from "../core/assert.ts";
import { clientIdFromName } from "../core/gid.ts";
import { toLsn } from "../core/lsn.ts";
import { toPageCount } from "../core/page.ts";
import type { Behaviour } from "./_conformance.ts";
import {
  commit,
  headOf,
  newVolume,
  recordAfter,
  recordsOf,
  sparseSet,
  tryCommit,
  use,
} from "./_testing.ts";

export const appendBehaviours: Record<string, Behaviour> = {
  "a volume without commits has no head": async ({ log }) => {
    equal((await log.head(newVolume())).head, undefined);
    equal((await log.headFromStore(newVolume())).head, undefined);
  },

  "the head follows the commits, from LSN 1 on": async ({ log }) => {
    const vid = newVolume();
    for (let lsn = 1; lsn <= 3; lsn++) {
      const record = await commit(log, vid, { pageCount: toPageCount(lsn * 10) });
      equal(record.lsn, lsn);
      deepEqual((await log.head(vid)).head, headOf(record));
      deepEqual((await log.headFromStore(vid)).head, headOf(record));
    }
  },

  "an append on another base than the head is stale, and changes nothing": async ({ log }) => {
    const vid = newVolume();
    const nothing = await log.head(vid);
    const first = await commit(log, vid);
    const base = await log.head(vid);
    const second = await commit(log, vid);
    const version = await log.collectionVersion();
    equal(await log.append(recordAfter(vid, nothing), nothing, version), "stale");
    equal(await log.append(recordAfter(vid, base), base, version), "stale");
    deepEqual(await recordsOf(log, vid, 1, 9), [first, second]);
    deepEqual((await log.headFromStore(vid)).head, headOf(second));
  },

  "of 64 appends on one head exactly one lands": async ({ log }) => {
    const vid = newVolume();
    await commit(log, vid);
    const base = await log.head(vid);
    const version = await log.collectionVersion();
    const records = Array.from(
      { length: 64 },
      (_, i) => recordAfter(vid, base, { cid: clientIdFromName(`racer ${i}`) }),
    );
    const outcomes = await Promise.all(records.map((record) => log.append(record, base, version)));
    equal(outcomes.filter((outcome) => outcome === "landed").length, 1);
    equal(outcomes.filter((outcome) => outcome === "stale").length, 63);
    const landed = records[outcomes.indexOf("landed")];
    deepEqual(await log.record(vid, toLsn(2)), landed);
    deepEqual((await log.headFromStore(vid)).head, headOf(landed));
    equal(await log.record(vid, toLsn(3)), undefined);
  },

  "64 writers that try again until they land make a line without gaps": async ({ log }) => {
    const vid = newVolume();
    await Promise.all(Array.from({ length: 64 }, async (_, i) => {
      const cid = clientIdFromName(`writer ${i}`);
      while ((await tryCommit(log, vid, { cid })).outcome === "stale");
    }));
    const records = await recordsOf(log, vid, 1, 64);
    deepEqual(records.map(({ lsn }) => lsn), Array.from({ length: 64 }, (_, i) => i + 1));
    equal(new Set(records.map(({ cid }) => cid)).size, 64);
    for (let i = 1; i < records.length; i++) {
      deepEqual(records[i].parentDigest, records[i - 1].digest);
    }
  },

  "a stale append does not take its neighbours with it": async ({ log }) => {
    const loser = newVolume();
    const nothing = await log.head(loser);
    const version = await log.collectionVersion();
    // the second append of each turn has lost; whether that is known before it is written differs
    const outcomes = await Promise.all([
      log.append(recordAfter(loser, nothing), nothing, version),
      ...Array.from({ length: 20 }, async () => {
        const { outcome } = await tryCommit(log, newVolume());
        return [outcome, await log.append(recordAfter(loser, nothing), nothing, version)];
      }),
    ]);
    equal(outcomes[0], "landed");
    deepEqual(outcomes.slice(1), outcomes.slice(1).map(() => ["landed", "stale"]));
  },

  "300 volumes commit at once": async ({ log }) => {
    const vids = Array.from({ length: 300 }, newVolume);
    const records = await Promise.all(vids.map((vid) => commit(log, vid)));
    for (const [i, vid] of vids.entries()) {
      deepEqual((await log.headFromStore(vid)).head, headOf(records[i]));
      deepEqual(await log.record(vid, toLsn(1)), records[i]);
    }
  },

  "3 MB of commits wait together": async ({ log }) => {
    const pageSet = sparseSet(50_000);
    ok(pageSet.bytes.length > 40_000 && pageSet.bytes.length < 60_000);
    const vids = Array.from({ length: 60 }, newVolume);
    const records = await Promise.all(
      vids.map((vid) => commit(log, vid, { segments: [use(pageSet)] })),
    );
    for (const [i, vid] of vids.entries()) deepEqual(await recordsOf(log, vid, 1, 1), [records[i]]);
  },

  "32 volumes name 64 segments each at once": async ({ log }) => {
    const segments = () => Array.from({ length: 64 }, () => use());
    const vids = Array.from({ length: 32 }, newVolume);
    const records = await Promise.all(
      vids.map((vid) => commit(log, vid, { segments: segments() })),
    );
    for (const [i, vid] of vids.entries()) deepEqual(await log.record(vid, toLsn(1)), records[i]);
  },

  "a commit that rests on what a collector has moved is stale, and then lands": async (tested) => {
    const { log, collect } = tested;
    if (collect === undefined) return;
    const [vid, other] = [newVolume(), newVolume()];
    await commit(log, other);
    const base = await log.head(vid);
    const record = recordAfter(vid, base);
    const version = await log.collectionVersion();
    await collect();
    equal(await log.append(record, base, version), "stale");
    equal((await log.headFromStore(vid)).head, undefined);
    equal(await log.append(record, base, await log.collectionVersion()), "landed");
    await commit(log, other);
    // and once more, now that the log knows of a collector
    const next = await log.head(vid);
    const stale = await log.collectionVersion();
    await collect();
    await tryCommit(log, other);
    equal(await log.append(recordAfter(vid, next), next, stale), "stale");
    await commit(log, vid);
  },

  "a tombstone ends a volume for ever": async ({ log }) => {
    const vid = newVolume();
    await commit(log, vid);
    const old = await log.head(vid);
    const second = await commit(log, vid);
    equal(await log.tombstone(vid, old), "stale");
    const base = await log.head(vid);
    equal(await log.tombstone(vid, base), "landed");
    const deleted = { ...headOf(second), deleted: true };
    deepEqual((await log.head(vid)).head, deleted);
    deepEqual((await log.headFromStore(vid)).head, deleted);
    const version = await log.collectionVersion();
    equal(await log.append(recordAfter(vid, base), base, version), "stale");
    equal(await log.tombstone(vid, base), "stale");
    await rejects(log.tombstone(vid, await log.head(vid)), AssertionError);
    deepEqual(await log.record(vid, toLsn(2)), second);
  },

  "a record that does not follow from its base is refused": async ({ log }) => {
    const vid = newVolume();
    await commit(log, vid);
    const base = await log.head(vid);
    const version = await log.collectionVersion();
    const record = recordAfter(vid, base);
    const wrong = [
      { ...record, lsn: toLsn(3) },
      { ...record, parentDigest: new Uint8Array(16).fill(7) },
      { ...record, timestampMs: record.timestampMs - 1 },
      { ...record, segments: Array.from({ length: 65 }, () => use()) },
    ];
    for (const each of wrong) await rejects(log.append(each, base, version), AssertionError);
    await commit(log, vid);
    equal(await log.tombstone(vid, await log.head(vid)), "landed");
    const dead = await log.head(vid);
    await rejects(log.append(recordAfter(vid, dead), dead, version), AssertionError);
  },
};
