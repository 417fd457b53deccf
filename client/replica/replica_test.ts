import assert from "node:assert/strict";
import { setImmediate } from "node:timers/promises";
import { GraftError } from "../../src/core/errors.ts";
import { PageSet } from "../../src/core/page_set.ts";
import { MemoryStorage } from "../storage/memory_storage.ts";
import { Bench, page, show, VID } from "./_testing.ts";
import { unreachable } from "./remote/_testing_remote.ts";
import { deferred } from "./deferred.ts";
import { pageKey, pagePrefix, parsePageKey } from "./local/rows.ts";

const reads = (bench: Bench) => bench.remote.calls.filter((call) => call.startsWith("read"));
const pushes = (bench: Bench) => bench.remote.calls.filter((call) => call.startsWith("commit"));
const offline = () => Promise.reject(unreachable());

Deno.test("misses that wait together are one request", async () => {
  const bench = new Bench();
  await bench.commit({ 1: 1, 2: 2, 3: 3, 9: 9 });
  await using replica = await bench.open();
  const snapshot = replica.snapshot();
  const pages = await Promise.all([3, 1, 3, 12].map((pageIdx) => snapshot.read(pageIdx)));
  assert.deepEqual(pages.map((bytes) => bytes[0]), [3, 1, 3, 0]);
  assert.deepEqual(reads(bench), ["read 1: 1,3"]);
  const [again, more] = await Promise.all([snapshot.read(1), snapshot.readMany([2, 5])]);
  assert.equal(again[0], 1);
  assert.deepEqual([...more].map(([pageIdx, bytes]) => [pageIdx, bytes[0]]), [[2, 2], [5, 0]]);
  assert.deepEqual(reads(bench), ["read 1: 1,3", "read 1: 2,5"]);
  // also that there is nothing at page 5 is known now
  assert.equal(snapshot.peek(5)?.[0], 0);
  assert.equal(snapshot.peek(9), undefined);
});

Deno.test("pages that are prefetched come with those that are missed", async () => {
  const bench = new Bench();
  await bench.commit({ 1: 1, 2: 2, 3: 3, 9: 9 });
  const asked: number[][] = [];
  await using replica = await bench.open({
    prefetch: (missed, { pageCount }) => {
      asked.push([...missed, pageCount]);
      return PageSet.range(missed.first ?? 1, (missed.first ?? 1) + 100);
    },
  });
  const snapshot = replica.snapshot();
  await snapshot.read(3);
  await snapshot.read(2);
  assert.deepEqual(asked, [[3, 9], [2, 9]]);
  assert.deepEqual(reads(bench), ["read 1: 3,4,5,6,7,8,9", "read 1: 2"]);
  assert.equal(snapshot.peek(9)?.[0], 9);
});

Deno.test("a snapshot prefetches what is not here, in one request with what is read", async () => {
  const bench = new Bench();
  await bench.commit({ 1: 1, 2: 2, 3: 3, 9: 9 });
  await using replica = await bench.open();
  using snapshot = replica.snapshot();
  await snapshot.read(2);
  const read = snapshot.read(1);
  snapshot.prefetch([1, 2, 3, 9, 10]);
  assert.equal((await read)[0], 1);
  assert.deepEqual(reads(bench), ["read 1: 2", "read 1: 1,3,9"]);
  assert.equal(snapshot.peek(9)?.[0], 9);
  bench.remote.trip = offline;
  snapshot.prefetch([4]);
  await setImmediate();
  await assert.rejects(snapshot.read(4), { code: "unavailable" });
});

Deno.test("a commit answers the snapshot that it made", async () => {
  const bench = new Bench();
  await bench.commit({ 1: 1, 2: 2 });
  await using replica = await bench.open();
  const changes = { pages: new Map([[2, page(7)]]), pageCount: 3 };
  const base = replica.snapshot();
  const [mine] = await Promise.all([
    replica.commit(base, changes),
    bench.commit({ 1: 5 }).then(() => replica.transaction((tx) => tx.write(2, page(8)))),
  ]);
  assert.deepEqual([mine.pageCount, (await mine.read(2))[0], (await mine.read(1))[0]], [3, 7, 1]);
  await assert.rejects(base.read(1), { code: "invalid" });
  mine.close();
});

