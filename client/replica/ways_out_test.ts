import assert from "node:assert/strict";
import { setImmediate } from "node:timers/promises";
import { GraftError } from "../../src/core/errors.ts";
import { Bench, page, show, VID } from "./_testing.ts";
import { unreachable } from "./remote/_testing_remote.ts";
import type { Transaction } from "./transaction.ts";

const offline = () => Promise.reject(unreachable());

Deno.test("a reset gives up what is committed meanwhile, too; two come one after the other", async () => {
  const bench = new Bench();
  await bench.commit({ 1: 1 });
  await using replica = await bench.open();
  await replica.sync();
  bench.remote.trip = offline;
  await replica.transaction((tx) => tx.write(1, page(7)));
  bench.remote.trip = async () => {
    await setImmediate();
  };
  const resets = [replica.reset(), replica.reset()];
  await replica.transaction((tx) => tx.write(2, page(8)));
  await Promise.all(resets);
  assert.deepEqual([await show(replica), replica.status().localCommits], [[1], 0]);
});

Deno.test("a first push that was refused can be tried again with replay()", async () => {
  const bench = new Bench();
  await using replica = await bench.open({ isNew: true });
  const online = bench.remote.trip;
  bench.remote.trip = () => Promise.reject(new GraftError("forbidden", "Cannot commit: no"));
  await replica.transaction((tx) => tx.write(1, page(1)));
  await assert.rejects(replica.sync(), { code: "forbidden" });
  bench.remote.trip = online;
  await assert.rejects(replica.sync(), { code: "forbidden" });
  await replica.replay();
  await replica.sync();
  assert.equal(replica.status().state, "synced");
});

Deno.test("replay() runs the transactions again, all or none", async () => {
  const bench = new Bench();
  await bench.commit({ 1: 1, 2: 0 });
  await using replica = await bench.open();
  await show(replica);
  bench.remote.trip = offline;
  let fails = false;
  const add = (n: number) =>
    replica.transaction(async (tx) => {
      if (fails) throw new RangeError("no");
      tx.write(2, page((await tx.read(2))[0] + (await tx.read(1))[0] * n));
    });
  await add(1);
  await add(10);
  assert.deepEqual(await show(replica), [1, 11]);
  bench.remote.trip = () => Promise.resolve();
  await bench.commit({ 1: 2 });
  await assert.rejects(replica.sync(), { code: "conflict" });
  fails = true;
  await assert.rejects(replica.replay(), RangeError);
  assert.deepEqual([await show(replica), replica.status().state], [[1, 11], "conflict"]);
  fails = false;
  await replica.replay();
  await replica.sync();
  assert.deepEqual([await show(replica), replica.status().lsn], [[2, 22], 3]);
});

Deno.test("keepBoth() makes another volume of what is here, and goes on with what the server has", async () => {
  const bench = new Bench();
  await bench.commit({ 1: 1, 2: 2 });
  await using replica = await bench.open();
  await replica.sync();
  bench.remote.trip = offline;
  await replica.transaction((tx) => tx.write(2, page(7)));
  bench.remote.trip = () => Promise.resolve();
  await bench.commit({ 2: 3 });
  await assert.rejects(replica.sync(), { code: "conflict" });
  const vid = await replica.keepBoth();
  const copied = [1, 2, 3].map((pageIdx) => bench.server.page(vid, 1, pageIdx)?.[0]);
  assert.deepEqual([copied, bench.server.line(vid).length], [[1, 7, undefined], 1]);
  await replica.sync();
  assert.deepEqual([await show(replica), replica.status().localCommits], [[1, 3], 0]);
  assert.equal(bench.server.line(VID).length, 2);
});

Deno.test("keepBoth() gives up nothing when something is committed while it copies, or the copy fails", async () => {
  const bench = new Bench();
  await bench.commit({ 1: 1 });
  await using replica = await bench.open();
  await show(replica);
  bench.remote.trip = offline;
  await replica.transaction((tx) => tx.write(1, page(7)));
  await assert.rejects(replica.keepBoth(), { code: "unavailable" });
  bench.remote.trip = async (what) => {
    const isCopying = what === "request" && bench.remote.calls.at(-1) === "commit on 0: 1";
    if (isCopying) await replica.transaction((tx) => tx.write(1, page(8)));
  };
  await assert.rejects(replica.keepBoth(), { code: "conflict" });
  assert.deepEqual([await show(replica), replica.status().localCommits], [[8], 2]);
  await replica.sync();
  const { lsn } = bench.server.head(VID).snapshot;
  assert.equal(bench.server.page(VID, lsn, 1)?.[0], 8);
});

Deno.test("a write that comes after its replay has ended is told so", async () => {
  const bench = new Bench();
  await bench.commit({ 1: 1 });
  await using replica = await bench.open();
  await show(replica);
  bench.remote.trip = offline;
  let last: Transaction | undefined;
  await replica.transaction((tx) => {
    last = tx;
    tx.write(2, page(2));
  });
  bench.remote.trip = () => Promise.resolve();
  await bench.commit({ 1: 3 });
  await assert.rejects(replica.sync(), { code: "conflict" });
  await replica.replay();
  assert.throws(() => last?.write(2, page(9)), { message: /has ended/ });
});
