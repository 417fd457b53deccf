import { deepEqual, equal, notEqual, ok, rejects } from "node:assert/strict";
import { until } from "../../tests/harness/poll.ts";
import { freePort } from "../../tests/harness/programs/child.ts";
import { DenoKvServer } from "../../tests/harness/programs/denokv.ts";
import { isGraftError } from "../core/errors.ts";
import { systemTimers, type Timers } from "../core/timers.ts";
import { commit, newVolume, recordsOf, rejectsWith } from "./_testing.ts";
import { openLog } from "./open_log.ts";

/** A hundred times as fast. */
const HASTY: Timers = {
  sleep: (delayMs, signal) => systemTimers.sleep(delayMs / 100, signal),
  after: (delayMs, callback) => systemTimers.after(delayMs / 100, callback),
};

Deno.test("kv+http: is one log for all who open it", async () => {
  await using server = await DenoKvServer.start();
  const address = `kv+${server.url}`;
  const kvAccessToken = server.accessToken;
  const [a, b] = await Promise.all([0, 1].map(() => openLog(address, { kvAccessToken })));
  equal(a.name, address);
  equal(a.exclusive, false);
  equal(a.storeId, b.storeId);
  const vid = newVolume();
  const heard: number[] = [];
  b.subscribe((changes) => heard.push(...changes.map(({ lsn }) => lsn)));
  const records = [await commit(a, vid), await commit(b, vid), await commit(a, vid)];
  deepEqual(await recordsOf(b, vid, 1, 9), records);
  await until("the last commit to be heard", () => Promise.resolve(heard.at(-1) === 3));
  await a.close();
  await b.close();
  await server.process.kill();
  await server.process.start();
  const again = await openLog(address, { kvAccessToken });
  deepEqual(await recordsOf(again, vid, 1, 9), records);
  await again.close();
});

Deno.test("the access token comes from the variable that Deno itself reads", async () => {
  await using server = await DenoKvServer.start();
  const before = Deno.env.get("DENO_KV_ACCESS_TOKEN");
  Deno.env.set("DENO_KV_ACCESS_TOKEN", server.accessToken);
  try {
    const log = await openLog(`kv+${server.url}`);
    notEqual(log.storeId, "");
    await log.close();
  } finally {
    if (before === undefined) Deno.env.delete("DENO_KV_ACCESS_TOKEN");
    else Deno.env.set("DENO_KV_ACCESS_TOKEN", before);
  }
});

Deno.test("a refused token is unauthorized, with a hint", async () => {
  await using server = await DenoKvServer.start();
  const opened = openLog(`kv+${server.url}`, { kvAccessToken: "somebody else's token" });
  await rejects(opened, (error: unknown) => {
    ok(isGraftError(error, "unauthorized"), String(error));
    ok(error.message.startsWith(`Cannot use the key-value store "${server.url}": it refuses`));
    ok(error.hint?.includes("DENO_KV_ACCESS_TOKEN"));
    return true;
  });
});

Deno.test("a store that is not there, or does not answer, is unavailable", async () => {
  const options = { kvAccessToken: "token", timers: HASTY };
  const nobody = `kv+http://127.0.0.1:${freePort()}`;
  await rejectsWith(
    openLog(nobody, options),
    "unavailable",
    /^Cannot open log "kv\+http:.*": no answer within 10 s \(.*refused/,
  );
  await using server = await DenoKvServer.start();
  await server.process.pause();
  const address = `kv+${server.url}`;
  const kvAccessToken = server.accessToken;
  await rejectsWith(
    openLog(address, { ...options, kvAccessToken }),
    "unavailable",
    /no answer within 10 s/,
  );
  server.process.resume();
});

Deno.test("a server of something else is invalid", async () => {
  await using server = Deno.serve({ port: 0, onListen: () => {} }, () => {
    return new Response("who are you?", { status: 404 });
  });
  const address = `kv+http://127.0.0.1:${server.addr.port}`;
  const opened = openLog(address, { kvAccessToken: "token" });
  await rejectsWith(opened, "invalid", /it answered 404: who are you\?/);
});
