import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { isGraftError } from "../core/errors.ts";
import { toLsn } from "../core/lsn.ts";
import { type Metrics, noMetrics } from "../core/metrics.ts";
import { commit, newVolume, recordsOf, rejectsWith } from "./_testing.ts";
import { openLog } from "./open_log.ts";

async function inDirectory(check: (directory: string) => Promise<void>): Promise<void> {
  const directory = await Deno.makeTempDir({ prefix: "graft-log-" });
  try {
    await check(directory);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

Deno.test("memory: is a new log each time", async () => {
  const [a, b] = [await openLog("memory:"), await openLog("memory:")];
  equal(a.name, "memory:");
  equal(a.exclusive, true);
  ok(a.storeId !== b.storeId);
  const vid = newVolume();
  await commit(a, vid);
  equal((await b.head(vid)).head, undefined);
  await a.close();
  await b.close();
});

Deno.test("kv:FILE keeps what was committed, and makes the directories it needs", () =>
  inDirectory(async (directory) => {
    const address = `kv:${directory}/deep/er/log.kv`;
    const log = await openLog(address);
    equal(log.name, address);
    equal(log.exclusive, true);
    const vid = newVolume();
    const record = await commit(log, vid);
    await log.close();
    const again = await openLog(address);
    equal(again.storeId, log.storeId);
    deepEqual(await recordsOf(again, vid, 1, 9), [record]);
    deepEqual(await again.record(vid, toLsn(1)), record);
    await again.close();
  }));

Deno.test("a file is one process's at a time", () =>
  inDirectory(async (directory) => {
    const address = `kv:${directory}/log.kv`;
    const log = await openLog(address);
    await rejects(openLog(address), (error: unknown) => {
      ok(isGraftError(error, "unavailable"), String(error));
      equal(error.message, `Cannot open log "${address}": another process uses it`);
      ok(error.hint?.includes(`${directory}/log.kv.lock`));
      return true;
    });
    await log.close();
    await (await openLog(address)).close();
  }));

Deno.test("a log that cannot be opened leaves no lock behind", () =>
  inDirectory(async (directory) => {
    const path = `${directory}/log.kv`;
    const kv = await Deno.openKv(path);
    await kv.set(["somebody's"], 1);
    kv.close();
    await rejectsWith(openLog(`kv:${path}`), "invalid", /something else/);
    const again = await Deno.openKv(path);
    await again.delete(["somebody's"]);
    again.close();
    await (await openLog(`kv:${path}`)).close();
  }));

Deno.test("a file that is no database is damaged, and stays as it is", () =>
  inDirectory(async (directory) => {
    const path = `${directory}/log.kv`;
    const text = "these are not the bytes of a database. ".repeat(200);
    await Deno.writeTextFile(path, text);
    await rejectsWith(openLog(`kv:${path}`), "damaged", /not a database/);
    equal(await Deno.readTextFile(path), text);
  }));

Deno.test("a place that cannot hold a log is unavailable", () =>
  inDirectory(async (directory) => {
    await Deno.writeTextFile(`${directory}/file`, "");
    await rejectsWith(openLog(`kv:${directory}/file/log.kv`), "unavailable");
    await Deno.mkdir(`${directory}/log.kv`);
    await rejectsWith(openLog(`kv:${directory}/log.kv`), "unavailable");
  }));

Deno.test("a store on the network needs an access token", async () => {
  await rejects(openLog("kv+http://host:4512", { kvAccessToken: "" }), (error: unknown) => {
    ok(isGraftError(error, "unauthorized"), String(error));
    equal(error.message, 'Cannot open log "kv+http://host:4512": there is no access token');
    ok(error.hint?.includes("DENO_KV_ACCESS_TOKEN"));
    return true;
  });
});

Deno.test("what is no log's address is refused, with a hint", async () => {
  for (
    const address of [
      "",
      "memory",
      "kv:",
      "kv://host",
      "kv+http:",
      "kv+http://",
      "kv+http:///path",
      "kv+ftp://host",
      "kv+http://ho st",
      "file:/x",
      "/data/log.kv",
      "memory:x",
    ]
  ) {
    await rejects(openLog(address), (error: unknown) => {
      ok(isGraftError(error, "invalid"), String(error));
      ok(error.message.startsWith(`Cannot open log "${address}": `), error.message);
      ok(error.hint?.includes("kv:FILE"));
      return true;
    });
  }
});

Deno.test("a log measures itself, and reports what subscribers throw", async () => {
  const sums = new Map<string, number>();
  const metrics: Metrics = {
    ...noMetrics,
    counter: (name) => ({
      add: (amount = 1) => void sums.set(name, (sums.get(name) ?? 0) + amount),
    }),
  };
  const reported: unknown[] = [];
  const log = await openLog("memory:", { metrics, onListenerError: (e) => reported.push(e) });
  log.subscribe(() => {
    throw new Error("broken");
  });
  await commit(log, newVolume());
  equal(sums.get("log_commits"), 1);
  equal(sums.get("log_listener_errors"), 1);
  equal(reported.length, 1);
  await log.close();
});

Deno.test("a log of which nobody wants reports takes broken subscribers too", async () => {
  const log = await openLog("memory:");
  log.subscribe(() => {
    throw new Error("broken");
  });
  equal((await commit(log, newVolume())).lsn, 1);
  await log.close();
});
