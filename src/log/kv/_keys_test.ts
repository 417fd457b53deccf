import { deepEqual, equal, ok } from "node:assert/strict";
import type { VolumeId } from "../../core/gid.ts";
import { toLsn } from "../../core/lsn.ts";
import { newSegment, newVolume } from "../_testing.ts";
import {
  ALL_KEYS,
  BELL_KEY,
  chunkKey,
  chunkRange,
  COLLECTION_KEY,
  feedKey,
  floorKey,
  floorRange,
  headKey,
  headRange,
  keyBytes,
  keyText,
  recordKey,
  recordRange,
  referenceKey,
  registrationKey,
  STORE_KEY,
} from "./_keys.ts";
import type { KvKey, KvRange } from "./kv_handle.ts";

/** The keys of a range, out of some. */
async function within(range: KvRange | undefined, keys: readonly KvKey[]): Promise<Deno.KvKey[]> {
  if (range === undefined) return [];
  using kv = await Deno.openKv(":memory:");
  for (const key of keys) await kv.set(key as Deno.KvKey, 1);
  return (await Array.fromAsync(kv.list(range as { start: Deno.KvKey; end: Deno.KvKey })))
    .map(({ key }) => key);
}

Deno.test("records sort by LSN as numbers, each volume by itself", async () => {
  const [vid, other] = [newVolume(), newVolume()];
  const lsns = [1, 2, 9, 10, 255, 256, 2 ** 32, Number.MAX_SAFE_INTEGER].map(toLsn);
  const keys = [...lsns].reverse().flatMap((lsn) => [recordKey(vid, lsn), recordKey(other, lsn)]);
  const all = recordRange(vid, toLsn(1), toLsn(Number.MAX_SAFE_INTEGER));
  deepEqual(await within(all, keys), lsns.map((lsn) => recordKey(vid, lsn)));
  const some = recordRange(vid, toLsn(2), toLsn(255));
  deepEqual(await within(some, keys), [2, 9, 10, 255].map((lsn) => recordKey(vid, toLsn(lsn))));
});

Deno.test("a range of heads holds the prefix, and nothing up to where it starts", async () => {
  const vids = ["GaB", "GaC", "Gaz", "Gb1", "Gzz"] as VolumeId[];
  const keys: KvKey[] = [...vids.map(headKey), ...vids.map(floorKey), STORE_KEY];
  const heads = async (prefix: string, after?: string) =>
    (await within(headRange(prefix, after), keys)).map((key) => key[1]);
  deepEqual(await heads(""), vids);
  deepEqual(await heads("Ga"), ["GaB", "GaC", "Gaz"]);
  deepEqual(await heads("", "GaC"), ["Gaz", "Gb1", "Gzz"]);
  deepEqual(await heads("Ga", "GaB"), ["GaC", "Gaz"]);
  deepEqual(await heads("Gb", "GaB"), ["Gb1"]);
  deepEqual(await heads("Gaz", "Gaz"), []);
  deepEqual(await heads("Ga", "Gb1"), []);
  equal(headRange("Ga", "Gb1"), undefined);
});

Deno.test("a range of floors holds both of its ends", async () => {
  const vids = [newVolume(), newVolume(), newVolume(), newVolume()].sort();
  const keys = [...vids.map(floorKey), ...vids.map(headKey)];
  deepEqual(await within(floorRange(vids[1], vids[2]), keys), [vids[1], vids[2]].map(floorKey));
});

Deno.test("parts of one value are together, in their order, and nobody else's", async () => {
  const vid = newVolume();
  const [group, later] = [newSegment(), newSegment()].sort();
  const owner = recordKey(vid, toLsn(7));
  const parts = Array.from({ length: 12 }, (_, i) => chunkKey(owner, group, i));
  const foreign = [chunkKey(owner, later, 0), chunkKey(recordKey(vid, toLsn(8)), group, 0)];
  deepEqual(await within(chunkRange(owner, group), [...foreign, ...parts].reverse()), parts);
});

Deno.test("no kind of key is among another's", () => {
  const [vid, sid] = [newVolume(), newSegment()];
  const keys = [
    STORE_KEY,
    COLLECTION_KEY,
    BELL_KEY,
    headKey(vid),
    floorKey(vid),
    recordKey(vid, toLsn(1)),
    registrationKey(sid),
    referenceKey(sid, vid),
    chunkKey(registrationKey(sid), sid, 0),
    feedKey(Symbol("stamp")),
  ];
  equal(new Set(keys.map((key) => key[0])).size, keys.length);
});

Deno.test("a key's text names it", () => {
  const [vid, sid] = [newVolume(), newSegment()];
  equal(keyText(recordKey(vid, toLsn(12))), `record/${vid}/12`);
  equal(keyText(referenceKey(sid, vid)), `reference/${sid}/volume/${vid}`);
});

Deno.test("the bytes of a key are what KV counts", async () => {
  using kv = await Deno.openKv(":memory:");
  // KV takes keys of up to 2,048 bytes, so padding finds the length of what was added to it
  for (const rest of [[], ["abc"], [7], [1, "x", 2]]) {
    const padding = 2048 - keyBytes(["", ...rest]);
    await kv.set(["x".repeat(padding), ...rest], 1);
    await kv.set(["x".repeat(padding + 1), ...rest], 1).then(
      () => ok(false, "a key of 2,049 bytes was taken"),
      (error) => ok(/2048/.test(error.message), error.message),
    );
  }
  const { ok: set } = await kv.atomic().set(["a", kv.commitVersionstamp()], 1).commit();
  ok(set);
  const [entry] = await Array.fromAsync(kv.list({ prefix: ["a"] }));
  equal(keyBytes(["a", Symbol("stamp")]), keyBytes(entry.key as KvKey));
});

Deno.test("all keys are all keys", async () => {
  const keys = [STORE_KEY, ["~~~"], [1], [""], [false]];
  equal((await within(ALL_KEYS, keys)).length, keys.length);
});
