/**
 * What a database does, whatever runtime it is in: cases by name. None of them uses anything but JavaScript, the
 * web's platform and `node:assert/strict`.
 *
 * @module
 */

import * as assert from "node:assert/strict";
import type { Database } from "../../client/sqlite/database.ts";
import type { EngineOptions } from "../../client/sqlite/engine/load_engine.ts";
import type { openDatabase, OpenDatabaseOptions } from "../../client/sqlite/open_database.ts";

/** What a case is given. */
export interface SqliteContext {
  /** Of the sources, or of the bundle. */
  readonly openDatabase: typeof openDatabase;
  /** A server's URL. */
  readonly url: string;
  /** A token that allows all; undefined where the server asks for none. */
  readonly token?: string;
  /** Which engine; default: what the runtime can run. */
  readonly engine?: EngineOptions;
  /** A storage that is new, and kept when it is closed; undefined where the runtime has none. */
  readonly storage?: string;
}

/** One behaviour. */
export type SqliteCase = (context: SqliteContext) => Promise<void>;

type Open = (vid?: string, options?: OpenDatabaseOptions) => Promise<Database>;

/** Lets `use` open databases, and closes them however that ends. */
function withDatabases(
  use: (open: Open, context: SqliteContext) => Promise<void>,
): SqliteCase {
  return async (context) => {
    const { openDatabase, url, token, engine } = context;
    const opened: Database[] = [];
    try {
      await use(async (vid, options) => {
        const db = await openDatabase(url, vid, { token, engine, ...options });
        opened.push(db);
        return db;
      }, context);
    } finally {
      for (const db of opened) await db.close();
    }
  };
}

/** A network that can be cut. */
class Link {
  isUp = true;

  readonly fetch = (input: string, init?: object): Promise<Response> =>
    this.isUp ? fetch(input, init) : Promise.reject(new TypeError("The network is down"));
}

async function assertSound(db: Database): Promise<void> {
  assert.deepEqual(await db.values("pragma integrity_check"), [["ok"]]);
}

/** A table of so many rows, each some hundred bytes long. */
const fill = (rows: number) =>
  `create table t (id integer primary key, name text, filling blob);
   insert into t with recursive i(n) as (select 1 union all select n + 1 from i where n < ${rows})
     select n, 'name ' || (n * 7919 % ${rows}), zeroblob(300) from i;
   create index t_name on t (name);`;

