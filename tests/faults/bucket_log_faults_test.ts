// What becomes of the promises of a log in a bucket when its store fails, lies or comes late.

import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { type Clock, systemClock } from "../../src/core/clock.ts";
import { isGraftError } from "../../src/core/errors.ts";
import { clientIdFromName, type VolumeId } from "../../src/core/gid.ts";
import { toLsn } from "../../src/core/lsn.ts";
import { toPageCount } from "../../src/core/page.ts";
import { systemTimers } from "../../src/core/timers.ts";
import { testCommitLog } from "../../src/log/_conformance.ts";
import {
  commit,
  headOf,
  newSegment,
  newVolume,
  recordAfter,
  recordsOf,
  rejectsWith,
  tryCommit,
} from "../../src/log/_testing.ts";
import { openBucket, testedBucketLog } from "../../src/log/bucket/_testing.ts";
import { assertLines, race } from "../../src/log/bucket/_testing_race.ts";
import type { BucketLog } from "../../src/log/bucket/bucket_log.ts";
import type { LogChange } from "../../src/log/commit_log.ts";
import type { Landed } from "../../src/metastore/committer.ts";
import { MemoryStore } from "../../src/objects/memory_store.ts";
import { AFTER, BEFORE, committerOf, onEach } from "./bucket_log_support.ts";
import { type Fault, FaultyStore } from "./objects_faulty_store.ts";

testCommitLog("bucket through a layer without faults", () => {
  const store = new FaultyStore(new MemoryStore(), systemTimers);
  return testedBucketLog(() => Promise.resolve(store));
});

interface Faulty {
  readonly inner: MemoryStore;
  readonly store: FaultyStore;
  readonly log: BucketLog;
  /** Commits on a base as a server does; nothing: the first commit. */
  commitOn(vid: VolumeId, base?: number, client?: string): Promise<Landed>;
}

async function open(clock: Clock = systemClock): Promise<Faulty> {
  const inner = new MemoryStore(clock);
  const store = new FaultyStore(inner, systemTimers);
  const log = await openBucket(store, { clock });
  const committer = committerOf(log, clock);
  const commitOn = (vid: VolumeId, base?: number, client = "client") =>
    committer.commit({
      vid,
      cid: clientIdFromName(client),
      snapshotLsn: base === undefined ? undefined : toLsn(base),
      pageCount: toPageCount(7),
      segments: [],
    });
  return { inner, store, log, commitOn };
}

Deno.test("a put whose answer is lost is unknown to its caller, and there", async () => {
  const { store, log } = await open();
  const vid = newVolume();
  await commit(log, vid);
  const base = await log.head(vid);
  const record = recordAfter(vid, base);
  store.plan = onEach("putDated", AFTER);
  await rejectsWith(log.append(record, base, null), "unavailable");
  deepEqual((await log.headFromStore(vid)).head, headOf(record));
  deepEqual(await log.record(vid, toLsn(2)), record);
  equal(await log.append(recordAfter(vid, base), base, null), "stale");
  equal((await commit(log, vid)).lsn, 3);
});

Deno.test("a put that fails before it takes effect is not there, and can be tried again", async () => {
  const { store, log } = await open();
  const vid = newVolume();
  await commit(log, vid);
  const base = await log.head(vid);
  const record = recordAfter(vid, base);
  store.plan = onEach("putDated", BEFORE);
  await rejectsWith(log.append(record, base, null), "unavailable");
  equal((await log.headFromStore(vid)).head?.lsn, 1);
  equal(await log.append(record, base, null), "landed");
});

Deno.test("subscribers hear of what landed unanswered from the next read, once", async () => {
  const { store, log } = await open();
  const [vid, deleted] = [newVolume(), newVolume()];
  await commit(log, deleted);
  const heard: LogChange[] = [];
  log.subscribe((changes) => heard.push(...changes));
  store.plan = onEach("putDated", AFTER, BEFORE, AFTER);
  // the first commit of a volume, of which nothing was known before
  await rejectsWith(tryCommit(log, vid), "unavailable");
  await log.headFromStore(vid);
  await rejectsWith(tryCommit(log, vid), "unavailable");
  await log.headFromStore(vid);
  await rejectsWith(log.tombstone(deleted, await log.head(deleted)), "unavailable");
  await log.headFromStore(deleted);
  await log.headFromStore(deleted);
  deepEqual(heard, [
    { vid, lsn: toLsn(1), record: undefined, deleted: false },
    { vid: deleted, lsn: toLsn(1), record: undefined, deleted: true },
  ]);
});

