// What a log in a bucket costs in requests.

import { deepEqual, equal } from "node:assert/strict";
import type { VolumeId } from "../../core/gid.ts";
import { toLsn } from "../../core/lsn.ts";
import { MemoryStore } from "../../objects/memory_store.ts";
import { headOf, newVolume, recordAfter, recordsOf, sparseSet, use } from "../_testing.ts";
import type { CommitLog, CommitRecord } from "../commit_log.ts";
import { openBucket, WatchedStore } from "./_testing.ts";

/** A log, and the store that it shares with the logs of `another`. */
async function open() {
  const inner = new MemoryStore();
  const store = new WatchedStore(inner);
  const log = await openBucket(store);
  store.take();
  const another = async () => {
    const watched = new WatchedStore(inner);
    const other = await openBucket(watched);
    watched.take();
    return { log: other, store: watched };
  };
  return { log, store, another };
}

/** As the committer does it. */
async function commitOnKnown(
  log: CommitLog,
  vid: VolumeId,
  segments = [use()],
): Promise<CommitRecord> {
  const base = await log.lastKnownHead(vid);
  const record = recordAfter(vid, base, { segments });
  equal(await log.append(record, base, await log.collectionVersion()), "landed");
  return record;
}

async function commitMany(log: CommitLog, vid: VolumeId, count: number): Promise<void> {
  for (let i = 0; i < count; i++) await commitOnKnown(log, vid);
}

Deno.test("to open a log is one read; to make one, one more and a put", async () => {
  const inner = new MemoryStore();
  for (const expected of [["get", "list", "put"], ["get"]]) {
    const store = new WatchedStore(inner);
    await openBucket(store);
    deepEqual(store.take(), expected);
  }
});

Deno.test("a commit of the one process that writes a volume is one put and nothing else", async () => {
  const { log, store } = await open();
  const vid = newVolume();
  await commitOnKnown(log, vid);
  deepEqual(store.take(), ["list", "putDated"]);
  await commitMany(log, vid, 5000);
  deepEqual(new Set(store.take()), new Set(["putDated"]));
});

Deno.test("a process that goes on from another's commits reads one object more at a multiple of 64", async () => {
  const { log, another } = await open();
  const vid = newVolume();
  await commitMany(log, vid, 100);
  const next = await another();
  await commitMany(next.log, vid, 27);
  deepEqual(next.store.take(), ["list", "get", ...Array(27).fill("putDated")]);
  await commitOnKnown(next.log, vid);
  deepEqual(next.store.take(), ["get", "putDated"]);
  await commitMany(next.log, vid, 64);
  deepEqual(next.store.take(), Array(64).fill("putDated"));
  const reader = await another();
  equal((await recordsOf(reader.log, vid, 1, 192)).length, 192);
  deepEqual(reader.store.take(), ["list", "get"]);
});

Deno.test("a head is a listing and a read where nothing is known, else one read", async () => {
  const { log, another } = await open();
  const vid = newVolume();
  const record = await commitOnKnown(log, vid);
  const reader = await another();
  deepEqual((await reader.log.head(vid)).head, headOf(record));
  deepEqual(reader.store.take(), ["list", "get"]);
  for (const read of ["head", "headFromStore"] as const) {
    deepEqual((await reader.log[read](vid)).head, headOf(record));
    deepEqual(reader.store.take(), ["get"]);
  }
  deepEqual((await reader.log.lastKnownHead(vid)).head, headOf(record));
  deepEqual(reader.store.take(), []);
  equal((await reader.log.head(newVolume())).head, undefined);
  deepEqual(reader.store.take(), ["list"]);
});

Deno.test("what others commit is followed by name, and listed when there is more of it", async () => {
  const { log, another } = await open();
  const vid = newVolume();
  await commitOnKnown(log, vid);
  const reader = await another();
  await reader.log.head(vid);
  reader.store.take();
  for (const [commits, requests] of [[1, "get get"], [3, "get get get get"]] as const) {
    await commitMany(log, vid, commits);
    await reader.log.head(vid);
    equal(reader.store.take().join(" "), requests);
  }
  await commitMany(log, vid, 4);
  equal((await reader.log.head(vid)).head?.lsn, 9);
  equal(reader.store.take().join(" "), "get get get get list get");
});

Deno.test("10,000 commits are read with five reads", async () => {
  const { log, another } = await open();
  const vid = newVolume();
  await commitMany(log, vid, 10_000);
  const reader = await another();
  const { head } = await reader.log.head(vid);
  equal(head?.lsn, 10_000);
  const records = await recordsOf(reader.log, vid, 1, 10_000);
  deepEqual(records.map(({ lsn }) => lsn), Array.from({ length: 10_000 }, (_, i) => i + 1));
  deepEqual(reader.store.take(), ["list", "get", "get", "get", "get"]);
  // what is in memory is not read again
  equal((await recordsOf(reader.log, vid, 9_985, 10_000)).length, 16);
  equal((await reader.log.record(vid, toLsn(9_990)))?.lsn, 9_990);
  deepEqual(reader.store.take(), []);
  equal((await recordsOf(reader.log, vid, 5_000, 5_001)).length, 2);
  deepEqual(reader.store.take(), ["get"]);
  equal((await reader.log.record(vid, toLsn(4_100)))?.lsn, 4_100);
  deepEqual(reader.store.take(), ["get"]);
});

