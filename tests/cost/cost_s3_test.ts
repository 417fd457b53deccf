// What S3 is asked for: each row of the table of costs in docs/topologies.md.

import { deepEqual, equal, ok } from "node:assert/strict";
import { pause } from "../harness/poll.ts";
import { lengthenLog } from "./_long_log.ts";
import { CountedBucket, type LogPlace, noise, noisePages } from "./_support.ts";

const PLACES: readonly LogPlace[] = ["log on KV", "log in the bucket"];

for (const place of PLACES) {
  Deno.test(`${place}: an idle server asks for nothing`, async () => {
    await using bucket = await CountedBucket.open(place);
    const { client } = await bucket.serve();
    await client.push(client.newVolumeId(), undefined, noisePages(1, 2), 2);
    bucket.proxy.reset();
    // longer than any period at which something might be asked for more than 20 times a minute
    await pause(4_000);
    deepEqual(bucket.proxy.traffic().requests, {});
  });
}

Deno.test("log on KV: a small transaction is one PUT", async () => {
  await using bucket = await CountedBucket.open("log on KV");
  const { client } = await bucket.serve();
  const vid = client.newVolumeId();
  bucket.proxy.reset();
  let lsn: number | undefined;
  for (let i = 1; i <= 20; i++) ({ lsn } = await client.push(vid, lsn, noisePages(i, i), 20));
  deepEqual(bucket.proxy.traffic().requests, { PUT: 20 });
});

Deno.test("log in the bucket: a small transaction is two PUTs where one process writes the volume", async () => {
  await using bucket = await CountedBucket.open("log in the bucket");
  const { client } = await bucket.serve();
  const vid = client.newVolumeId();
  let { lsn } = await client.push(vid, undefined, noisePages(1, 1), 20);
  bucket.proxy.reset();
  for (let i = 2; i <= 21; i++) ({ lsn } = await client.push(vid, lsn, noisePages(i, i), 21));
  deepEqual(bucket.proxy.traffic().requests, { PUT: 40 });
});

Deno.test("log on KV: transactions that arrive together share PUTs", async () => {
  await using bucket = await CountedBucket.open("log on KV");
  const { client } = await bucket.serve();
  bucket.proxy.delayMs = 50;
  bucket.proxy.reset();
  const writers = Array.from({ length: 32 }, async () => {
    const vid = client.newVolumeId();
    let lsn: number | undefined;
    for (let i = 1; i <= 8; i++) ({ lsn } = await client.push(vid, lsn, noisePages(i, i), 8));
  });
  await Promise.all(writers);
  const { PUT = 0, ...others } = bucket.proxy.traffic().requests;
  deepEqual(others, {});
  ok(PUT < 32 * 8 / 2, `${PUT} PUTs for ${32 * 8} transactions`);
});

Deno.test("a cold read of one page is two GETs and at most 128 KiB", async () => {
  await using bucket = await CountedBucket.open("log on KV");
  const writing = await bucket.serve();
  const vid = writing.client.newVolumeId();
  const { lsn } = await writing.client.push(vid, undefined, noisePages(1, 600), 600);
  await writing.server.stop();
  const { client } = await bucket.serve();
  bucket.proxy.reset();
  const read = await client.read(vid, lsn, [300]);
  deepEqual(read.page(300), noise(300));
  const { requests, responseBytes } = bucket.proxy.traffic();
  deepEqual(requests, { GET: 2 });
  ok(responseBytes <= 128 * 1024, `${responseBytes} bytes`);
});

Deno.test("64 scattered pages are read cold in three round trips at most", async () => {
  await using bucket = await CountedBucket.open("log on KV");
  const writing = await bucket.serve();
  const vid = writing.client.newVolumeId();
  let lsn: number | undefined;
  for (let first = 1; first <= 2048; first += 256) {
    ({ lsn } = await writing.client.push(vid, lsn, noisePages(first, first + 255), 2048));
  }
  await writing.server.stop();
  const { client } = await bucket.serve();
  bucket.proxy.reset();
  // so that requests that do not wait for one another come before the first of them is answered
  bucket.proxy.delayMs = 400;
  const wanted = Array.from({ length: 64 }, (_, i) => 1 + i * 32);
  const read = await client.read(vid, lsn ?? 0, wanted);
  for (const pageIdx of wanted) deepEqual(read.page(pageIdx), noise(pageIdx));
  const trips = Math.max(...bucket.proxy.requests.map(({ trip }) => trip));
  ok(trips <= 3, `${trips} round trips of ${bucket.proxy.count()} requests`);
  equal(trips >= 2, true, "nothing was cold");
});

Deno.test("log of 10,000 commits in the bucket: ten requests to a snapshot, ten more to a page", async () => {
  await using bucket = await CountedBucket.open("log in the bucket");
  const writing = await bucket.serve();
  const vid = writing.client.newVolumeId();
  await writing.client.push(vid, undefined, noisePages(1, 4), 4);
  await writing.server.stop();
  await lengthenLog(`${bucket.folder}/graft`, vid, 10_000);
  bucket.proxy.reset();
  const { client } = await bucket.serve();
  const { lsn } = await client.snapshot(vid);
  equal(lsn, 10_000);
  const toSnapshot = bucket.proxy.count();
  deepEqual((await client.read(vid, lsn, [3])).page(3), noise(3));
  const toPage = bucket.proxy.count() - toSnapshot;
  ok(toSnapshot <= 10, `${toSnapshot} requests to the snapshot`);
  ok(toPage <= 10, `${toPage} requests to the page`);
});

Deno.test("after a restart the cache on disk answers what was read before", async () => {
  await using bucket = await CountedBucket.open("log in the bucket");
  const { server, client } = await bucket.serve();
  const vid = client.newVolumeId();
  const { lsn } = await client.push(vid, undefined, noisePages(1, 600), 600);
  await client.read(vid, lsn, [300]);
  await server.stop();
  await server.start();
  bucket.proxy.reset();
  deepEqual((await client.read(vid, lsn, [300])).page(300), noise(300));
  const ranged = bucket.proxy.requests.filter(({ path }) => path.includes("/segments/"));
  deepEqual(ranged, []);
  await server.stop();
  await Deno.remove(`${server.data}/cache`, { recursive: true });
  await server.start();
  deepEqual((await client.read(vid, lsn, [300])).page(300), noise(300));
});