Deno.test("a commit is answered as landed although each of its answers was lost", async () => {
  const { store, log, commitOn } = await open();
  const vid = newVolume();
  for (let base = 0; base < 5; base++) {
    store.plan = onEach("putDated", AFTER);
    const { record } = await commitOn(vid, base === 0 ? undefined : base);
    equal(record.lsn, base + 1);
  }
  equal((await recordsOf(log, vid, 1, 99)).length, 5);
});

Deno.test("a commit that fails before it takes effect is tried again", async () => {
  const { store, log, commitOn } = await open();
  const vid = newVolume();
  store.plan = onEach("putDated", BEFORE, BEFORE, BEFORE);
  equal((await commitOn(vid)).record.lsn, 1);
  equal((await recordsOf(log, vid, 1, 99)).length, 1);
});

/** A server's clients learn nothing of the store. */
const isToldInGeneral = (error: unknown) =>
  isGraftError(error, "unavailable") &&
  error.publicMessage === "Cannot answer the request: the commit log does not answer now";

Deno.test("a commit whose head cannot be read is neither landed nor a conflict", async () => {
  const { store, commitOn } = await open();
  const vid = newVolume();
  await commitOn(vid);
  for (const operation of ["get", "list"]) {
    store.plan = (call) =>
      call.operation === operation || call.operation === "putDated" ? BEFORE : undefined;
    const work = operation === "get" ? commitOn(vid, 9) : commitOn(newVolume());
    await rejects(work, isToldInGeneral);
  }
  store.plan = (call) => call.operation === "putDated" ? AFTER : BEFORE;
  await rejectsWith(commitOn(vid, 1), "unavailable");
  store.plan = () => undefined;
  // the same again: what landed then is answered now
  equal((await commitOn(vid, 1)).record.lsn, 2);
});

Deno.test("whatever is cut short or has a flipped bit is damage that names the object", async () => {
  const { inner, log } = await open();
  const vid = newVolume();
  for (let i = 0; i < 70; i++) await commit(log, vid);
  const name = (lsn: number) => {
    return `log/${vid}/${(Number.MAX_SAFE_INTEGER - lsn).toString(16).padStart(14, "0")}`;
  };
  const faults: Fault[] = [
    { kind: "truncate", toBytes: 0 },
    { kind: "truncate", toBytes: 300 },
    { kind: "flip a bit", bit: 5_000 },
    { kind: "flip a bit", bit: 3 },
  ];
  for (const [i, fault] of faults.entries()) {
    const lying = new FaultyStore(inner, systemTimers);
    const reader = await openBucket(lying);
    lying.plan = onEach("get", fault);
    await rejectsWith(reader.head(vid), "damaged", new RegExp(name(70 + i)));
    equal((await reader.head(vid)).head?.lsn, 70 + i);
    lying.plan = onEach("get", fault);
    await rejectsWith(recordsOf(reader, vid, 1, 70), "damaged", new RegExp(name(64)));
    lying.plan = onEach("get", fault);
    await rejectsWith(reader.record(vid, toLsn(7)), "damaged", new RegExp(name(7)));
    const next = await commit(log, vid);
    lying.plan = onEach("get", fault);
    await rejectsWith(reader.head(vid), "damaged", new RegExp(name(next.lsn)));
    lying.plan = onEach("get", fault);
    await rejectsWith(reader.volumes({ limit: 1 }), "damaged", new RegExp(name(next.lsn)));
    lying.plan = () => undefined;
    deepEqual((await reader.head(vid)).head, headOf(next));
  }
});

