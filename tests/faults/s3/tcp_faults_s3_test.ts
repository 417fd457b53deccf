// A server whose store is far away, behind a narrow line, behind one that breaks, or gone for a while.

import assert from "node:assert/strict";
import { pause, until } from "../../harness/poll.ts";
import { type TcpProxy, Toxiproxy } from "../../harness/programs/toxiproxy.ts";
import { Load } from "./_support/load.ts";
import {
  onEvery,
  openServedStore,
  readiness,
  restartCold,
  type ServedStore,
  type StoreKind,
} from "./_support/served_store.ts";

const DEAD_SECONDS = Number(Deno.env.get("GRAFT_DEAD_SECONDS") ?? 12);
const SEED = Number(Deno.env.get("GRAFT_FAULTS_SEED") ?? Date.now() % 1_000_000);
const PHASE_MS = 2_500;
const MARGIN_MS = 120_000;
/** How many commits show that the server works again. */
const COMMITS_AFTER = 5;

type Served = ServedStore<TcpProxy>;

const STORES: readonly StoreKind[] = [
  { kind: "minio", log: "bucket" },
  { kind: "versitygw", log: "kv" },
];

/** Lets `disturb` happen under a load on every kind of store, then looks whether everything is there. */
async function testUnderLoad(
  disturb: (served: Served, load: Load) => Promise<void>,
): Promise<void> {
  await onEvery(STORES, async ({ kind, log }) => {
    await using served = await openServedStore({ kind, log }, async (target, opened) => {
      const toxiproxy = opened.use(await Toxiproxy.start());
      return await toxiproxy.proxy(target);
    });
    using load = new Load(served.server, SEED);
    try {
      await load.under(disturb(served, load));
      const { commits, unavailable } = await load.end();
      console.log(`${kind}, ${log}: ${commits} commits, ${unavailable} answers of 503`);
      await load.verify();
      await restartCold(served.server);
      await load.verify();
    } catch (cause) {
      const logs = served.server.logs.slice(-3000);
      throw new Error(`${kind}, log in ${log}, seed ${SEED}\n${logs}`, { cause });
    }
  });
}

/** Resolves when commits land that began from here on. */
async function untilItWorks(load: Load): Promise<void> {
  const before = load.commits;
  await until("a commit", () => Promise.resolve(load.commits >= before + COMMITS_AFTER));
}

Deno.test({
  name: "a store that is far away, then narrow, then cuts every connection, loses nothing",
  timeout: 3 * PHASE_MS + MARGIN_MS,
  fn: () =>
    testUnderLoad(async ({ proxy }, load) => {
      await proxy.add({ type: "latency", latency: 100, jitter: 50 });
      await untilItWorks(load);
      await pause(PHASE_MS);
      await proxy.remove("latency");
      await proxy.add({ type: "bandwidth", rate: 64 }, "upstream");
      await proxy.add({ type: "bandwidth", rate: 64 });
      await untilItWorks(load);
      await pause(PHASE_MS);
      await proxy.remove("bandwidth", "upstream");
      await proxy.remove("bandwidth");
      await proxy.add({ type: "reset_peer", timeout: 50 });
      await pause(PHASE_MS);
      await proxy.remove("reset_peer");
      await untilItWorks(load);
    }),
});

Deno.test({
  name:
    `a store that is dead for ${DEAD_SECONDS} s loses nothing, and is used again when it is back`,
  timeout: DEAD_SECONDS * 1000 + MARGIN_MS,
  fn: () =>
    testUnderLoad(async ({ proxy, server, log }, load) => {
      await untilItWorks(load);
      const { status, ...stores } = await readiness(server);
      assert.deepEqual([status, stores], [200, { ready: true, log: "ok", objects: "ok" }]);
      const met = load.unavailable;
      await proxy.disable();
      await until("an answer of /ready that tells", async () => {
        const { status, ...stores } = await readiness(server);
        const isTold = stores.objects === "failing" && (log === "kv" || stores.log === "failing");
        return isTold && status === 503;
      });
      await pause(DEAD_SECONDS * 500);
      // from refused connections to a network that swallows everything
      await proxy.add({ type: "timeout", timeout: 0 });
      await proxy.enable();
      await pause(DEAD_SECONDS * 500);
      assert.ok(load.unavailable > met, "No client was told");
      await proxy.remove("timeout");
      await untilItWorks(load);
      await until("an answer of /ready that all is well", async () => {
        return (await readiness(server)).status === 200;
      });
    }),
});
