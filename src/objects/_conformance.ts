// What every object store does. A backend's test file opens a store and runs the suite over it.

import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { isGraftError } from "../core/errors.ts";
import { collect, rejectsWith, sampleBytes } from "./_testing.ts";
import type { ObjectEntry, ObjectStore } from "./object_store.ts";

/** Opens an empty store; what it returns is closed by the suite. */
export type OpenStore = () => Promise<ObjectStore>;

type Behaviour = (store: ObjectStore) => Promise<void>;

/** Registers one test for each behaviour. */
export function testObjectStore(backend: string, open: OpenStore): void {
  for (const [behaviour, check] of Object.entries(behaviours)) {
    Deno.test(`${backend}: ${behaviour}`, async () => {
      const store = await open();
      try {
        await check(store);
      } finally {
        await store.close();
      }
    });
  }
}

async function keysOf(entries: AsyncIterable<ObjectEntry>): Promise<string[]> {
  return (await collect(entries)).map((entry) => entry.key);
}

async function putAll(store: ObjectStore, keys: readonly string[]): Promise<void> {
  for (const key of keys) await store.put(key, sampleBytes(key.length));
}

const LARGE = 3 * 1024 * 1024 + 17;

const writing: Record<string, Behaviour> = {
  async "a put object is read back whole"(store) {
    for (const length of [0, 1, 4096, LARGE]) {
      await store.put("segments/a", sampleBytes(length));
      deepEqual(await store.get("segments/a"), sampleBytes(length));
    }
  },
  async "a put replaces what was there, for every kind of read"(store) {
    await store.put("segments/a", sampleBytes(100, 1));
    await store.getRange("segments/a", 0, 10);
    await store.put("segments/a", sampleBytes(50, 2));
    deepEqual(await store.get("segments/a"), sampleBytes(50, 2));
    deepEqual(await store.getRange("segments/a", 40, 10), sampleBytes(50, 2).slice(40));
    equal((await store.getTail("segments/a", 1)).sizeBytes, 50);
    deepEqual(await store.head("segments/a"), { key: "segments/a", sizeBytes: 50 });
  },
  async "the store keeps its own copy of a body"(store) {
    const body = sampleBytes(100);
    await store.put("segments/a", body);
    body.fill(0);
    const read = await store.get("segments/a");
    deepEqual(read, sampleBytes(100));
    read.fill(0);
    deepEqual(await store.get("segments/a"), sampleBytes(100));
  },
  async "a put of a view stores the view and no more"(store) {
    await store.put("segments/a", sampleBytes(100).subarray(10, 20));
    deepEqual(await store.get("segments/a"), sampleBytes(100).slice(10, 20));
  },
  async "ifAbsent takes a free key"(store) {
    await store.put("graft.json", sampleBytes(10), { ifAbsent: true });
    deepEqual(await store.get("graft.json"), sampleBytes(10));
  },
  async "ifAbsent leaves a taken key alone"(store) {
    await store.put("segments/a", sampleBytes(10, 1));
    await rejectsWith(
      store.put("segments/a", sampleBytes(20, 2), { ifAbsent: true }),
      "conflict",
      /"segments\/a".*taken/,
    );
    deepEqual(await store.get("segments/a"), sampleBytes(10, 1));
  },
  async "of many that put one absent key at once exactly one succeeds"(store) {
    const bodies = Array.from({ length: 16 }, (_, i) => sampleBytes(1000 + i, i));
    const puts = bodies.map((body) => store.put("segments/a", body, { ifAbsent: true }));
    const outcomes = await Promise.allSettled(puts);
    const winners = outcomes.flatMap(({ status }, i) => status === "fulfilled" ? [i] : []);
    equal(winners.length, 1);
    for (const outcome of outcomes) {
      if (outcome.status === "rejected") ok(isGraftError(outcome.reason, "conflict"));
    }
    deepEqual(await store.get("segments/a"), bodies[winners[0]]);
  },
  async "puts of many keys at once all succeed"(store) {
    const keys = Array.from({ length: 40 }, (_, i) => `segments/${i}`);
    await Promise.all(keys.map((key, i) => store.put(key, sampleBytes(500 + i, i))));
    for (const [i, key] of keys.entries()) {
      deepEqual(await store.get(key), sampleBytes(500 + i, i));
    }
  },
  async "an object that is put while it is read is read whole, old or new"(store) {
    await store.put("segments/a", sampleBytes(LARGE, 1));
    const [read] = await Promise.all([
      store.get("segments/a"),
      store.put("segments/a", sampleBytes(LARGE + 1, 2)),
    ]);
    deepEqual(read, read.length === LARGE ? sampleBytes(LARGE, 1) : sampleBytes(LARGE + 1, 2));
  },
};