Deno.test("a snapshot may be closed while a commit is made on it, and cannot be read when the replica is closed", async () => {
  const bench = new Bench();
  const replica = await bench.open({ isNew: true });
  const snapshot = replica.snapshot();
  const committing = replica.commit(snapshot, { pages: new Map([[1, page(1)]]), pageCount: 1 });
  snapshot.close();
  const mine = await committing;
  assert.deepEqual(await show(replica), [1]);
  const stale = replica.snapshot();
  await replica.transaction((tx) => tx.write(1, page(2)));
  const failing = replica.commit(stale, { pages: new Map(), pageCount: 1 });
  stale.close();
  await assert.rejects(failing, { code: "conflict" });
  await replica.close();
  await assert.rejects(mine.read(1), { code: "aborted" });
  assert.throws(() => mine.peek(1), { code: "aborted" });
});

Deno.test("what the server answers has to be about this volume and this push", async () => {
  const bench = new Bench();
  await bench.commit({ 1: 1 });
  await using replica = await bench.open();
  const commit = bench.remote.commit.bind(bench.remote);
  let lie: object = { lsn: 7 };
  bench.remote.commit = async (...args) => ({ ...await commit(...args), ...lie });
  for (lie of [{ lsn: 7 }, { vid: "other" }, { cid: "other" }]) {
    await replica.transaction((tx) => tx.write(1, page(2)));
    await assert.rejects(replica.sync(), { code: "internal" });
    assert.equal(replica.status().lsn, 1);
  }
  lie = {};
  await replica.sync();
  assert.equal(replica.status().state, "synced");
});

Deno.test("what was read, fetched or written is at hand, though the storage answers later", async () => {
  const bench = new Bench();
  await bench.commit({ 1: 1, 2: 2 });
  bench.storage.isSlow = true;
  {
    await using replica = await bench.open();
    await replica.transaction((tx) => tx.write(2, page(8)));
    using snapshot = replica.snapshot();
    await snapshot.read(1);
    await setImmediate();
    assert.deepEqual([1, 2].map((i) => snapshot.peek(i)?.[0]), [1, 8]);
  }
  await using again = await new Bench(bench.server, bench.storage.crash(() => 1)).open();
  using snapshot = again.snapshot();
  await snapshot.read(2);
  assert.equal(snapshot.peek(2)?.[0], 8);
});

Deno.test("a page that was cut off when it was asked for is not kept, though the push lands meanwhile", async () => {
  const bench = new Bench();
  await bench.commit({ 1: 1, 2: 2, 3: 3, 7: 7 });
  await using replica = await bench.open();
  // pages that nobody asked for come, too, where they lie beside those in a frame
  const readPages = bench.remote.readPages.bind(bench.remote);
  bench.remote.readPages = (vid, lsn, _wanted, onPage, signal) =>
    readPages(vid, lsn, PageSet.range(1, 10), onPage, signal);
  const online = bench.remote.trip;
  bench.remote.trip = offline;
  await replica.transaction((tx) => tx.truncate(5));
  await replica.transaction((tx) => tx.truncate(7));
  await setImmediate();
  let release = () => {};
  const held = new Promise<void>((resolve) => release = resolve);
  // the first way is that of the read
  bench.remote.trip = () => {
    bench.remote.trip = online;
    return held;
  };
  const reading = replica.snapshot().read(3);
  await setImmediate();
  await replica.sync();
  release();
  await reading;
  assert.equal(replica.status().state, "synced");
  assert.deepEqual(await show(replica), [1, 2, 3, 0, 0, 0, 0]);
});

