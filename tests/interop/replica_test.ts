import assert from "node:assert/strict";
import { openReplica } from "../../client/open_replica.ts";
import type { Replica } from "../../client/replica/replica.ts";
import { startServer } from "../harness/server.ts";
import { Device } from "./_official_client.ts";

/** Where the first page of an SQLite database keeps some numbers. */
const CHANGE_COUNTER = 24;
const USER_VERSION = 60;
const VALID_FOR = 92;

/** What `pragma user_version = …` does to a database. */
async function setUserVersion(replica: Replica, version: number): Promise<void> {
  await replica.transaction(async (tx) => {
    const header = (await tx.read(1)).slice();
    const view = new DataView(header.buffer);
    const counter = view.getUint32(CHANGE_COUNTER) + 1;
    view.setUint32(CHANGE_COUNTER, counter);
    view.setUint32(VALID_FOR, counter);
    view.setUint32(USER_VERSION, version);
    tx.write(1, header);
  });
}

async function userVersion(replica: Replica): Promise<number> {
  using snapshot = replica.snapshot();
  const header = await snapshot.read(1);
  return new DataView(header.buffer, header.byteOffset).getUint32(USER_VERSION);
}

Deno.test("a replica and a device with the official client write in turns", async () => {
  await using server = await startServer();
  await using device = await Device.start({ metastore: server.url, volume: "random" });
  await device.sql("create table entries (id integer primary key, body text)");
  let { remoteLsn } = await device.untilPushed();
  await using replica = await openReplica(server.url, await device.volume());
  for (let turn = 1; turn <= 3; turn++) {
    await setUserVersion(replica, turn * 10);
    await replica.sync();
    assert.equal(replica.status().lsn, remoteLsn + 1);
    await device.untilAt(remoteLsn + 1);
    assert.deepEqual(await device.sql("pragma user_version"), [[turn * 10]]);
    await device.sql(`insert into entries (body) values ('turn ${turn}')`);
    await device.sql(`pragma user_version = ${turn * 10 + 1}`);
    ({ remoteLsn } = await device.untilPushed());
    await replica.sync();
    assert.equal(replica.status().lsn, remoteLsn);
    assert.equal(await userVersion(replica), turn * 10 + 1);
  }
  await device.assertIntegrity();
});
