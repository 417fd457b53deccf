import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { text } from "node:stream/consumers";
import { openDatabase } from "../../../client/sqlite/mod.ts";
import { startServer } from "../../server/mod.ts";
import { runShell } from "./shell.ts";

/** What the shell prints when these lines are typed. */
async function type(lines: readonly string[]): Promise<string[]> {
  await using server = await startServer({
    listen: ["127.0.0.1:0"],
    log: "memory:",
    objects: "memory:",
  });
  await using database = await openDatabase(server.urls[0]);
  const [input, output] = [new PassThrough(), new PassThrough()];
  const printed = text(output);
  input.end(lines.map((line) => `${line}\n`).join(""));
  await runShell({
    database,
    name: "graft",
    format: "table",
    input,
    output,
    isTerminal: false,
    history: [],
    onLine: () => {},
  });
  output.end();
  return (await printed).trimEnd().split("\n");
}

Deno.test("statements go over lines, and several stand on one", async () => {
  const printed = await type([
    "create table t (id integer primary key,",
    "  name text); insert into t (name) values ('a;'), ('b');",
    "select * from t; select count(*) as count",
    "from t;",
  ]);
  assert.deepEqual(printed, ["2 rows changed", "id  name", " 1  a;", " 2  b", "count", "    2"]);
});

Deno.test("a transaction spans statements, and what fails does not end the shell", async () => {
  const printed = await type([
    "create table t (id integer primary key);",
    "begin; insert into t values (1); rollback;",
    "select * from nowhere;",
    "begin;",
    "insert into t values (2);",
    "commit;",
    "commit;",
    "select id from t;",
  ]);
  assert.deepEqual(printed, [
    "1 row changed",
    'error: Cannot run "select * from nowhere;": no such table: nowhere',
    "1 row changed",
    "error: Cannot commit a transaction: none is open",
    "id",
    " 2",
  ]);
});

Deno.test("commands tell of the schema and of the state of things", async () => {
  const printed = await type([
    "create table b (x); create table a (y); create index i on a (y);",
    ".tables",
    ".schema a",
    ".sync",
    ".status",
    ".nothing",
    ".quit",
    "select 1;",
  ]);
  assert.deepEqual(printed.slice(0, 4), [
    "a",
    "b",
    "CREATE TABLE a (y);",
    "CREATE INDEX i on a (y);",
  ]);
  assert.ok(printed.some((line) => /^state +synced$/.test(line)), printed.join("\n"));
  assert.match(printed.at(-2)!, /no such command/);
  assert.match(printed.at(-1)!, /\.help lists them/);
});

Deno.test("half a statement is not run when the input ends", async () => {
  const printed = await type(["create table t (x);", "insert into t values (1);", "delete from t"]);
  assert.deepEqual(printed, ["1 row changed", "not run, as no semicolon ends it: delete from t"]);
});

Deno.test("columns of one name are all shown, and SQLite says what answers rows", async () => {
  const printed = await type([
    "create table t (id integer primary key, b text);",
    "insert into t values (1, 'returning');",
    "with a as (select 2 as id) insert into t select id, '-- returning' from a;",
    "insert into t values (3, 'x') returning /* them */ id, b as id;",
    "delete /* returning */ from t where id = 3;",
    "select a.id, a.b, c.id from t a, t c where a.id = 1 and c.id = 2;",
    "explain query plan select 1;",
  ]);
  assert.deepEqual(printed.slice(0, 7), [
    "1 row changed",
    "1 row changed",
    "id  id",
    " 3  x",
    "1 row changed",
    "id  b          id",
    " 1  returning   2",
  ]);
  assert.ok(printed.length > 7, "the plan");
});

Deno.test("commands see the transaction that is open, and savepoints work within it", async () => {
  const printed = await type([
    "savepoint s;",
    "release s;",
    "begin;",
    "create table new (a);",
    ".tables",
    ".schema new",
    "savepoint s; insert into new values (1);",
    "rollback /* comments */ -- and so on",
    " to s;",
    "insert into new values (2); release s;",
    "/* that is all */ end;",
    "select * from new;",
    "begin; rollback -- to s",
    ";",
    "begin;",
  ]);
  assert.deepEqual(printed, [
    "error: Cannot use a savepoint: no transaction is open",
    "  begin opens one, commit ends it",
    "error: Cannot use a savepoint: no transaction is open",
    "  begin opens one, commit ends it",
    "new",
    "CREATE TABLE new (a);",
    "1 row changed",
    "1 row changed",
    "a",
    "2",
  ]);
});