Deno.test("writing to what was read changes no other page, and nothing that is pushed", async () => {
  const bench = new Bench();
  await bench.commit({ 1: 1, 2: 2 });
  await using replica = await bench.open();
  await replica.transaction(async (tx) => {
    for (const pageIdx of [1, 5]) (await tx.read(pageIdx)).fill(9);
    tx.write(3, page(3));
    (await tx.read(3)).fill(9);
  });
  const zeros = await replica.snapshot().read(9);
  zeros.fill(9);
  assert.deepEqual(await show(replica), [1, 2, 3]);
  assert.equal((await replica.snapshot().read(7))[0], 0);
  await replica.sync();
  assert.deepEqual([1, 2, 3].map((i) => bench.server.page(VID, 2 as never, i)?.[0]), [1, 2, 3]);
});

Deno.test("a local commit that the storage has lost a page of is not pushed", async () => {
  const bench = new Bench();
  await bench.commit({ 1: 1, 2: 2 });
  {
    await using replica = await bench.open();
    bench.remote.trip = offline;
    await replica.transaction((tx) => tx.write(2, page(8)));
  }
  const key = bench.storage.allKeys.find((key) => key.startsWith("p/"));
  await bench.storage.write({ delete: [key!] });
  const later = new Bench(bench.server, bench.storage.crash(() => 1));
  await using again = await later.open();
  await assert.rejects(again.snapshot().read(2), { code: "damaged", message: /only copy is gone/ });
  assert.equal((await again.snapshot().read(1))[0], 1);
  await assert.rejects(again.sync(), { code: "damaged", message: /only copy is gone/ });
  assert.equal(bench.server.line(VID).length, 1);
  await again.reset();
  assert.deepEqual(await show(again), [1, 2]);
});

Deno.test("what uses a transaction that has ended is told so", async () => {
  const bench = new Bench();
  await using replica = await bench.open({ isNew: true });
  const ended = await replica.transaction((tx) => {
    tx.write(1, page(1));
    return tx;
  });
  assert.throws(() => ended.write(1, page(2)), { code: "invalid", message: /it has ended/ });
  assert.throws(() => ended.truncate(0), { code: "invalid" });
  await assert.rejects(ended.read(1), {
    code: "invalid",
    message: /Cannot read from .* has ended/,
  });
  assert.deepEqual(await show(replica), [1]);
});

Deno.test("a transaction runs again when something was committed meanwhile", async () => {
  const bench = new Bench();
  await using replica = await bench.open({ isNew: true });
  let runs = 0;
  const add = () =>
    replica.transaction(async (tx) => {
      runs++;
      const [count] = await tx.read(1);
      await setImmediate();
      tx.write(1, page(count + 1));
      return count;
    });
  const counts = await Promise.all([add(), add(), add()]);
  assert.deepEqual(counts.sort(), [0, 1, 2]);
  assert.ok(runs > 3);
  assert.deepEqual(await show(replica), [3]);
});

Deno.test("what a transaction throws undoes it", async () => {
  const bench = new Bench();
  await using replica = await bench.open({ isNew: true });
  const failing = replica.transaction((tx) => {
    tx.write(1, page(1));
    throw new RangeError("no");
  });
  await assert.rejects(failing, RangeError);
  assert.equal(replica.snapshot().pageCount, 0);
  await assert.rejects(replica.transaction((tx) => tx.write(1, new Uint8Array(5))), {
    code: "invalid",
  });
});

Deno.test("a transaction reads what it wrote and cut off", async () => {
  const bench = new Bench();
  await bench.commit({ 1: 1, 2: 2, 3: 3 });
  await using replica = await bench.open();
  await replica.transaction(async (tx) => {
    tx.write(2, page(9));
    tx.truncate(1);
    assert.equal(tx.pageCount, 1);
    tx.write(4, page(4));
    const pages = await tx.readMany([1, 2, 3, 4]);
    assert.deepEqual([...pages.values()].map((bytes) => bytes[0]), [1, 0, 0, 4]);
  });
  assert.deepEqual(await show(replica), [1, 0, 0, 4]);
  await replica.sync();
  const other = await new Bench(bench.server).open();
  assert.deepEqual(await show(other), [1, 0, 0, 4]);
  await other.close();
});

