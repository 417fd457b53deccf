import { deepEqual, equal, ok, throws } from "node:assert/strict";
import { sampleBytes } from "../_testing.ts";
import { systemSlabIo } from "../_slab_io.ts";
import { COLLIDING_KEYS, keysOf, MIB, sampleOf, TestCache } from "./_testing.ts";

const HITS = "cache_hits_total{disk}";
const MISSES = "cache_misses_total{disk}";
const EVICTIONS = "cache_evictions_total{disk}";
const DAMAGED = "disk_cache_damaged_total";
const DROPPED = "disk_cache_dropped_total";

Deno.test("a cache gives back what it was given, before it is written and after", async () => {
  await using test = await TestCache.open();
  test.cache.set("a", sampleOf("a", 10_000));
  test.cache.set("empty", new Uint8Array(0));
  for (let round = 0; round < 2; round++) {
    deepEqual(test.held(["a", "b"]), ["a"]);
    deepEqual(test.cache.get("empty"), new Uint8Array(0));
    await test.cache.flush();
  }
  equal(test.cache.count, 2);
  equal(test.counter(HITS), 4);
  equal(test.counter(MISSES), 2);
});

Deno.test("a cache keeps its own copy of the bytes, of a view no more than that", async () => {
  await using test = await TestCache.open();
  const bytes = sampleBytes(100);
  test.cache.set("a", bytes.subarray(10, 20));
  bytes.fill(0);
  deepEqual(test.cache.get("a"), sampleBytes(100).slice(10, 20));
  await test.cache.flush();
  deepEqual(test.cache.get("a"), sampleBytes(100).slice(10, 20));
});

Deno.test("a second value takes the first one's place, waiting or written", async () => {
  await using test = await TestCache.open();
  for (let n = 1; n <= 4; n++) {
    test.cache.set("a", sampleBytes(100, n));
    test.cache.set("a", sampleBytes(50, n));
    deepEqual(test.cache.get("a"), sampleBytes(50, n));
    if (n % 2 === 0) await test.cache.flush();
    deepEqual(test.cache.get("a"), sampleBytes(50, n));
  }
  await test.reopen();
  deepEqual(test.cache.get("a"), sampleBytes(50, 4));
});

for (const end of ["closed", "killed"]) {
  Deno.test(`a cache that was ${end} is there after a restart, and again`, async () => {
    await using test = await TestCache.open();
    const keys = keysOf("a", 300);
    await test.fill(keys);
    for (let round = 0; round < 3; round++) {
      if (end === "closed") await test.cache.close();
      await test.reopen();
      deepEqual(test.held(keys), keys);
      await test.fill([`round ${round}`]);
      keys.push(`round ${round}`);
    }
    equal(test.cache.bytes, test.filesBytes());
  });
}

Deno.test("files stay within the bound, and the oldest entries go first", async () => {
  await using test = await TestCache.open(4 * MIB);
  const keys = keysOf("a", 800);
  for (const key of keys) {
    await test.fill([key]);
    if (test.cache.bytes > 4 * MIB) ok(false, `${test.cache.bytes} bytes`);
  }
  equal(test.cache.bytes, test.filesBytes());
  equal(test.metrics.readGauge("cache_bytes{disk}"), test.cache.bytes);
  const held = test.held(keys);
  ok(held.length >= 200, `${held.length} entries`);
  deepEqual(held, keys.slice(-held.length));
  equal(test.counter(EVICTIONS), keys.length - held.length);
  equal(test.cache.count, held.length);
});

Deno.test("a lower bound after a restart drops the oldest", async () => {
  await using test = await TestCache.open(8 * MIB);
  const keys = keysOf("a", 700);
  await test.fill(keys);
  await test.cache.close();
  await test.reopen(2 * MIB);
  ok(test.filesBytes() <= 2 * MIB);
  const held = test.held(keys);
  ok(held.length > 0);
  deepEqual(held, keys.slice(-held.length));
});

