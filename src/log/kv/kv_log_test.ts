// What only a log in a key-value store does: its keys, its batches, its memory of heads.

import { deepEqual, equal, notEqual, ok } from "node:assert/strict";
import type { VolumeId } from "../../core/gid.ts";
import { toLsn } from "../../core/lsn.ts";
import type { Metrics } from "../../core/metrics.ts";
import {
  commit,
  headOf,
  newVolume,
  openInMemory,
  openOver,
  recordAfter,
  recordsOf,
  sparseSet,
  tryCommit,
  use,
} from "../_testing.ts";
import type { LogChange } from "../commit_log.ts";
import { keyText, recordKey, referenceKey } from "./_keys.ts";
import type { KvHandle } from "./kv_handle.ts";
import { REMOTE_BATCHES_MAX, REMOTE_LIMITS } from "./_limits.ts";
import { keysBelow } from "./_testing.ts";
import { SteeredKv } from "./_testing_steered.ts";
import { decodeFeed } from "./_feed/feed_entry.ts";
import { encodeFloor } from "./_store/head_reads.ts";

/** Counts calls by method. */
function counting(kv: Deno.Kv): { handle: KvHandle; calls: Record<string, number> } {
  const calls: Record<string, number> = {};
  const count = (method: string) => calls[method] = (calls[method] ?? 0) + 1;
  const handle: KvHandle = {
    get: (key) => (count("get"), kv.get(key)),
    getMany: (keys) => (count("getMany"), kv.getMany<unknown[]>([...keys])),
    list: (range, options) => (count("list"), kv.list(range, options)),
    atomic: () => (count("atomic"), kv.atomic()),
    watch: (keys) => kv.watch([...keys]),
    commitVersionstamp: () => kv.commitVersionstamp(),
    close: () => kv.close(),
  };
  return { handle, calls };
}

/** Sums what is counted, by name. */
function summing(): { metrics: Metrics; sums: Record<string, number> } {
  const sums: Record<string, number> = {};
  const add = (name: string, amount: number) => sums[name] = (sums[name] ?? 0) + amount;
  const metrics: Metrics = {
    counter: (name) => ({ add: (amount = 1) => void add(name, amount) }),
    histogram: (name) => ({ record: (value) => void add(name, value) }),
    gauge() {},
  };
  return { metrics, sums };
}

Deno.test("a commit is one atomic write and no read, once its head is known", async () => {
  const { handle, calls } = counting(await Deno.openKv(":memory:"));
  const log = await openOver(handle);
  const vid = newVolume();
  await commit(log, vid);
  const before = { ...calls };
  for (let i = 0; i < 5; i++) await commit(log, vid);
  deepEqual(calls, { ...before, atomic: before.atomic + 5 });
  await log.close();
});

Deno.test("what asks together is written together", async () => {
  const { handle, calls } = counting(await Deno.openKv(":memory:"));
  const { metrics, sums } = summing();
  const log = await openOver(handle, { metrics });
  const appends = await Promise.all(Array.from({ length: 60 }, async () => {
    const vid = newVolume();
    const base = await log.head(vid);
    return { record: recordAfter(vid, base), base };
  }));
  const version = await log.collectionVersion();
  const before = calls.atomic;
  await Promise.all(appends.map(({ record, base }) => log.append(record, base, version)));
  equal(calls.atomic, before + 1);
  equal(sums.log_commits, 60);
  equal(sums.log_batch_commits, 60);
  ok(sums.log_written_bytes > 60 * 200, `${sums.log_written_bytes}`);
  await log.close();
});

Deno.test("a shared log has several batches under way, an exclusive one has one", async () => {
  for (
    const { exclusive, batches } of [{ exclusive: true, batches: 1 }, {
      exclusive: false,
      batches: REMOTE_BATCHES_MAX,
    }]
  ) {
    const kv = await Deno.openKv(":memory:");
    const store = new SteeredKv(kv);
    const log = await openOver(store, { exclusive });
    const vids = Array.from({ length: 40 * REMOTE_LIMITS.checks }, newVolume);
    const bases = await Promise.all(vids.map((vid) => log.head(vid)));
    const version = await log.collectionVersion();
    const held = Array.from({ length: REMOTE_BATCHES_MAX + 1 }, () => store.holdNextAnswer());
    const reached = held.map((answer) => answer.reached.then(() => true));
    const appended = Promise.all(
      vids.map((vid, i) => log.append(recordAfter(vid, bases[i]), bases[i], version)),
    );
    await Promise.all(reached.slice(0, batches));
    await store.settled();
    const soFar = await Promise.all(reached.map((each) => Promise.race([each, false])));
    equal(soFar.filter((each) => each).length, batches);
    for (const answer of held) answer.release();
    deepEqual(new Set(await appended), new Set(["landed"]));
    await log.close();
    kv.close();
  }
});

