import assert from "node:assert/strict";
import { Bench, page, show, VID } from "./_testing.ts";
import { TestStorage } from "./local/_testing_storage.ts";
import type { Replica } from "./replica.ts";

/** On a storage that refuses to be written to. */
function volatileBench(): Bench {
  const storage = new TestStorage();
  storage.isVolatile = true;
  return new Bench(undefined, storage);
}

function write(replica: Replica, pages: Record<number, number>): Promise<void> {
  return replica.transaction((tx) => {
    for (const [pageIdx, fill] of Object.entries(pages)) tx.write(Number(pageIdx), page(fill));
  });
}

Deno.test("a replica in memory alone commits, pushes, pulls and resets, and writes no row", async () => {
  const bench = volatileBench();
  await using replica = await bench.open({ isNew: true });
  await write(replica, { 1: 1, 2: 2 });
  await write(replica, { 2: 3 });
  await replica.sync();
  assert.equal(bench.server.line(VID).length, 1);
  await bench.commit({ 3: 4 });
  await replica.sync();
  assert.deepEqual(await show(replica), [1, 3, 4]);
  bench.remote.connect(false);
  await write(replica, { 1: 9 });
  assert.deepEqual(await show(replica), [9, 3, 4]);
  await replica.reset();
  bench.remote.connect(true);
  assert.deepEqual(await show(replica), [1, 3, 4]);
  assert.equal(bench.storage.batches, 0);
});

Deno.test("a page that was handed out stays as it is, however often it is written again", async () => {
  const bench = volatileBench();
  bench.remote.connect(false);
  await using replica = await bench.open({ isNew: true });
  const handedOut: Uint8Array[] = [];
  const snapshots = [];
  for (let fill = 1; fill <= 200; fill++) {
    await write(replica, { 1: fill, 2: fill });
    const snapshot = replica.snapshot();
    if (fill % 3 === 0) handedOut.push(snapshot.peek(1)!);
    if (fill % 3 === 1) handedOut.push(await snapshot.read(1));
    if (fill % 20 === 0) snapshots.push(snapshot);
    else snapshot.close();
  }
  const expected = Array.from({ length: 200 }, (_, i) => i + 1).filter((fill) => fill % 3 < 2);
  const fills = handedOut.map((found) => found.every((byte) => byte === found[0]) && found[0]);
  assert.deepEqual(fills, expected);
  for (const [i, snapshot] of snapshots.entries()) {
    assert.equal((await snapshot.read(2))[0], 20 * (i + 1));
    snapshot.close();
  }
});

Deno.test("a page of memory to which somebody wrote is not pushed", async () => {
  const bench = volatileBench();
  bench.remote.connect(false);
  await using replica = await bench.open({ isNew: true });
  await write(replica, { 1: 1, 2: 2 });
  {
    using snapshot = replica.snapshot();
    (await snapshot.read(2))[7] = 0;
  }
  bench.remote.connect(true);
  await assert.rejects(replica.sync(), { code: "damaged", message: /checksum/ });
  assert.equal(bench.server.line(VID).length, 0);
});

Deno.test("memory is bounded: what the server has is evicted, what it lacks is refused", async () => {
  const bench = volatileBench();
  for (let i = 0; i < 4; i++) {
    await bench.commit(
      Object.fromEntries(Array.from({ length: 100 }, (_, j) => [100 * i + j + 1, 7])),
    );
  }
  const bytesMax = 100 * 4200;
  await using replica = await bench.open({ bytesMax });
  await replica.sync();
  for (let i = 1; i <= 400; i++) {
    using snapshot = replica.snapshot();
    assert.equal((await snapshot.read(i))[0], 7);
  }
  await until(() => replica.status().storageBytes <= bytesMax);
  assert.ok(replica.status().localPages > 50, "as much is kept as may be");
  bench.remote.connect(false);
  const refused = (async () => {
    for (let i = 1; i <= 400; i++) await write(replica, { [i]: 8 });
  })();
  await assert.rejects(refused, { code: "unavailable", message: /storage is full/ });
  assert.ok(replica.status().storageBytes <= bytesMax);
});

async function until(isSo: () => boolean): Promise<void> {
  for (let i = 0; !isSo(); i++) {
    assert.ok(i < 1000, "It comes to be so");
    await new Promise((resolve) => setTimeout(resolve));
  }
}
