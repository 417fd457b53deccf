import assert from "node:assert/strict";
import { until } from "../harness/poll.ts";
import { startServer } from "../harness/server.ts";
import { Device } from "./_official_client.ts";

/** Longer than the second between two pulls of the extension. */
const SYNC_MS = 1500;
const MAIN = new URL("../../main.ts", import.meta.url).pathname;

/** What the program prints for `args`. */
async function graft(...args: string[]): Promise<string> {
  const { code, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", MAIN, ...args],
    stdin: "null",
    stderr: "inherit",
  }).output();
  assert.equal(code, 0, `graft ${args.join(" ")} failed`);
  return new TextDecoder().decode(stdout).trim();
}

async function untilError(device: Device, error: RegExp): Promise<void> {
  const look = async () => error.test(await device.pragma("graft_sync_errors"));
  await until("the refusal", look, { everyMs: SYNC_MS });
}

Deno.test("a device with a token works against a protected server; one without does not", async () => {
  const key = await graft("key", "new");
  const token = await graft("token", "new", "--sub", "a device", "--auth-key", key);
  await using server = await startServer({ args: ["--auth-key", key] });
  await using device = await Device.start({ metastore: server.url, volume: "random", token });
  await device.sql("create table entries (id integer primary key, body text)");
  const { remoteLsn } = await device.untilPushed();
  const volume = await device.volume();

  await using stranger = await Device.start({ metastore: server.url, volume });
  await untilError(stranger, /unauthorized/i);
  assert.equal((await stranger.position()).localLsn, 0);

  await using guest = await Device.start({ metastore: server.url, volume, token });
  await guest.untilAt(remoteLsn);
  await guest.assertIntegrity();
});

Deno.test("a token for reading one volume pulls it, and its push is refused", async () => {
  const key = await graft("key", "new");
  const mint = (...args: string[]) =>
    graft("token", "new", "--sub", "a device", "--auth-key", key, ...args);
  await using server = await startServer({ args: ["--auth-key", key] });
  const all = await mint();
  await using writer = await Device.start({ metastore: server.url, volume: "random", token: all });
  await writer.sql("create table entries (id integer primary key, body text)");
  const { remoteLsn } = await writer.untilPushed();
  const volume = await writer.volume();

  const token = await mint("--volumes", volume, "--can", "read");
  await using reader = await Device.start({ metastore: server.url, volume, token });
  await reader.untilAt(remoteLsn);
  await reader.sql("insert into entries (body) values ('not allowed')");
  await untilError(reader, /unauthorized|forbidden/i);
  assert.equal((await writer.position()).remoteLsn, remoteLsn);
  await reader.assertIntegrity();
});
