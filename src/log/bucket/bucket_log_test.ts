// What is a bucket log's own: its identity, segments as registrations, what others write.

import { deepEqual, equal, ok } from "node:assert/strict";
import { clientIdFromName, gidTimeMs } from "../../core/gid.ts";
import { toLsn } from "../../core/lsn.ts";
import { RecordedMetrics } from "../../objects/_testing.ts";
import { MemoryStore } from "../../objects/memory_store.ts";
import { segmentKey } from "../../objects/object_store.ts";
import { reconcileIdentity } from "../../objects/store_identity.ts";
import { range, testSid, testVid, volumePages } from "../../segment/_testing.ts";
import { WasmCodec } from "../../segment/codecs/wasm_codec.ts";
import { InlineEncoder } from "../../segment/encoding/inline_encoder.ts";
import {
  CLIENT,
  commit,
  headOf,
  newSegment,
  newVolume,
  recordAfter,
  recordsOf,
  rejectsWith,
  tryCommit,
} from "../_testing.ts";
import type { LogChange } from "../commit_log.ts";
import { recordKey } from "./_format/keys.ts";
import { openBucket, WatchedStore } from "./_testing.ts";

const text = (value: string) => new TextEncoder().encode(value);

Deno.test("all who open one place at once find one identity", async () => {
  const store = new MemoryStore();
  const logs = await Promise.all(Array.from({ length: 8 }, () => openBucket(store)));
  equal(new Set(logs.map(({ storeId }) => storeId)).size, 1);
  const written = new TextDecoder().decode(await store.get("log.json"));
  equal(written, `{"format":1,"store":"${logs[0].storeId}"}\n`);
});

Deno.test("an identity that cannot be used is refused", async () => {
  const cases = [
    ['{"format":2,"store":"0"}', "invalid", /has format 2, and this program reads format 1/],
    ['{"format":1,"store":"../x"}', "damaged", /"log.json" is not one/],
    ['{"format":1}', "damaged", /is not one/],
    ["null", "damaged", /is not one/],
    ["{", "damaged", /is not one/],
  ] as const;
  for (const [identity, code, message] of cases) {
    const store = new MemoryStore();
    await store.put("log.json", text(identity));
    await rejectsWith(openBucket(store), code, message);
  }
});

Deno.test("records without an identity are not taken over", async () => {
  const store = new MemoryStore();
  const log = await openBucket(store);
  await commit(log, newVolume());
  await store.delete("log.json");
  await rejectsWith(openBucket(store), "invalid", /holds records, but no "log.json"/);
});

Deno.test("objects and log may share one place, and belong together", async () => {
  const store = new MemoryStore();
  const log = await openBucket(store, { segments: store });
  const identity = async () => ({
    name: log.name,
    storeId: log.storeId,
    isNew: await log.isEmpty(),
  });
  await reconcileIdentity(store, await identity());
  await store.put(segmentKey(newSegment()), text("not looked at"));
  // segments are the object store's, so a log beside them is still a new one
  equal(await log.isEmpty(), true);
  await commit(log, newVolume());
  equal(await log.isEmpty(), false);
  await reconcileIdentity(store, await identity());
  equal((await log.volumes({ limit: 9 })).length, 1);
});

Deno.test("a segment's object is its registration", async () => {
  const segments = new MemoryStore();
  const log = await openBucket(new MemoryStore(), { segments });
  const [sid, volumes] = [testSid(), [testVid(1), testVid(2)]];
  const encoder = new InlineEncoder(new WasmCodec());
  const pages = volumes.map((vid, i) => volumePages(vid, range(1, 20 * (i + 1))));
  const segment = await encoder.encode(sid, pages, { keepFrames: false });
  equal(await log.registration(sid), undefined);
  await segments.put(segmentKey(sid), segment.bytes);
  const registration = await log.registration(sid);
  deepEqual(registration, {
    sid,
    timestampMs: gidTimeMs(sid),
    sizeBytes: segment.bytes.length,
    volumes: segment.volumes.map(({ vid, pageSet, digest }) => ({ vid, pageSet, digest })),
  });
  // and it is read once
  await segments.delete(segmentKey(sid));
  equal(await log.registration(sid), registration);
});

Deno.test("a segment that is damaged is no registration", async () => {
  const segments = new MemoryStore();
  const log = await openBucket(new MemoryStore(), { segments });
  const sid = newSegment();
  await segments.put(segmentKey(sid), new Uint8Array(500));
  await rejectsWith(log.registration(sid), "damaged", new RegExp(sid));
});

Deno.test("what others wrote is news once a read shows it, without its record", async () => {
  const store = new MemoryStore();
  const [log, other] = [await openBucket(store), await openBucket(store)];
  const [vid, deleted] = [newVolume(), newVolume()];
  for (const each of [vid, deleted]) await commit(log, each);
  const heard: LogChange[] = [];
  log.subscribe((changes) => heard.push(...changes));
  await commit(other, vid);
  await commit(other, vid);
  await other.tombstone(deleted, await other.head(deleted));
  for (let times = 0; times < 2; times++) {
    await log.head(vid);
    await log.head(deleted);
  }
  deepEqual(heard, [
    { vid, lsn: toLsn(3), record: undefined, deleted: false },
    { vid: deleted, lsn: toLsn(1), record: undefined, deleted: true },
  ]);
  const record = await commit(log, vid);
  deepEqual(heard.slice(2), [{ vid, lsn: toLsn(4), record, deleted: false }]);
});

