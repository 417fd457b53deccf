import assert from "node:assert/strict";
import { isGraftError } from "../core/errors.ts";
import { newGid, type VolumeId } from "../core/gid.ts";
import { systemClock } from "../core/clock.ts";
import { toLsn } from "../core/lsn.ts";
import { PageSet } from "../core/page_set.ts";
import { systemRandom } from "../core/random.ts";
import { segmentKey } from "../objects/object_store.ts";
import { bufferOf, pageOf, TestPagestore } from "./_testing.ts";

const newVolume = (): VolumeId => newGid("volume", systemClock, systemRandom);

async function read(
  store: TestPagestore,
  vid: VolumeId,
  lsn: number,
  pages: readonly number[],
): Promise<Map<number, Uint8Array>> {
  const found = await store.pagestore.read(vid, toLsn(lsn), PageSet.from(pages));
  return new Map(Array.from(found.indexes, (pageIdx, at) => [pageIdx, found.page(at)]));
}

Deno.test("Pagestore reads back what was written and committed", async () => {
  await using store = await TestPagestore.open();
  const vid = newVolume();
  await store.writeAndCommit(vid, 100, { 1: "one", 2: "two", 77: "far" });
  const pages = await read(store, vid, 1, [1, 2, 3, 77]);
  assert.deepEqual([...pages.keys()], [1, 2, 77]);
  for (const [pageIdx, text] of [[1, "one"], [2, "two"], [77, "far"]] as const) {
    assert.deepEqual(pages.get(pageIdx), pageOf(text));
  }
});

Deno.test("Pagestore serves every LSN, from the store and from the cache", async () => {
  await using store = await TestPagestore.open();
  const vid = newVolume();
  for (let lsn = 1; lsn <= 20; lsn++) {
    await store.writeAndCommit(vid, 40, { 1: `1@${lsn}`, [lsn + 1]: `${lsn + 1}@${lsn}` });
  }
  for (let round = 0; round < 2; round++) {
    for (let lsn = 1; lsn <= 20; lsn++) {
      const pages = await read(store, vid, lsn, [1, lsn + 1, lsn + 2]);
      assert.deepEqual(pages.get(1), pageOf(`1@${lsn}`));
      assert.deepEqual(pages.get(lsn + 1), pageOf(`${lsn + 1}@${lsn}`));
      assert.equal(pages.size, 2);
    }
  }
});

Deno.test("Pagestore refuses volumes and LSNs that are not there", async () => {
  await using store = await TestPagestore.open();
  const vid = newVolume();
  const missing = (answer: Promise<unknown>) =>
    assert.rejects(answer, (error) => isGraftError(error, "missing"));
  await missing(read(store, vid, 1, [1]));
  await store.writeAndCommit(vid, 1, { 1: "one" });
  await missing(read(store, vid, 2, [1]));
  await missing(read(store, newVolume(), 1, [1]));
});

Deno.test("Pagestore fetches neighbouring frames with one read and each only once", async () => {
  await using store = await TestPagestore.open();
  const vid = newVolume();
  const pages = Object.fromEntries(Array.from({ length: 200 }, (_, i) => [i + 1, `page ${i + 1}`]));
  await store.writeAndCommit(vid, 200, pages);
  store.reopenCaches();
  const wanted = Array.from({ length: 200 }, (_, i) => i + 1);
  const answers = await Promise.all([1, 2, 3].map(() => read(store, vid, 1, wanted)));
  for (const answer of answers) assert.equal(answer.size, 200);
  assert.deepEqual(store.requests, { tail: 1, range: 1 });
  await read(store, vid, 1, wanted);
  assert.deepEqual(store.requests, { tail: 1, range: 1 });
});

Deno.test("Pagestore keeps what was just written, unless it is much", async () => {
  await using store = await TestPagestore.open();
  const vid = newVolume();
  await store.writeAndCommit(vid, 9000, { 3: "three", 1: "one", 9000: "far" });
  const pages = await read(store, vid, 1, [1, 3, 9000]);
  assert.deepEqual([...pages.keys()], [1, 3, 9000]);
  assert.deepEqual(pages.get(1), pageOf("one"));
  assert.deepEqual(pages.get(9000), pageOf("far"));
  assert.deepEqual(store.requests, { tail: 0, range: 0 });
  const bulk = Object.fromEntries(Array.from({ length: 600 }, (_, i) => [i + 1, `page ${i}`]));
  await store.writeAndCommit(vid, 9000, bulk);
  assert.deepEqual((await read(store, vid, 2, [600])).get(600), pageOf("page 599"));
  assert.deepEqual(store.requests, { tail: 1, range: 1 });
});

Deno.test("Pagestore reports a lost segment as damage that names it", async () => {
  await using store = await TestPagestore.open();
  const vid = newVolume();
  const [{ sid }] = await store.writeAndCommit(vid, 1, { 1: "one" });
  store.reopenCaches();
  await store.objects.delete(segmentKey(sid));
  await assert.rejects(read(store, vid, 1, [1]), (error) => {
    assert.ok(isGraftError(error, "damaged"), String(error));
    // the message alone reaches who asked
    assert.match(error.message, new RegExp(sid));
    return true;
  });
});

