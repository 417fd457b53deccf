import assert from "node:assert/strict";
import { startServer } from "../harness/server.ts";
import { Device } from "./_official_client.ts";

const ROUNDS = 3;

Deno.test("a server that is killed and restarted under a device loses nothing", async () => {
  await using server = await startServer();
  await using device = await Device.start({ metastore: server.url, volume: "random" });
  await device.sql("create table entries (id integer primary key, body text)");
  await device.untilPushed();

  for (let round = 1; round <= ROUNDS; round++) {
    await server.kill9();
    await device.sql("insert into entries (body) values (?)", [`written in outage ${round}`]);
    await server.start();
    await device.untilPushed();
    assert.equal(await device.state(), "Ok");
  }

  await using other = await Device.start({ metastore: server.url, volume: await device.volume() });
  await other.untilAt((await device.position()).remoteLsn);
  assert.equal(await other.value("select count(*) from entries"), ROUNDS);
  await other.assertIntegrity();
  await device.assertIntegrity();
});

Deno.test("a device reads pages that it had not fetched before the server was restarted", async () => {
  await using server = await startServer();
  await using writer = await Device.start({ metastore: server.url, volume: "random" });
  await writer.fill("blobs", 2);
  const pushed = await writer.untilPushed();
  await using reader = await Device.start({ metastore: server.url, volume: await writer.volume() });
  await reader.untilAt(pushed.remoteLsn);

  assert.equal(await server.stop(), 0);
  await server.start();
  assert.equal(await reader.value("select sum(length(body)) from blobs"), 2_000_000);
  await reader.assertIntegrity();
});
