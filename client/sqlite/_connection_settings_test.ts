import assert from "node:assert/strict";
import { withServer } from "./_testing.ts";
import type { Database } from "./database.ts";

/** What a pragma says on several connections at a time. */
async function onEach(db: Database, pragma: string): Promise<unknown[]> {
  const held = [];
  for (let i = 0; i < 3; i++) {
    const rows = db.iterate("select 1 from (select 1 union select 2)");
    await rows.next();
    held.push(rows);
  }
  const [[last]] = await db.values(`pragma ${pragma}`);
  const values = [last];
  for (const rows of held) {
    await rows.return(undefined);
    values.push((await db.values(`pragma ${pragma}`))[0][0]);
  }
  return values;
}

Deno.test("what is set outside of transactions holds for all connections", () =>
  withServer(async (open) => {
    const db = await open();
    await db.script(
      "create table a (id integer primary key); create table b (a int references a (id))",
    );
    assert.deepEqual(await onEach(db, "foreign_keys"), [1, 1, 1, 1]);
    await db.execute("pragma foreign_keys = off");
    assert.deepEqual(await onEach(db, "foreign_keys"), [0, 0, 0, 0]);
    await db.transaction((tx) => tx.execute("insert into b values (7)"));
    for await (const _ of db.iterate("pragma Recursive_Triggers(on)"));
    await db.script("begin; pragma foreign_keys = on; commit", { isAtomic: false });
    assert.deepEqual(await onEach(db, "foreign_keys"), [0, 0, 0, 0], "SQLite passes over it");
    await db.script("pragma foreign_keys = on; select 1", { isAtomic: false });
    assert.deepEqual(await onEach(db, "foreign_keys"), [1, 1, 1, 1]);
    assert.deepEqual(await onEach(db, "recursive_triggers"), [1, 1, 1, 1]);
    await assert.rejects(db.execute("insert into b values (8)"), {
      resultName: "SQLITE_CONSTRAINT_FOREIGNKEY",
    });
  }));

Deno.test("what is set holds for what runs again after others", () =>
  withServer(async (open) => {
    const db = await open();
    await db.script(
      "create table a (id integer primary key); create table b (a int references a (id))",
    );
    await db.sync();
    let isAway = false;
    const other = await open(db.vid, {
      fetch: (input, init) => isAway ? Promise.reject(new TypeError("away")) : fetch(input, init),
    });
    for (const table of ["a", "b"]) await other.query(`select * from ${table}`);
    await other.execute("pragma foreign_keys = off");
    isAway = true;
    await other.execute("insert into b values (7)");
    await db.execute("insert into a values (1)");
    await db.sync();
    isAway = false;
    await other.sync();
    await db.sync();
    assert.deepEqual(await db.values("select * from b"), [[7]]);
  }));

Deno.test("a setting has no place within a transaction, nor has what keeps readers from writing", () =>
  withServer(async (open) => {
    const db = await open();
    await db.transaction(async (tx) => {
      const failing = tx.execute("pragma foreign_keys = off");
      await assert.rejects(failing, { code: "invalid", hint: /outside.*setup/ });
      assert.deepEqual(await tx.values("pragma foreign_keys"), [[1]]);
      await tx.execute("pragma defer_foreign_keys = on");
      await tx.execute("pragma user_version = 3");
    });
    const refusal = { code: "invalid", message: /"query_only"/, hint: /readOnly: true/ };
    await assert.rejects(db.execute("pragma query_only = on"), refusal);
    await assert.rejects(db.query("pragma temp.query_only(1)"), refusal);
    await assert.rejects(db.query("explain pragma query_only = on"), refusal);
    await assert.rejects(db.script("pragma query_only = 1", { isAtomic: false }), refusal);
    await assert.rejects(db.iterate("pragma query_only = 1").next(), refusal);
    await assert.rejects(db.watch("pragma query_only = 1").next(), refusal);
    await db.execute("create table t (a)");
    assert.deepEqual(await db.values("pragma user_version"), [[3]]);
  }));

Deno.test("a setting that is refused does not hold, though it was prepared", () =>
  withServer(async (open) => {
    const db = await open(undefined, { connectionsMax: 1 });
    const keys = () => db.values("pragma foreign_keys");
    await assert.rejects(db.execute("pragma foreign_keys = off; select 1"), { code: "invalid" });
    assert.deepEqual(await keys(), [[1]]);
    await assert.rejects(db.execute("pragma foreign_keys = off", [1]), { code: "invalid" });
    assert.deepEqual(await keys(), [[1]]);
    await assert.rejects(db.query("pragma foreign_keys = off", [1]), { code: "invalid" });
    assert.deepEqual(await keys(), [[1]]);
    await db.query("pragma foreign_keys = off");
    assert.deepEqual(await keys(), [[0]]);
  }));

Deno.test("settings hold on, though the engine broke down", () =>
  withServer(async (open) => {
    const db = await open(undefined, { connectionsMax: 1 });
    await db.execute("pragma foreign_keys = off");
    await db.execute("pragma case_sensitive_like = on");
    const deep = `select ${"1+".repeat(200_000)}1`;
    await assert.rejects(db.query(deep), { code: "internal" });
    assert.deepEqual(await db.values("pragma foreign_keys"), [[0]]);
    assert.deepEqual(await db.values("select 'A' like 'a'"), [[0]]);
  }));
