// How old knowledge may be, and what dates puts carry.

import { deepEqual, equal, ok } from "node:assert/strict";
import type { VolumeId } from "../../core/gid.ts";
import { MemoryStore } from "../../objects/memory_store.ts";
import { headOf, newVolume, recordAfter, recordsOf, rejectsWith, tryCommit } from "../_testing.ts";
import type { AppendOutcome, CommitLog, HeadRead, LogChange } from "../commit_log.ts";
import type { BucketLog } from "./bucket_log.ts";
import { openBucket, TestClock, WatchedStore } from "./_testing.ts";

const MINUTE_MS = 60_000;

interface Timed {
  readonly clock: TestClock;
  readonly store: WatchedStore;
  readonly log: BucketLog;
  readonly rival: BucketLog;
}

/** Two logs over one store, all by one clock. */
async function open(): Promise<Timed> {
  const clock = new TestClock();
  const inner = new MemoryStore(clock);
  const store = new WatchedStore(inner);
  const log = await openBucket(store, { clock });
  const rival = await openBucket(inner, { clock });
  store.take();
  return { clock, store, log, rival };
}

async function append(log: CommitLog, vid: VolumeId, base: HeadRead): Promise<AppendOutcome> {
  return await log.append(recordAfter(vid, base), base, await log.collectionVersion());
}

Deno.test("a put is dated with the read that its base rests on", async () => {
  const { clock, store, log } = await open();
  const vid = newVolume();
  const readAt = clock.now();
  const base = await log.head(vid);
  clock.advance(3 * MINUTE_MS);
  const putAt = clock.now();
  equal(await append(log, vid, base), "landed");
  deepEqual(store.dates, [readAt]);
  // the put itself is as good as a read at the time it was sent
  store.take();
  clock.advance(3 * MINUTE_MS);
  equal(await append(log, vid, await log.lastKnownHead(vid)), "landed");
  deepEqual(store.dates, [readAt, putAt]);
  deepEqual(store.take(), ["putDated"]);
});

Deno.test("a date is from before the read was sent, not from its answer", async () => {
  const { clock, store, log } = await open();
  const vid = newVolume();
  const sentAt = clock.now();
  store.before = (call) => call.startsWith("list") ? clock.advance(MINUTE_MS) : undefined;
  const base = await log.head(vid);
  equal(await append(log, vid, base), "landed");
  equal(store.dates[0], sentAt);
  // and of a put from before it was sent
  const putAt = clock.now();
  store.before = (call) => call.startsWith("putDated") ? clock.advance(MINUTE_MS) : undefined;
  equal(await append(log, vid, await log.head(vid)), "landed");
  store.before = () => {};
  equal(await append(log, vid, await log.lastKnownHead(vid)), "landed");
  equal(store.dates[2], putAt);
});

Deno.test("a known head is used for four minutes, then read again", async () => {
  const { clock, store, log } = await open();
  const vid = newVolume();
  await tryCommit(log, vid);
  store.take();
  clock.advance(4 * MINUTE_MS - 1);
  await log.lastKnownHead(vid);
  deepEqual(store.take(), []);
  clock.advance(1);
  const readAt = clock.now();
  const base = await log.lastKnownHead(vid);
  deepEqual(store.take(), ["get"]);
  clock.advance(MINUTE_MS);
  await append(log, vid, base);
  equal(store.dates.at(-1), readAt);
});

Deno.test("a known head is followed by name for half an hour, then listed", async () => {
  const { clock, store, log } = await open();
  const vid = newVolume();
  await tryCommit(log, vid);
  store.take();
  clock.advance(30 * MINUTE_MS - 1);
  await log.head(vid);
  deepEqual(store.take(), ["get"]);
  clock.advance(30 * MINUTE_MS);
  await log.head(vid);
  deepEqual(store.take(), ["list", "get"]);
});