const reading: Record<string, Behaviour> = {
  async "a range is the bytes of that range"(store) {
    await store.put("segments/a", sampleBytes(LARGE));
    const whole = sampleBytes(LARGE);
    for (const [offset, length] of [[0, 1], [5, 4096], [LARGE - 3, 3], [1, LARGE - 1], [9, 0]]) {
      const bytes = await store.getRange("segments/a", offset, length);
      deepEqual(bytes, whole.slice(offset, offset + length));
    }
    deepEqual(await store.getRange("segments/a", LARGE, 0), new Uint8Array(0));
  },
  async "a range beyond the end is damage"(store) {
    await store.put("segments/a", sampleBytes(100));
    for (const [offset, length] of [[0, 101], [99, 2], [101, 0], [1000, 10]]) {
      await rejectsWith(
        store.getRange("segments/a", offset, length),
        "damaged",
        /"segments\/a".*100 bytes/,
      );
    }
  },
  async "ranges read at once do not disturb each other"(store) {
    const keys = Array.from({ length: 8 }, (_, i) => `segments/${i}`);
    for (const [i, key] of keys.entries()) await store.put(key, sampleBytes(600_000, i));
    await Promise.all(
      keys.flatMap((key, i) =>
        [[0, 300_000], [7, 1000], [299_999, 300_001]].map(async ([offset, length]) => {
          const bytes = await store.getRange(key, offset, length);
          deepEqual(bytes, sampleBytes(600_000, i).slice(offset, offset + length));
        })
      ),
    );
  },
  async "the tail is the end, with the size of the whole"(store) {
    await store.put("segments/a", sampleBytes(1000));
    const tail = await store.getTail("segments/a", 60);
    deepEqual(tail, { bytes: sampleBytes(1000).slice(940), sizeBytes: 1000 });
  },
  async "the tail of a short object is all of it"(store) {
    await store.put("segments/a", sampleBytes(10));
    const tail = await store.getTail("segments/a", 60_000);
    deepEqual(tail, { bytes: sampleBytes(10), sizeBytes: 10 });
    await store.put("segments/b", new Uint8Array(0));
    deepEqual(await store.getTail("segments/b", 60), { bytes: new Uint8Array(0), sizeBytes: 0 });
  },
  async "what is not there is missing"(store) {
    for (const key of ["segments/none", "nowhere", "no/such/folder"]) {
      await rejectsWith(store.get(key), "missing");
      await rejectsWith(store.getRange(key, 0, 1), "missing");
      await rejectsWith(store.getTail(key, 1), "missing");
      equal(await store.head(key), undefined);
    }
  },
  async "a folder of objects is not an object"(store) {
    await store.put("segments/a", sampleBytes(10));
    await rejectsWith(store.get("segments"), "missing");
    await rejectsWith(store.get("segments/a/b"), "missing");
    equal(await store.head("segments"), undefined);
    await store.delete("segments");
    equal((await store.get("segments/a")).length, 10);
  },
  async "a head tells the size"(store) {
    await store.put("segments/a", sampleBytes(1234));
    deepEqual(await store.head("segments/a"), { key: "segments/a", sizeBytes: 1234 });
  },
};

