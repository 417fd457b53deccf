import assert from "node:assert/strict";
import { until } from "../harness/poll.ts";
import { startServer } from "../harness/server.ts";
import { Device } from "./_official_client.ts";

/** Longer than the second between two pulls of the extension. */
const SYNC_MS = 1500;

Deno.test("of two devices that commit at once one wins; graft_reset brings the other back", async () => {
  await using server = await startServer();
  await using first = await Device.start({ metastore: server.url, volume: "random" });
  await first.sql("create table entries (id integer primary key, body text)");
  const base = await first.untilPushed();
  await using second = await Device.start({ metastore: server.url, volume: await first.volume() });
  await second.untilAt(base.remoteLsn);

  await Promise.all([
    first.sql("insert into entries (body) values ('from the first')"),
    second.sql("insert into entries (body) values ('from the second')"),
  ]);
  const loser = await until("the conflict", () => deviceInTrouble([first, second]), {
    everyMs: SYNC_MS,
  });
  const winner = loser === first ? second : first;
  const won = await winner.untilPushed();
  assert.equal(await winner.state(), "Ok");
  assert.match(await loser.state(), /^(RejectedCommit|Conflict)$/);

  await loser.pragma("graft_reset");
  await loser.untilAt(won.remoteLsn);
  assert.equal(await loser.state(), "Ok");
  const winning = winner === first ? "from the first" : "from the second";
  assert.deepEqual(await loser.sql("select body from entries"), [[winning]]);
  await loser.assertIntegrity();

  await loser.sql("insert into entries (body) values ('after the reset')");
  const again = await loser.untilPushed();
  await winner.untilAt(again.remoteLsn);
  assert.deepEqual(await winner.sql("select body from entries order by id"), [
    [winning],
    ["after the reset"],
  ]);
  await winner.assertIntegrity();
});

async function deviceInTrouble(devices: readonly Device[]): Promise<Device | undefined> {
  for (const device of devices) {
    if (await device.state() !== "Ok") return device;
  }
}
