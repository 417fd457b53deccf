// How a log tells others what happened.

import { deepEqual, equal, ok } from "node:assert/strict";
import type { Behaviour } from "./_conformance.ts";
import { commit, newVolume, recordAfter } from "./_testing.ts";
import type { LogChange } from "./commit_log.ts";

export const followingBehaviours: Record<string, Behaviour> = {
  "subscribers hear of a commit before its caller does, with the record": async ({ log }) => {
    const heard: LogChange[] = [];
    log.subscribe((changes) => heard.push(...changes));
    const vid = newVolume();
    const records = [];
    for (let i = 0; i < 3; i++) {
      records.push(await commit(log, vid));
      equal(heard.length, records.length);
    }
    deepEqual(heard, records.map((record) => ({ vid, lsn: record.lsn, record, deleted: false })));
  },

  "each volume's commits are heard in their order": async ({ log }) => {
    const heard = new Map<string, number[]>();
    log.subscribe((changes) => {
      for (const { vid, lsn } of changes) heard.set(vid, [...heard.get(vid) ?? [], lsn]);
    });
    const vids = Array.from({ length: 20 }, newVolume);
    await Promise.all(vids.map(async (vid) => {
      for (let i = 0; i < 15; i++) await commit(log, vid);
    }));
    const line = Array.from({ length: 15 }, (_, i) => i + 1);
    for (const vid of vids) deepEqual(heard.get(vid), line);
    equal(heard.size, 20);
  },

  "a subscriber sees the head that it is told of": async ({ log }) => {
    const vid = newVolume();
    const seen: Promise<boolean>[] = [];
    log.subscribe((changes) => {
      const { lsn } = changes[0];
      seen.push(log.head(vid).then(({ head }) => head?.lsn === lsn));
    });
    await commit(log, vid);
    await commit(log, vid);
    deepEqual(await Promise.all(seen), [true, true]);
  },

  "losers and the unsubscribed hear nothing": async ({ log }) => {
    const vid = newVolume();
    const lsns: number[] = [];
    const unsubscribe = log.subscribe((changes) => lsns.push(...changes.map(({ lsn }) => lsn)));
    const base = await log.head(vid);
    const version = await log.collectionVersion();
    const outcomes = await Promise.all(
      Array.from({ length: 8 }, () => log.append(recordAfter(vid, base), base, version)),
    );
    equal(outcomes.filter((outcome) => outcome === "landed").length, 1);
    deepEqual(lsns, [1]);
    unsubscribe();
    await commit(log, vid);
    deepEqual(lsns, [1]);
  },

  "one function may subscribe twice, and each subscription ends by itself": async ({ log }) => {
    let heard = 0;
    const listener = () => void heard++;
    const [first] = [log.subscribe(listener), log.subscribe(listener)];
    await commit(log, newVolume());
    equal(heard, 2);
    first();
    await commit(log, newVolume());
    equal(heard, 3);
  },

  "a subscriber that throws is reported, and harms nobody": async (tested) => {
    const { log, listenerErrors } = tested;
    const broken = new Error("broken listener");
    let heard = 0;
    log.subscribe(() => {
      throw broken;
    });
    log.subscribe(() => void heard++);
    const vid = newVolume();
    await commit(log, vid);
    await commit(log, vid);
    equal(heard, 2);
    deepEqual(listenerErrors, [broken, broken]);
  },

  "a deletion is heard, without a record": async ({ log }) => {
    const vid = newVolume();
    const record = await commit(log, vid);
    const heard: LogChange[] = [];
    log.subscribe((changes) => heard.push(...changes));
    await log.tombstone(vid, await log.head(vid));
    deepEqual(heard, [{ vid, lsn: record.lsn, record: undefined, deleted: true }]);
  },

  "a log that answered is healthy": async ({ log }) => {
    await commit(log, newVolume());
    equal(log.healthy, true);
    ok(log.name.length > 0);
    ok(/^[0-9a-f]{32}$/.test(log.storeId), log.storeId);
  },
};
