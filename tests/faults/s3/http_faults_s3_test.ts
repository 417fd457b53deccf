// A server whose store answers with errors, half answers, and no answers to what it has done.

import assert from "node:assert/strict";
import { diceOf } from "../../durability/server_load.ts";
import { HttpProxy } from "../../harness/http_proxy.ts";
import { pause } from "../../harness/poll.ts";
import type { S3Kind } from "../../harness/programs/s3.ts";
import { Load } from "./_support/load.ts";
import { randomFaults } from "./_support/random_faults.ts";
import { type LogPlace, openServedStore, restartCold } from "./_support/served_store.ts";

const SECONDS = Number(Deno.env.get("GRAFT_FAULTS_SECONDS") ?? 6);
const SEED = Number(Deno.env.get("GRAFT_FAULTS_SEED") ?? Date.now() % 1_000_000);
const MARGIN_MS = 120_000;

const STORES: readonly { kind: S3Kind; log: LogPlace }[] = [
  { kind: "minio", log: "bucket" },
  { kind: "versitygw", log: "bucket" },
  { kind: "minio", log: "kv" },
];

for (const { kind, log } of STORES) {
  Deno.test({
    name: `${kind}, log in ${log}: requests that fail by chance lose and double nothing`,
    timeout: SECONDS * 1000 + MARGIN_MS,
    fn: async () => {
      await using served = await openServedStore(
        kind,
        log,
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
          `${kind}, ${log}: ${commits} commits, ${proxy.count()} requests, ${failed} failed, ${unavailable} answers of 503 (seed ${SEED})`,
        );
        assert.ok(commits > 0 && failed > 0);
        // still under fire
        await load.verify();
        await restartUnder(server, proxy);
        await load.verify();
      } catch (cause) {
        const logs = server.logs.slice(-3000);
        throw new Error(`The faults of seed ${SEED} were too many\n${logs}`, { cause });
      }
    },
  });
}

/** A server that starts while its store fails may give up, so it starts in peace. */
async function restartUnder(
  server: Parameters<typeof restartCold>[0],
  proxy: HttpProxy,
): Promise<void> {
  proxy.fault = () => undefined;
  await restartCold(server);
}
