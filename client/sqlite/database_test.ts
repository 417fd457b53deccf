import assert from "node:assert/strict";
import { withServer } from "./_testing.ts";
import type { OpenDatabaseOptions } from "./open_database.ts";

/** An answer that never comes. */
function never(signal?: AbortSignal | null): Promise<Response> {
  return new Promise((_, reject) => signal?.addEventListener("abort", () => reject(signal.reason)));
}

Deno.test("rows come as objects, as lists, one by one, or the first", () =>
  withServer(async (open) => {
    const db = await open();
    await db.script("create table t (id integer primary key, name text); -- and nothing else");
    const { rowsAffected, lastInsertRowid } = await db.execute(
      "insert into t (name) values (?), (?), (?)",
      ["a", "b", "c"],
    );
    assert.deepEqual([rowsAffected, lastInsertRowid], [3, 3n]);
    assert.deepEqual(await db.query("select * from t where id < $max", { max: 3 }), [
      { id: 1, name: "a" },
      { id: 2, name: "b" },
    ]);
    assert.deepEqual(await db.values("select name, id from t where id = ?", [3]), [["c", 3]]);
    assert.deepEqual(await db.first("select max(id) as last from t"), { last: 3 });
    const join = "select a.id, b.id from t a, t b where a.id = ? and b.id = 2";
    assert.deepEqual(await db.table(join, [1]), {
      columns: ["id", "id"],
      rows: [[1, 2]],
      rowsAffected: 0,
    });
    const update = "update t set name = name where id < 3";
    assert.deepEqual(await db.table(update), { columns: [], rows: [], rowsAffected: 2 });
    assert.equal(await db.first("select * from t where id = 9"), undefined);
    const names: string[] = [];
    for await (const { name } of db.iterate<{ name: string }>("select name from t order by id")) {
      names.push(name);
      if (name === "b") break;
    }
    assert.deepEqual(names, ["a", "b"]);
    assert.deepEqual(await db.query("delete from t where id > 1 returning id"), [
      { id: 2 },
      { id: 3 },
    ]);
    assert.equal((await db.execute("update t set name = 'x' where id = 9")).rowsAffected, 0);
  }));

Deno.test("a transaction takes effect as a whole, or not at all", () =>
  withServer(async (open) => {
    const db = await open();
    await db.script("create table t (id integer primary key)");
    const inserted = await db.transaction(async (tx) => {
      await tx.execute("insert into t values (1)");
      // nobody else sees it yet
      assert.deepEqual(await db.values("select count(*) from t"), [[0]]);
      assert.deepEqual(await tx.values("select count(*) from t"), [[1]]);
      return "done";
    });
    assert.equal(inserted, "done");
    const failing = db.transaction(async (tx) => {
      await tx.execute("insert into t values (2)");
      throw new Error("changed my mind");
    });
    await assert.rejects(failing, /changed my mind/);
    await db.transaction(async (tx) => {
      await tx.execute("insert into t values (3)");
      const inner = tx.transaction(async (nested) => {
        await nested.execute("insert into t values (4)");
        await nested.execute("insert into t values (3)");
      });
      await assert.rejects(inner, { resultName: "SQLITE_CONSTRAINT_PRIMARYKEY" });
    });
    assert.deepEqual(await db.values("select id from t"), [[1], [3]]);
  }));

Deno.test("transactions that write take turns", () =>
  withServer(async (open) => {
    const db = await open(undefined, { busyMs: 60_000 });
    await db.script("create table t (n int); insert into t values (0)");
    const add = () =>
      db.transaction(async (tx) => {
        const [[n]] = await tx.values("select n from t");
        await tx.execute("update t set n = ?", [Number(n) + 1]);
      });
    await Promise.all(Array.from({ length: 20 }, add));
    assert.deepEqual(await db.values("select n from t"), [[20]]);
  }));

