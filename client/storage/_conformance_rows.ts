// What every storage does with rows.

import { deepEqual, equal, rejects } from "node:assert/strict";
import type { StorageBatch } from "./replica_storage.ts";
import {
  type Behaviour,
  collect,
  keysOf,
  MEGABYTE,
  pageKey,
  rowsOf,
  sampleBytes,
  type StorageBehaviour,
  withStorage,
} from "./_testing.ts";

const within = (check: StorageBehaviour): Behaviour => (place) => withStorage(place, check);

/** One row at a time. */
export const oneRow: Record<string, Behaviour> = {
  "a row is read as it was written": within(async (storage) => {
    for (const length of [0, 1, 8, 4096, 4104, 65_536, MEGABYTE]) {
      const value = sampleBytes(length, length);
      await storage.write({ put: [["v/a", value]] });
      deepEqual(await storage.get("v/a"), value);
    }
  }),
  "a row that is not there is undefined": within(async (storage) => {
    equal(await storage.get("v/a"), undefined);
    await storage.write({ put: [["v/ab", sampleBytes(1)], ["v/", sampleBytes(1)]] });
    equal(await storage.get("v/a"), undefined);
  }),
  "a row that is removed is gone, and may come back": within(async (storage) => {
    await storage.write({ put: [["v/a", sampleBytes(9)], ["v/b", sampleBytes(9)]] });
    await storage.write({ delete: ["v/a", "v/never"] });
    equal(await storage.get("v/a"), undefined);
    deepEqual(Object.keys(await rowsOf(storage)), ["v/b"]);
    await storage.write({ put: [["v/a", sampleBytes(7)]] });
    deepEqual(await storage.get("v/a"), sampleBytes(7));
  }),
  "every printable character may stand in a key, and 120 of them": within(async (storage) => {
    const characters = Array.from({ length: 95 }, (_, i) => String.fromCharCode(32 + i));
    const keys = [...characters, "x".repeat(120), characters.join("")].sort();
    await storage.write({ put: keys.map((key, i) => [key, sampleBytes(i)] as const) });
    for (const [i, key] of keys.entries()) deepEqual(await storage.get(key), sampleBytes(i));
    deepEqual(await keysOf(storage), keys);
  }),
  "a value that was read stays as it is": within(async (storage) => {
    await storage.write({ put: [["v/a", sampleBytes(4104, 1)], ["v/b", sampleBytes(4104, 2)]] });
    const first = await storage.get("v/a");
    const second = await storage.get("v/b");
    await storage.write({ put: [["v/a", sampleBytes(4104, 3)]], delete: ["v/b"] });
    for (let i = 0; i < 64; i++) {
      await storage.write({ put: [[pageKey(i), sampleBytes(4104, i)]] });
      await storage.get(pageKey(i));
    }
    deepEqual(first, sampleBytes(4104, 1));
    deepEqual(second, sampleBytes(4104, 2));
  }),
};

/** Batches. */
export const batches: Record<string, Behaviour> = {
  "a batch of 10,000 rows": within(async (storage) => {
    const put = Array.from({ length: 10_000 }, (_, i) => [pageKey(i), sampleBytes(64, i)] as const);
    await storage.write({ put });
    equal((await keysOf(storage)).length, 10_000);
    for (const i of [0, 1, 4999, 9999]) {
      deepEqual(await storage.get(pageKey(i)), sampleBytes(64, i));
    }
    await storage.write({ delete: put.map(([key]) => key).slice(1) });
    deepEqual(await keysOf(storage), [pageKey(0)]);
  }),
  "a batch without rows": within(async (storage) => {
    await storage.write({});
    await storage.write({ put: [], delete: [] });
    deepEqual(await rowsOf(storage), {});
  }),
  "a batch is read the moment it was called": within(async (storage) => {
    await storage.write({ put: [["v/a", sampleBytes(1)], ["v/b", sampleBytes(1)]] });
    const written = storage.write({ put: [["v/a", sampleBytes(2)]], delete: ["v/b"] });
    const [a, b] = [storage.get("v/a"), storage.get("v/b")];
    deepEqual(await a, sampleBytes(2));
    equal(await b, undefined);
    await written;
    deepEqual(await storage.get("v/a"), sampleBytes(2));
  }),
  "batches take effect in the order of the calls": within(async (storage) => {
    const writes: Promise<void>[] = [];
    for (let i = 1; i <= 50; i++) {
      const durability = i % 3 === 0 ? "relaxed" : "strict";
      const batch: StorageBatch = i % 5 === 0
        ? { delete: ["v/a"], durability }
        : { put: [["v/a", sampleBytes(i)]], durability };
      writes.push(Promise.resolve(storage.write(batch)));
      const expected = i % 5 === 0 ? undefined : sampleBytes(i);
      deepEqual(await storage.get("v/a"), expected);
      if (i % 7 === 0) await Promise.resolve();
    }
    await Promise.all(writes);
    equal(await storage.get("v/a"), undefined);
    const last = [
      storage.write({ delete: ["v/a"] }),
      storage.write({ put: [["v/a", sampleBytes(3)]] }),
    ];
    await Promise.all(last);
    deepEqual(await rowsOf(storage), { "v/a": sampleBytes(3) });
  }),
  "a listing sees the writes that were called before it": within(async (storage) => {
    await storage.write({ put: [["v/a", sampleBytes(1)]] });
    const written = storage.write({ put: [["v/b", sampleBytes(2)]], delete: ["v/a"] });
    deepEqual(await rowsOf(storage), { "v/b": sampleBytes(2) });
    deepEqual(await keysOf(storage), ["v/b"]);
    await written;
  }),
  "bytes are those of all keys and values": within(async (storage) => {
    equal(storage.bytes, 0);
    await storage.write({ put: [["v/a", sampleBytes(100)], ["v/bb", sampleBytes(0)]] });
    equal(storage.bytes, 3 + 100 + 4);
    await storage.write({ put: [["v/a", sampleBytes(10)]], delete: ["v/bb", "v/c"] });
    equal(storage.bytes, 13);
    await storage.write({ delete: ["v/a"] });
    equal(storage.bytes, 0);
  }),
  "a batch that breaks a rule is refused whole": within(async (storage) => {
    const good = ["v/good", sampleBytes(1)] as const;
    const bad: readonly StorageBatch[] = [
      { put: [good, ["", sampleBytes(1)]] },
      { put: [good, ["x".repeat(121), sampleBytes(1)]] },
      { put: [good, ["v/ü", sampleBytes(1)]] },
      { put: [good, ["v/\n", sampleBytes(1)]] },
      { put: [good, ["v/large", new Uint8Array(MEGABYTE + 1)]] },
      { put: [good, good] },
      { put: [good], delete: [good[0]] },
      { put: [good], delete: [""] },
    ];
    for (const batch of bad) {
      await rejects(async () => await storage.write(batch), { name: "AssertionError" });
    }
    deepEqual(await rowsOf(storage), {});
  }),
};