Deno.test("what was hit is carried over, also after a restart, and once for each hit", async () => {
  await using test = await TestCache.open(4 * MIB);
  await test.fill(["hot", "cold", ...keysOf("a", 300)]);
  await test.cache.close();
  await test.reopen();
  for (let round = 0; round < 5; round++) {
    equal(test.held(["hot"]).length, 1, `round ${round}`);
    await test.fill(keysOf(`b${round}-`, 300));
  }
  deepEqual(test.held(["cold"]), []);
  await test.fill(keysOf("c", 900));
  deepEqual(test.held(["hot"]), []);
});

Deno.test("what is carried over takes half a slab at most", async () => {
  await using test = await TestCache.open(4 * MIB);
  const keys = keysOf("a", 100);
  await test.fill(keys);
  for (let n = 0; n < 400; n++) {
    for (const key of keys) test.cache.get(key);
    await test.fill([`b${n}`]);
    ok(test.cache.bytes <= 4 * MIB);
  }
  const held = test.held(keys).length;
  ok(held > 40 && held < 60, `${held} of 100`);
});

Deno.test("two keys of one hash never answer for each other", async () => {
  await using test = await TestCache.open();
  const [one, other] = COLLIDING_KEYS;
  await test.fill([one]);
  deepEqual(test.held([one, other]), [one]);
  await test.fill([other]);
  deepEqual(test.held([one, other]), [other]);
  equal(test.counter(DAMAGED), 0);
  equal(test.cache.count, 1);
});

Deno.test("files of slabs that are gone are closed", async () => {
  await using test = await TestCache.open(4 * MIB);
  let open = 0;
  test.disk = {
    open: (path) => {
      open++;
      return systemSlabIo.open(path);
    },
    close: (file) => {
      open--;
      systemSlabIo.close(file);
    },
    create: (path) => {
      open++;
      return systemSlabIo.create(path);
    },
  };
  for (const key of keysOf("a", 1000)) {
    await test.fill([key]);
    test.held([key]);
    ok(open <= test.slabs().length + 1, `${open} files are open`);
  }
  await test.cache.close();
  equal(open, 0);
});

Deno.test("a cache of no bytes keeps nothing and touches no disk", async () => {
  await using test = await TestCache.open(0);
  await test.fill(["a"]);
  deepEqual(test.held(["a"]), []);
  throws(() => Deno.statSync(test.directory), Deno.errors.NotFound);
});

Deno.test("an entry that is large for a slab is not kept", async () => {
  await using test = await TestCache.open(MIB);
  test.cache.set("large", new Uint8Array(140_000));
  await test.fill(["a"]);
  equal(test.cache.get("large"), undefined);
  deepEqual(test.held(["a"]), ["a"]);
  equal(test.counter(DROPPED), 1);
});

Deno.test("a value that is replaced while it is written is the one that stays", async () => {
  await using test = await TestCache.open();
  const begun = Promise.withResolvers<void>();
  const released = Promise.withResolvers<void>();
  test.disk = {
    append: async (file, bytes) => {
      begun.resolve();
      await released.promise;
      await systemSlabIo.append(file, bytes);
    },
  };
  test.cache.set("a", sampleBytes(9_000, 1));
  await begun.promise;
  for (let n = 0; n < 2000; n++) test.cache.set("a", sampleBytes(9_000, 2));
  equal(test.counter(DROPPED), 0, "only the last of them takes room");
  released.resolve();
  await test.cache.flush();
  deepEqual(test.cache.get("a"), sampleBytes(9_000, 2));
  await test.reopen();
  deepEqual(test.cache.get("a"), sampleBytes(9_000, 2));
});

Deno.test("other files in the directory are left alone", async () => {
  await using test = await TestCache.open();
  const other = `${test.directory}/README`;
  Deno.writeTextFileSync(other, "mine");
  await test.fill(["a"]);
  await test.reopen();
  deepEqual(test.held(["a"]), ["a"]);
  equal(Deno.readTextFileSync(other), "mine");
});

Deno.test("a closed cache answers misses and takes nothing", async () => {
  await using test = await TestCache.open();
  await test.fill(["a"]);
  await test.cache.close();
  deepEqual(test.held(["a"]), []);
  test.cache.set("b", sampleBytes(10));
  equal(test.counter(DROPPED), 1);
});
