import { equal } from "node:assert/strict";
import { systemClock } from "../core/clock.ts";
import { testObjectStore } from "./_conformance.ts";
import { testDatedObjectStore } from "./_conformance_dated.ts";
import { rejectsWith, sampleBytes } from "./_testing.ts";
import { MemoryStore } from "./memory_store.ts";

testObjectStore("memory", () => Promise.resolve(new MemoryStore()));
testDatedObjectStore("memory", () => Promise.resolve(new MemoryStore()));

Deno.test("a date is too old by the clock that the store was given", async () => {
  let nowMs = 1_000_000;
  const store = new MemoryStore({ ...systemClock, now: () => nowMs });
  nowMs += 15 * 60_000;
  await store.putDated("a", sampleBytes(1), 1_000_000);
  nowMs += 1;
  await rejectsWith(store.putDated("b", sampleBytes(1), 1_000_000), "unavailable", /too long ago/);
  equal(await store.head("b"), undefined);
});
