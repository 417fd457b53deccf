import assert from "node:assert/strict";
import { pause } from "../harness/poll.ts";
import { startServer } from "../harness/server.ts";
import { HoldingProxy, type HoldPoint } from "./_holding_proxy.ts";
import { Device } from "./_official_client.ts";

const CLIENT_ID = "QiAeu6PFvLjZoigTRPjJMz";
/** Longer than the extension's interval of one second between two looks at a volume. */
const SEVERAL_SYNCS_MS = 3000;

/** Runs `use` on a device that was killed in the middle of a push and started again. */
async function afterInterruptedPush(
  path: string,
  point: HoldPoint,
  use: (restarted: Device, witness: Device) => Promise<void>,
): Promise<void> {
  await using server = await startServer();
  await using proxy = new HoldingProxy(server.url);
  const directory = await Deno.makeTempDir({ prefix: "graft-device-" });
  try {
    const options = { metastore: proxy.url, directory, clientId: CLIENT_ID };
    const device = await Device.start({ ...options, volume: "random" });
    await device.sql("create table entries (id integer primary key, body text)");
    await device.untilPushed();
    const volume = await device.volume();
    const stopped = proxy.hold(path, point);
    await device.sql("insert into entries (body) values ('in the push')");
    await stopped;
    await device.kill9();
    await using restarted = await Device.start({ ...options, volume });
    await using witness = await Device.start({ metastore: server.url, volume });
    await use(restarted, witness);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

// What the official client does is its own matter; these tests state it, because a server that
// answers otherwise would change it. docs/interop.md tells users.

Deno.test("killed before the commit reached the server: the device keeps its rows and waits", async () => {
  await afterInterruptedPush("commit", "before", async (restarted, witness) => {
    assert.equal(await restarted.state(), "InterruptedPush");
    await pause(SEVERAL_SYNCS_MS);
    assert.equal(await restarted.state(), "InterruptedPush");
    assert.deepEqual(await restarted.sql("select body from entries"), [["in the push"]]);
    await restarted.assertIntegrity();

    await witness.untilAt(1);
    assert.deepEqual(await witness.sql("select body from entries"), []);
    await witness.assertIntegrity();
  });
});

Deno.test("killed before the commit reached the server: graft_reset works once the server has moved", async () => {
  await afterInterruptedPush("commit", "before", async (restarted, witness) => {
    await restarted.pragma("graft_reset");
    assert.equal(await restarted.state(), "InterruptedPush");

    await witness.untilAt(1);
    await witness.sql("insert into entries (body) values ('from the witness')");
    await witness.untilPushed();
    await restarted.pragma("graft_reset");
    await restarted.untilAt(2);
    assert.equal(await restarted.state(), "Ok");
    assert.deepEqual(await restarted.sql("select body from entries"), [["from the witness"]]);
    await restarted.assertIntegrity();
  });
});

Deno.test("killed between pages and commit: nothing of the push is seen by others", async () => {
  await afterInterruptedPush("write_pages", "after", async (restarted, witness) => {
    assert.equal(await restarted.state(), "InterruptedPush");
    await witness.untilAt(1);
    assert.deepEqual(await witness.sql("select body from entries"), []);
    await restarted.assertIntegrity();
    await witness.assertIntegrity();
  });
});

Deno.test("killed after the commit landed: nothing is lost, and graft_reset goes on from there", async () => {
  await afterInterruptedPush("commit", "after", async (restarted, witness) => {
    assert.equal(await restarted.state(), "InterruptedPush");
    await witness.untilAt(2);
    assert.deepEqual(await witness.sql("select body from entries"), [["in the push"]]);

    await restarted.pragma("graft_reset");
    await restarted.untilAt(2);
    assert.equal(await restarted.state(), "Ok");
    assert.deepEqual(await restarted.sql("select body from entries"), [["in the push"]]);

    await restarted.sql("insert into entries (body) values ('after the reset')");
    const pushed = await restarted.untilPushed();
    await witness.untilAt(pushed.remoteLsn);
    assert.equal(await witness.value("select count(*) from entries"), 2);
    await restarted.assertIntegrity();
    await witness.assertIntegrity();
  });
});