Deno.test("pages cut off by one commit stay gone when another grows the volume", async () => {
  const bench = new Bench();
  await bench.commit({ 1: 1, 2: 2, 3: 3, 4: 4 });
  await using replica = await bench.open();
  await replica.snapshot().readMany([1, 2]);
  bench.remote.trip = offline;
  // a push that was begun could not take both
  await assert.rejects(replica.sync(), { code: "unavailable" });
  await replica.transaction((tx) => tx.truncate(1));
  await replica.transaction((tx) => tx.write(5, page(5)));
  assert.deepEqual(await show(replica), [1, 0, 0, 0, 5]);
  bench.remote.trip = () => Promise.resolve();
  await replica.sync();
  assert.deepEqual(pushes(bench).at(-1), "commit on 1: 2,3,4,5");
  const other = await new Bench(bench.server).open();
  assert.deepEqual(await show(other), [1, 0, 0, 0, 5]);
  await other.close();
});

Deno.test("one push is on its way at a time, and the next takes all that waits", async () => {
  const bench = new Bench();
  await using replica = await bench.open({ isNew: true });
  await replica.sync();
  let release = () => {};
  bench.remote.trip = () => new Promise((resolve) => release = resolve);
  for (let i = 1; i <= 5; i++) {
    await replica.transaction((tx) => tx.write(i, page(i)));
    await setImmediate();
  }
  assert.deepEqual(pushes(bench), ["commit on 0: 1"]);
  assert.equal(replica.status().state, "pushing");
  bench.remote.trip = () => Promise.resolve();
  release();
  await replica.sync();
  assert.deepEqual(pushes(bench), ["commit on 0: 1", "commit on 1: 2,3,4,5"]);
  assert.equal(replica.status().state, "synced");
});

Deno.test("a push that a crash interrupts is the same push afterwards", async () => {
  const bench = new Bench();
  const replica = await bench.open({ isNew: true });
  await replica.sync();
  // the answer never comes
  bench.remote.trip = (what) => what === "answer" ? new Promise(() => {}) : Promise.resolve();
  await replica.transaction((tx) => tx.write(1, page(1)));
  for (let i = 0; i < 3; i++) await setImmediate();
  await replica.transaction((tx) => tx.write(1, page(2)));
  assert.equal(bench.server.line(VID).length, 1);
  await bench.commit({ 7: 7 });

  const later = new Bench(bench.server, bench.storage.crash(() => 0));
  await using again = await later.open();
  assert.equal(again.status().localCommits, 2);
  await assert.rejects(again.sync(), { code: "conflict" });
  // the first landed; the second stands on it, and lost
  assert.deepEqual([again.status().lsn, again.status().localCommits], [1, 1]);
  assert.equal((await again.snapshot().read(1))[0], 2);
  await again.reset();
  assert.deepEqual(await show(again), [1, 0, 0, 0, 0, 0, 7]);
});

Deno.test("what the storage refuses is not there", async () => {
  const bench = new Bench();
  await bench.commit({ 1: 1, 2: 2 });
  await using replica = await bench.open();
  assert.deepEqual(await show(replica), [1, 2]);
  bench.storage.fails = () => true;
  const failing = replica.transaction((tx) => tx.write(1, page(9)));
  await assert.rejects(failing, { code: "unavailable" });
  await bench.commit({ 2: 3 });
  await assert.rejects(replica.sync(), { code: "unavailable" });
  assert.deepEqual(await show(replica), [1, 2]);
  assert.deepEqual([replica.status().localCommits, replica.status().lsn], [0, 1]);
  bench.storage.fails = () => false;
  await replica.sync();
  assert.deepEqual(await show(replica), [1, 3]);
});

