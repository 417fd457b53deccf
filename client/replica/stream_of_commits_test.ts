import assert from "node:assert/strict";
import { setImmediate } from "node:timers/promises";
import { Bench, page } from "./_testing.ts";
import { unreachable } from "./remote/_testing_remote.ts";
import { deferred } from "./deferred.ts";
import type { Replica } from "./replica.ts";

/** A replica that has just pushed so many commits together. */
async function streaming(commits: number): Promise<{ bench: Bench; replica: Replica }> {
  const bench = new Bench();
  const replica = await bench.open({ isNew: true });
  await replica.sync();
  const landing = deferred<void>();
  bench.remote.trip = () => landing.promise;
  await commit(replica, 0);
  await setImmediate();
  for (let i = 1; i <= commits; i++) await commit(replica, i);
  landing.resolve();
  await setImmediate();
  assert.equal(replica.status().localCommits, 0);
  return { bench, replica };
}

async function commit(replica: Replica, fill: number): Promise<void> {
  await replica.transaction((tx) => tx.write(1, page(fill)));
}

Deno.test("commits that come in a stream are gathered between its pushes", async () => {
  const { bench, replica } = await streaming(16);
  const pushes = bench.server.line(replica.vid).length;
  for (let i = 0; i < 5; i++) {
    await commit(replica, i);
    await setImmediate();
  }
  assert.equal(bench.server.line(replica.vid).length, pushes);
  assert.deepEqual([replica.status().state, replica.status().localCommits], ["ahead", 5]);
  bench.time.pass(250);
  await setImmediate();
  assert.equal(bench.server.line(replica.vid).length, pushes + 1);
  // a few are no stream
  await commit(replica, 9);
  await setImmediate();
  assert.equal(bench.server.line(replica.vid).length, pushes + 2);
  await replica.close();
});

Deno.test("a few commits are never kept waiting", async () => {
  const { bench, replica } = await streaming(15);
  const pushes = bench.server.line(replica.vid).length;
  await commit(replica, 1);
  await setImmediate();
  assert.equal(bench.server.line(replica.vid).length, pushes + 1);
  await replica.close();
});

Deno.test("whoever waits for the server does not wait for more commits", async () => {
  const { bench, replica } = await streaming(16);
  await commit(replica, 7);
  await replica.sync();
  assert.equal(bench.server.line(replica.vid).at(-1)?.pages.get(1)?.[0], 7);
  await commit(replica, 8);
  await replica.close();
  assert.equal(bench.time.pending.size, 0);
});

Deno.test("sync() waits for what was there when it was called, not for what comes after", async () => {
  const bench = new Bench();
  await using replica = await bench.open({ isNew: true });
  await replica.sync();
  // with each request something is committed
  bench.remote.trip = async (what) => {
    if (what === "request") await commit(replica, 9);
  };
  await commit(replica, 1);
  await replica.sync();
  assert.ok(replica.status().localCommits > 0);
  const { lsn } = bench.server.head(replica.vid).snapshot;
  assert.ok(lsn < 10, `LSN ${lsn}`);
  bench.remote.trip = () => Promise.resolve();
  await replica.sync();
  assert.equal(replica.status().localCommits, 0);
});

Deno.test("nothing is waited for once a replica is closed, though its push has just failed", async () => {
  for (let turns = 0; turns < 12; turns++) {
    const bench = new Bench();
    const replica = await bench.open({ isNew: true });
    await replica.sync();
    const failing = deferred<void>();
    bench.remote.trip = () => failing.promise;
    for (let i = 0; i < 20; i++) await commit(replica, i);
    failing.reject(unreachable());
    for (let i = 0; i < turns; i++) await Promise.resolve();
    await replica.close();
    assert.equal(bench.time.pending.size, 0, `after ${turns} turns`);
  }
});
