import { deepEqual, equal, ok, throws } from "node:assert/strict";
import fc from "fast-check";
import { noMetrics } from "../core/metrics.ts";
import { RecordedMetrics } from "./_testing.ts";
import { ByteCache } from "./byte_cache.ts";

/** What one entry of this size costs, read from a cache that holds only it. */
function costOf(sizeBytes: number): number {
  const cache = openCache(1_000_000);
  cache.set("a", {}, sizeBytes);
  return cache.bytes;
}

function openCache(bytesMax: number, metrics = new RecordedMetrics()): ByteCache<string, object> {
  return new ByteCache({ name: "frames", bytesMax, metrics });
}

Deno.test("a cache gives back what it was given", () => {
  const cache = openCache(10_000);
  const value = { name: "value" };
  cache.set("a", value, 100);
  equal(cache.get("a"), value);
  equal(cache.get("b"), undefined);
  equal(cache.count, 1);
});

Deno.test("a second value takes the first one's place and size", () => {
  const cache = openCache(10_000);
  cache.set("a", { n: 1 }, 5000);
  cache.set("a", { n: 2 }, 100);
  deepEqual(cache.get("a"), { n: 2 });
  equal(cache.count, 1);
  equal(cache.bytes, costOf(100));
});

Deno.test("what was not used for longest goes first", () => {
  const cache = openCache(3 * costOf(1000));
  for (const key of ["a", "b", "c"]) cache.set(key, {}, 1000);
  cache.get("a");
  cache.set("d", {}, 1000);
  deepEqual(["a", "b", "c", "d"].map((key) => cache.get(key) !== undefined), [
    true,
    false,
    true,
    true,
  ]);
});

Deno.test("an entry costs more than its value", () => {
  ok(costOf(0) > 0);
  equal(costOf(1000) - costOf(0), 1000);
});

Deno.test("an entry larger than the cache is not kept, and drops nothing but its own old value", () => {
  const cache = openCache(10_000);
  cache.set("a", {}, 1000);
  cache.set("b", {}, 1000);
  cache.set("b", {}, 20_000);
  ok(cache.get("a"));
  equal(cache.get("b"), undefined);
});

Deno.test("a cache of no bytes keeps nothing", () => {
  const cache = openCache(0);
  cache.set("a", {}, 0);
  equal(cache.get("a"), undefined);
  equal(cache.bytes, 0);
  equal(cache.count, 0);
  cache.delete("a");
  cache.clear();
});

Deno.test("what is deleted or cleared is gone and costs nothing", () => {
  const cache = openCache(10_000);
  for (const key of ["a", "b", "c"]) cache.set(key, {}, 100);
  cache.delete("a");
  equal(cache.get("a"), undefined);
  equal(cache.bytes, 2 * costOf(100));
  cache.clear();
  equal(cache.bytes, 0);
  equal(cache.count, 0);
});

Deno.test("hits, misses, evictions and bytes are measured", () => {
  const metrics = new RecordedMetrics();
  const cache = openCache(2 * costOf(1000), metrics);
  cache.set("a", {}, 1000);
  cache.get("a");
  cache.get("a");
  cache.get("b");
  deepEqual([cache.has("a"), cache.has("b")], [true, false]);
  for (const key of ["b", "c", "d"]) cache.set(key, {}, 1000);
  cache.delete("d");
  cache.set("c", {}, 10);
  deepEqual(Object.fromEntries(metrics.counters), {
    "cache_hits_total{frames}": 2,
    "cache_misses_total{frames}": 1,
    "cache_evictions_total{frames}": 2,
  });
  equal(metrics.readGauge("cache_bytes{frames}"), costOf(10));
});

Deno.test("a bound or a size that is no number of bytes is a bug", () => {
  throws(() => openCache(-1), { name: "AssertionError" });
  throws(() => openCache(NaN), { name: "AssertionError" });
  throws(() => openCache(1000).set("a", {}, -1), { name: "AssertionError" });
  throws(() => openCache(1000).set("a", {}, 0.5), { name: "AssertionError" });
});

Deno.test("a cache never holds more than its bound, and what it holds is right", () => {
  const operations = fc.array(fc.record({
    kind: fc.constantFrom("set", "get", "delete"),
    key: fc.integer({ min: 0, max: 20 }),
    size: fc.integer({ min: 0, max: 4000 }),
  }));
  fc.assert(fc.property(operations, (steps) => {
    const cache = new ByteCache<number, object>({
      name: "any",
      bytesMax: 10_000,
      metrics: noMetrics,
    });
    const latest = new Map<number, object>();
    for (const { kind, key, size } of steps) {
      if (kind === "set") {
        latest.set(key, { size });
        cache.set(key, latest.get(key)!, size);
      } else if (kind === "delete") {
        latest.delete(key);
        cache.delete(key);
      } else {
        const value = cache.get(key);
        ok(value === undefined || value === latest.get(key));
      }
      ok(cache.bytes <= 10_000);
    }
  }));
});
