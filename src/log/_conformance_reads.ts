// What a log answers about what it took.

import { deepEqual, equal, ok } from "node:assert/strict";
import { clientIdFromName, type VolumeId } from "../core/gid.ts";
import { PAGE_COUNT_MAX } from "../core/limits.ts";
import { toLsn } from "../core/lsn.ts";
import { toPageCount } from "../core/page.ts";
import { PageSet } from "../core/page_set.ts";
import type { Behaviour } from "./_conformance.ts";
import {
  commit,
  headOf,
  newSegment,
  newVolume,
  recordAfter,
  recordsOf,
  rejectsWith,
  sparseSet,
  use,
} from "./_testing.ts";
import type { Registration } from "./commit_log.ts";

export const readBehaviours: Record<string, Behaviour> = {
  "a log is empty until it holds a volume": async ({ log }) => {
    equal(await log.isEmpty(), true);
    const vid = newVolume();
    await commit(log, vid, { segments: [] });
    equal(await log.isEmpty(), false);
    await log.tombstone(vid, await log.head(vid));
    equal(await log.isEmpty(), false);
  },

  "a log is empty until it holds a segment": async ({ log, keepsRegistrations }) => {
    if (!keepsRegistrations) return;
    await log.register([]);
    equal(await log.isEmpty(), true);
    await log.register([{ sid: newSegment(), timestampMs: 1, sizeBytes: 1, volumes: [] }]);
    equal(await log.isEmpty(), false);
  },

  "records come in ranges, ascending, as far as there are any": async ({ log }) => {
    const [vid, neighbour] = [newVolume(), newVolume()];
    const records = [];
    for (let i = 0; i < 12; i++) {
      records.push(await commit(log, vid));
      await commit(log, neighbour);
    }
    deepEqual(await recordsOf(log, vid, 1, 12), records);
    deepEqual(await recordsOf(log, vid, 3, 5), records.slice(2, 5));
    deepEqual(await recordsOf(log, vid, 12, 12), [records[11]]);
    deepEqual(await recordsOf(log, vid, 9, Number.MAX_SAFE_INTEGER), records.slice(8));
    deepEqual(await recordsOf(log, vid, 13, 20), []);
    deepEqual(await recordsOf(log, vid, 5, 4), []);
    deepEqual(await recordsOf(log, newVolume(), 1, 9), []);
    deepEqual(await log.record(vid, toLsn(12)), records[11]);
    equal(await log.record(vid, toLsn(13)), undefined);
    equal(await log.record(newVolume(), toLsn(1)), undefined);
  },

  "a line longer than any batch of a listing has no gap": async ({ log }) => {
    const vid = newVolume();
    for (let i = 0; i < 600; i++) await commit(log, vid, { segments: [] });
    const lsns = (await recordsOf(log, vid, 2, 600)).map(({ lsn }) => lsn);
    deepEqual(lsns, Array.from({ length: 599 }, (_, i) => i + 2));
  },

  "a reader may stop in the middle of a range": async ({ log }) => {
    const vid = newVolume();
    for (let i = 0; i < 5; i++) await commit(log, vid);
    for await (const record of log.records(vid, toLsn(1), toLsn(5))) {
      if (record.lsn === 2) break;
    }
    equal((await recordsOf(log, vid, 1, 5)).length, 5);
  },

  "every field of a record comes back as it went": async ({ log }) => {
    const vid = newVolume();
    const records = [
      await commit(log, vid, { segments: [], pageCount: toPageCount(0), timestampMs: 0 }),
      await commit(log, vid, { requestId: new Uint8Array(0), timestampMs: 1 }),
      await commit(log, vid, { requestId: Uint8Array.of(0, 255, 7) }),
      await commit(log, vid, {
        cid: clientIdFromName("somebody else"),
        pageCount: toPageCount(PAGE_COUNT_MAX),
        timestampMs: 2 ** 48,
        segments: [use(PageSet.range(1, PAGE_COUNT_MAX)), use(PageSet.from([PAGE_COUNT_MAX]))],
      }),
    ];
    deepEqual(await recordsOf(log, vid, 1, 4), records);
    for (const record of records) deepEqual(await log.record(vid, record.lsn), record);
  },

  "records of any size come back": async ({ log }) => {
    const vid = newVolume();
    const sizes = [1_000, 59_000, 60_000, 61_000, 62_000, 66_000, 130_000];
    const records = [];
    for (const size of sizes) {
      records.push(await commit(log, vid, { segments: [use(sparseSet(size))] }));
    }
    const segments = Array.from({ length: 64 }, (_, i) => use(sparseSet(30_000 + i)));
    records.push(await commit(log, vid, { segments }));
    records.push(await commit(log, vid));
    ok(segments.reduce((sum, { pageSet }) => sum + pageSet.bytes.length, 0) > 1_500_000);
    deepEqual(await recordsOf(log, vid, 1, 9), records);
    deepEqual(await log.record(vid, toLsn(8)), records[7]);
  },

  "a registration of 400 volumes comes back": async ({ log }) => {
    const registration = sampleRegistration(400, () => PageSet.range(1, 40));
    equal(await log.registration(registration.sid), undefined);
    await log.register([registration]);
    deepEqual(await log.registration(registration.sid), registration);
    await log.register([registration]);
    deepEqual(await log.registration(registration.sid), registration);
    equal(await log.registration(newSegment()), undefined);
  },

  "registrations of any size and number come back": async (tested) => {
    const { log, keepsRegistrations, reopen } = tested;
    const registrations = [
      sampleRegistration(0, () => PageSet.empty),
      sampleRegistration(1, () => sparseSet(59_000)),
      sampleRegistration(1, () => sparseSet(200_000)),
      ...Array.from({ length: 1_500 }, () => sampleRegistration(1, () => PageSet.range(1, 4))),
      ...Array.from({ length: 30 }, () => sampleRegistration(2, () => sparseSet(25_000))),
    ];
    await log.register(registrations);
    await log.register([]);
    const read = reopen === undefined || !keepsRegistrations ? log : await reopen();
    for (const registration of registrations) {
      deepEqual(await read.registration(registration.sid), registration);
    }
  },

  "volumes are listed by id, by prefix, and page by page": async ({ log }) => {
    const vids = Array.from({ length: 30 }, newVolume).sort();
    const records = await Promise.all(vids.map((vid) => commit(log, vid)));
    const all = await log.volumes({ limit: 100 });
    deepEqual(all, vids.map((vid, i) => ({ vid, head: headOf(records[i]) })));
    deepEqual(await log.volumes({ limit: 7 }), all.slice(0, 7));
    deepEqual(await log.volumes({ limit: 7, after: vids[6] }), all.slice(7, 14));
    deepEqual(await log.volumes({ limit: 7, after: vids[29] }), []);
    deepEqual(await log.volumes({ limit: 0 }), []);
    const [prefix] = [vids[3]];
    deepEqual(await log.volumes({ limit: 9, prefix }), [all[3]]);
    deepEqual(await log.volumes({ limit: 9, prefix, after: vids[3] }), []);
    deepEqual(await log.volumes({ limit: 9, prefix: `${prefix}1` }), []);
    deepEqual(await log.volumes({ limit: 9, prefix: "z" }), []);
    deepEqual(await log.volumes({ limit: 9, prefix: "\u{1f980}" }), []);
    deepEqual(await log.volumes({ limit: 9, prefix: "G".repeat(3_000) }), []);
    const common = vids[0].slice(0, 4);
    const those = all.filter(({ vid }) => vid.startsWith(common));
    deepEqual(await log.volumes({ limit: 100, prefix: common }), those);
    deepEqual(await log.volumes({ limit: 100, prefix: common, after: "1" as VolumeId }), those);
    deepEqual(await log.volumes({ limit: 100, prefix: common, after: "z" as VolumeId }), []);
  },

  "deleted volumes are not listed, and take no place in a page": async ({ log }) => {
    const vids = Array.from({ length: 6 }, newVolume).sort();
    for (const vid of vids) await commit(log, vid);
    for (const vid of [vids[0], vids[2]]) await log.tombstone(vid, await log.head(vid));
    const listed = await log.volumes({ limit: 3 });
    deepEqual(listed.map(({ vid }) => vid), [vids[1], vids[3], vids[4]]);
  },

  "what was acknowledged is there when the log is opened again": async (tested) => {
    const { log, keepsRegistrations, reopen } = tested;
    if (reopen === undefined) return;
    const { storeId } = log;
    const [vid, deleted] = [newVolume(), newVolume()];
    const large = { segments: [use(sparseSet(100_000))] };
    const records = [await commit(log, vid), await commit(log, vid, large)];
    await commit(log, deleted);
    await log.tombstone(deleted, await log.head(deleted));
    const registration = sampleRegistration(3, () => PageSet.range(1, 9));
    await log.register([registration]);
    const again = await reopen();
    equal(again.storeId, storeId);
    deepEqual(await recordsOf(again, vid, 1, 9), records);
    deepEqual((await again.head(vid)).head, headOf(records[1]));
    equal((await again.head(deleted)).head?.deleted, true);
    equal((await commit(again, vid)).lsn, 3);
    if (!keepsRegistrations) return;
    deepEqual(await again.registration(registration.sid), registration);
  },

  "closing finishes what waits, and then nothing is taken": async (tested) => {
    const { log, keepsRegistrations, reopen } = tested;
    const appends = await Promise.all(Array.from({ length: 150 }, async () => {
      const vid = newVolume();
      const base = await log.head(vid);
      return { record: recordAfter(vid, base), base };
    }));
    const version = await log.collectionVersion();
    const outcomes = appends.map(({ record, base }) => log.append(record, base, version));
    const registration = sampleRegistration(1, () => PageSet.range(1, 2));
    const registered = log.register([registration]);
    await Promise.all([log.close(), log.close(), registered]);
    ok((await Promise.all(outcomes)).every((outcome) => outcome === "landed"));
    await rejectsWith(log.register([registration]), "unavailable", /closed/);
    await rejectsWith(log.headFromStore(newVolume()), "unavailable");
    await log.close();
    if (reopen === undefined) return;
    const again = await reopen();
    equal((await again.volumes({ limit: 200 })).length, 150);
    if (!keepsRegistrations) return;
    deepEqual(await again.registration(registration.sid), registration);
  },
};

function sampleRegistration(volumes: number, pageSet: (i: number) => PageSet): Registration {
  return {
    sid: newSegment(),
    timestampMs: 1_700_000_000_123,
    sizeBytes: 67_108_864,
    volumes: Array.from({ length: volumes }, (_, i) => ({
      vid: newVolume(),
      pageSet: pageSet(i),
      digest: new Uint8Array(16).fill(i),
    })),
  };
}
