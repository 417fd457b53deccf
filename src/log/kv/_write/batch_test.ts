import { deepEqual, equal, ok } from "node:assert/strict";
import type { VolumeId } from "../../../core/gid.ts";
import { toLsn } from "../../../core/lsn.ts";
import { newSegment, newVolume } from "../../_testing.ts";
import { COLLECTION_KEY, headKey, recordKey, referenceKey } from "../_keys.ts";
import { LOCAL_LIMITS, REMOTE_LIMITS, VALUE_BYTES_MAX } from "../_limits.ts";
import { Batch, type Batchable, costOf, type Mutation } from "./batch.ts";

interface Item extends Batchable {
  readonly mutations: readonly Mutation[];
}

function change(vid: VolumeId, segments: number, valueBytes: number): Item {
  const mutations = [
    { key: headKey(vid), value: new Uint8Array(60) },
    { key: recordKey(vid, toLsn(1)), value: new Uint8Array(valueBytes) },
    ...Array.from({ length: segments }, () => ({
      key: referenceKey(newSegment(), vid),
      value: new Uint8Array(12),
    })),
  ];
  return { vid, mutations, cost: costOf(mutations, headKey(vid)) };
}

function write(valueBytes: number): Item {
  const mutations = [{ key: ["segment", newSegment()], value: new Uint8Array(valueBytes) }];
  return { vid: undefined, mutations, cost: costOf(mutations) };
}

/** The log's own keys are shorter, and meet the limit on mutations first. */
function writeUnderLongKey(): Item {
  const mutations = [{ key: ["x".repeat(150), newSegment()], value: new Uint8Array(1) }];
  return { vid: undefined, mutations, cost: costOf(mutations) };
}

/** Adds items until one does not fit. */
function fill(next: () => Item): Batch<Item> {
  const batch = new Batch<Item>(LOCAL_LIMITS);
  while (batch.add(next()));
  return batch;
}

/** Commits a batch as the group writer does, to a store that must take it. */
async function commit(batch: Batch<Item>): Promise<void> {
  using kv = await Deno.openKv(":memory:");
  const atomic = kv.atomic().check({ key: COLLECTION_KEY, versionstamp: null });
  for (const { vid, mutations } of batch.items) {
    if (vid !== undefined) atomic.check({ key: headKey(vid) as Deno.KvKey, versionstamp: null });
    for (const { key, value } of mutations) atomic.set(key as Deno.KvKey, value);
  }
  const vids = batch.items.filter(({ vid }) => vid !== undefined).length;
  atomic.set(["feed", kv.commitVersionstamp()], new Uint8Array(10 + vids * 25))
    .set(["bell"], new Uint8Array(9));
  ok((await atomic.commit()).ok);
}

Deno.test("KV takes a batch that is full of checks", async () => {
  const batch = fill(() => change(newVolume(), 1, 150));
  equal(batch.items.length, LOCAL_LIMITS.checks - 1);
  await commit(batch);
});

Deno.test("KV takes a batch that is full of commits of 64 segments", async () => {
  const batch = fill(() => change(newVolume(), 64, 150));
  equal(batch.items.length, Math.floor((LOCAL_LIMITS.mutations - 2) / 66));
  await commit(batch);
});

Deno.test("KV takes a batch that is full of keys", async () => {
  const batch = fill(() => writeUnderLongKey());
  ok(batch.items.length < LOCAL_LIMITS.mutations - 2);
  ok((batch.items.length + 1) * batch.items[0].cost.keyBytes > LOCAL_LIMITS.keyBytes - 150);
  await commit(batch);
});

Deno.test("KV takes a batch that is full of mutations", async () => {
  const batch = fill(() => write(20));
  equal(batch.items.length, LOCAL_LIMITS.mutations - 2);
  await commit(batch);
});

Deno.test("KV takes a batch that is full of bytes", async () => {
  const batch = fill(() => write(VALUE_BYTES_MAX));
  equal(batch.items.length, Math.floor(LOCAL_LIMITS.bytes / VALUE_BYTES_MAX) - 1);
  ok(batch.bytes <= LOCAL_LIMITS.bytes);
  await commit(batch);
});

Deno.test("a batch for a store on the network has fewer checks", () => {
  const batch = new Batch<Item>(REMOTE_LIMITS);
  while (batch.add(change(newVolume(), 1, 150)));
  equal(batch.items.length, REMOTE_LIMITS.checks - 1);
  ok(batch.add(write(100)));
});

Deno.test("one volume changes once in a batch", () => {
  const batch = new Batch<Item>(LOCAL_LIMITS);
  const vid = newVolume();
  const first = change(vid, 1, 100);
  ok(batch.add(first));
  ok(!batch.add(change(vid, 1, 100)));
  ok(batch.add(change(newVolume(), 1, 100)));
  const registration = write(100);
  ok(batch.add(registration));
  equal(batch.items.length, 3);
  deepEqual([batch.items[0], batch.items[2]], [first, registration]);
});

Deno.test("what does not fit leaves the batch as it was", () => {
  const batch = fill(() => write(VALUE_BYTES_MAX));
  const { bytes } = batch;
  const { length } = batch.items;
  const vid = newVolume();
  ok(!batch.add(change(vid, 1, VALUE_BYTES_MAX)));
  equal(batch.bytes, bytes);
  equal(batch.items.length, length);
  ok(batch.add(change(vid, 1, 100)), "the volume counts as changed though it was not added");
});

Deno.test("a commit of 64 segments and a value of full size fit an empty batch", () => {
  ok(new Batch<Item>(LOCAL_LIMITS).add(change(newVolume(), 64, VALUE_BYTES_MAX)));
});

Deno.test("a removal costs its key", () => {
  const key = ["chunk", "x"];
  deepEqual(costOf([{ key, value: undefined }]), {
    checks: 0,
    mutations: 1,
    keyBytes: 10,
    bytes: 10,
  });
});