Deno.test("Pagestore reports flipped bits as damage that names the segment", async () => {
  await using store = await TestPagestore.open();
  const vid = newVolume();
  const [{ sid }] = await store.writeAndCommit(vid, 1, { 1: "one" });
  const bytes = await store.objects.get(segmentKey(sid));
  for (const at of [40, bytes.length >> 1, bytes.length - 3]) {
    const flipped = bytes.slice();
    flipped[at] ^= 4;
    await store.objects.put(segmentKey(sid), flipped);
    store.reopenCaches();
    await assert.rejects(read(store, vid, 1, [1]), (error) => {
      assert.ok(isGraftError(error, "damaged"), String(error));
      assert.match(error.message, new RegExp(sid));
      return true;
    });
  }
});

Deno.test("Pagestore stores the parts of a large write and registers them together", async () => {
  await using store = await TestPagestore.open();
  const vid = newVolume();
  const write = store.pagestore.openWrite();
  await write.add(vid, bufferOf({ 1: "a", 2: "b" }));
  await write.add(vid, bufferOf({ 3: "c" }));
  assert.equal(store.registered, 0);
  const uses = await write.finish(vid, bufferOf({ 9: "d" }));
  assert.equal(store.registered, 3);
  assert.deepEqual(uses.map(({ pageSet }) => [...pageSet]), [[1, 2], [3], [9]]);
  await store.commit(vid, 10, uses);
  assert.deepEqual([...(await read(store, vid, 1, [1, 2, 3, 9])).keys()], [1, 2, 3, 9]);
});

Deno.test("Pagestore registers nothing of a write that was given up", async () => {
  await using store = await TestPagestore.open();
  const write = store.pagestore.openWrite();
  await write.add(newVolume(), bufferOf({ 1: "a" }));
  write.abort();
  write.abort();
  assert.equal(store.registered, 0);
  assert.equal(store.ingest.bytes, 0);
});

Deno.test("Pagestore gives memory back after a store that failed", async () => {
  await using store = await TestPagestore.open();
  const vid = newVolume();
  store.failPuts = 2;
  const large = store.pagestore.openWrite();
  await large.add(vid, bufferOf({ 1: "a" }));
  await assert.rejects(
    large.finish(vid, bufferOf({ 2: "b" })),
    (error) => isGraftError(error, "unavailable"),
  );
  assert.equal(store.registered, 0);
  assert.equal(store.ingest.bytes, 0);
  await store.writeAndCommit(vid, 1, { 1: "again" });
  assert.deepEqual((await read(store, vid, 1, [1])).get(1), pageOf("again"));
});

Deno.test("Pagestore reserves memory as pages arrive, not as they are announced", async () => {
  await using store = await TestPagestore.open();
  const open = Array.from({ length: 20 }, () => store.pagestore.openWrite(2 ** 30));
  assert.equal(store.ingest.bytes, 20 * 2 ** 20);
  open[0].hold(3 * 2 ** 20);
  open[0].hold(2 ** 20);
  assert.equal(store.ingest.bytes, 22 * 2 ** 20);
  assert.throws(
    () => {
      for (const write of open) write.hold(16 * 2 ** 20);
    },
    (error) => isGraftError(error, "unavailable"),
  );
  for (const write of open) write.abort();
  assert.equal(store.ingest.bytes, 0);
});

Deno.test("Pagestore refuses writes beyond the memory for bodies", async () => {
  await using store = await TestPagestore.open();
  const open = [];
  for (;;) {
    try {
      open.push(store.pagestore.openWrite());
    } catch (error) {
      assert.ok(isGraftError(error, "unavailable"), String(error));
      break;
    }
  }
  assert.ok(open.length >= 1);
  open.pop()?.abort();
  store.pagestore.openWrite(4096).abort();
  for (const write of open) write.abort();
  assert.equal(store.ingest.bytes, 0);
});

Deno.test("Pagestore lets writes that arrive together share a segment", async () => {
  await using store = await TestPagestore.open();
  const release = store.holdPuts();
  const writes = Array.from({ length: 40 }, (_, i) => {
    const vid = newVolume();
    return store.pagestore.openWrite(4096).finish(vid, bufferOf({ [i + 1]: `volume ${i}` }));
  });
  await release();
  const sids = new Set((await Promise.all(writes)).flat().map(({ sid }) => sid));
  assert.equal(sids.size, 5, "four alone in the free slots, the rest together");
});

Deno.test("Pagestore keeps two writes of one volume in segments of their own", async () => {
  await using store = await TestPagestore.open();
  const vid = newVolume();
  const release = store.holdPuts();
  const writes = Array.from(
    { length: 8 },
    (_, i) => store.pagestore.openWrite(4096).finish(vid, bufferOf({ 1: `write ${i}`, 2: "x" })),
  );
  await release();
  const uses = (await Promise.all(writes)).flat();
  assert.equal(new Set(uses.map(({ sid }) => sid)).size, 8);
  await store.commit(vid, 2, [uses[5]]);
  assert.deepEqual((await read(store, vid, 1, [1])).get(1), pageOf("write 5"));
});

Deno.test("Pagestore splits pages that are too far apart for one directory", async () => {
  await using store = await TestPagestore.open();
  const vid = newVolume();
  const pages = Object.fromEntries(
    Array.from({ length: 6000 }, (_, i) => [1 + i * 44_000, `page ${i}`]),
  );
  const uses = await store.pagestore.openWrite().finish(vid, bufferOf(pages));
  assert.ok(uses.length > 1, `${uses.length} segments`);
  const union = PageSet.union(uses.map(({ pageSet }) => pageSet));
  assert.equal(union.size, 6000);
  await store.commit(vid, 2 ** 28, uses);
  const found = await read(store, vid, 1, [1, 1 + 5999 * 44_000]);
  assert.deepEqual(found.get(1 + 5999 * 44_000), pageOf("page 5999"));
});