Deno.test("the first sight of another's volume is no news", async () => {
  const store = new MemoryStore();
  const [log, other] = [await openBucket(store), await openBucket(store)];
  const vid = newVolume();
  await commit(other, vid);
  const heard: LogChange[] = [];
  log.subscribe((changes) => heard.push(...changes));
  await log.head(vid);
  deepEqual(heard, []);
});

Deno.test("changes are heard in their order, although a read overtakes a commit", async () => {
  const store = new WatchedStore(new MemoryStore());
  const [log, other] = [await openBucket(store), await openBucket(store)];
  const vid = newVolume();
  await commit(log, vid);
  const lsns: number[] = [];
  log.subscribe((changes) => lsns.push(...changes.map(({ lsn }) => lsn)));
  store.after = async (call) => {
    if (!call.startsWith("putDated")) return;
    store.after = () => {};
    await commit(other, vid);
    equal((await log.head(vid)).head?.lsn, 3);
  };
  equal((await tryCommit(log, vid)).outcome, "landed");
  deepEqual(lsns, [3, 3]);
});

Deno.test("a tombstone is found by all, and stands where the next commit would", async () => {
  const store = new MemoryStore();
  const [log, other] = [await openBucket(store), await openBucket(store)];
  const vid = newVolume();
  const records = [await commit(log, vid), await commit(log, vid)];
  const base = await other.head(vid);
  equal(await log.tombstone(vid, await log.head(vid)), "landed");
  equal(await other.append(recordAfter(vid, base), base, null), "stale");
  deepEqual((await other.head(vid)).head, { ...headOf(records[1]), deleted: true });
  const cold = await openBucket(store);
  deepEqual((await cold.head(vid)).head, { ...headOf(records[1]), deleted: true });
  deepEqual(await recordsOf(cold, vid, 1, 9), records);
  equal(await cold.record(vid, toLsn(3)), undefined);
  equal(await cold.isEmpty(), false);
});

Deno.test("a volume may be deleted at any LSN, at multiples of 64 too", async () => {
  for (const count of [62, 63, 64, 65]) {
    const store = new MemoryStore();
    const log = await openBucket(store);
    const vid = newVolume();
    for (let i = 0; i < count; i++) await commit(log, vid);
    equal(await log.tombstone(vid, await log.head(vid)), "landed");
    const cold = await openBucket(store);
    equal((await cold.head(vid)).head?.lsn, count);
    equal((await recordsOf(cold, vid, 1, 99)).length, count);
  }
});

Deno.test("a line that was spliced from two histories is damaged", async () => {
  const [store, foreign] = [new MemoryStore(), new MemoryStore()];
  const vid = newVolume();
  for (const each of [store, foreign]) {
    const log = await openBucket(each);
    for (let i = 0; i < 70; i++) {
      await commit(log, vid, { cid: each === store ? CLIENT : clientIdFromName("foreign") });
    }
  }
  const name = recordKey(vid, toLsn(64));
  await store.put(name, await foreign.get(name));
  const log = await openBucket(store);
  equal((await recordsOf(log, vid, 65, 70)).length, 6);
  equal((await recordsOf(log, vid, 1, 63)).length, 63);
  await rejectsWith(recordsOf(log, vid, 60, 70), "damaged", /LSN 65 is not chained/);
});

Deno.test("an object that is not chained to the known head is not followed: the newest is listed", async () => {
  const [store, foreign] = [new MemoryStore(), new MemoryStore()];
  const vid = newVolume();
  const log = await openBucket(store);
  await commit(log, vid);
  const other = await openBucket(foreign);
  for (let i = 0; i < 5; i++) await commit(other, vid, { cid: clientIdFromName("foreign") });
  // as if names had been freed long ago, and one of them been taken anew
  for (const lsn of [2, 5].map(toLsn)) {
    await store.put(recordKey(vid, lsn), await foreign.get(recordKey(vid, lsn)));
  }
  equal((await log.head(vid)).head?.lsn, 5);
});

Deno.test("a listing that names foreign things says so", async () => {
  const store = new MemoryStore();
  const log = await openBucket(store);
  const vid = newVolume();
  await store.put(`log/${vid}/0readme`, text("mine"));
  await rejectsWith(log.head(vid), "damaged", /0readme.*its name is none of a record's/);
  await rejectsWith(log.volumes({ limit: 1 }), "damaged", /0readme/);
});

Deno.test("a log counts what it does", async () => {
  const metrics = new RecordedMetrics();
  const log = await openBucket(new MemoryStore(), { metrics });
  const vid = newVolume();
  const base = await log.head(vid);
  const record = await commit(log, vid);
  equal(await log.append(recordAfter(vid, base), base, null), "stale");
  await log.register([{ sid: newSegment(), timestampMs: 1, sizeBytes: 1, volumes: [] }]);
  equal(metrics.counters.get("log_commits"), 1);
  equal(metrics.counters.get("log_stale_appends"), 1);
  equal(metrics.counters.get("log_registrations"), 1);
  ok((metrics.counters.get("log_written_bytes") ?? 0) > 100);
  equal(record.lsn, 1);
});

Deno.test("a little memory costs requests, never answers", async () => {
  const store = new MemoryStore();
  const log = await openBucket(store, { headsBytesMax: 2_000, foldsBytesMax: 2_000 });
  const vids = [newVolume(), newVolume(), newVolume()];
  for (let i = 0; i < 200; i++) for (const vid of vids) await commit(log, vid);
  const reader = await openBucket(store);
  for (const vid of vids) {
    const lsns = (await recordsOf(reader, vid, 1, 200)).map(({ lsn }) => lsn);
    deepEqual(lsns, Array.from({ length: 200 }, (_, i) => i + 1));
  }
});
