/**
 * What a transaction takes when S3 is 20 ms away: `deno task bench:s3`.
 *
 * @module
 */

import { GraftClient } from "../client/mod.ts";
import { systemClock } from "../src/core/clock.ts";
import { noMetrics } from "../src/core/metrics.ts";
import { systemRandom } from "../src/core/random.ts";
import { systemTimers } from "../src/core/timers.ts";
import { s3SettingsFrom } from "../src/objects/s3/s3_settings.ts";
import { openS3Store } from "../src/objects/s3/s3_store.ts";
import { HttpProxy } from "../tests/harness/http_proxy.ts";
import { DenoKvServer } from "../tests/harness/programs/denokv.ts";
import { S3Server } from "../tests/harness/programs/s3.ts";
import { startServer } from "../tests/harness/server.ts";

const DELAY_MS = 20;
const ROUNDS = 100;

/** The median time of a call, in milliseconds. */
async function median(call: (round: number) => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const started = performance.now();
    await call(round);
    times.push(performance.now() - started);
  }
  return times.sort((a, b) => a - b)[ROUNDS >> 1];
}

/** Transactions of one page, one after the other. */
async function transactions(url: string): Promise<number> {
  const client = new GraftClient(url);
  const vid = client.newVolumeId();
  const page = crypto.getRandomValues(new Uint8Array(4096));
  let { lsn } = await client.push(vid, undefined, new Map([[1, page]]), 1);
  return await median(async () => {
    ({ lsn } = await client.push(vid, lsn, new Map([[1, page]]), 1));
  });
}

if (import.meta.main) {
  await using s3 = await S3Server.start("minio");
  await using denokv = await DenoKvServer.start();
  await using proxy = new HttpProxy(s3.endpoint);
  proxy.delayMs = DELAY_MS;
  const bucket = await s3.makeBucket();
  const env = { ...s3.env(proxy.endpoint), ...denokv.env() };
  const store = await openS3Store(`s3://${bucket}/puts`, {
    settings: s3SettingsFrom(new Map(Object.entries(env))),
    clock: systemClock,
    random: systemRandom,
    timers: systemTimers,
    metrics: noMetrics,
  });
  const body = crypto.getRandomValues(new Uint8Array(4500));
  const put = await median((round) => store.put(`segments/${round}`, body));
  await store.close();
  console.log(`| one PUT of 4.5 kB | ${put.toFixed(1)} ms |`);
  const places = {
    "log in a file": [],
    "log on denokv": ["--log", `kv+${denokv.url}`],
    "log in the bucket": ["--log", `s3://${bucket}/bucket`],
  };
  for (const [place, log] of Object.entries(places)) {
    const objects = `s3://${bucket}/${place.replaceAll(" ", "-")}`;
    await using server = await startServer({ args: ["--objects", objects, ...log], env });
    const time = await transactions(server.url);
    const beyond = (time - put).toFixed(1);
    console.log(
      `| a transaction of one page, ${place} | ${time.toFixed(1)} ms: a PUT and ${beyond} ms |`,
    );
  }
}
