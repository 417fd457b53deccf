import { deepEqual, equal, ok, throws } from "node:assert/strict";
import fc from "fast-check";
import { sampleBytes, systemError } from "../_testing.ts";
import { systemSlabIo } from "../_slab_io.ts";
import { COLLIDING_KEYS, keysOf, MIB, sampleOf, TestCache } from "./_testing.ts";

const HITS = "cache_hits_total{disk}";
const MISSES = "cache_misses_total{disk}";
const EVICTIONS = "cache_evictions_total{disk}";
const DAMAGED = "disk_cache_damaged_total";
const DROPPED = "disk_cache_dropped_total";
const failures = (operation: string) => `disk_cache_failures_total{${operation}}`;

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

Deno.test("an entry that is spoilt on the disk is a miss, counted and forgotten", async () => {
  await using test = await TestCache.open();
  const keys = keysOf("a", 20);
  await test.fill(keys);
  await test.cache.close();
  const [path] = test.slabs();
  const bytes = Deno.readFileSync(path);
  bytes[5 * 10_026 + 5_000] ^= 1;
  Deno.writeFileSync(path, bytes);
  await test.reopen();
  deepEqual(test.held(keys), keys.filter((key) => key !== "a5"));
  equal(test.counter(DAMAGED), 1);
  deepEqual(test.held(["a5"]), []);
  equal(test.counter(DAMAGED), 1);
  await test.fill(["a5"]);
  deepEqual(test.held(["a5"]), ["a5"]);
});

