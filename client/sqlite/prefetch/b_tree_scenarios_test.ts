import assert from "node:assert/strict";
import type { DatabaseSync } from "node:sqlite";
import { type ColdRun, makePages, runCold } from "./_testing.ts";

interface Bound {
  readonly sql: readonly string[];
  /** Round trips, at most, those for opening among them. */
  readonly roundTrips: number;
  /** Pages fetched for each that is needed, at most. */
  readonly overhead: number;
}

/** Runs the statements with and without, and holds what they take against the bound. */
async function check(pages: readonly Uint8Array[], bound: Bound): Promise<ColdRun> {
  const without = await runCold(pages, bound.sql, false);
  const run = await runCold(pages, bound.sql);
  assert.deepEqual(run.rows, without.rows);
  assert.equal(run.needed, without.needed);
  const told = `${
    bound.sql[0]
  }: ${run.roundTrips} round trips, ${run.fetched} pages for ${run.needed}`;
  assert.ok(run.roundTrips <= bound.roundTrips, told);
  assert.ok(run.fetched <= Math.ceil(run.needed * bound.overhead), told);
  return run;
}

function fill(database: DatabaseSync, rows: number): void {
  database.exec("create table t (id integer primary key, k integer, body text)");
  database.prepare(`with recursive n (i) as (select 1 union all select i + 1 from n where i < ?)
    insert into t select i, (i * 7919) % 1000, 'row ' || i || ' of somebody who writes much' from n`)
    .run(rows);
}

Deno.test("look-ups bring nothing along", async () => {
  const pages = await makePages((database) => fill(database, 60_000));
  const sql = [7, 50_000, 20_000, 40_000, 33_333, 1_234, 59_999, 45_678, 12_345, 27_182]
    .map((id) => `select * from t where id = ${id}`);
  // the header is read before the page
  await check(pages, { sql, roundTrips: 14, overhead: 1.05 });
});

Deno.test("a table that is read from end to end comes in sets that grow", async () => {
  const pages = await makePages((database) => fill(database, 60_000));
  const up = await check(pages, {
    sql: ["select sum(k), max(body) from t"],
    roundTrips: 24,
    overhead: 1.01,
  });
  assert.ok(up.needed > 700);
  await check(pages, {
    sql: ["select max(length(body)) from (select body from t order by id desc)"],
    roundTrips: 26,
    overhead: 1.01,
  });
  await check(pages, {
    sql: ["select body from t where id between 20000 and 30000"],
    roundTrips: 20,
    overhead: 1.5,
  });
});

Deno.test("the rows of an index come as sets, with the leaves of the index", async () => {
  const pages = await makePages((database) => {
    fill(database, 200_000);
    database.exec("create index i on t (k)");
  });
  const run = await check(pages, {
    sql: ["select id, body from t where k between 42 and 46"],
    roundTrips: 45,
    overhead: 1.2,
  });
  assert.ok(run.needed > 700, `${run.needed}`);
  await check(pages, {
    sql: ["select id, body from t where k between 42 and 46 order by k desc, id desc"],
    roundTrips: 60,
    overhead: 1.25,
  });
  // the index alone
  await check(pages, {
    sql: ["select count(*) from t where k < 700"],
    roundTrips: 20,
    overhead: 1.5,
  });
});

Deno.test("a join follows several trees at once", async () => {
  const pages = await makePages((database) => {
    fill(database, 50_000);
    database.exec(`create table u (id integer primary key, t_id integer, note text);
      insert into u select id, id, 'note ' || id || ' is long enough to take some room' from t`);
  });
  await check(pages, {
    sql: ["select count(*), max(t.body), max(u.note) from u join t on t.id = u.t_id"],
    roundTrips: 45,
    overhead: 1.05,
  });
});

Deno.test("a long row comes whole, a length alone does not", async () => {
  const pages = await makePages((database) => {
    database.exec("create table blobs (id integer primary key, body blob)");
    const insert = database.prepare("insert into blobs values (?, randomblob(?))");
    for (let id = 1; id <= 5; id++) insert.run(id, 2_000_000);
  });
  await check(pages, {
    sql: ["select substr(body, -10), length(body) from blobs where id = 3"],
    roundTrips: 12,
    overhead: 1.05,
  });
  const { fetched } = await runCold(pages, ["select length(body) from blobs where id = 3"]);
  assert.ok(fetched < 10, `${fetched} pages`);
});

Deno.test("full text and tables without rowids", async () => {
  const pages = await makePages((database) => {
    fill(database, 40_000);
    database.exec(
      `create virtual table search using fts5 (body, content = 't', content_rowid = 'id');
      insert into search (search) values ('rebuild');
      create table w (a text primary key, b text) without rowid;
      insert into w select body, 'b' || id from t`,
    );
  });
  await check(pages, {
    sql: ["select count(*) from search where search match 'somebody'"],
    roundTrips: 40,
    overhead: 1.6,
  });
  await check(pages, { sql: ["select count(*), max(b) from w"], roundTrips: 30, overhead: 1.05 });
});

Deno.test("a file whose pages lie anyhow", async () => {
  const pages = await makePages((database) => {
    database.exec("create table t (id integer primary key, k integer, body text)");
    const insert = database.prepare("insert into t values (?, ?, ?)");
    database.exec("begin");
    // in an order that splits pages all over the file
    for (let i = 0; i < 40_000; i++) {
      insert.run((i * 7919) % 40_009, i, `row ${i} of somebody who writes much`);
    }
    database.exec("commit; delete from t where id % 3 = 0");
  });
  await check(pages, { sql: ["select sum(k), max(body) from t"], roundTrips: 30, overhead: 1.05 });
});