const deleting: Record<string, Behaviour> = {
  async "what is deleted is gone, for every kind of read"(store) {
    await store.put("segments/a", sampleBytes(10));
    await store.getRange("segments/a", 0, 1);
    await store.delete("segments/a");
    await rejectsWith(store.get("segments/a"), "missing");
    await rejectsWith(store.getRange("segments/a", 0, 1), "missing");
    await rejectsWith(store.getTail("segments/a", 1), "missing");
    equal(await store.head("segments/a"), undefined);
    deepEqual(await collect(store.list("segments/")), []);
  },
  async "deleting what is not there is fine"(store) {
    await store.delete("segments/none");
    await store.delete("no/such/folder");
    await store.put("segments/a", sampleBytes(10));
    await store.delete("segments/b");
    equal((await store.get("segments/a")).length, 10);
  },
  async "a deleted key can be put again"(store) {
    await store.put("segments/a", sampleBytes(10, 1));
    await store.delete("segments/a");
    await store.put("segments/a", sampleBytes(20, 2), { ifAbsent: true });
    deepEqual(await store.get("segments/a"), sampleBytes(20, 2));
  },
  async "an object that is deleted while it is read is read whole or missing"(store) {
    await store.put("segments/a", sampleBytes(LARGE));
    const [read] = await Promise.allSettled([store.get("segments/a"), store.delete("segments/a")]);
    if (read.status === "fulfilled") deepEqual(read.value, sampleBytes(LARGE));
    else ok(isGraftError(read.reason, "missing"), String(read.reason));
  },
};

const listing: Record<string, Behaviour> = {
  async "a listing has keys and sizes, ascending"(store) {
    await putAll(store, ["segments/b", "segments/ab", "segments/B", "segments/a"]);
    deepEqual(await collect(store.list("segments/")), [
      { key: "segments/B", sizeBytes: 10 },
      { key: "segments/a", sizeBytes: 10 },
      { key: "segments/ab", sizeBytes: 11 },
      { key: "segments/b", sizeBytes: 10 },
    ]);
  },
  async "folders take their place among the keys"(store) {
    const keys = ["a-b", "a.b", "a/b", "a/b-c/d", "a/b0", "a0", "b/c/d/e"];
    await putAll(store, keys.toReversed());
    deepEqual(await keysOf(store.list("")), keys);
  },
  async "a listing keeps to its prefix"(store) {
    await putAll(store, [
      "segments/ab",
      "segments/abc",
      "segments/b",
      "segments-old",
      "manifests/a",
    ]);
    deepEqual(await keysOf(store.list("segments/ab")), ["segments/ab", "segments/abc"]);
    deepEqual(await keysOf(store.list("segments")), [
      "segments-old",
      "segments/ab",
      "segments/abc",
      "segments/b",
    ]);
    deepEqual(await keysOf(store.list("segments/zz")), []);
    deepEqual(await keysOf(store.list("nowhere/")), []);
    deepEqual(await keysOf(store.list("segments/ab/")), []);
  },
  async "a prefix that no key has leads nowhere"(store) {
    await putAll(store, ["segments/a", "manifests/b"]);
    for (const prefix of ["/", "../", "./", "segments//", "segments/../", "/segments/", "tmp/"]) {
      deepEqual(await keysOf(store.list(prefix)), [], prefix);
    }
  },
  async "a listing ends after as many entries as asked for"(store) {
    await putAll(store, ["m/a", "m/c", "m/e"]);
    deepEqual(await keysOf(store.list("m/", { limit: 2 })), ["m/a", "m/c"]);
    deepEqual(await keysOf(store.list("m/", { limit: 1, after: "m/a" })), ["m/c"]);
    deepEqual(await keysOf(store.list("m/", { limit: 9 })), ["m/a", "m/c", "m/e"]);
  },
  async "a listing starts after a key, there or not"(store) {
    await putAll(store, ["a/x", "m/a", "m/c", "m/e", "z/a"]);
    deepEqual(await keysOf(store.list("m/", { after: "m/a" })), ["m/c", "m/e"]);
    deepEqual(await keysOf(store.list("m/", { after: "m/b" })), ["m/c", "m/e"]);
    deepEqual(await keysOf(store.list("", { after: "m/c" })), ["m/e", "z/a"]);
    deepEqual(await keysOf(store.list("m/", { after: "a" })), ["m/a", "m/c", "m/e"]);
    deepEqual(await keysOf(store.list("m/", { after: "z" })), []);
  },
  async "a listing that is left early does no harm"(store) {
    await putAll(store, ["segments/a", "segments/b"]);
    for await (const entry of store.list("segments/")) {
      equal(entry.key, "segments/a");
      break;
    }
    deepEqual(await keysOf(store.list("segments/")), ["segments/a", "segments/b"]);
  },
  async "objects that come and go during a listing do not disturb the others"(store) {
    const keys = Array.from({ length: 50 }, (_, i) => `segments/${100 + i}`);
    await putAll(store, keys);
    const seen: string[] = [];
    for await (const { key } of store.list("segments/")) {
      if (seen.length === 0) {
        await store.delete("segments/120");
        await store.put("segments/130x", sampleBytes(1));
      }
      seen.push(key);
    }
    const stable = keys.filter((key) => key !== "segments/120");
    deepEqual(seen.filter((key) => stable.includes(key)), stable);
  },
};

