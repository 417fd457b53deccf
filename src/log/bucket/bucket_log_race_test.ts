// Processes that share a bucket: no gap, no double, nothing acknowledged lost.

import { deepEqual, equal, ok } from "node:assert/strict";
import fc from "fast-check";
import { MemoryStore } from "../../objects/memory_store.ts";
import { newVolume, recordAfter } from "../_testing.ts";
import type { LogChange } from "../commit_log.ts";
import { openBucket, WatchedStore } from "./_testing.ts";
import { assertLines, race } from "./_testing_race.ts";

/** Logs whose calls take turns of different lengths, by a sequence that can be repeated. */
async function openShuffled(count: number, seed: number, inner = new MemoryStore()) {
  let state = seed;
  const random = (below: number) => (state = state * 48_271 % 0x7fffffff) % below;
  const turns = async () => {
    for (let left = random(12); left > 0; left--) await Promise.resolve();
  };
  return await Promise.all(Array.from({ length: count }, async () => {
    const store = new WatchedStore(inner);
    const log = await openBucket(store, { headsBytesMax: 4_000 });
    store.before = turns;
    store.after = turns;
    return log;
  }));
}

Deno.test("racing processes make lines without gaps, and lose nothing", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 2 ** 30 }),
      fc.integer({ min: 3, max: 6 }),
      fc.integer({ min: 1, max: 4 }),
      async (seed, processes, volumes) => {
        const logs = await openShuffled(processes, seed);
        const result = await race({ logs, volumes, writers: 2 * processes, commits: 25 });
        equal(result.unknown, 0);
        ok(result.landed.length > 25 && result.stale > 5, `${result.landed.length}`);
        await assertLines(logs, result);
      },
    ),
    { numRuns: 20 },
  );
});

Deno.test("over several multiples of 64, too", async () => {
  const store = new MemoryStore();
  const logs = await openShuffled(4, 7, store);
  const result = await race({ logs, volumes: 1, writers: 8, commits: 150 });
  ok(result.landed.length > 200, `${result.landed.length}`);
  await assertLines(logs, result);
  await assertLines([await openBucket(store)], result);
});

Deno.test("of many processes that delete and commit at once one is first", async () => {
  for (let seed = 1; seed <= 20; seed++) {
    const logs = await openShuffled(4, seed);
    const vid = newVolume();
    const first = await logs[0].head(vid);
    equal(await logs[0].append(recordAfter(vid, first), first, null), "landed");
    const outcomes = await Promise.all(logs.map(async (log, i) => {
      const base = await log.head(vid);
      if (i % 2 === 0) return await log.tombstone(vid, base);
      return await log.append(recordAfter(vid, base), base, null);
    }));
    const heads = await Promise.all(logs.map(async (log) => (await log.head(vid)).head));
    for (const head of heads) deepEqual(head, heads[0]);
    // equal tombstones are one and the same object, but here none is a repeat
    const landed = outcomes.filter((outcome) => outcome === "landed").length;
    ok(landed >= 1 && landed <= 2, `${landed}`);
    equal(heads[0]?.deleted ?? false, outcomes.some((o, i) => i % 2 === 0 && o === "landed"));
  }
});

Deno.test("every process hears of each volume in its order", async () => {
  const logs = await openShuffled(3, 99);
  const heard = logs.map((log) => {
    const changes: LogChange[] = [];
    log.subscribe((news) => changes.push(...news));
    return changes;
  });
  const { vids } = await race({ logs, volumes: 2, writers: 9, commits: 40 });
  for (const changes of heard) {
    for (const vid of vids) {
      const lsns = changes.filter((change) => change.vid === vid).map(({ lsn }) => lsn);
      deepEqual(lsns, lsns.toSorted((a, b) => a - b));
      ok(lsns.length > 10, `${lsns.length}`);
    }
  }
});
