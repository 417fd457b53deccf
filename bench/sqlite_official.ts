/**
 * What cold queries cost the official native client and ours, on the same server and link:
 * `deno task bench:sqlite:official [ROWS] [MILLISECONDS]`.
 *
 * @module
 */

import assert from "node:assert/strict";
import { type Database, openDatabase } from "../client/sqlite/mod.ts";
import { HttpProxy } from "../tests/harness/http_proxy.ts";
import { Toxiproxy } from "../tests/harness/programs/toxiproxy.ts";
import { startServer } from "../tests/harness/server.ts";
import { Device } from "../tests/interop/_official_client.ts";
import { importFile, makeFile } from "./sqlite.ts";

/** What a run took. */
interface Cost {
  readonly trips: number;
  readonly requests: number;
  /** Bytes of the bodies of answers. */
  readonly bytes: number;
  readonly ms: number;
  /** What the statements answered. */
  readonly answers: unknown;
}

const QUERIES: readonly [name: string, statements: readonly string[]][] = [
  ["open and schema", ["select name from sqlite_schema order by 1"]],
  [
    "10 key lookups",
    Array.from({ length: 10 }, (_, i) => `select * from posts where id = ${(i + 1) * 19_777}`),
  ],
  ["an index range of 1,000 rows", ["select id, title from posts where user_id = 42"]],
  ["an aggregate over everything", ["select count(*), sum(stars) from posts"]],
];

/** The official client, in a new directory. What it asks each second for commits of others is left out. */
async function runTheirs(
  url: string,
  volume: string,
  statements: readonly string[],
): Promise<Cost> {
  await using proxy = new HttpProxy(url);
  const started = performance.now();
  await using device = await Device.start({ metastore: proxy.endpoint, volume });
  await device.untilAt(1);
  const answers = [];
  for (const sql of statements) answers.push(await device.sql(sql));
  const ms = performance.now() - started;
  let pulls = 0;
  const requests = proxy.requests.filter(({ path, status }) =>
    status !== 0 && (!path.endsWith("/pull_graft") || pulls++ === 0)
  );
  return {
    trips: new Set(requests.map(({ trip }) => trip)).size,
    requests: requests.length,
    bytes: requests.reduce((sum, { responseBytes }) => sum + responseBytes, 0),
    ms,
    answers,
  };
}

/** Ours, in memory. The stream of events is left out. */
async function runOurs(
  url: string,
  volume: string,
  statements: readonly string[],
  prefetch: "b-tree" | "interior",
): Promise<Cost> {
  const { fetch, traffic } = trippingFetch();
  const started = performance.now();
  const db: Database = await openDatabase(url, volume, { fetch, prefetch });
  const answers = [];
  for (const sql of statements) answers.push(await db.values(sql));
  const ms = performance.now() - started;
  await db.close();
  return { ...traffic, ms, answers };
}

/** A `fetch` that counts round trips too: one more than the highest of those that have been answered. */
function trippingFetch() {
  const traffic = { trips: 0, requests: 0, bytes: 0 };
  let answered = 0;
  const tripping: typeof fetch = async (input, init) => {
    const trip = answered + 1;
    const response = await fetch(input, init);
    if (response.headers.get("content-type")?.startsWith("text/event-stream")) return response;
    traffic.requests++;
    traffic.trips = Math.max(traffic.trips, trip);
    const body = await response.bytes();
    answered = Math.max(answered, trip);
    traffic.bytes += body.length;
    return new Response(body.length === 0 ? null : body, response);
  };
  return { fetch: tripping, traffic };
}

function cells({ trips, requests, bytes, ms }: Cost): string {
  return `${trips} / ${requests} | ${(bytes / 1024).toFixed(0)} K | ${(ms / 1000).toFixed(1)} s`;
}

if (import.meta.main) {
  const [rows, latencyMs] = [Number(Deno.args[0] ?? 400_000), Number(Deno.args[1] ?? 20)];
  const directory = await Deno.makeTempDir({ prefix: "graft-bench-" });
  try {
    const path = `${directory}/posts.db`;
    makeFile(path, rows);
    await using server = await startServer();
    const volume = await importFile(server, path);
    await using toxiproxy = await Toxiproxy.start();
    const link = await toxiproxy.proxy(server.url);
    await link.add({ type: "latency", latency: latencyMs / 2 }, "upstream");
    await link.add({ type: "latency", latency: latencyMs / 2 });
    const { size } = await Deno.stat(path);
    console.log(`${rows} rows, ${(size / 1e6).toFixed(0)} MB, ${latencyMs} ms there and back\n`);
    console.log("| | official: trips / requests | bytes | time | ours | | | interior | | |");
    console.log("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |");
    for (const [name, statements] of QUERIES) {
      const theirs = await runTheirs(link.endpoint, volume, statements);
      const ours = await runOurs(link.endpoint, volume, statements, "b-tree");
      const interior = await runOurs(link.endpoint, volume, statements, "interior");
      assert.deepEqual(ours.answers, theirs.answers);
      assert.deepEqual(interior.answers, theirs.answers);
      console.log(`| ${name} | ${cells(theirs)} | ${cells(ours)} | ${cells(interior)} |`);
    }
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}