Deno.test("an append that is known to have lost costs no call", async () => {
  const { handle, calls } = counting(await Deno.openKv(":memory:"));
  const { metrics, sums } = summing();
  const log = await openOver(handle, { metrics });
  const vid = newVolume();
  const base = await log.head(vid);
  await commit(log, vid);
  const version = await log.collectionVersion();
  const before = { ...calls };
  const losers = Array.from(
    { length: 64 },
    () => log.append(recordAfter(vid, base), base, version),
  );
  deepEqual(await Promise.all(losers), losers.map(() => "stale"));
  deepEqual(calls, before);
  equal(sums.log_stale_appends, 64);
  await log.close();
});

Deno.test("a segment's reference tells the last LSN of the volume that names it", async () => {
  const { kv, log } = await openInMemory();
  const [vid, other] = [newVolume(), newVolume()];
  const [shared, own] = [use(), use()];
  await commit(log, vid, { segments: [shared, own] });
  await commit(log, other, { segments: [shared] });
  const last = await commit(log, vid, { segments: [shared] });
  deepEqual(
    new Set((await keysBelow(kv, "reference", shared.sid)).map(keyTextOf)),
    new Set([referenceKey(shared.sid, vid), referenceKey(shared.sid, other)].map(keyText)),
  );
  const lsnOf = async (key: Deno.KvKey) => (await kv.get<Uint8Array>(key)).value?.[1];
  equal(await lsnOf(referenceKey(shared.sid, vid)), last.lsn);
  equal(await lsnOf(referenceKey(shared.sid, other)), 1);
  equal(await lsnOf(referenceKey(own.sid, vid)), 1);
  await log.close();
});

function keyTextOf(key: Deno.KvKey): string {
  return key.map(String).join("/");
}

Deno.test("the feed tells in order which volumes each batch moved", async () => {
  const { kv, log } = await openInMemory();
  const vid = newVolume();
  await commit(log, vid);
  const others = await Promise.all(Array.from({ length: 5 }, () => commit(log, newVolume())));
  await commit(log, vid);
  await log.tombstone(vid, await log.head(vid));
  const told: { vid: VolumeId; lsn: number; deleted: boolean }[] = [];
  for await (const { value } of kv.list({ prefix: ["feed"] })) told.push(...decodeFeed(value));
  equal(told.length, 8);
  deepEqual(told[0], { vid, lsn: toLsn(1), deleted: false });
  deepEqual(new Set(told.slice(1, 6).map((entry) => entry.vid)), new Set(others.map((r) => r.vid)));
  deepEqual(told.slice(6), [
    { vid, lsn: toLsn(2), deleted: false },
    { vid, lsn: toLsn(2), deleted: true },
  ]);
  await log.close();
});

Deno.test("a feed entry stands at the version that its heads got", async () => {
  const { kv, log } = await openInMemory();
  const vid = newVolume();
  await commit(log, vid);
  const { version } = await log.head(vid);
  deepEqual(await keysBelow(kv, "feed"), [["feed", version]]);
  await log.close();
});

Deno.test("a loser's parts are removed again", async () => {
  const { kv, log } = await openInMemory();
  const vid = newVolume();
  const large = { segments: [use(sparseSet(150_000))] };
  await commit(log, vid, large);
  const parts = await keysBelow(kv, "chunk", ...recordKey(vid, toLsn(1)) as string[]);
  ok(parts.length >= 3, `${parts.length}`);
  const base = await log.head(vid);
  const version = await log.collectionVersion();
  const outcomes = await Promise.all([
    log.append(recordAfter(vid, base, large), base, version),
    log.append(recordAfter(vid, base, large), base, version),
  ]);
  deepEqual(outcomes.toSorted(), ["landed", "stale"]);
  // the removal waits in the same queue, before this
  await commit(log, newVolume());
  equal((await keysBelow(kv, "chunk")).length, 2 * parts.length);
  equal((await recordsOf(log, vid, 1, 2)).length, 2);
  await log.close();
});

Deno.test("heads come with the floor of their volume", async () => {
  const { kv, log } = await openInMemory({ exclusive: false });
  const vids = [newVolume(), newVolume(), newVolume()].sort();
  for (const vid of vids) {
    await commit(log, vid);
    await commit(log, vid);
  }
  await kv.set(["floor", vids[1]], encodeFloor(vids[1], toLsn(2)));
  equal((await log.head(vids[0])).head?.floorLsn, 1);
  equal((await log.head(vids[1])).head?.floorLsn, 2);
  const listed = await log.volumes({ limit: 9 });
  deepEqual(listed.map(({ head }) => head.floorLsn), [1, 2, 1]);
  // and a commit does not lower it
  await commit(log, vids[1]);
  equal((await log.headFromStore(vids[1])).head?.floorLsn, 2);
  await log.close();
});