Deno.test("who reads waits for nobody, and who writes not for ever", () =>
  withServer(async (open) => {
    const db = await open(undefined, { busyMs: 50 });
    await db.script("create table t (n int); insert into t values (20)");
    await db.transaction(async (tx) => {
      await tx.execute("update t set n = 0");
      await db.transaction(async (reader) => {
        assert.deepEqual(await reader.values("select n from t"), [[20]]);
      }, { readOnly: true });
      await assert.rejects(db.execute("update t set n = 7"), { code: "conflict" });
    });
    const writing = db.transaction((tx) => tx.execute("delete from t"), { readOnly: true });
    await assert.rejects(writing, { code: "forbidden", resultName: "SQLITE_READONLY" });
    const open_ = await db.begin({ readOnly: true });
    await assert.rejects(open_.tx.execute("delete from t"), { code: "forbidden" });
    await open_.rollback();
    await db.execute("update t set n = 0");
    assert.deepEqual(await db.values("select n from t"), [[0]]);
  }));

Deno.test("what is wrong with a statement is said, and nothing is left behind", () =>
  withServer(async (open) => {
    const db = await open();
    await db.script("create table t (id integer primary key, a text not null)");
    const fails = (sql: string, parameters: [] | [unknown], expected: object) =>
      assert.rejects(db.query(sql, parameters as []), expected);
    await fails("selec 1", [], { code: "invalid", resultName: "SQLITE_ERROR", offset: 0 });
    await fails("select * from nowhere", [], {
      code: "invalid",
      message: /no such table: nowhere/,
    });
    await fails("insert into t (a) values (null) returning a", [], {
      resultName: "SQLITE_CONSTRAINT_NOTNULL",
    });
    await fails("select ?", [], { message: /takes 1 parameters, not 0/ });
    await fails("select ?", [undefined], { message: /type undefined: SQLite has no type for it/ });
    await fails("select ?", [new Date()], { message: /a Date: SQLite has no type for it/ });
    await fails("select 1; select 2", [], { message: /several statements/ });
    await fails(" -- nothing", [], { message: /holds none/ });
    await assert.rejects(db.query("select :a", { b: 1 }), {
      message: /no value is given for ":a"/,
    });
    await assert.rejects(db.query("select :a", { a: 1, b: 1 }), { message: /no parameter "b"/ });
    await assert.rejects(db.execute("begin"), { message: /Cannot leave a transaction open/ });
    await assert.rejects(db.iterate("delete from t").next(), { code: "invalid" });
    await db.execute("insert into t (a) values ('b')");
    assert.equal((await db.query("select * from t")).length, 1);
  }));

Deno.test("what one commits another reads, and hears of", () =>
  withServer(async (open) => {
    const db = await open();
    await db.script("create table a (x); create table b (x); insert into a values (1)");
    await db.sync();
    const other = await open(db.vid);
    const rows = other.watch("select x from a");
    assert.deepEqual((await rows.next()).value, [{ x: 1 }]);
    const next = rows.next();
    // touches no page that the query reads
    await db.execute("insert into b values (1)");
    await db.sync();
    await other.sync();
    await db.execute("insert into a values (2)");
    assert.deepEqual((await next).value, [{ x: 1 }, { x: 2 }]);
    await rows.return?.();
    await other.execute("insert into a values (3)");
    await other.sync();
    await db.sync();
    assert.deepEqual(await db.values("select x from a"), [[1], [2], [3]]);
    assert.deepEqual(await db.values("pragma integrity_check"), [["ok"]]);
  }));

Deno.test("a transaction on a snapshot that became stale runs again", () =>
  withServer(async (open) => {
    const db = await open();
    await db.script("create table t (n int); insert into t values (0)");
    await db.sync();
    const other = await open(db.vid);
    let runs = 0;
    await db.transaction(async (tx) => {
      runs++;
      const [[n]] = await tx.values("select n from t");
      if (runs === 1) {
        const changes = db.replica.changes();
        await other.execute("update t set n = 10");
        await other.sync();
        assert.equal((await changes.next()).value?.fromServer, true);
      }
      await tx.execute("update t set n = ?", [Number(n) + 1]);
    });
    assert.equal(runs, 2);
    assert.deepEqual(await db.values("select n from t"), [[11]]);
  }));