Deno.test("a snapshot stays as it is, whatever is committed, pulled, reset", async () => {
  const bench = new Bench();
  await bench.commit({ 1: 1, 2: 2, 3: 3 });
  await using replica = await bench.open();
  const snapshots = [replica.snapshot()];
  await replica.transaction((tx) => tx.write(1, page(11)));
  snapshots.push(replica.snapshot());
  await replica.sync();
  await bench.commit({ 1: 21, 2: 22 });
  await replica.sync();
  snapshots.push(replica.snapshot());
  bench.remote.trip = offline;
  await replica.transaction((tx) => {
    tx.write(2, page(32));
    tx.truncate(2);
  });
  snapshots.push(replica.snapshot());
  bench.remote.trip = () => Promise.resolve();
  await bench.commit({ 3: 43 });
  await assert.rejects(replica.sync(), { code: "conflict" });
  await replica.reset();
  snapshots.push(replica.snapshot());
  const shown = [];
  for (const snapshot of snapshots) {
    const pages = await snapshot.readMany([1, 2, 3]);
    shown.push([...pages.values()].map((bytes) => bytes[0]));
    snapshot.close();
    await assert.rejects(snapshot.read(1), { code: "invalid" });
  }
  assert.deepEqual(shown, [[1, 2, 3], [11, 2, 3], [21, 22, 3], [21, 32, 0], [21, 22, 43]]);
});

Deno.test("versions that nobody sees any more leave the storage", async () => {
  const bench = new Bench();
  await using replica = await bench.open({ isNew: true });
  const held = replica.snapshot();
  for (let i = 1; i <= 20; i++) await replica.transaction((tx) => tx.write(1, page(i)));
  const rows = () => bench.storage.allKeys.filter((key) => key.startsWith("p/")).length;
  // the newest one, and the one before that goes with the next batch
  assert.ok(rows() <= 2, `${rows()} rows`);
  held.close();
});

Deno.test("a storage that is full loses what the server has, and never what it has not", async () => {
  const bench = new Bench();
  const pages = Object.fromEntries(Array.from({ length: 40 }, (_, i) => [i + 1, i + 1]));
  await bench.commit(pages);
  await using replica = await bench.open({ bytesMax: 20 * 4300 });
  assert.deepEqual(await show(replica), Object.values(pages));
  assert.ok(bench.storage.bytes <= 20 * 4300);
  assert.ok(replica.status().localPages > 10);
  bench.remote.trip = offline;
  const fill = async () => {
    for (let i = 1; i < 40; i++) await replica.transaction((tx) => tx.write(i, page(100)));
  };
  await assert.rejects(fill(), { code: "unavailable" });
  const { localCommits } = replica.status();
  assert.ok(localCommits >= 15, `${localCommits}`);
  for (let i = 1; i <= localCommits; i++) {
    assert.equal((await replica.snapshot().read(i))[0], 100);
  }
});

Deno.test("a page that the storage changed is never shown", async () => {
  const bench = new Bench();
  await bench.commit({ 1: 1 });
  {
    await using replica = await bench.open();
    await replica.snapshot().read(1);
    await setImmediate();
  }
  const later = new Bench(bench.server, bench.storage.crash(() => 1));
  const key = pageKey(VID, 1, 1);
  const value = (await later.storage.get(key))!.slice();
  value[100] ^= 1;
  later.storage.damage(key, value);
  await using again = await later.open();
  await assert.rejects(again.snapshot().read(1), { code: "damaged" });
});