const refusing: Record<string, Behaviour> = {
  async "a key that is none is refused by every call"(store) {
    const long = "a".repeat(256);
    for (const key of ["", "/a", "a/", "a//b", "..", "a/../b", "./a", "a b", "ä", "tmp/a", long]) {
      await rejectsWith(store.put(key, sampleBytes(1)), "invalid");
      await rejectsWith(store.get(key), "invalid");
      await rejectsWith(store.getRange(key, 0, 1), "invalid");
      await rejectsWith(store.getTail(key, 1), "invalid");
      await rejectsWith(store.head(key), "invalid");
      await rejectsWith(store.delete(key), "invalid");
    }
    deepEqual(await collect(store.list("")), []);
  },
  async "a range that is none is a bug"(store) {
    await store.put("segments/a", sampleBytes(10));
    for (const [offset, length] of [[-1, 1], [0, -1], [0.5, 1], [0, NaN]]) {
      await rejects(store.getRange("segments/a", offset, length), { name: "AssertionError" });
    }
    await rejects(store.getTail("segments/a", -1), { name: "AssertionError" });
  },
  async "a caller that has given up is told so, and nothing happens"(store) {
    await store.put("segments/a", sampleBytes(10));
    const signal = AbortSignal.abort("enough");
    await rejectsWith(store.put("segments/b", sampleBytes(1), { signal }), "aborted");
    await rejectsWith(store.get("segments/a", { signal }), "aborted");
    await rejectsWith(store.getRange("segments/a", 0, 1, { signal }), "aborted");
    await rejectsWith(store.getTail("segments/a", 1, { signal }), "aborted");
    await rejectsWith(store.head("segments/a", { signal }), "aborted");
    await rejectsWith(store.delete("segments/a", { signal }), "aborted");
    await rejectsWith(collect(store.list("segments/", { signal })), "aborted");
    deepEqual(await keysOf(store.list("")), ["segments/a"]);
  },
  async "a put that is given up half-way is whole or absent"(store) {
    const controller = new AbortController();
    const put = store.put("segments/a", sampleBytes(LARGE), { signal: controller.signal });
    controller.abort();
    const [outcome] = await Promise.allSettled([put]);
    if (outcome.status === "rejected") ok(isGraftError(outcome.reason, "aborted"));
    const there = await store.head("segments/a");
    if (outcome.status === "fulfilled") ok(there);
    if (there) deepEqual(await store.get("segments/a"), sampleBytes(LARGE));
  },
  async "the store has a name"(store) {
    ok(/^[a-z0-9]+:/.test(store.name), store.name);
    await Promise.resolve();
  },
};

const behaviours: Record<string, Behaviour> = {
  ...writing,
  ...reading,
  ...deleting,
  ...listing,
  ...refusing,
};
