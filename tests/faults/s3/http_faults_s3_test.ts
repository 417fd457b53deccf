// A server whose store answers with errors, half answers, and no answers to what it has done.

import assert from "node:assert/strict";
import { diceOf } from "../../durability/server_load.ts";
import { HttpProxy } from "../../harness/http_proxy.ts";
import { pause } from "../../harness/poll.ts";
import { Load } from "./_support/load.ts";
import { randomFaults } from "./_support/random_faults.ts";
import { onEvery, openServedStore, restartCold, type StoreKind } from "./_support/served_store.ts";

const SECONDS = Number(Deno.env.get("GRAFT_FAULTS_SECONDS") ?? 6);
const SEED = Number(Deno.env.get("GRAFT_FAULTS_SEED") ?? Date.now() % 1_000_000);
const MARGIN_MS = 120_000;

const STORES: readonly StoreKind[] = [
  { kind: "minio", log: "bucket" },
  { kind: "versitygw", log: "bucket" },
  { kind: "minio", log: "kv" },
];

Deno.test({
  name: "requests to the store that fail by chance lose and double nothing",
  timeout: SECONDS * 1000 + MARGIN_MS,
  fn: () => onEvery(STORES, testUnderFire),
});

async function testUnderFire({ kind, log }: StoreKind): Promise<void> {
  await using served = await openServedStore(
    { kind, log },
    (target, opened) => opened.use(new HttpProxy(target)),
  );
  const { proxy, server } = served;
  using load = new Load(server, SEED);
  try {
    proxy.fault = randomFaults(diceOf(SEED));
    await load.under(pause(SECONDS * 1000));
    const { commits, unavailable } = await load.end();
    const failed = proxy.requests.filter(({ status }) => status === 0 || status >= 500).length;
    console.log(
      `${kind}, log in ${log}: ${commits} commits, ${unavailable} answers of 503, ` +
        `${failed} of ${proxy.count()} requests failed`,
    );
    assert.ok(commits > 0 && failed > 0);
    proxy.fault = () => undefined;
    await load.verify();
    await restartCold(server);
    await load.verify();
  } catch (cause) {
    throw new Error(`${kind}, log in ${log}, seed ${SEED}\n${server.logs.slice(-3000)}`, { cause });
  }
}