Deno.test("what the server will never take is rejected, until it is given up", async () => {
  const bench = new Bench();
  await bench.commit({ 1: 1 });
  await using replica = await bench.open();
  const refuse = () => Promise.reject(new GraftError("forbidden", "Cannot commit: not allowed"));
  bench.remote.commit = refuse;
  await replica.transaction((tx) => tx.write(1, page(2)));
  await assert.rejects(replica.sync(), { code: "forbidden" });
  assert.equal(replica.status().state, "rejected");
  await replica.reset();
  assert.equal(replica.status().state, "synced");
  assert.deepEqual(await show(replica), [1]);
});

Deno.test("changes and statuses are told", async () => {
  const bench = new Bench();
  await bench.commit({ 1: 1, 2: 2 });
  await using replica = await bench.open();
  const changes = replica.changes();
  const statuses = replica.statuses();
  await bench.commit({ 2: 3, 5: 5 });
  const { value: pulled } = await changes.next();
  assert.deepEqual([[...pulled.pages], pulled.pageCount, pulled.lsn, pulled.fromServer], [
    [2, 3, 4, 5],
    5,
    2,
    true,
  ]);
  await replica.transaction((tx) => tx.write(1, page(7)));
  const { value: made } = await changes.next();
  assert.deepEqual([[...made.pages], made.fromServer], [[1], false]);
  while ((await statuses.next()).value.lsn !== 3);
  assert.deepEqual(reads(bench), [], "nothing is fetched");
});

Deno.test("a replica that its storage knows opens offline", async () => {
  const bench = new Bench();
  await bench.commit({ 1: 1, 2: 2 });
  const first = await bench.open();
  await first.snapshot().read(1);
  await first.close();
  const later = new Bench(bench.server, bench.storage);
  later.remote.trip = offline;
  await using replica = await later.open();
  assert.equal((await replica.snapshot().read(1))[0], 1);
  await assert.rejects(replica.snapshot().read(2), { code: "unavailable" });
  assert.equal(replica.status().isOnline, false);
});

Deno.test("a volume that neither the storage nor the server can tell of does not open", async () => {
  const bench = new Bench();
  bench.remote.trip = offline;
  await assert.rejects(bench.open(), { code: "unavailable" });
});

Deno.test("a replica that is closed refuses everything and ends its iterators", async () => {
  const bench = new Bench();
  await bench.commit({ 1: 1 });
  const replica = await bench.open();
  const next = replica.changes().next();
  await Promise.all([replica.close(), replica.close()]);
  assert.equal((await next).done, true);
  assert.throws(() => replica.snapshot(), { code: "aborted" });
  await assert.rejects(replica.sync(), { code: "aborted" });
  await assert.rejects(replica.transaction(() => {}), { code: "aborted" });
});

Deno.test("a page that came is in the storage once the replica is closed, though its request never ends", async () => {
  const bench = new Bench();
  await bench.commit({ 1: 1, 2: 2 });
  const replica = await bench.open();
  await replica.sync();
  const written = deferred<void>();
  bench.storage.delay = () => written.promise;
  bench.remote.trip = (what) => what === "answer" ? new Promise(() => {}) : Promise.resolve();
  using snapshot = replica.snapshot();
  assert.equal((await snapshot.read(2))[0], 2);
  let isClosed = false;
  const closing = replica.close().then(() => isClosed = true);
  await setImmediate();
  assert.equal(isClosed, false);
  written.resolve();
  await closing;
  const kept = bench.storage.allKeys.filter((key) => key.startsWith(pagePrefix(VID)));
  assert.deepEqual(kept.map((key) => parsePageKey(key).pageIdx), [2]);
});

Deno.test("a page that was read can be committed for another index", async () => {
  const bench = new Bench();
  await using replica = await bench.open({ isNew: true, storage: new MemoryStorage() });
  await replica.transaction((tx) => tx.write(1, page(7)));
  const snapshot = replica.snapshot();
  const read = await snapshot.read(1);
  const pages = new Map([[2, read], [3, read]]);
  (await replica.commit(snapshot, { pages, pageCount: 3 })).close();
  await replica.sync();
  assert.deepEqual(await show(replica), [7, 7, 7]);
});
