import assert from "node:assert/strict";
import { startServer } from "../harness/server.ts";
import { Device, parsePosition } from "./_official_client.ts";

const SCHEMA = "create table entries (id integer primary key, body text)";

Deno.test("parsePosition() reads a snapshot with and without a synced part", () => {
  assert.deepEqual(parsePosition("Snapshot[3;9][2r7]"), {
    localLsn: 3,
    pageCount: 9,
    syncedLsn: 2,
    remoteLsn: 7,
  });
  assert.equal(parsePosition("Snapshot[3;2]").syncedLsn, 0);
  assert.equal(parsePosition("").localLsn, 0);
});

Deno.test("two devices share a database", async () => {
  await using server = await startServer();
  await using first = await Device.start({ metastore: server.url, volume: "random" });
  await first.sql(SCHEMA);
  await first.sql("insert into entries (body) values ('from the first')");
  const pushed = await first.untilPushed();

  await using second = await Device.start({ metastore: server.url, volume: await first.volume() });
  await second.untilAt(pushed.remoteLsn);
  assert.deepEqual(await second.sql("select body from entries"), [["from the first"]]);
  await second.sql("insert into entries (body) values ('from the second')");
  const answered = await second.untilPushed();

  await first.untilAt(answered.remoteLsn);
  assert.deepEqual(await first.sql("select body from entries order by id"), [
    ["from the first"],
    ["from the second"],
  ]);
  await first.assertIntegrity();
  await second.assertIntegrity();
});

Deno.test("a transaction of 20 MB, which the original server refuses, reaches another device", async () => {
  await using server = await startServer();
  await using writer = await Device.start({ metastore: server.url, volume: "random" });
  await writer.fill("blobs", 20);
  const pushed = await writer.untilPushed();
  assert.equal(pushed.remoteLsn, 1, "The transaction must be one commit");
  assert.ok(pushed.pageCount > 20e6 / 4096);

  await using reader = await Device.start({ metastore: server.url, volume: await writer.volume() });
  await reader.untilAt(pushed.remoteLsn);
  const sum = "select count(*), sum(length(body)), hex(substr(max(body), 1, 32)) from blobs";
  assert.deepEqual(await reader.sql(sum), await writer.sql(sum));
  await reader.assertIntegrity();
});

Deno.test("a database that shrinks and grows again is the same on another device", async () => {
  await using server = await startServer();
  await using writer = await Device.start({ metastore: server.url, volume: "random" });
  await writer.fill("blobs", 2);
  const full = await writer.untilPushed();
  await using reader = await Device.start({ metastore: server.url, volume: await writer.volume() });
  await reader.untilAt(full.remoteLsn);
  await reader.assertIntegrity();

  await writer.sql("delete from blobs");
  await writer.sql("vacuum");
  const empty = await writer.untilPushed();
  assert.ok(empty.pageCount < full.pageCount);
  await writer.fill("blobs", 1);
  const again = await writer.untilPushed();

  await reader.untilAt(again.remoteLsn);
  const all = "select id, hex(body) from blobs";
  assert.deepEqual(await reader.sql(all), await writer.sql(all));
  await reader.assertIntegrity();
});
