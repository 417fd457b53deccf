import assert from "node:assert/strict";
import { openDatabase } from "../../client/sqlite/mod.ts";
import { graft } from "../../src/cli/_testing.ts";
import { type ServerProcess, startServer } from "../harness/server.ts";
import { Device } from "./_official_client.ts";
import { SharedDatabase } from "./_shared_database.ts";

const SCHEMA = "create table entries (id integer primary key, body text)";
/** Most of what a schema may hold. */
const RICH_SCHEMA = `create table people (id integer primary key autoincrement, name text not null,
    upper text generated always as (upper(name)) stored);
  create table tags (tag text, person integer references people on delete cascade,
    primary key (tag, person)) without rowid;
  create table strict_ones (id integer primary key, amount real) strict;
  create unique index people_by_name on people (name collate nocase) where name <> '';
  create index tags_by_length on tags (length(tag), person);
  create view tagged as select name, tag from people join tags on person = people.id;
  create trigger people_log after insert on people begin
    insert into tags values ('new', new.id); end;
  create virtual table docs using fts5 (body);`;

type Side = "ours" | "theirs";

const OTHER = { ours: "theirs", theirs: "ours" } as const;

/** Has one side run statements; both have them then. */
function by(shared: SharedDatabase, side: Side, sql: string): Promise<void> {
  return side === "ours" ? shared.byOurs(sql) : shared.byTheirs(sql);
}

function share(server: ServerProcess, createdBy: Side, schema = SCHEMA) {
  return SharedDatabase.create({ url: server.url, createdBy, schema });
}

async function useRichSchema(server: ServerProcess, creator: Side): Promise<void> {
  await using shared = await share(server, creator, RICH_SCHEMA);
  await by(
    shared,
    OTHER[creator],
    `insert into people (name) values ('Ada'), ('Grace'), ('Edsger');
       insert into tags values ('logic', 1), ('compilers', 2);
       insert into strict_ones (amount) values (1.5);
       insert into docs (rowid, body) values (1, 'analytical engines'), (2, 'nanoseconds')`,
  );
  await shared.assertSame();
  assert.deepEqual(
    await shared.rows("select tag from tagged where name = 'ada' collate nocase"),
    [
      ["logic"],
      ["new"],
    ],
  );
  assert.deepEqual(
    await shared.rows("select upper from people where name = 'GRACE' collate nocase"),
    [
      ["GRACE"],
    ],
  );
  assert.deepEqual(await shared.rows("select rowid from docs where docs match 'nano*'"), [[2]]);
  // the one who did not create it altered nothing yet: schemas are seen by open connections
  for (const side of [OTHER[creator], creator]) {
    await by(shared, side, `alter table strict_ones add column ${side} text default '${side}'`);
    await by(shared, OTHER[side], `update strict_ones set ${side} = ${side} || '!'`);
  }
  assert.deepEqual(await shared.rows("select ours, theirs from strict_ones"), [
    ["ours!", "theirs!"],
  ]);
  await by(shared, creator, "drop view tagged; alter table tags rename to labels");
  assert.deepEqual(await shared.rows("select count(*) from labels"), [[5]]);
  await shared.assertSame();
}

async function commitWithoutPageOne(server: ServerProcess, creator: Side): Promise<void> {
  await using shared = await share(server, creator);
  await by(shared, creator, "insert into entries (body) values ('first'), ('second')");
  // both have all pages in their caches
  await shared.assertSame();
  const changes = shared.ours.replica.changes();
  for (const side of [creator, OTHER[creator]]) {
    // page 1 tells the version of SQLite that wrote last, so the first may have it
    await by(shared, side, `update entries set body = '${side}' where id = 2`);
    await changes.next();
    const changed = changes.next();
    await by(shared, side, `update entries set body = body || ' again' where id = 2`);
    const { value } = await changed;
    assert.deepEqual([...value?.pages ?? []], [2]);
    assert.deepEqual(await shared.rows("select body from entries"), [
      ["first"],
      [`${side} again`],
    ]);
  }
  await changes.return?.();
  await shared.assertSame();
}

async function writeLargeRows(server: ServerProcess, creator: Side): Promise<void> {
  await using shared = await share(server, creator);
  await by(shared, creator, "pragma cache_size = 10");
  // one transaction that spills, whose rows are chains of overflow pages
  await by(
    shared,
    creator,
    `begin; create table blobs (id integer primary key, body blob);
       with recursive n (i) as (select 1 union all select i + 1 from n where i < 8)
         insert into blobs select i, randomblob(500000 + i) from n;
       update blobs set body = zeroblob(700000) where id = 3;
       insert into blobs select i.id + 10, substr(i.body, 7) from blobs i where id <> 3;
       delete from blobs where id = 5; commit`,
  );
  const sum = "select id, length(body), hex(substr(body, 499000, 20)) from blobs order by id";
  assert.equal((await shared.rows(sum)).length, 14);
  const [[full]] = await shared.rows("pragma page_count");
  await by(shared, OTHER[creator], "delete from blobs where id > 2");
  await by(shared, creator, "vacuum");
  const [[less]] = await shared.rows("pragma page_count");
  assert.ok(Number(less) < Number(full) / 4, `${less} of ${full} pages are left`);
  await by(shared, OTHER[creator], "insert into blobs values (3, randomblob(900000))");
  assert.equal((await shared.rows(sum)).length, 3);
  await shared.assertSame();
}

