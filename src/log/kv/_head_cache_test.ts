import { deepEqual, equal, notEqual } from "node:assert/strict";
import { toLsn } from "../../core/lsn.ts";
import { headOf, newVolume, recordAfter } from "../_testing.ts";
import { HeadCache, isNewer, type KnownHead } from "./_head_cache.ts";

const vid = newVolume();

function known(version: string, floorLsn = 1): KnownHead {
  const head = headOf(recordAfter(vid, { head: undefined, version: null }));
  return { head: { ...head, floorLsn: toLsn(floorLsn) }, version };
}

Deno.test("versions are ordered, and nothing is before all", () => {
  equal(isNewer("02", "01"), true);
  equal(isNewer("0a", "09"), true);
  equal(isNewer("01", "01"), false);
  equal(isNewer("01", "02"), false);
  equal(isNewer("01", null), true);
  equal(isNewer(null, "01"), false);
  equal(isNewer(null, null), false);
});

Deno.test("a head only moves forward", () => {
  const cache = new HeadCache(4);
  cache.put(vid, known("02"));
  cache.put(vid, known("01"));
  equal(cache.get(vid)?.version, "02");
  cache.put(vid, known("03"));
  equal(cache.get(vid)?.version, "03");
});

Deno.test("a floor only rises", () => {
  const cache = new HeadCache(4);
  cache.put(vid, known("01", 5));
  cache.put(vid, known("02", 1));
  equal(cache.get(vid)?.head?.floorLsn, 5);
  cache.put(vid, known("02", 6));
  equal(cache.get(vid)?.head?.floorLsn, 6);
});

Deno.test("that a volume has no head is not kept", () => {
  const cache = new HeadCache(4);
  cache.put(vid, { head: undefined, version: null });
  equal(cache.get(vid), undefined);
});

Deno.test("the epoch changes when a head leaves, and only then", () => {
  const cache = new HeadCache(2);
  const [a, b, c] = [newVolume(), newVolume(), newVolume()];
  const { epoch } = cache;
  cache.put(a, known("01"));
  cache.put(b, known("01"));
  cache.put(a, known("02"));
  cache.get(b);
  equal(cache.epoch, epoch);
  cache.put(c, known("01"));
  equal(cache.get(a), undefined);
  notEqual(cache.epoch, epoch);
  const later = cache.epoch;
  cache.forget(c);
  notEqual(cache.epoch, later);
  deepEqual([cache.get(b)?.version, cache.get(c)], ["01", undefined]);
  // forgetting what is not there may follow a read that is under way all the same
  const last = cache.epoch;
  cache.forget(newVolume());
  notEqual(cache.epoch, last);
});