Deno.test("where records are too large to be carried on, reads go on from where an object ends", async () => {
  const { log, another } = await open();
  const vid = newVolume();
  const sizes = (i: number) => i % 50 === 7 ? 300_000 : i % 3 === 0 ? 9_000 : 40;
  const written: CommitRecord[] = [];
  for (let i = 0; i < 260; i++) {
    written.push(await commitOnKnown(log, vid, [use(sparseSet(sizes(i)))]));
  }
  const reader = await another();
  await reader.log.head(vid);
  for (const [start, end] of [[1, 260], [30, 200], [58, 58], [64, 130], [259, 260]]) {
    deepEqual(await recordsOf(reader.log, vid, start, end), written.slice(start - 1, end));
  }
  reader.store.take();
  await recordsOf(reader.log, vid, 1, 260);
  const reads = reader.store.take().length;
  equal(reads, 10);
});

Deno.test("an object is not read for what is in memory", async () => {
  const { log, another } = await open();
  const vid = newVolume();
  for (let lsn = 1; lsn <= 100; lsn++) {
    await commitOnKnown(log, vid, [use(sparseSet(lsn === 94 ? 400_000 : 40))]);
  }
  const reader = await another();
  // brings LSNs 95 to 100, as there is no room for the one before
  await reader.log.head(vid);
  reader.store.take();
  equal((await recordsOf(reader.log, vid, 1, 100)).length, 100);
  // the objects at 64 and at 94
  deepEqual(reader.store.take(), ["get", "get"]);
});

Deno.test("callers share a read of the head, but only one that was sent after they asked", async () => {
  const { log, another } = await open();
  const vid = newVolume();
  await commitOnKnown(log, vid);
  const reader = await another();
  await reader.log.head(vid);
  reader.store.take();
  let meanwhile: Promise<unknown>[] = [];
  reader.store.after = async () => {
    reader.store.after = () => {};
    // the first read has its answer already when this lands; who asks from here on must see it
    await commitOnKnown(log, vid);
    meanwhile = Array.from(
      { length: 30 },
      () => reader.log.head(vid).then(({ head }) => head?.lsn),
    );
  };
  equal((await reader.log.head(vid)).head?.lsn, 1);
  deepEqual(new Set(await Promise.all(meanwhile)), new Set([2]));
  deepEqual(reader.store.take(), ["get", "get", "get"]);
});

Deno.test("of many appends on one head one is put, and the others lose without a request", async () => {
  const { log, store } = await open();
  const vid = newVolume();
  await commitOnKnown(log, vid);
  store.take();
  const base = await log.lastKnownHead(vid);
  const outcomes = await Promise.all(
    Array.from({ length: 20 }, () => log.append(recordAfter(vid, base), base, null)),
  );
  equal(outcomes.filter((outcome) => outcome === "landed").length, 1);
  equal(await log.append(recordAfter(vid, base), base, null), "stale");
  deepEqual(store.take(), ["putDated"]);
});

Deno.test("an append that lost to another process is one put, and those after it none", async () => {
  const { log, store, another } = await open();
  const vid = newVolume();
  await commitOnKnown(log, vid);
  const base = await log.lastKnownHead(vid);
  await commitOnKnown((await another()).log, vid);
  store.take();
  equal(await log.append(recordAfter(vid, base), base, null), "stale");
  deepEqual(store.take(), ["putDated"]);
  equal(await log.append(recordAfter(vid, base), base, null), "stale");
  deepEqual(store.take(), []);
  equal((await log.lastKnownHead(vid)).head?.lsn, 2);
  deepEqual(store.take(), ["get", "get"]);
});

Deno.test("volumes are listed by a read each, and a listing for every hundred names", async () => {
  const { log, another } = await open();
  const vids = Array.from({ length: 13 }, newVolume).sort();
  for (const vid of vids) await commitMany(log, vid, 30);
  const reader = await another();
  const listed = await reader.log.volumes({ limit: 100 });
  deepEqual(listed.map(({ vid, head }) => [vid, head.lsn]), vids.map((vid) => [vid, 30]));
  const requests = reader.store.take();
  equal(requests.filter((operation) => operation === "get").length, 13);
  // of 390 names, the first of four volumes are among each hundred
  equal(requests.filter((operation) => operation === "list").length, 4);
  equal((await reader.log.volumes({ limit: 2, after: vids[3] }))[1].vid, vids[5]);
  deepEqual(reader.store.take(), ["list", "get", "get"]);
});

Deno.test("a head that another process deleted is final, and costs nothing more", async () => {
  const { log, another } = await open();
  const vid = newVolume();
  await commitOnKnown(log, vid);
  const reader = await another();
  await reader.log.head(vid);
  equal(await log.tombstone(vid, await log.head(vid)), "landed");
  reader.store.take();
  equal((await reader.log.head(vid)).head?.deleted, true);
  deepEqual(reader.store.take(), ["get"]);
  equal((await reader.log.headFromStore(vid)).head?.deleted, true);
  deepEqual(reader.store.take(), []);
});