Deno.test("on a damaged head nothing is committed", async () => {
  const { store, inner, commitOn } = await open();
  const vid = newVolume();
  store.plan = onEach("putDated", { kind: "flip a bit", bit: 77 });
  await commitOn(vid);
  const cold = await openBucket(inner);
  await rejectsWith(cold.head(vid), "damaged");
  const committer = committerOf(cold, systemClock);
  const cid = clientIdFromName("client");
  const request = { vid, cid, snapshotLsn: undefined, pageCount: toPageCount(1), segments: [] };
  await rejectsWith(committer.commit(request), "damaged");
});

Deno.test("an object that cannot be had to be carried on keeps nobody from committing", async () => {
  const { inner, log } = await open();
  const vid = newVolume();
  for (let i = 0; i < 100; i++) await commit(log, vid);
  const store = new FaultyStore(inner, systemTimers);
  const next = await openBucket(store);
  for (let i = 0; i < 27; i++) await commit(next, vid);
  const base = await next.head(vid);
  store.plan = onEach("get", { kind: "flip a bit", bit: 1 });
  equal(await next.append(recordAfter(vid, base), base, null), "landed");
  const lsns = (await recordsOf(await openBucket(inner), vid, 1, 128)).map(({ lsn }) => lsn);
  deepEqual(lsns, Array.from({ length: 128 }, (_, i) => i + 1));
});

Deno.test("a store that fails for a while is used again when it recovers", async () => {
  const { store, log } = await open();
  const vids = Array.from({ length: 4 }, newVolume);
  for (const vid of vids) await commit(log, vid);
  store.plan = () => BEFORE;
  for (let i = 0; i < 3; i++) {
    for (const vid of vids) {
      const base = await log.lastKnownHead(vid);
      await rejectsWith(log.append(recordAfter(vid, base), base, null), "unavailable");
      await rejectsWith(log.head(vid), "unavailable");
      await rejectsWith(log.record(vid, toLsn(9)), "unavailable");
      await rejectsWith(recordsOf(log, vid, 1, 9), "unavailable");
    }
    await rejectsWith(log.volumes({ limit: 1 }), "unavailable");
    await rejectsWith(log.isEmpty(), "unavailable");
    await rejectsWith(openBucket(store), "unavailable");
  }
  equal(log.healthy, false);
  store.plan = () => undefined;
  for (const vid of vids) equal((await commit(log, vid)).lsn, 2);
  equal(log.healthy, true);
});

Deno.test("a segment that cannot be read is not unknown", async () => {
  const segments = new FaultyStore(new MemoryStore(), systemTimers);
  const log = await openBucket(new MemoryStore(), { segments });
  segments.plan = () => BEFORE;
  await rejectsWith(log.registration(newSegment()), "unavailable");
});

Deno.test("with faults at random, what was acknowledged stays and lines have no gap", async () => {
  const inner = new MemoryStore();
  let state = 20_251_122;
  const random = (below: number) => (state = state * 48_271 % 0x7fffffff) % below;
  const stores = Array.from({ length: 4 }, () => new FaultyStore(inner, systemTimers));
  const logs = await Promise.all(stores.map((store) => openBucket(store)));
  for (const store of stores) store.plan = () => [BEFORE, AFTER][random(16)];
  const result = await race({ logs, volumes: 3, writers: 12, commits: 60 });
  for (const store of stores) store.plan = () => undefined;
  ok(result.landed.length > 150 && result.unknown > 40, JSON.stringify(result.landed.length));
  await assertLines([...logs, await openBucket(inner)], result);
});

Deno.test("with faults at random, no commit is told of a conflict that is none", async () => {
  const { store, log, commitOn } = await open();
  let state = 7;
  const random = (below: number) => (state = state * 48_271 % 0x7fffffff) % below;
  const vid = newVolume();
  store.plan = () => [BEFORE, AFTER][random(8)];
  let [base, unknown] = [0, 0];
  while (base < 150) {
    try {
      const { record } = await commitOn(vid, base === 0 ? undefined : base);
      equal(record.lsn, ++base);
    } catch (error) {
      // a client repeats the same commit; nobody else writes, so it must never hear of a conflict
      ok(isGraftError(error, "unavailable"), String(error));
      unknown++;
    }
  }
  ok(unknown > 5, `${unknown}`);
  store.plan = () => undefined;
  equal((await recordsOf(log, vid, 1, 999)).length, 150);
});