/** Listings. */
export const listing: Record<string, Behaviour> = {
  "keys are listed in the order of ASCII, whatever order they came in": within(async (storage) => {
    const keys = ["b", "a/1", "a", "A", "a0", "a/10", "~", "a/2", " ", "a!", "Z/z"];
    for (const key of keys) await storage.write({ put: [[key, sampleBytes(key.length)]] });
    deepEqual(await keysOf(storage), keys.toSorted());
    deepEqual(Object.keys(await rowsOf(storage)), keys.toSorted());
  }),
  "a listing holds to its prefix and to what it comes after": within(async (storage) => {
    const keys = ["a", "a/", "a/1", "a/2", "a/3", "a0", "b/1", "%/1", "_/1"];
    await storage.write({ put: keys.map((key) => [key, sampleBytes(3)] as const) });
    deepEqual(await keysOf(storage, "a/"), ["a/", "a/1", "a/2", "a/3"]);
    deepEqual(await keysOf(storage, "a/", "a/1"), ["a/2", "a/3"]);
    deepEqual(await keysOf(storage, "a/", "a/15"), ["a/2", "a/3"]);
    deepEqual(await keysOf(storage, "a/", "a"), ["a/", "a/1", "a/2", "a/3"]);
    deepEqual(await keysOf(storage, "a/", "a/3"), []);
    deepEqual(await keysOf(storage, "a/", "b"), []);
    deepEqual(await keysOf(storage, "%"), ["%/1"]);
    deepEqual(await keysOf(storage, "_"), ["_/1"]);
    deepEqual(await keysOf(storage, "c"), []);
    const rows = await collect(storage.list({ prefix: "a/", after: "a/2" }));
    deepEqual(rows, [["a/3", sampleBytes(3)]]);
  }),
  "a long listing is whole": within(async (storage) => {
    const keys = Array.from({ length: 5000 }, (_, i) => pageKey(i));
    await storage.write({ put: keys.map((key, i) => [key, sampleBytes(i % 50, i)] as const) });
    deepEqual(await keysOf(storage, "p/"), keys);
    const rows = await collect(storage.list({ prefix: "p/" }));
    deepEqual(rows.map(([key]) => key), keys);
    for (const [i, [, value]] of rows.entries()) deepEqual(value, sampleBytes(i % 50, i));
  }),
  "a listing goes on over writes": within(async (storage) => {
    const keys = Array.from({ length: 100 }, (_, i) => pageKey(i));
    await storage.write({ put: keys.map((key) => [key, sampleBytes(10)] as const) });
    const seen: string[] = [];
    for await (const [key] of storage.list({ prefix: "p/" })) {
      seen.push(key);
      await storage.write({ delete: [key], put: [[`q/${key}`, sampleBytes(10)]] });
    }
    deepEqual(seen, keys);
    equal((await keysOf(storage, "p/")).length, 0);
  }),
  "a listing that is left early does no harm": within(async (storage) => {
    await storage.write({ put: [["a", sampleBytes(1)], ["b", sampleBytes(1)]] });
    for await (const [key] of storage.list({ prefix: "" })) {
      equal(key, "a");
      break;
    }
    await storage.write({ delete: ["a"] });
    deepEqual(await keysOf(storage), ["b"]);
  }),
};