Deno.test("what lost against others runs again on what they made, as a whole or not at all", () =>
  withServer(async (open) => {
    const db = await open();
    await db.script("create table t (id integer primary key, n int); insert into t values (1, 0)");
    await db.sync();
    const [one, two] = [await open(db.vid), await open(db.vid, { onConflict: "wait" })];
    for (const other of [one, two]) await other.query("select * from t");
    await Promise.all([
      one.execute("update t set n = n + 1"),
      two.execute("update t set n = n + 10"),
      db.execute("update t set n = n + 100"),
    ]);
    await db.transaction((tx) => tx.script("insert into t values (2, 2); update t set n = n * 2"));
    await Promise.all([one.sync(), db.sync()]);
    // whoever wants to decide for itself has to
    const waits = await two.sync().then(() => false, () => two.status().state === "conflict");
    if (waits) await two.replica.replay();
    for (const each of [two, db, one]) await each.sync();
    const [[n]] = await db.values("select n from t where id = 1");
    // 100 is doubled, and the others where they came before that
    assert.ok([211, 212, 220, 221, 222].includes(Number(n)), `${n}`);
    assert.deepEqual(await one.values("select * from t"), await two.values("select * from t"));
  }));

Deno.test("what cannot run again stays, for the user to decide", () =>
  withServer(async (open) => {
    const db = await open();
    await db.script("create table t (id integer primary key)");
    await db.sync();
    const other = await open(db.vid);
    await other.query("select * from t");
    await db.execute("insert into t values (1)");
    await other.execute("insert into t values (1)");
    await db.sync().catch(() => {});
    await other.sync().catch(() => {});
    const [winner, loser] = db.status().state === "synced" ? [db, other] : [other, db];
    assert.equal(winner.status().state, "synced");
    assert.equal(loser.status().state, "conflict");
    assert.deepEqual(await loser.values("select * from t"), [[1]]);
    await loser.replica.reset();
    await loser.sync();
    assert.deepEqual(await loser.values("pragma integrity_check"), [["ok"]]);
  }));

Deno.test("what runs again has the parameters that it was given", () =>
  withServer(async (open) => {
    const db = await open();
    await db.script("create table t (name text, data blob)");
    await db.sync();
    const other = await open(db.vid);
    await other.query("select * from t");
    const bytes = Uint8Array.of(1);
    const parameters = ["first", bytes];
    const insert = "insert into t values (?, ?)";
    await db.execute("insert into t values ('theirs', null)");
    await db.sync();
    const first = other.execute(insert, parameters);
    parameters[0] = "second";
    bytes[0] = 2;
    await first;
    await other.execute(insert, parameters);
    bytes[0] = 3;
    await other.sync();
    assert.deepEqual(await other.values("select name, hex(data) from t order by name"), [
      ["first", "01"],
      ["second", "02"],
      ["theirs", ""],
    ]);
  }));

Deno.test("what only reads cannot write, nor leave a transaction open", () =>
  withServer(async (open) => {
    const db = await open(undefined, { busyMs: 200 });
    await db.script("create table t (id integer primary key)");
    const watching = db.watch("insert into t values (null) returning id");
    await assert.rejects(watching.next(), { code: "invalid", message: /Cannot watch/ });
    for await (const _ of db.iterate("begin"));
    await db.execute("insert into t values (1)");
    await assert.rejects(db.watch("begin immediate").next(), { code: "invalid" });
    await db.execute("insert into t values (2)");
    const sneaky = db.transaction(async (tx) => {
      const failing = tx.execute("pragma /* ! */ temp.query_only = off");
      await assert.rejects(failing, { code: "invalid", message: /"query_only"/ });
      await tx.execute("insert into t values (3)");
    }, { readOnly: true });
    await assert.rejects(sneaky, { code: "forbidden", resultName: "SQLITE_READONLY" });
    assert.deepEqual(await db.values("select id from t"), [[1], [2]]);
  }));

Deno.test("transactions nested at once come one after the other, each as a whole", () =>
  withServer(async (open) => {
    const db = await open();
    await db.script("create table t (id integer primary key)");
    await db.transaction(async (tx) => {
      const ends = await Promise.allSettled([
        tx.transaction(async (nested) => {
          await nested.execute("insert into t values (1)");
          await assert.rejects(tx.execute("insert into t values (9)"), { code: "invalid" });
        }),
        tx.transaction(async (nested) => {
          await nested.execute("insert into t values (2)");
          throw new Error("changed my mind");
        }),
        tx.transaction((nested) =>
          nested.transaction((inner) => inner.execute("insert into t values (3)"))
        ),
      ]);
      assert.deepEqual(ends.map(({ status }) => status), ["fulfilled", "rejected", "fulfilled"]);
    });
    assert.deepEqual(await db.values("select id from t"), [[1], [3]]);
  }));