/** What holds of every database. */
export const SQLITE_CASES: Readonly<Record<string, SqliteCase>> = {
  "tables are made, filled and read": withDatabases(async (open) => {
    const db = await open();
    await db.script("create table t (id integer primary key, name text unique)");
    const result = await db.execute("insert into t (name) values (?), (?)", ["a", "b"]);
    assert.deepEqual(result, { rowsAffected: 2, lastInsertRowid: 2n });
    assert.deepEqual(await db.query("select * from t where id < :most", { most: 2 }), [
      { id: 1, name: "a" },
    ]);
    assert.deepEqual(await db.values("select name, id from t order by id desc"), [
      ["b", 2],
      ["a", 1],
    ]);
    assert.equal(await db.first("select * from t where id = 3"), undefined);
    await assertSound(db);
  }),

  "every kind of value comes back as it was": withDatabases(async (open) => {
    const db = await open();
    await db.script("create table t (value)");
    const bytes = Uint8Array.from({ length: 10_000 }, (_, i) => i % 251);
    const values = [0, -1.5, 2 ** 53 - 1, 2n ** 63n - 1n, -(2n ** 63n), "żółw 🐢", "", bytes, null];
    for (const value of values) await db.execute("insert into t values (?)", [value]);
    const rows = await db.values("select value from t order by rowid");
    assert.deepEqual(rows.map(([value]) => value), values);
    assert.deepEqual(await db.values("select ?, typeof(?)", [true, 7n]), [[1, "integer"]]);
  }),

  "full text is found": withDatabases(async (open) => {
    const db = await open();
    await db.script(`create virtual table notes using fts5 (title, body, prefix = '2 3');
      insert into notes values ('Turtles', 'A turtle carries its house'),
        ('Hares', 'A hare runs faster than a turtle'), ('Foxes', 'A fox does neither')`);
    const found = await db.values(
      "select title, snippet(notes, 1, '[', ']', '', 3) from notes where notes match ? order by rank",
      ["turt* NOT fox"],
    );
    assert.deepEqual(found.map(([title]) => title).sort(), ["Hares", "Turtles"]);
    assert.ok(found.every(([, snippet]) => String(snippet).includes("[turtle]")));
    await db.execute("delete from notes where title = 'Hares'");
    assert.deepEqual(await db.values("select count(*) from notes where notes match 'turtle'"), [
      [1],
    ]);
    await assertSound(db);
  }),

  "an index leads to its rows": withDatabases(async (open) => {
    const db = await open();
    await db.script(fill(3_000));
    const range = "select id from t where name >= 'name 20' and name < 'name 21' order by name";
    const [[, , , plan]] = await db.values(`explain query plan ${range}`);
    assert.ok(String(plan).includes("t_name"), String(plan));
    const all = await db.values("select id, name from t");
    const expected = all.filter(([, name]) => String(name).startsWith("name 20"));
    assert.equal((await db.values(range)).length, expected.length);
    assert.ok(expected.length > 100);
  }),

  "what fails is rolled back, to a savepoint or to the beginning": withDatabases(async (open) => {
    const db = await open();
    await db.script("create table t (id integer primary key)");
    await db.transaction(async (tx) => {
      await tx.execute("insert into t values (1)");
      const inner = tx.transaction(async (nested) => {
        await nested.execute("insert into t values (2)");
        await nested.execute("insert into t values (1)");
      });
      await assert.rejects(inner, { resultName: "SQLITE_CONSTRAINT_PRIMARYKEY" });
      await tx.execute("insert into t values (3)");
    });
    const failing = db.transaction(async (tx) => {
      await tx.execute("delete from t");
      throw new Error("changed my mind");
    });
    await assert.rejects(failing, { message: "changed my mind" });
    assert.deepEqual(await db.values("select id from t"), [[1], [3]]);
  }),

  "a transaction may be larger than the cache": withDatabases(async (open) => {
    const db = await open(undefined, { setup: ["pragma cache_size = 10"] });
    await db.script(fill(100));
    const failing = db.transaction(async (tx) => {
      await tx.execute("update t set filling = zeroblob(20000)");
      assert.deepEqual(await tx.values("select sum(length(filling)) from t"), [[2_000_000]]);
      throw new Error("too much");
    });
    await assert.rejects(failing, { message: "too much" });
    assert.deepEqual(await db.values("select sum(length(filling)) from t"), [[30_000]]);
    await db.transaction((tx) => tx.script("update t set filling = zeroblob(20000), name = id"));
    await db.sync();
    const other = await open(db.vid);
    assert.deepEqual(await other.values("select sum(length(filling)), count(name) from t"), [
      [2_000_000, 100],
    ]);
    await assertSound(other);
  }),

  "rows come one by one, all of one snapshot": withDatabases(async (open) => {
    const db = await open();
    await db.script(fill(1_000));
    let rows = 0;
    for await (const { id } of db.iterate<{ id: number }>("select id from t order by id")) {
      assert.equal(id, ++rows);
      if (rows === 2) await db.execute("delete from t where id > 500");
      if (rows === 900) break;
    }
    assert.equal(rows, 900);
    assert.deepEqual(await db.values("select count(*) from t"), [[500]]);
  }),

  "a watched query runs again when what it read has changed": withDatabases(async (open) => {
    const db = await open();
    await db.script("create table t (n); create table other (n); insert into t values (1)");
    await db.sync();
    const elsewhere = await open(db.vid);
    const rows = elsewhere.watch("select n from t");
    assert.deepEqual((await rows.next()).value, [{ n: 1 }]);
    const next = rows.next();
    await db.execute("insert into other values (1)");
    await db.execute("update t set n = 2");
    await db.sync();
    assert.deepEqual((await next).value, [{ n: 2 }]);
    await rows.return?.();
  }),

  "two clients take turns to write": withDatabases(async (open) => {
    const one = await open();
    await one.script(fill(500));
    await one.sync();
    const two = await open(one.vid);
    for (let turn = 0; turn < 3; turn++) {
      const [writer, reader] = turn % 2 === 0 ? [two, one] : [one, two];
      await writer.execute("update t set name = ? where id % 100 = ?", [`turn ${turn}`, turn]);
      await writer.sync();
      await reader.sync();
      const counted = "select count(*) from t where name = ?";
      assert.deepEqual(await reader.values(counted, [`turn ${turn}`]), [[5]]);
    }
    for (const each of [one, two]) await assertSound(each);
  }),

  "what is committed without a network is pushed when it is back": withDatabases(async (open) => {
    const link = new Link();
    const db = await open(undefined, { fetch: link.fetch });
    await db.script(fill(200));
    await db.sync();
    link.isUp = false;
    await db.execute("delete from t where id > 100");
    await db.execute("insert into t (name) values ('offline')");
    assert.deepEqual(await db.values("select count(*) from t"), [[101]]);
    await assert.rejects(db.sync(), { code: "unavailable" });
    const other = await open(db.vid);
    assert.deepEqual(await other.values("select count(*) from t"), [[200]]);
    link.isUp = true;
    await db.sync();
    await other.sync();
    assert.deepEqual(await other.values("select count(*) from t"), [[101]]);
    await assertSound(other);
  }),

  "a page that cannot be fetched fails the query, and nothing else": withDatabases(async (open) => {
    const origin = await open();
    await origin.script(fill(2_000));
    await origin.sync();
    const link = new Link();
    // how long to try is up to the caller
    const db = await open(origin.vid, { fetch: link.fetch, deadlineMs: 2_500 });
    assert.deepEqual(await db.values("select name from t where id = 1"), [["name 1919"]]);
    link.isUp = false;
    const sum = "select sum(length(filling)) from t";
    await assert.rejects(db.values(sum), { code: "unavailable" });
    await assert.rejects(db.execute("update t set name = 'x'"), { code: "unavailable" });
    link.isUp = true;
    assert.deepEqual(await db.values(sum), [[600_000]]);
    assert.deepEqual(await db.values("select count(*) from t where name = 'x'"), [[0]]);
    await assertSound(db);
  }),

  "what lost against others runs again on what they made": withDatabases(async (open) => {
    const db = await open();
    await db.script("create table t (id integer primary key, n); insert into t values (1, 0)");
    await db.sync();
    const link = new Link();
    const late = await open(db.vid, { fetch: link.fetch });
    assert.deepEqual(await late.values("select n from t"), [[0]]);
    link.isUp = false;
    await late.transaction((tx) =>
      tx.script("update t set n = n * 2 + 1; insert into t values (2, 2)")
    );
    await db.execute("update t set n = 10");
    await db.sync();
    link.isUp = true;
    await late.sync();
    await db.sync();
    assert.deepEqual(await db.values("select n from t order by id"), [[21], [2]]);
    await assertSound(db);
  }),

  "VACUUM gives room back": withDatabases(async (open) => {
    const db = await open();
    await db.script(fill(2_000));
    const pages = async () => Number((await db.values("pragma page_count"))[0][0]);
    const before = await pages();
    await db.execute("delete from t where id > 10");
    await db.script("vacuum", { isAtomic: false });
    assert.ok(await pages() < before / 10);
    await db.sync();
    const other = await open(db.vid);
    assert.deepEqual(await other.values("select count(*), max(id) from t"), [[10, 10]]);
    await assertSound(other);
  }),

  "what is wrong is said": withDatabases(async (open) => {
    const db = await open();
    await db.script("create table t (a not null)");
    const wrong = (sql: string, expected: Record<string, unknown>) =>
      assert.rejects(db.query(sql), expected);
    await wrong("selec 1", { code: "invalid", resultName: "SQLITE_ERROR", offset: 0 });
    await wrong("select * from nowhere", { code: "invalid" });
    await wrong("insert into t values (null)", { resultName: "SQLITE_CONSTRAINT_NOTNULL" });
    await wrong("select ?", { code: "invalid" });
    await assert.rejects(db.script("attach 'x' as y", { isAtomic: false }), { code: "invalid" });
    assert.deepEqual(await db.query("select * from t"), []);
  }),

  "the past is there to be read": withDatabases(async (open) => {
    const db = await open();
    await db.script("create table t (n); insert into t values (1)");
    await db.sync();
    const { lsn } = db.status();
    await db.execute("update t set n = 2");
    await db.sync();
    const past = await open(db.vid, { at: lsn });
    assert.deepEqual(await past.values("select n from t"), [[1]]);
    await assert.rejects(past.execute("delete from t"), { resultName: "SQLITE_READONLY" });
  }),

  "others have their turn while statements run": withDatabases(async (open) => {
    const db = await open();
    await db.script(fill(10));
    let hasFired = false;
    setTimeout(() => hasFired = true, 1);
    // some seconds of work, where nobody else gets a turn
    for (let i = 0; i < 50_000 && !hasFired; i++) await db.query("select id from t where id = 1");
    assert.ok(hasFired, "no timer has fired");
  }),
};

/** What holds where the runtime can keep a database. */
export const KEPT_CASES: Readonly<Record<string, SqliteCase>> = {
  "a database that was closed is there again, without a network too": withDatabases(
    async (open, { storage }) => {
      const link = new Link();
      const before = await open(undefined, { storage });
      await before.script(fill(300));
      await before.sync();
      await before.execute("insert into t (name) values ('not pushed')");
      const { vid } = before;
      await before.close();
      link.isUp = false;
      const offline = await open(vid, { storage, fetch: link.fetch });
      assert.deepEqual(await offline.values("select count(*) from t"), [[301]]);
      await offline.execute("delete from t where id <= 200");
      await assertSound(offline);
      await offline.close();
      const after = await open(vid, { storage });
      await after.sync();
      const other = await open(vid);
      assert.deepEqual(await other.values("select count(*), max(name) from t"), [
        [101, "not pushed"],
      ]);
      await assertSound(other);
    },
  ),
};