async function watch(server: ServerProcess): Promise<void> {
  await using shared = await share(server, "theirs");
  const watching = shared.ours.watch("select count(*) as count from entries");
  assert.deepEqual((await watching.next()).value, [{ count: 0 }]);
  await shared.theirs.sql("insert into entries (body) values ('from a device')");
  assert.deepEqual((await watching.next()).value, [{ count: 1 }]);
  await watching.return?.();
}

async function changePageSize(server: ServerProcess): Promise<void> {
  await using shared = await share(server, "ours");
  await assert.rejects(
    shared.ours.script("pragma page_size = 8192; vacuum", { isAtomic: false }),
    { code: "invalid", message: /another page size/ },
  );
  await shared.byOurs("insert into entries (body) values ('still here')");
  assert.deepEqual(await shared.rows("pragma page_size"), [[4096]]);
  await shared.assertSame();
}

/** What needs nothing but a server; the waits of one are the others' time. */
const CASES: readonly [name: string, run: (server: ServerProcess) => Promise<void>][] = [
  ["a query that is watched runs again after a commit of the official client", watch],
  ["another page size is refused, also by VACUUM, and the database stays whole", changePageSize],
  ...(["ours", "theirs"] as const).flatMap((side): typeof CASES => [
    [`a rich schema by ${side} works for the other`, (server) => useRichSchema(server, side)],
    [
      `what ${side} commits without page 1 is seen by the other`,
      (server) => commitWithoutPageOne(server, side),
    ],
    [`large rows and VACUUM by ${side}`, (server) => writeLargeRows(server, side)],
  ]),
];

Deno.test("a database is the same to the official client and to ours", async (t) => {
  await using server = await startServer();
  // steps at once cannot tell whose an operation is; the test does
  const sanitize = { sanitizeOps: false, sanitizeResources: false, sanitizeExit: false };
  await Promise.all(
    CASES.map(([name, run]) => t.step({ name, fn: () => run(server), ...sanitize })),
  );
});

Deno.test("both go on after the server was killed, also in the middle of pushes", async () => {
  await using server = await startServer();
  await using shared = await share(server, "theirs");
  const { ours, theirs } = shared;
  await ours.execute("insert into entries (body) values ('pushed')");
  await ours.sync();
  const inserting = ours.execute("insert into entries (body) values ('killed')");
  await server.kill9();
  await inserting;
  await ours.execute("insert into entries (body) values ('offline')");
  await server.start();
  await shared.toTheirs();
  // what it has not read, it cannot write while the server is away
  await shared.assertSame();
  await server.kill9();
  await theirs.sql("insert into entries (body) values ('theirs')");
  await server.start();
  await shared.toOurs();
  await shared.assertSame();
  assert.deepEqual(await shared.rows("select body from entries order by id"), [
    ["pushed"],
    ["killed"],
    ["offline"],
    ["theirs"],
  ]);
});

Deno.test("both work with a token; a token for reading lets ours read what theirs writes", async () => {
  const key = (await graft(["key", "new"])).stdout.trim();
  const mint = async (...args: string[]) =>
    (await graft(["token", "new", "--sub", "a device", "--auth-key", key, ...args])).stdout.trim();
  await using server = await startServer({ args: ["--auth-key", key] });
  const token = await mint();
  await using shared = await SharedDatabase.create({
    url: server.url,
    createdBy: "ours",
    schema: SCHEMA,
    token,
  });
  await shared.byTheirs("insert into entries (body) values ('with a token')");
  await shared.byOurs("insert into entries (body) values ('so are we')");
  await shared.assertSame();
  const reading = await mint("--volumes", shared.ours.vid, "--can", "read");
  await using reader = await openDatabase(server.url, shared.ours.vid, { token: reading });
  assert.deepEqual(await reader.values("select count(*) from entries"), [[2]]);
  await reader.execute("insert into entries (body) values ('not allowed')").catch(() => {});
  await assert.rejects(reader.sync(), { code: "forbidden" });
  await assert.rejects(openDatabase(server.url, shared.ours.vid), { code: "unauthorized" });
  await using other = await Device.start({ metastore: server.url, volume: shared.ours.vid, token });
  await other.untilAt((await shared.theirs.position()).remoteLsn);
  assert.equal(await other.value("select count(*) from entries"), 2);
});
