// The official client never learns that there is more than one server.

import assert from "node:assert/strict";
import { Device } from "../interop/_official_client.ts";
import { type BackendKind, BUCKET_ON_MINIO, KV_CONNECT } from "./_support/backend.ts";
import { Balancer, type DeathPoint } from "./_support/balancer.ts";
import { type Processes, startCluster } from "./_support/cluster.ts";

const ROUNDS = 5;
const COUNT = "select count(*) from entries";

/** A device behind balancers that give each of its requests to another process. */
function startDevice(
  { metastores, pagestores }: { metastores: Balancer; pagestores: Balancer },
  volume: string,
): Promise<Device> {
  return Device.start({ metastore: metastores.url, pagestore: pagestores.url, volume });
}

/** Runs `use` with balancers before each role of a cluster. */
async function withBalancers(
  kind: BackendKind,
  use: (
    balancers: { metastores: Balancer; pagestores: Balancer },
    cluster: Processes,
  ) => Promise<void>,
): Promise<void> {
  await using cluster = await startCluster(kind);
  await using metastores = new Balancer(cluster.metastores);
  await using pagestores = new Balancer(cluster.pagestores);
  await use({ metastores, pagestores }, cluster);
}

Deno.test("a device whose every request goes to another process sees one database", async () => {
  await withBalancers(KV_CONNECT, async (balancers) => {
    await using writer = await startDevice(balancers, "random");
    await writer.sql("create table entries (id integer primary key, body text)");
    await writer.untilPushed();
    await using reader = await startDevice(balancers, await writer.volume());
    for (let round = 1; round <= ROUNDS; round++) {
      await writer.sql("insert into entries (body) values (?)", [`round ${round}`]);
      const { remoteLsn } = await writer.untilPushed();
      await reader.untilAt(remoteLsn);
      assert.equal(await reader.value(COUNT), round);
    }
    await reader.sql("insert into entries (body) values ('from the reader')");
    const { remoteLsn } = await reader.untilPushed();
    await writer.untilAt(remoteLsn);
    assert.equal(await writer.value(COUNT), ROUNDS + 1);
    await writer.assertIntegrity();
    await reader.assertIntegrity();

    const answered = [...balancers.metastores.answered, ...balancers.pagestores.answered];
    assert.ok(answered.every((count) => count > 0), `A process was never asked: ${answered}`);
  });
});

const DEATHS: [string, DeathPoint][] = [
  ["write_pages", "during"],
  ["write_pages", "after"],
  ["commit", "during"],
  ["commit", "after"],
];

for (const kind of [KV_CONNECT, BUCKET_ON_MINIO]) {
  Deno.test(`over ${kind.name}, a device survives processes that die under its pushes`, async () => {
    await withBalancers(kind, async (balancers) => {
      await using device = await startDevice(balancers, "random");
      await device.sql("create table entries (id integer primary key, body text)");
      let { remoteLsn } = await device.untilPushed();
      for (const [path, point] of DEATHS) {
        const balancer = path === "commit" ? balancers.metastores : balancers.pagestores;
        const killed = balancer.killAtNext(path, point);
        await device.sql("insert into entries (body) values (?)", [`${path} ${point}`]);
        const dead = await killed;
        // the others have to do while it is down
        const pushed = await device.untilPushed();
        assert.equal(pushed.remoteLsn, ++remoteLsn, `The push under ${path} landed twice`);
        assert.equal(await device.state(), "Ok");
        await dead.start();
      }
      await using witness = await startDevice(balancers, await device.volume());
      await witness.untilAt(remoteLsn);
      assert.deepEqual(
        await witness.sql("select body from entries order by id"),
        DEATHS.map((death) => [death.join(" ")]),
      );
      await witness.assertIntegrity();
      await device.assertIntegrity();
    });
  });
}

Deno.test("a device fetches pages through whichever pagestore is left", async () => {
  await withBalancers(KV_CONNECT, async (balancers, cluster) => {
    await using writer = await startDevice(balancers, "random");
    await writer.fill("blobs", 4);
    const { remoteLsn } = await writer.untilPushed();
    await using reader = await startDevice(balancers, await writer.volume());
    await reader.untilAt(remoteLsn);

    // the client fails the statement under which a process dies, and no later one
    const killed = balancers.pagestores.killAtNext("read_pages", "during");
    await reader.value("select sum(length(body)) from blobs where id = 1").catch(() => {});
    const dead = await killed;
    assert.equal(await reader.value("select count(*) from blobs"), 4);
    await dead.start();

    await cluster.pagestores[0].kill9();
    assert.equal(
      await reader.value("select sum(length(body)) from blobs where id <= 2"),
      2_000_000,
    );
    await cluster.pagestores[0].start();
    await cluster.pagestores[1].kill9();
    assert.equal(await reader.value("select sum(length(body)) from blobs"), 4_000_000);
    await reader.assertIntegrity();
  });
});