Deno.test("files that are cut short or overwritten while in use give misses, never other bytes", async () => {
  await using test = await TestCache.open();
  const keys = keysOf("a", 50);
  await test.fill(keys);
  deepEqual(test.held(keys), keys);
  const [path] = test.slabs();
  Deno.truncateSync(path, 200_000);
  deepEqual(test.held(keys), keys.slice(0, 19));
  Deno.writeFileSync(path, new Uint8Array(400_000).fill(7));
  deepEqual(test.held(keys), []);
  await test.fill(keys);
  await test.cache.close();
  await test.reopen();
  test.held(keys);
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

Deno.test("the directory may be deleted while it is in use", async () => {
  await using test = await TestCache.open();
  const keys = keysOf("a", 30);
  await test.fill(keys);
  Deno.removeSync(test.directory, { recursive: true });
  test.held(keys);
  await test.fill(["b0", "b1"]);
  deepEqual(test.held(["b0", "b1"]), ["b0", "b1"]);
  equal(test.cache.bytes, test.filesBytes());
  equal(test.cache.count, 2);
  await test.cache.close();
  await test.reopen();
  deepEqual(test.held(["b0", "b1"]), ["b0", "b1"]);
});

Deno.test("the directory may be deleted before a file of it was opened for reading", async () => {
  await using test = await TestCache.open();
  await test.fill(["a"]);
  await test.cache.close();
  await test.reopen();
  Deno.removeSync(test.directory, { recursive: true });
  deepEqual(test.held(["a"]), []);
  await test.fill(["b"]);
  deepEqual(test.held(["b"]), ["b"]);
});

Deno.test("one file may be deleted while others stay", async () => {
  await using test = await TestCache.open();
  const keys = keysOf("a", 250);
  await test.fill(keys);
  equal(test.slabs().length, 3);
  Deno.removeSync(test.slabs()[1]);
  await test.fill(keysOf("b", 120));
  equal(test.cache.bytes, test.filesBytes());
  const held = test.held(keys);
  ok(held.length > 100 && held.length < 200, `${held.length} of 250`);
});

Deno.test("an entry that is spoilt is not carried over", async () => {
  await using test = await TestCache.open(4 * MIB);
  await test.fill(["hot", "warm"]);
  deepEqual(test.held(["hot", "warm"]), ["hot", "warm"]);
  const [path] = test.slabs();
  const bytes = Deno.readFileSync(path);
  bytes[5_000] ^= 1;
  Deno.writeFileSync(path, bytes);
  await test.fill(keysOf("a", 350));
  deepEqual(test.held(["hot", "warm"]), ["warm"]);
  equal(test.counter(DAMAGED), 0);
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

Deno.test("a full disk is left alone for ten seconds, then tried again with more room", async () => {
  await using test = await TestCache.open(4 * MIB);
  const keys = keysOf("a", 250);
  await test.fill(keys);
  const before = test.slabs().length;
  test.disk = { append: () => Promise.reject(systemError("ENOSPC")) };
  await test.fill(["b"]);
  deepEqual(test.held(["b"]), []);
  equal(test.counter(failures("write")), 1);
  equal(test.slabs().length, before - 1);
  await test.fill(["b"]);
  equal(test.counter(failures("write")), 1);
  equal(test.counter(DROPPED), 2);
  deepEqual(test.held(["a249"]), ["a249"], "reads go on");
  test.disk = {};
  test.nowMs += 9_999;
  await test.fill(["b"]);
  deepEqual(test.held(["b"]), []);
  test.nowMs += 1;
  await test.fill(["b"]);
  deepEqual(test.held(["b", "a249"]), ["b", "a249"]);
  equal(test.cache.bytes, test.filesBytes());
});

Deno.test("a write that fails half-way spoils nothing that was or will be written", async () => {
  await using test = await TestCache.open();
  await test.fill(["a"]);
  test.disk = {
    append: async (file, bytes) => {
      await systemSlabIo.append(file, bytes.subarray(0, bytes.length >> 1));
      throw systemError("EIO");
    },
  };
  await test.fill(["b"]);
  test.disk = {};
  test.nowMs += 10_000;
  await test.fill(["c"]);
  deepEqual(test.held(["a", "b", "c"]), ["a", "c"]);
  equal(test.cache.bytes, test.filesBytes());
  await test.reopen();
  deepEqual(test.held(["a", "b", "c"]), ["a", "c"]);
});

Deno.test("a disk that cannot be read is left alone for ten seconds", async () => {
  await using test = await TestCache.open();
  await test.fill(["a", "b"]);
  let reads = 0;
  test.disk = {
    readSync: () => {
      reads++;
      throw systemError("EIO");
    },
  };
  deepEqual(test.held(["a", "b"]), []);
  equal(reads, 1);
  equal(test.counter(failures("read")), 1);
  test.disk = {};
  deepEqual(test.held(["b"]), []);
  test.nowMs += 10_000;
  deepEqual(test.held(["b"]), ["b"]);
});

for (const [method, code] of [["makeDirectory", "EROFS"], ["list", "EIO"]] as const) {
  Deno.test(`a cache whose ${method} fails at first opens empty, and comes to life later`, async () => {
    await using test = await TestCache.open();
    await test.fill(["a"]);
    await test.cache.close();
    test.disk = {
      [method]: () => {
        throw systemError(code);
      },
    };
    await test.reopen();
    equal(test.counter(failures("open")), 1);
    await test.fill(["b"]);
    deepEqual(test.held(["a", "b"]), []);
    test.disk = {};
    test.nowMs += 10_000;
    await test.fill(["b"]);
    deepEqual(test.held(["a", "b"]), ["a", "b"]);
  });
}

Deno.test("a slab that cannot be opened is removed, and others are used", async () => {
  await using test = await TestCache.open(4 * MIB);
  const keys = keysOf("a", 250);
  await test.fill(keys);
  const [first] = test.slabs();
  test.disk = {
    open: (path) => {
      if (path === first) throw systemError("EIO");
      return systemSlabIo.open(path);
    },
  };
  await test.reopen();
  const held = test.held(keys);
  ok(held.length > 100 && held.length < 200, `${held.length}`);
  equal(test.cache.bytes, test.filesBytes());
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

Deno.test("a disk that does not keep up is not waited for", async () => {
  await using test = await TestCache.open();
  const { promise, resolve } = Promise.withResolvers<void>();
  test.disk = {
    append: async (file, bytes) => {
      await promise;
      await systemSlabIo.append(file, bytes);
    },
  };
  const keys = keysOf("a", 1000);
  for (const key of keys) test.cache.set(key, sampleOf(key, 10_000));
  const taken = Math.floor(8 * MIB / (10_024 + 4));
  ok(Math.abs(test.counter(DROPPED) - (1000 - taken)) <= 2, `${test.counter(DROPPED)} dropped`);
  const held = test.held(keys);
  resolve();
  await test.cache.flush();
  deepEqual(test.held(keys), held);
  equal(held.length, 1000 - test.counter(DROPPED));
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

Deno.test("a slab of any bytes is opened, and gives no wrong entry", async () => {
  await using test = await TestCache.open();
  const keys = keysOf("a", 12);
  await test.fill(keys, 300);
  await test.cache.close();
  const [path] = test.slabs();
  const whole = Deno.readFileSync(path);
  const mutation = fc.record({
    at: fc.nat(whole.length - 1),
    bytes: fc.uint8Array({ minLength: 1, maxLength: 40 }),
    length: fc.nat(whole.length),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(mutation, { minLength: 1, maxLength: 4 }), async (mutations) => {
      const spoilt = whole.slice();
      for (const { at, bytes } of mutations) spoilt.set(bytes.subarray(0, whole.length - at), at);
      for (const old of test.slabs()) Deno.removeSync(old);
      Deno.writeFileSync(path, spoilt.subarray(0, Math.max(...mutations.map((m) => m.length))));
      await test.reopen();
      test.held(keys, 300);
      await test.cache.close();
    }),
    { numRuns: 60 },
  );
});
