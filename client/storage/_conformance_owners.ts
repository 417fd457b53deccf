// What storages do that outlive their owner, and what they do when they are full.

import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { isGraftError } from "../../src/core/errors.ts";
import type { ReplicaStorage } from "./replica_storage.ts";
import { type Behaviour, keysOf, MEGABYTE, rowsOf, sampleBytes, withStorage } from "./_testing.ts";

/** Bytes that cannot be compressed: browsers do, before they look at what a site may store. */
function noise(length: number, seed: number): Uint8Array {
  const numbers = new Uint32Array(length / 4);
  let state = seed;
  for (let i = 0; i < numbers.length; i++) {
    // xorshift32
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    numbers[i] = state;
  }
  return new Uint8Array(numbers.buffer);
}

async function refused(opening: Promise<ReplicaStorage>): Promise<void> {
  await rejects(opening, (error: unknown) => {
    ok(isGraftError(error, "unavailable"), `${error}`);
    ok(/^Cannot open ".+": another .*has it open$/.test(error.message), error.message);
    ok(error.hint !== undefined);
    return true;
  });
}

/** One small batch, the same for the same number; notes in `expected` what it leaves. */
async function writeSmall(
  storage: ReplicaStorage,
  expected: Map<string, Uint8Array>,
  n: number,
): Promise<void> {
  const put = [
    [`c/${String(n).padStart(5, "0")}`, sampleBytes(n % 70, n)],
    [`p/${(n * 7) % 23}`, sampleBytes(n % 11 === 0 ? 90_000 : 300, n)],
  ] as const;
  const remove = n % 3 === 0 ? [`c/${String(n - 9).padStart(5, "0")}`, `p/${n % 23}x`] : [];
  await storage.write({ put, delete: remove, durability: n % 2 === 0 ? "relaxed" : "strict" });
  for (const [key, value] of put) expected.set(key, value);
  for (const key of remove) expected.delete(key);
}

/** One owner after the other. */
export const owners: Record<string, Behaviour> = {
  async "everything is there when it is opened again"(place) {
    const large = sampleBytes(MEGABYTE);
    await withStorage(place, async (storage) => {
      await storage.write({ put: [["a", large], ["b", sampleBytes(0)], ["c", sampleBytes(3)]] });
      await storage.write({ put: [["a2", sampleBytes(9)]], delete: ["c"], durability: "relaxed" });
      await storage.write({ put: [["b", sampleBytes(5)]], durability: "relaxed" });
    });
    await withStorage(place, async (storage) => {
      deepEqual(await rowsOf(storage), { a: large, a2: sampleBytes(9), b: sampleBytes(5) });
      equal(storage.bytes, 1 + MEGABYTE + 2 + 9 + 1 + 5);
      await storage.write({ delete: ["a"] });
    });
    await withStorage(place, async (storage) => {
      deepEqual(await keysOf(storage), ["a2", "b"]);
      equal(storage.bytes, 2 + 9 + 1 + 5);
    });
  },
  async "many small writes leave what they should"(place) {
    const expected = new Map<string, Uint8Array>();
    for (let life = 0; life < 3; life++) {
      await withStorage(place, async (storage) => {
        deepEqual(await rowsOf(storage), Object.fromEntries([...expected].sort()));
        for (let i = 0; i < 120; i++) await writeSmall(storage, expected, 120 * life + i);
        deepEqual(await rowsOf(storage), Object.fromEntries([...expected].sort()));
        const sizes = [...expected].map(([key, value]) => key.length + value.length);
        equal(storage.bytes, sizes.reduce((sum, size) => sum + size, 0));
      });
    }
  },
  async "closing finishes the writes under way"(place) {
    const storage = await place.open();
    const writes = Array.from(
      { length: 20 },
      (_, i) => storage.write({ put: [[`v/${i}`, sampleBytes(i)]] }),
    );
    await storage.close();
    await Promise.all(writes);
    await withStorage(place, async (again) => equal((await keysOf(again)).length, 20));
  },
  async "a second owner is refused until the first has closed"(place) {
    await withStorage(place, async (storage) => {
      await storage.write({ put: [["v/a", sampleBytes(1)]] });
      await refused(place.open());
      await storage.write({ put: [["v/b", sampleBytes(1)]] });
    });
    await withStorage(place, async (storage) => deepEqual(await keysOf(storage), ["v/a", "v/b"]));
  },
  async "of two that open at once one is refused"(place) {
    const openings = await Promise.allSettled([place.open(), place.open()]);
    const opened = openings.filter((opening) => opening.status === "fulfilled");
    for (const { value } of opened) await value.close();
    equal(opened.length, 1);
  },
  async "a second owner that waits takes over"(place) {
    const first = await place.open();
    let isOpen = false;
    const opening = place.open({ wait: true }).then((storage) => {
      isOpen = true;
      return storage;
    });
    await first.write({ put: [["v/a", sampleBytes(1)]] });
    equal(isOpen, false);
    const last = first.write({ put: [["v/b", sampleBytes(1)]] });
    await first.close();
    await last;
    const second = await opening;
    deepEqual(await keysOf(second), ["v/a", "v/b"]);
    await second.close();
  },
  async "a wait can be given up"(place) {
    await withStorage(place, async (storage) => {
      const abort = new AbortController();
      const opening = place.open({ wait: true, signal: abort.signal });
      const aborted = rejects(opening, (error: unknown) => isGraftError(error, "aborted"));
      await storage.write({ put: [["v/a", sampleBytes(1)]] });
      abort.abort();
      await aborted;
    });
    await withStorage(place, async (storage) => deepEqual(await keysOf(storage), ["v/a"]));
  },
};

/** Writes a batch that cannot fit, and one right behind it. */
async function overfill(storage: ReplicaStorage): Promise<void> {
  await storage.write({ put: [["v/a", sampleBytes(1)]] });
  const large = Array.from({ length: 40 }, (_, i) => [`p/${i}`, noise(MEGABYTE, i + 1)] as const);
  const failed = [
    storage.write({ put: [["v/a", sampleBytes(2)], ...large] }),
    storage.write({ put: [["v/rests", sampleBytes(1)]] }),
  ];
  for (const outcome of await Promise.allSettled(failed)) {
    ok(outcome.status === "rejected", "a batch that cannot fit was written");
    ok(isGraftError(outcome.reason, "unavailable"), `${outcome.reason}`);
    ok(/^Cannot write to ".+": .*full/.test(outcome.reason.message), outcome.reason.message);
    ok(outcome.reason.hint !== undefined);
  }
}

/** Too little room. */
export const full: Record<string, Behaviour> = {
  async "a full storage writes nothing of a batch, nor of those behind it"(place) {
    const expected = { "v/a": sampleBytes(1) };
    await withStorage(place, async (storage) => {
      await overfill(storage);
      deepEqual(await rowsOf(storage), expected);
      equal(storage.bytes, 4);
    });
    await withStorage(place, async (storage) => deepEqual(await rowsOf(storage), expected));
  },
  async "a storage that was full takes what fits"(place) {
    await withStorage(place, async (storage) => {
      await overfill(storage);
      await storage.write({ put: [["v/b", sampleBytes(3)]] });
    });
    await withStorage(place, async (storage) => {
      deepEqual(await rowsOf(storage), { "v/a": sampleBytes(1), "v/b": sampleBytes(3) });
    });
  },
};
