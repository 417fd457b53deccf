import { deepEqual, equal, rejects } from "node:assert/strict";
import { systemTimers, type Timers } from "../../src/core/timers.ts";
import { testObjectStore } from "../../src/objects/_conformance.ts";
import { collect, rejectsWith, sampleBytes } from "../../src/objects/_testing.ts";
import { MemoryStore } from "../../src/objects/memory_store.ts";
import { type Fault, FaultyStore } from "./objects_faulty_store.ts";

testObjectStore(
  "faulty, without faults",
  () => Promise.resolve(new FaultyStore(new MemoryStore(), systemTimers)),
);

/** A store with one object, and the store behind it. */
async function openStores(timers: Timers = systemTimers) {
  const inner = new MemoryStore();
  await inner.put("segments/a", sampleBytes(100));
  return { inner, store: new FaultyStore(inner, timers) };
}

function always(fault: Fault): () => Fault {
  return () => fault;
}

Deno.test("a call that fails before has no effect", async () => {
  const { inner, store } = await openStores();
  store.plan = always({ kind: "fail before" });
  await rejectsWith(store.put("segments/b", sampleBytes(1)), "unavailable");
  await rejectsWith(store.putDated("segments/b", sampleBytes(1), Date.now()), "unavailable");
  await rejectsWith(store.delete("segments/a"), "unavailable");
  await rejectsWith(store.get("segments/a"), "unavailable");
  await rejectsWith(store.getRange("segments/a", 0, 1), "unavailable");
  await rejectsWith(store.getTail("segments/a", 1), "unavailable");
  await rejectsWith(store.head("segments/a"), "unavailable");
  await rejectsWith(collect(store.list("")), "unavailable");
  deepEqual(await collect(inner.list("")), [{ key: "segments/a", sizeBytes: 100 }]);
});

Deno.test("a call that fails after has its effect", async () => {
  const { inner, store } = await openStores();
  store.plan = always({ kind: "fail after" });
  await rejectsWith(store.put("segments/b", sampleBytes(1)), "unavailable");
  await rejectsWith(store.delete("segments/a"), "unavailable");
  await rejectsWith(collect(store.list("")), "unavailable");
  deepEqual(await collect(inner.list("")), [{ key: "segments/b", sizeBytes: 1 }]);
});

Deno.test("the plan may choose the error", async () => {
  const { store } = await openStores();
  store.plan = always({ kind: "fail before", error: new Error("chosen") });
  await rejects(store.get("segments/a"), /chosen/);
});

Deno.test("a delay comes before the call", async () => {
  const delays: number[] = [];
  const timers: Timers = {
    ...systemTimers,
    sleep(delayMs) {
      delays.push(delayMs);
      return Promise.resolve();
    },
  };
  const { store } = await openStores(timers);
  store.plan = always({ kind: "delay", delayMs: 70 });
  deepEqual(await store.get("segments/a"), sampleBytes(100));
  deepEqual(delays, [70]);
});

Deno.test("reads and puts can be cut short", async () => {
  const { inner, store } = await openStores();
  store.plan = always({ kind: "truncate", toBytes: 7 });
  equal((await store.get("segments/a")).length, 7);
  equal((await store.getRange("segments/a", 0, 50)).length, 7);
  const tail = await store.getTail("segments/a", 50);
  deepEqual([tail.bytes.length, tail.sizeBytes], [7, 100]);
  await store.put("segments/b", sampleBytes(100));
  equal((await inner.get("segments/b")).length, 7);
});

Deno.test("reads and puts can have a bit flipped, and only that", async () => {
  const { inner, store } = await openStores();
  const flipped = sampleBytes(100);
  flipped[1] ^= 2;
  store.plan = always({ kind: "flip a bit", bit: 9 });
  deepEqual(await store.get("segments/a"), flipped);
  const body = sampleBytes(100);
  await store.put("segments/b", body);
  deepEqual(body, sampleBytes(100));
  deepEqual(await inner.get("segments/b"), flipped);
  deepEqual(await inner.get("segments/a"), sampleBytes(100));
});

Deno.test("the plan sees what is called, and in which order", async () => {
  const { store } = await openStores();
  const calls: string[] = [];
  store.plan = ({ operation, key, number }) => {
    calls.push(`${number} ${operation} ${key}`);
    return undefined;
  };
  await store.head("segments/a");
  await collect(store.list("segments/"));
  await store.delete("segments/a");
  deepEqual(calls, ["0 head segments/a", "1 list segments/", "2 delete segments/a"]);
  equal(store.calls, 3);
});