Deno.test("an exclusive log answers heads from memory, as many as it may keep", async () => {
  const { handle, calls } = counting(await Deno.openKv(":memory:"));
  const log = await openOver(handle, { headsMax: 2 });
  const vids = [newVolume(), newVolume(), newVolume()];
  const records = [];
  for (const vid of vids) records.push(await commit(log, vid));
  const before = calls.getMany;
  deepEqual((await log.head(vids[2])).head, headOf(records[2]));
  deepEqual((await log.head(vids[1])).head, headOf(records[1]));
  equal(calls.getMany, before);
  deepEqual((await log.head(vids[0])).head, headOf(records[0]));
  equal(calls.getMany, before + 1);
  await log.headFromStore(vids[0]);
  equal(calls.getMany, before + 2);
  await Promise.all(vids.map((vid) => commit(log, vid)));
  for (const vid of vids) equal((await log.head(vid)).head?.lsn, 2);
  await log.close();
});

Deno.test("two logs that share a store see each other's commits, and never both land", async () => {
  const kv = await Deno.openKv(":memory:");
  const [a, b] = [
    await openOver(kv, { exclusive: false }),
    await openOver(kv, { exclusive: false }),
  ];
  equal(a.storeId, b.storeId);
  const vid = newVolume();
  for (let i = 0; i < 5; i++) {
    const before = await a.head(vid);
    deepEqual(await b.head(vid), before);
    const outcomes = await Promise.all([a, b].map((log) => tryCommit(log, vid)));
    deepEqual(outcomes.map(({ outcome }) => outcome).toSorted(), ["landed", "stale"]);
  }
  deepEqual((await a.head(vid)).head, (await b.head(vid)).head);
  equal((await recordsOf(b, vid, 1, 9)).length, 5);
  await a.close();
});

Deno.test("only a shared log rings the bell", async () => {
  const kv = await Deno.openKv(":memory:");
  const exclusive = await openOver(kv);
  await commit(exclusive, newVolume());
  equal((await kv.get(["bell"])).versionstamp, null);
  const shared = await openOver(kv, { exclusive: false });
  await commit(shared, newVolume());
  const first = (await kv.get(["bell"])).versionstamp;
  await commit(shared, newVolume());
  const second = (await kv.get(["bell"])).versionstamp;
  notEqual(first, null);
  notEqual(second, first);
  await shared.register([]);
  equal((await kv.get(["bell"])).versionstamp, second);
  await shared.close();
});

Deno.test("losers that only the store can tell do not hold up their batch", async () => {
  const kv = await Deno.openKv(":memory:");
  const [a, b] = [
    await openOver(kv, { exclusive: false }),
    await openOver(kv, { exclusive: false }),
  ];
  const vids = Array.from({ length: 40 }, newVolume);
  const bases = await Promise.all(vids.map((vid) => a.head(vid)));
  const version = await a.collectionVersion();
  const taken = vids.filter((_, i) => i % 3 === 0);
  for (const vid of taken) await commit(b, vid);
  const heard: LogChange[] = [];
  a.subscribe((changes) => heard.push(...changes));
  const outcomes = await Promise.all(
    vids.map((vid, i) => a.append(recordAfter(vid, bases[i]), bases[i], version)),
  );
  deepEqual(outcomes, vids.map((vid) => taken.includes(vid) ? "stale" : "landed"));
  equal(heard.filter(({ record }) => record !== undefined).length, 40 - taken.length);
  await a.close();
});

Deno.test("losers are told apart even where no head can be kept", async () => {
  const kv = await Deno.openKv(":memory:");
  const [a, b] = [
    await openOver(kv, { exclusive: false, headsMax: 1 }),
    await openOver(kv, { exclusive: false }),
  ];
  const vids = Array.from({ length: 20 }, newVolume);
  const bases = await Promise.all(vids.map((vid) => a.head(vid)));
  const version = await a.collectionVersion();
  for (const vid of vids.slice(1)) await commit(b, vid);
  const outcomes = await Promise.all(
    vids.map((vid, i) => a.append(recordAfter(vid, bases[i]), bases[i], version)),
  );
  deepEqual(outcomes, ["landed", ...vids.slice(1).map(() => "stale")]);
  await a.close();
});

Deno.test("an unknown version is a bug of the caller", async () => {
  const { log } = await openInMemory();
  const vid = newVolume();
  const base = await log.head(vid);
  const record = recordAfter(vid, base);
  await log.append(record, { ...base, version: 7 }, null).then(
    () => ok(false, "it was taken"),
    (error) => equal(error.name, "AssertionError"),
  );
  await log.close();
});
