import assert from "node:assert/strict";
import { lastLogs, startCluster } from "./_support/cluster.ts";
import { BUCKET_ON_MINIO, BUCKET_ON_VERSITYGW, KV_CONNECT } from "./_support/backend.ts";
import { race } from "./_support/race.ts";

const SECONDS = Number(Deno.env.get("GRAFT_CLUSTER_SECONDS") ?? 60);
const SEED = Number(Deno.env.get("GRAFT_CLUSTER_SEED") ?? Date.now() % 1_000_000);

/** The second S3 server is to show what it does otherwise, and that it shows sooner. */
const RACES = [
  { kind: KV_CONNECT, seconds: SECONDS },
  { kind: BUCKET_ON_MINIO, seconds: SECONDS },
  { kind: BUCKET_ON_VERSITYGW, seconds: Math.ceil(SECONDS / 3) },
];

/** For the start of everything and the reading at the end. */
const MARGIN_MS = 180_000;

for (const { kind, seconds } of RACES) {
  Deno.test({
    name: `${kind.name}: 64 writers through processes that die lose and double nothing`,
    timeout: seconds * 1000 + MARGIN_MS,
    fn: async () => {
      await using cluster = await startCluster(kind, { metastores: 3, pagestores: 3 });
      const { commits, summary } = await race(cluster, seconds, SEED).catch((cause) => {
        throw new Error(`The race of seed ${SEED} failed\n${lastLogs(cluster)}`, { cause });
      });
      console.log(`${kind.name}: ${summary}`);
      assert.ok(commits > 0, "Nothing landed");
    },
  });
}
