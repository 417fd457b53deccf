import assert from "node:assert/strict";
import { isGraftError } from "../../src/core/errors.ts";
import { Bench, page, show } from "./_testing.ts";

Deno.test("a storage that takes nothing is not mistaken for a server that is away", async () => {
  const bench = new Bench();
  await bench.commit({ 1: 1 });
  await using replica = await bench.open();
  await replica.sync();
  bench.storage.fails = () => true;
  await bench.commit({ 1: 2 });
  const isFull = (error: unknown) =>
    isGraftError(error, "unavailable") && /the storage: it is full/.test(error.message);
  await assert.rejects(replica.sync(), isFull);
  assert.deepEqual([replica.status().isOnline, isFull(replica.status().error)], [true, true]);
  assert.deepEqual(await show(replica), [1]);
  await assert.rejects(replica.transaction((tx) => tx.write(1, page(9))), isFull);
  bench.storage.fails = () => false;
  await replica.sync();
  assert.deepEqual([replica.status().isOnline, replica.status().error], [true, undefined]);
  assert.deepEqual(await show(replica), [2]);
});

Deno.test("a push that the storage has no room to begin is no sign of the network either", async () => {
  const bench = new Bench();
  await bench.commit({ 1: 1 });
  await using replica = await bench.open();
  await replica.sync();
  await replica.transaction((tx) => tx.write(1, page(5)));
  bench.storage.fails = () => true;
  await assert.rejects(replica.sync(), { code: "unavailable" });
  const { isOnline, localCommits } = replica.status();
  assert.deepEqual([isOnline, localCommits], [true, 1]);
  bench.storage.fails = () => false;
  await replica.sync();
  assert.equal(replica.status().localCommits, 0);
});