Deno.test("nor is it followed on by name when following took too long", async () => {
  const { clock, store, log, rival } = await open();
  const vid = newVolume();
  await tryCommit(log, vid);
  await tryCommit(rival, vid);
  clock.advance(29 * MINUTE_MS);
  store.take();
  store.before = () => clock.advance(MINUTE_MS);
  equal((await log.head(vid)).head?.lsn, 2);
  deepEqual(store.take(), ["get", "list", "get"]);
});

Deno.test("a base that was read ten minutes ago is not put on", async () => {
  const { clock, store, log } = await open();
  const vid = newVolume();
  const base = await log.head(vid);
  clock.advance(10 * MINUTE_MS);
  store.take();
  equal(await append(log, vid, base), "stale");
  deepEqual(store.take(), []);
  equal(await append(log, vid, await log.headFromStore(vid)), "landed");
});

Deno.test("the store refuses a put that was held back for more than 15 minutes", async () => {
  const { clock, store, log, rival } = await open();
  const vid = newVolume();
  const base = await log.head(vid);
  store.before = (call) => {
    if (call.startsWith("putDated")) clock.advance(15 * MINUTE_MS + 1);
  };
  await rejectsWith(append(log, vid, base), "unavailable", /date is too long ago/);
  equal((await rival.head(vid)).head, undefined);
  store.before = () => {};
  equal((await tryCommit(log, vid)).outcome, "landed");
});

Deno.test("a commit whose answer comes after ten minutes counts if it is there", async () => {
  const { clock, store, log } = await open();
  const vid = newVolume();
  const heard: LogChange[] = [];
  log.subscribe((changes) => heard.push(...changes));
  store.after = (call) => {
    if (call.startsWith("putDated")) clock.advance(10 * MINUTE_MS);
  };
  const { record, outcome } = await tryCommit(log, vid);
  equal(outcome, "landed");
  deepEqual(store.take(), ["list", "putDated", "list", "get", "get"]);
  deepEqual(heard, [{ vid, lsn: record.lsn, record: undefined, deleted: false }]);
  store.after = () => {};
  deepEqual((await log.head(vid)).head, headOf(record));
});

Deno.test("and where others went on from it", async () => {
  const { clock, store, log, rival } = await open();
  const vid = newVolume();
  store.after = async (call) => {
    if (!call.startsWith("putDated")) return;
    store.after = () => {};
    await tryCommit(rival, vid);
    await tryCommit(rival, vid);
    clock.advance(45 * MINUTE_MS);
  };
  equal((await tryCommit(log, vid)).outcome, "landed");
  equal((await log.head(vid)).head?.lsn, 3);
});

Deno.test("but not if something else is there, or nothing", async () => {
  const { clock, store, log, rival } = await open();
  for (const lsn of [0, 1]) {
    const vid = newVolume();
    store.after = async (call) => {
      if (!call.startsWith("putDated")) return;
      store.after = () => {};
      clock.advance(45 * MINUTE_MS);
      await store.delete(call.split(" ")[1]);
      if (lsn === 1) await tryCommit(rival, vid);
    };
    equal((await tryCommit(log, vid)).outcome, "stale");
    equal((await log.head(vid)).head?.lsn ?? 0, lsn);
    equal((await recordsOf(log, vid, 1, 9)).length, lsn);
  }
});

Deno.test("a clock that is set back makes no knowledge younger", async () => {
  const { clock, store, log } = await open();
  const vid = newVolume();
  await tryCommit(log, vid);
  const base = await log.head(vid);
  clock.advance(5 * MINUTE_MS);
  clock.wallMs -= 60 * MINUTE_MS;
  store.take();
  await log.lastKnownHead(vid);
  deepEqual(store.take(), ["get"]);
  equal(await append(log, vid, base), "landed");
  const date = store.dates.at(-1) ?? 0;
  ok(date <= clock.now() - 5 * MINUTE_MS, `${clock.now() - date}`);
});
