// What a log hears of what others write, over a store in memory whose bell rings when a test says so.

import { deepEqual, equal, ok } from "node:assert/strict";
import type { VolumeId } from "../../../core/gid.ts";
import { until } from "../../../../tests/harness/poll.ts";
import {
  commit,
  newVolume,
  openOver,
  recordAfter,
  rejectsWith,
  tryCommit,
} from "../../_testing.ts";
import type { LogChange } from "../../commit_log.ts";
import { BELL_KEY } from "../_keys.ts";
import type { KvLog } from "../kv_log.ts";
import { openShared } from "../_testing.ts";
import { SteeredKv, SteppedTimers } from "../_testing_steered.ts";
import { encodeFeed } from "./feed_entry.ts";
import { LOOK_MS } from "./feed_follower.ts";

interface Followed {
  /** What others write goes through this one. */
  readonly other: KvLog;
  /** The log that follows. */
  readonly log: KvLog;
  /** Its store. */
  readonly store: SteeredKv;
  readonly timers: SteppedTimers;
  /** The store of both, past all layers. */
  readonly kv: Deno.Kv;
  /** What its subscriber heard; a resync is the word. */
  readonly heard: (LogChange | "resync")[];
}

async function withFollower(check: (followed: Followed) => Promise<void>): Promise<void> {
  const kv = await Deno.openKv(":memory:");
  const store = new SteeredKv(kv);
  const timers = new SteppedTimers();
  const other = await openShared(new SteeredKv(kv));
  const log = await openShared(store, { timers });
  const heard: Followed["heard"] = [];
  log.subscribe((changes) => heard.push(...changes), () => heard.push("resync"));
  try {
    await check({ other, log, store, timers, kv, heard });
  } finally {
    await log.close();
    await other.close();
    kv.close();
  }
}

/** Rings until nothing new is heard: a ring that meets a reading under way leads to another. */
async function ring({ store }: Followed): Promise<void> {
  store.ring();
  await store.settled();
}

function foreign(vid: VolumeId, lsn: number): unknown {
  return { vid, lsn, record: undefined, deleted: false };
}

Deno.test("what others commit is heard in order, without the records", () =>
  withFollower(async (followed) => {
    const { other, heard } = followed;
    const vid = newVolume();
    for (let i = 0; i < 3; i++) await commit(other, vid);
    deepEqual(heard, []);
    await ring(followed);
    deepEqual(heard, [1, 2, 3].map((lsn) => foreign(vid, lsn)));
    await ring(followed);
    equal(heard.length, 3);
    await commit(other, vid);
    await ring(followed);
    deepEqual(heard.slice(3), [foreign(vid, 4)]);
  }));

Deno.test("more than a listing's batch is heard as a whole", () =>
  withFollower(async (followed) => {
    const { other, heard } = followed;
    const vid = newVolume();
    for (let i = 0; i < 600; i++) await commit(other, vid);
    await ring(followed);
    deepEqual(heard, Array.from({ length: 600 }, (_, i) => foreign(vid, i + 1)));
  }));

Deno.test("what others delete is heard as deleted, once", () =>
  withFollower(async (followed) => {
    const { other, heard } = followed;
    const vid = newVolume();
    const { lsn } = await commit(other, vid);
    await other.tombstone(vid, await other.head(vid));
    await ring(followed);
    const gone = { vid, lsn, record: undefined, deleted: true };
    deepEqual(heard, [foreign(vid, 1), gone]);
  }));

Deno.test("what the log writes itself is heard once, with the record", () =>
  withFollower(async (followed) => {
    const { log, other, heard } = followed;
    const vid = newVolume();
    const first = await commit(log, vid);
    await commit(other, vid);
    // its own next is based on the other's, and heard before the feed is read
    const third = await commit(log, vid);
    await ring(followed);
    const own = [first, third].map((record) => ({ vid, lsn: record.lsn, record, deleted: false }));
    deepEqual(heard, own);
  }));

Deno.test("a feed that is ahead of the answer waits for it", () =>
  withFollower(async (followed) => {
    const { log, store, other, heard } = followed;
    const [vid, foreignVid] = [newVolume(), newVolume()];
    const base = await log.head(vid);
    const version = await log.collectionVersion();
    const record = recordAfter(vid, base);
    const answer = store.holdNextAnswer();
    const appended = log.append(record, base, version);
    await answer.reached;
    await commit(other, foreignVid);
    store.ring();
    await store.listed();
    deepEqual(heard, []);
    answer.release();
    equal(await appended, "landed");
    await store.settled();
    deepEqual(heard, [{ vid, lsn: 1, record, deleted: false }, foreign(foreignVid, 1)]);
  }));

Deno.test("a commit whose answer was lost is heard from the feed, once", () =>
  withFollower(async (followed) => {
    const { log, store, heard } = followed;
    const vid = newVolume();
    const answer = store.holdNextAnswer();
    const lost = rejectsWith(tryCommit(log, vid), "unavailable");
    await answer.reached;
    answer.lose();
    await lost;
    await ring(followed);
    deepEqual(heard, [foreign(vid, 1)]);
    await log.headFromStore(vid);
    equal(heard.length, 1);
  }));

Deno.test("a head that others passed is read before the next append is based on it", () =>
  withFollower(async (followed) => {
    const { log, other, store } = followed;
    const [vid, quiet] = [newVolume(), newVolume()];
    await commit(log, vid);
    await commit(log, quiet);
    const passing = await commit(other, vid);
    await ring(followed);
    equal((await log.lastKnownHead(vid)).head?.lsn, passing.lsn);
    const reads = store.reads;
    equal((await log.lastKnownHead(quiet)).head?.lsn, 1);
    equal(store.reads, reads);
  }));

