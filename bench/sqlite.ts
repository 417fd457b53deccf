/**
 * SQLite: with all pages here against SQLite's own, and cold against what the pages weigh:
 * `deno task bench:sqlite [ROWS]`.
 *
 * @module
 */

import { DatabaseSync } from "node:sqlite";
import { GraftClient } from "../client/mod.ts";
import { type Database, openDatabase } from "../client/sqlite/mod.ts";
import { Toxiproxy } from "../tests/harness/programs/toxiproxy.ts";
import { type ServerProcess, startServer } from "../tests/harness/server.ts";
import { countingFetch } from "./_counting_fetch.ts";

const ROUNDS = 7;
const LOOKUPS = 2_000;
const PAGE_BYTES = 4096;

/** A database as those of users are: a table of text with an index that does not follow its order. */
export function makeFile(path: string, rows: number): void {
  const database = new DatabaseSync(path);
  database.exec(`pragma journal_mode = memory; pragma synchronous = off;
    create table posts (id integer primary key, user_id integer, title text, stars integer)`);
  database.prepare(`with recursive n (i) as (select 1 union all select i + 1 from n where i < ?)
    insert into posts select i, (i * 7919) % (? / 1000), 'post number ' || i || ' of somebody',
      (i * 31) % 1000 from n`).run(rows, rows);
  database.exec("create index posts_by_user on posts (user_id); vacuum");
  database.close();
}

/** Ours and SQLite's own in turns; the medians. */
async function compare(
  name: string,
  most: number,
  ours: () => Promise<unknown>,
  native: () => unknown,
): Promise<void> {
  const times: { ours: number[]; native: number[] } = { ours: [], native: [] };
  for (let round = 0; round < ROUNDS; round++) {
    times.ours.push(await timed(ours));
    times.native.push(await timed(native));
  }
  const [a, b] = [median(times.ours), median(times.native)];
  const cells = [name, `${most} ×`, `${(a / b).toFixed(2)} ×`, a.toFixed(1), b.toFixed(1)];
  console.log(`| ${cells.join(" | ")} |`);
}

async function timed(run: () => unknown): Promise<number> {
  const started = performance.now();
  await run();
  return performance.now() - started;
}

function median(times: readonly number[]): number {
  return times.toSorted((a, b) => a - b)[times.length >> 1];
}

async function compareWarm(db: Database, path: string, rows: number): Promise<void> {
  const native = new DatabaseSync(path);
  native.exec("pragma journal_mode = memory; pragma synchronous = off");
  // everything is read once
  await db.query("select sum(length(title)) from posts");
  const keys = Array.from({ length: LOOKUPS }, (_, i) => (i * 104_729) % rows + 1);
  console.log("| all pages here | at most | ours / native | ours, ms | native, ms |");
  console.log("| --- | --- | --- | --- | --- |");
  const lookup = native.prepare("select * from posts where id = ?");
  await compare(`${LOOKUPS} key lookups`, 1.7, async () => {
    for (const key of keys) await db.query("select * from posts where id = ?", [key]);
  }, () => {
    for (const key of keys) lookup.all(key);
  });
  const scan = "select count(*), sum(stars), max(length(title)) from posts";
  const scanning = native.prepare(scan);
  await compare("full scan, aggregated", 1.4, () => db.query(scan), () => scanning.all());
  const all = native.prepare("select id, title from posts where id <= 50000");
  await compare(
    "50,000 rows",
    1.4,
    () => db.query("select id, title from posts where id <= 50000"),
    () => all.all(),
  );
  const insert = "insert into posts (user_id, title, stars) values (?, ?, ?)";
  const inserting = native.prepare(insert);
  await compare("1,000 transactions of one insert", 2.5, async () => {
    for (let i = 0; i < 1000; i++) await db.execute(insert, [i, "a new post", i]);
  }, () => {
    for (let i = 0; i < 1000; i++) inserting.run(i, "a new post", i);
  });
  native.close();
}

/** What a query of a database costs of which nothing is here. */
async function measureCold(
  name: string,
  url: string,
  vid: string,
  most: string,
  run: (db: Database) => Promise<unknown>,
): Promise<void> {
  const { fetch, traffic } = countingFetch();
  const started = performance.now();
  const db = await openDatabase(url, vid, { fetch });
  await run(db);
  const ms = performance.now() - started;
  const { read, fetched, prefetched, prefetchedUnused } = db.status().pages;
  await db.close();
  const cells = [
    name,
    most,
    traffic.requests,
    `${(traffic.bytes / 1024).toFixed(0)} K`,
    `${((fetched + prefetched) * PAGE_BYTES / 1024).toFixed(0)} K`,
    `${read} / ${prefetchedUnused}`,
    ms.toFixed(0),
  ];
  console.log(`| ${cells.join(" | ")} |`);
}

const COLD_QUERIES: readonly [
  name: string,
  most: string,
  run: (db: Database) => Promise<unknown>,
][] = [
  ["open and schema", "2, 64 K", (db) => db.query("select * from sqlite_schema")],
  ["10 key lookups", "24", async (db) => {
    for (let i = 1; i <= 10; i++) {
      await db.query("select * from posts where id = ?", [i * 77_777]);
    }
  }],
  [
    "an index range of 1,000 rows",
    "50",
    (db) => db.query("select id, title from posts where user_id = 42"),
  ],
  ["an aggregate over everything", "60", (db) => db.query("select sum(stars) from posts")],
];

async function compareCold(title: string, url: string, vid: string): Promise<void> {
  console.log(`\n| ${title} | at most | requests | on the wire | pages | read / unused | ms |`);
  console.log("| --- | --- | --- | --- | --- | --- | --- |");
  for (const [name, most, run] of COLD_QUERIES) await measureCold(name, url, vid, most, run);
}

/** Sends the file's pages as they are. */
export async function importFile(server: ServerProcess, path: string): Promise<string> {
  const client = new GraftClient(server.url);
  const vid = client.newVolumeId();
  const bytes = await Deno.readFile(path);
  const pages = function* (): Generator<[number, Uint8Array]> {
    for (let at = 0; at < bytes.length; at += PAGE_BYTES) {
      yield [at / PAGE_BYTES + 1, bytes.subarray(at, at + PAGE_BYTES)];
    }
  };
  await client.push(vid, undefined, pages(), bytes.length / PAGE_BYTES);
  return vid;
}

if (import.meta.main) {
  const rows = Number(Deno.args[0] ?? 1_000_000);
  const directory = await Deno.makeTempDir({ prefix: "graft-bench-" });
  try {
    const path = `${directory}/posts.db`;
    makeFile(path, rows);
    const { size } = await Deno.stat(path);
    console.log(`${rows} rows, ${(size / 1e6).toFixed(0)} MB\n`);
    await using server = await startServer();
    const vid = await importFile(server, path);
    const warm = await openDatabase(server.url, vid);
    await compareWarm(warm, path, rows);
    await warm.close();
    const again = await importFile(server, path);
    await compareCold("cold, on this machine", server.url, again);
    await using toxiproxy = await Toxiproxy.start();
    const link = await toxiproxy.proxy(server.url);
    await link.add({ type: "latency", latency: 20 }, "upstream");
    await link.add({ type: "latency", latency: 20 });
    await link.add({ type: "bandwidth", rate: 50_000_000 / 8 / 1000 });
    await compareCold("cold, 40 ms and 50 Mbit/s", link.endpoint, again);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}
