import { deepEqual, equal, rejects } from "node:assert/strict";
import { type Clock, systemClock } from "../core/clock.ts";
import { GraftError, isGraftError } from "../core/errors.ts";
import { noMetrics } from "../core/metrics.ts";
import { testObjectStore } from "./_conformance.ts";
import { collect, RecordedMetrics, rejectsWith, sampleBytes } from "./_testing.ts";
import { MemoryStore } from "./memory_store.ts";
import { MeteredStore } from "./metered_store.ts";

testObjectStore(
  "metered",
  () => Promise.resolve(new MeteredStore(new MemoryStore(), noMetrics, systemClock)),
);

/** A clock on which every look takes a quarter of a second. */
function slowClock(): Clock {
  let now = 0;
  return { now: () => 0, monotonic: () => (now += 250) };
}

/** A memory store whose calls fail when told. */
class FailingStore extends MemoryStore {
  error: Error | undefined;

  override head(key: string): ReturnType<MemoryStore["head"]> {
    return this.error ? Promise.reject(this.error) : super.head(key);
  }

  override async *list(...given: Parameters<MemoryStore["list"]>): ReturnType<MemoryStore["list"]> {
    if (this.error) throw this.error;
    yield* super.list(...given);
  }
}

function openStores() {
  const metrics = new RecordedMetrics();
  const inner = new FailingStore();
  return { metrics, inner, store: new MeteredStore(inner, metrics, slowClock()) };
}

Deno.test("calls are counted by operation and outcome", async () => {
  const { metrics, store } = openStores();
  await store.put("segments/a", sampleBytes(100), { ifAbsent: true });
  await rejectsWith(store.put("segments/a", sampleBytes(1), { ifAbsent: true }), "conflict");
  await store.get("segments/a");
  await store.getRange("segments/a", 10, 20);
  await rejectsWith(store.getRange("segments/a", 90, 20), "damaged");
  await store.getTail("segments/a", 5);
  await store.head("segments/a");
  await store.head("segments/b");
  await store.delete("segments/a");
  await rejectsWith(store.get("segments/a"), "missing");
  deepEqual(Object.fromEntries(metrics.counters), {
    "object_requests_total{put,ok}": 1,
    "object_requests_total{put,conflict}": 1,
    "object_requests_total{get,ok}": 1,
    "object_requests_total{get_range,ok}": 1,
    "object_requests_total{get_range,damaged}": 1,
    "object_requests_total{get_tail,ok}": 1,
    "object_requests_total{head,ok}": 1,
    "object_requests_total{head,missing}": 1,
    "object_requests_total{delete,ok}": 1,
    "object_requests_total{get,missing}": 1,
    "object_written_bytes_total": 100,
    "object_read_bytes_total": 125,
  });
});

Deno.test("the time of every call is recorded in seconds, failures too", async () => {
  const { metrics, store } = openStores();
  await store.put("segments/a", sampleBytes(100));
  await rejectsWith(store.get("segments/b"), "missing");
  deepEqual(Object.fromEntries(metrics.histograms), {
    "object_request_seconds{put}": [0.25],
    "object_request_seconds{get}": [0.25],
  });
});

Deno.test("a listing counts once, and its time ends at its first entry", async () => {
  const { metrics, store } = openStores();
  for (const key of ["a", "b", "c"]) await store.put(key, sampleBytes(1));
  equal((await collect(store.list(""))).length, 3);
  equal((await collect(store.list("nowhere"))).length, 0);
  equal(metrics.counters.get("object_requests_total{list,ok}"), 2);
  deepEqual(metrics.histograms.get("object_request_seconds{list}"), [0.25, 0.25]);
});

Deno.test("a listing that is left early counts as done, one that fails by its code", async () => {
  const { metrics, store } = openStores();
  for (const key of ["a", "b"]) await store.put(key, sampleBytes(1));
  for await (const entry of store.list("")) {
    equal(entry.key, "a");
    break;
  }
  await rejectsWith(collect(store.list("", { signal: AbortSignal.abort() })), "aborted");
  equal(metrics.counters.get("object_requests_total{list,ok}"), 1);
  equal(metrics.counters.get("object_requests_total{list,aborted}"), 1);
});

Deno.test("a store is healthy while it does its part", async () => {
  const { inner, store } = openStores();
  equal(store.healthy, undefined);
  await rejectsWith(store.get("segments/a"), "missing");
  equal(store.healthy, true);
  inner.error = new GraftError("unavailable", "Cannot reach the store: it is down");
  await rejectsWith(store.head("segments/a"), "unavailable");
  equal(store.healthy, false);
  await rejectsWith(store.get("a", { signal: AbortSignal.abort() }), "aborted");
  equal(store.healthy, false);
  inner.error = undefined;
  await store.head("segments/a");
  equal(store.healthy, true);
});

Deno.test("a failing store has words for the public, in a listing too", async () => {
  const { inner, store } = openStores();
  const isPrivate = (error: unknown) =>
    isGraftError(error, "unavailable") && /AKIA/.test(error.message) &&
    error.publicMessage === "Cannot answer the request: the object store does not answer now";
  inner.error = new GraftError("unavailable", 'Cannot reach the store: no access key "AKIA"');
  await rejects(store.head("segments/a"), isPrivate);
  await rejects(collect(store.list("segments/")), isPrivate);
});

Deno.test("an error that is none of ours counts as internal", async () => {
  const { metrics, inner, store } = openStores();
  inner.error = new TypeError("a bug");
  await store.head("segments/a").catch(() => {});
  equal(metrics.counters.get("object_requests_total{head,internal}"), 1);
  equal(store.healthy, false);
});

Deno.test("the measured store keeps its name", () => {
  equal(openStores().store.name, "memory:");
});
