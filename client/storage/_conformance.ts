// What every storage of a replica does. It runs in Deno and in browsers: a backend names its place and the
// function that registers a test.

import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { isGraftError } from "../../src/core/errors.ts";
import type { OpenStorageOptions } from "./open_storage.ts";
import type { ReplicaStorage, StorageBatch } from "./replica_storage.ts";

/** Somewhere a storage can be opened, more than once. */
export interface StoragePlace {
  /** Opens the storage; empty the first time. */
  open(options?: OpenStorageOptions): Promise<ReplicaStorage>;
  /** Removes what is left. Every owner is gone by then. */
  remove(): Promise<void>;
}

/** Storages that are opened in the same way. */
export interface Backend {
  /** Begins the name of each test: `sqlite:`. */
  readonly name: string;
  /** Makes a new place. */
  makePlace(): Promise<StoragePlace>;
  /** Whether rows outlive their owner, of whom there is one at a time. */
  readonly isKept: boolean;
}

/** Registers a test: `Deno.test`, or a browser's. */
export type RegisterTest = (name: string, run: () => Promise<void>) => void;

type Behaviour = (place: StoragePlace) => Promise<void>;
type StorageBehaviour = (storage: ReplicaStorage) => Promise<void>;

/** Registers one test for each behaviour. */
export function testStorage(backend: Backend, test: RegisterTest): void {
  register(backend, test, {
    ...oneRow,
    ...batches,
    ...listing,
    ...backend.isKept ? owners : {},
  });
}

/** Registers tests of what happens when a storage is full; the places open with room for 2 to 20 MiB. */
export function testFullStorage(backend: Backend, test: RegisterTest): void {
  register(backend, test, full);
}

function register(
  backend: Backend,
  test: RegisterTest,
  behaviours: Record<string, Behaviour>,
): void {
  for (const [behaviour, check] of Object.entries(behaviours)) {
    test(`${backend.name} ${behaviour}`, async () => {
      const place = await backend.makePlace();
      try {
        await check(place);
      } finally {
        await place.remove();
      }
    });
  }
}

/** Bytes that differ from offset to offset and from seed to seed. */
export function sampleBytes(length: number, seed = 1): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) bytes[i] = (i * 31 + (i >>> 8) * 7 + seed * 101) & 0xff;
  return bytes;
}

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

/** A key as the replica makes them for pages. */
export function pageKey(pageIdx: number): string {
  return `p/5rMJhorqTfZqCSjD1GbT4Z/${pageIdx.toString(16).padStart(8, "0")}/000000000001`;
}

/** Opens a storage for as long as `use` takes. */
export async function withStorage(
  place: StoragePlace,
  use: StorageBehaviour,
  options?: OpenStorageOptions,
): Promise<void> {
  const storage = await place.open(options);
  try {
    await use(storage);
  } finally {
    await storage.close();
  }
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

/** All rows by key. */
export async function rowsOf(storage: ReplicaStorage): Promise<Record<string, Uint8Array>> {
  return Object.fromEntries(await collect(storage.list({ prefix: "" })));
}

async function keysOf(storage: ReplicaStorage, prefix = "", after?: string): Promise<string[]> {
  return await collect(storage.keys({ prefix, ...(after === undefined ? {} : { after }) }));
}

const within = (check: StorageBehaviour): Behaviour => (place) => withStorage(place, check);

const MEGABYTE = 1024 * 1024;

const oneRow: Record<string, Behaviour> = {
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
  "the storage keeps its own copy of a value": within(async (storage) => {
    const buffer = sampleBytes(300);
    const written = storage.write({ put: [["v/a", buffer.subarray(100, 200)]] });
    buffer.fill(0);
    deepEqual(await storage.get("v/a"), sampleBytes(300).slice(100, 200));
    await written;
    buffer.fill(7);
    deepEqual(await storage.get("v/a"), sampleBytes(300).slice(100, 200));
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

const batches: Record<string, Behaviour> = {
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
      writes.push(storage.write(batch));
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
    for (const batch of bad) await rejects(storage.write(batch), { name: "AssertionError" });
    deepEqual(await rowsOf(storage), {});
  }),
};

const listing: Record<string, Behaviour> = {
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

const owners: Record<string, Behaviour> = {
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

const full: Record<string, Behaviour> = {
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