Deno.test("nothing is read before the first subscription, or by an exclusive log", async () => {
  const kv = await Deno.openKv(":memory:");
  const [stores, timers] = [[new SteeredKv(kv), new SteeredKv(kv)], new SteppedTimers()];
  const shared = await openShared(stores[0], { timers });
  const exclusive = await openOver(stores[1], { timers });
  exclusive.subscribe(() => {});
  equal(timers.waiting, 0);
  deepEqual(stores.map(({ watches }) => watches), [0, 0]);
  shared.subscribe(() => {});
  deepEqual(stores.map(({ watches }) => watches), [1, 0]);
  await exclusive.close();
  await shared.close();
  equal(timers.waiting, 0);
  kv.close();
});

Deno.test("what was committed before the log was opened is not heard", async () => {
  const kv = await Deno.openKv(":memory:");
  const other = await openShared(new SteeredKv(kv));
  await commit(other, newVolume());
  const store = new SteeredKv(kv);
  const log = await openShared(store, { timers: new SteppedTimers() });
  const vid = newVolume();
  await commit(other, vid);
  const heard: LogChange[] = [];
  log.subscribe((changes) => heard.push(...changes));
  store.ring();
  await store.settled();
  deepEqual(heard, [foreign(vid, 1)]);
  await log.close();
  await other.close();
  kv.close();
});

Deno.test("a bell that nobody hears is made up for by looking", () =>
  withFollower(async (followed) => {
    const { other, store, timers, heard } = followed;
    const vid = newVolume();
    await commit(other, vid);
    await timers.step(LOOK_MS);
    await store.settled();
    deepEqual(heard, [foreign(vid, 1)]);
  }));

Deno.test("a watch that breaks is begun again, and what it missed is heard", () =>
  withFollower(async (followed) => {
    const { other, store, timers, heard } = followed;
    const vid = newVolume();
    for (let lsn = 1; lsn <= 3; lsn++) {
      await until("a watch", () => Promise.resolve(store.watches === lsn), { everyMs: 1 });
      store.breakWatch();
      await commit(other, vid);
      await until("the pause before the next", () => Promise.resolve(timers.waiting === 2), {
        everyMs: 1,
      });
      // each watch that brings no more than its beginning is followed by a longer pause
      await timers.step(50 * 2 ** lsn);
      await until("the news", () => Promise.resolve(heard.length === lsn), { everyMs: 1 });
    }
    deepEqual(heard, [1, 2, 3].map((lsn) => foreign(vid, lsn)));
  }));

Deno.test("a store that fails is unhealthy, and heard again when it is back", () =>
  withFollower(async (followed) => {
    const { log, other, store, heard } = followed;
    const vid = newVolume();
    await commit(other, vid);
    store.readsFail = true;
    await ring(followed);
    equal(log.healthy, false);
    store.readsFail = false;
    await ring(followed);
    equal(log.healthy, true);
    deepEqual(heard, [foreign(vid, 1)]);
  }));

Deno.test("a feed that was trimmed beyond the position makes everybody start over", () =>
  withFollower(async (followed) => {
    const { log, other, kv, heard } = followed;
    const vid = newVolume();
    await commit(log, vid);
    await ring(followed);
    heard.length = 0;
    const passing = await commit(other, vid);
    const feed = await Array.fromAsync(kv.list({ prefix: ["feed"] }), ({ key }) => key);
    for (const key of feed) await kv.delete(key);
    await commit(other, newVolume());
    await ring(followed);
    deepEqual(heard, ["resync"]);
    equal((await log.lastKnownHead(vid)).head?.lsn, passing.lsn);
    // and goes on from there
    await commit(other, vid);
    await ring(followed);
    deepEqual(heard, ["resync", foreign(vid, 3)]);
    // also where nothing is left of it
    await commit(other, vid);
    for await (const { key } of kv.list({ prefix: ["feed"] })) await kv.delete(key);
    await ring(followed);
    deepEqual(heard.slice(2), ["resync"]);
  }));

Deno.test("an entry that has only aged at the position is no reason to start over", () =>
  withFollower(async (followed) => {
    const { other, kv, heard } = followed;
    await commit(other, newVolume());
    await ring(followed);
    heard.length = 0;
    for await (const { key } of kv.list({ prefix: ["feed"] })) await kv.delete(key);
    for (let i = 0; i < 3; i++) await ring(followed);
    deepEqual(heard, []);
  }));

Deno.test("a damaged entry makes everybody start over, and is passed", () =>
  withFollower(async (followed) => {
    const { other, kv, heard } = followed;
    const vid = newVolume();
    const value = encodeFeed([{ vid, lsn: (await commit(other, vid)).lsn, deleted: false }]);
    value[20] ^= 1;
    await kv.atomic().set(["feed", kv.commitVersionstamp()], value)
      .set([...BELL_KEY], new Uint8Array(1)).commit();
    await ring(followed);
    deepEqual(heard, ["resync"]);
    await commit(other, vid);
    await ring(followed);
    deepEqual(heard, ["resync", foreign(vid, 2)]);
  }));

Deno.test("closing ends a reading that is under way, and nothing is heard after", () =>
  withFollower(async ({ log, other, store, heard }) => {
    await commit(other, newVolume());
    store.ring();
    await log.close();
    const { length } = heard;
    store.ring();
    await commit(other, newVolume());
    equal(heard.length, length);
    ok(log.subscribe(() => {}));
    equal(store.watches, 1);
  }));