Deno.test("a transaction that its user ends, ends once", () =>
  withServer(async (open) => {
    const db = await open();
    await db.script("create table t (id integer primary key)");
    const mine = await db.begin();
    await mine.tx.execute("insert into t values (1)");
    await mine.commit();
    await assert.rejects(mine.rollback(), { code: "invalid" });
    {
      await using forgotten = await db.begin();
      await forgotten.tx.execute("insert into t values (2)");
    }
    assert.deepEqual(await db.values("select id from t"), [[1]]);
  }));

Deno.test("a database is closed though somebody still iterates", () =>
  withServer(async (open) => {
    const db = await open(undefined, { busyMs: 50 });
    await db.script("create table t (id integer primary key); insert into t values (1), (2)");
    const rows = db.iterate("select * from t");
    await rows.next();
    await db.close();
    assert.throws(() => db.replica.snapshot(), { code: "aborted" });
    await assert.rejects(db.query("select 1"), { code: "aborted" });
  }));

Deno.test("an option that nobody knows is refused", () =>
  withServer(async (open) => {
    const typo = { storge: "sqlite:x.db" } as OpenDatabaseOptions;
    await assert.rejects(open(undefined, typo), { code: "invalid", message: /option "storge"/ });
  }));

Deno.test("a query that waits for pages ends with its signal", () =>
  withServer(async (open) => {
    const db = await open();
    await db.script("create table t (n int); insert into t values (1)");
    await db.sync();
    let isHeld = false;
    const slow = await open(db.vid, {
      fetch: (input, init) =>
        isHeld && String(input).includes("/pages") ? never(init?.signal) : fetch(input, init),
    });
    await slow.query("select 1 from sqlite_schema");
    isHeld = true;
    const controller = new AbortController();
    const failing = slow.query("select * from t", [], { signal: controller.signal });
    controller.abort();
    await assert.rejects(failing, { code: "aborted" });
    isHeld = false;
    const aborted = { signal: AbortSignal.abort() };
    await assert.rejects(db.query("select 1", [], aborted), { code: "aborted" });
    assert.deepEqual(await db.values("select n from t"), [[1]]);
  }));

Deno.test("a database is opened as it was, and takes no writes", () =>
  withServer(async (open) => {
    const db = await open();
    await db.script("create table t (n int); insert into t values (1)");
    await db.sync();
    const { lsn } = db.status();
    await db.execute("update t set n = 2");
    await db.sync();
    const past = await open(db.vid, { at: lsn });
    assert.deepEqual(await past.values("select n from t"), [[1]]);
    await assert.rejects(past.execute("update t set n = 3"), {
      code: "forbidden",
      resultName: "SQLITE_READONLY",
    });
  }));

Deno.test("an empty database is watched, too", () =>
  withServer(async (open) => {
    const db = await open();
    const counts = db.watch("select count(*) as tables from sqlite_schema");
    assert.deepEqual((await counts.next()).value, [{ tables: 0 }]);
    await db.execute("create table t (a)");
    assert.deepEqual((await counts.next()).value, [{ tables: 1 }]);
    await counts.return?.();
  }));

Deno.test("who waits for a connection that does not come gives up with a signal", () =>
  withServer(async (open) => {
    const first = await open();
    await first.execute("create table t (a)");
    await first.sync();
    let isAway = true;
    const db = await open(first.vid, {
      connectionsMax: 1,
      fetch: (url, init) =>
        isAway && String(url).includes("/pages") ? never(init?.signal) : fetch(url, init),
    });
    for (const sql of ["select * from t", "insert into t values (1) returning a"]) {
      const end = new AbortController();
      const query = db.query(sql, [], { signal: end.signal });
      setTimeout(() => end.abort(), 20);
      await assert.rejects(query, { code: "aborted" });
    }
    isAway = false;
    assert.deepEqual(await first.values("select * from t"), []);
  }));
