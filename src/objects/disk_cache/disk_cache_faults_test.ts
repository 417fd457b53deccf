import { deepEqual, equal, ok } from "node:assert/strict";
import fc from "fast-check";
import { systemError } from "../_testing.ts";
import { systemSlabIo } from "../_slab_io.ts";
import { keysOf, MIB, sampleOf, TestCache } from "./_testing.ts";

const DAMAGED = "disk_cache_damaged_total";
const DROPPED = "disk_cache_dropped_total";
const failures = (operation: string) => `disk_cache_failures_total{${operation}}`;

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
