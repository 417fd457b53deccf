import assert from "node:assert/strict";
import { withServer } from "./_testing.ts";
import { SqliteError } from "./engine/sqlite_error.ts";

const TABLE = "create table t (id integer primary key)";

Deno.test("what begins or ends a transaction is refused within one, which goes on", () =>
  withServer(async (open) => {
    const db = await open();
    await db.script(TABLE);
    const refusal = { code: "invalid", message: /within one/, hint: /when its function returns/ };
    await db.transaction(async (tx) => {
      await tx.execute("insert into t values (1)");
      for (
        const sql of ["commit", " end;", "/* to */ rollback -- to", "begin", "BEGIN immediate"]
      ) {
        await assert.rejects(tx.execute(sql), refusal);
        await assert.rejects(tx.query(sql), refusal);
        await assert.rejects(tx.script(`insert into t values (null); ${sql}`), refusal);
        await assert.rejects(tx.transaction((nested) => nested.execute(sql)), refusal);
      }
      assert.deepEqual(await db.values("select * from t"), [], "nothing was committed");
    });
    assert.deepEqual(await db.values("select count(*) from t"), [[6]]);
    const mine = await db.begin();
    await assert.rejects(mine.tx.execute("commit"), refusal);
    await mine.rollback();
    await db.script("begin; insert into t values (100); commit", { isAtomic: false });
    await assert.rejects(db.execute("begin"), { code: "invalid", message: /leave a transaction/ });
    await assert.rejects(db.script("select 1; rollback", { isAtomic: false }), { code: "invalid" });
    assert.deepEqual(await db.values("select count(*) from t"), [[7]]);
  }));

Deno.test("savepoints of one's own stay within the transaction that they belong to", () =>
  withServer(async (open) => {
    const db = await open();
    await db.script(TABLE);
    const refusal = { code: "invalid", message: /savepoint/, hint: /tx\.transaction/ };
    await db.transaction(async (tx) => {
      await tx.script('savepoint a; insert into t values (1); savepoint "B"');
      await tx.script("insert into t values (2); rollback /* ! */ to b; release A");
      await assert.rejects(tx.execute("release b"), refusal, "it went with the one around it");
      await tx.execute("savepoint a");
      await tx.transaction(async (nested) => {
        await nested.execute("insert into t values (3)");
        for (const sql of ["rollback to a", "release graft_0", "savepoint graft_0"]) {
          await assert.rejects(nested.execute(sql), refusal);
        }
        await nested.execute("savepoint c");
      });
      await assert.rejects(tx.execute("rollback to c"), refusal);
      await tx.script("rollback to a; insert into t values (4)");
    });
    assert.deepEqual(await db.values("select id from t"), [[1], [4]]);
  }));

Deno.test("who swallows the failure that rolled everything back hears of it at the end", () =>
  withServer(async (open) => {
    const db = await open();
    await db.script(`${TABLE}; insert into t values (1)`);
    const isFirst = (error: unknown) => {
      const { code, message, cause } = error as SqliteError;
      assert.deepEqual([code, cause instanceof SqliteError && cause.resultName], [
        "invalid",
        "SQLITE_CONSTRAINT_PRIMARYKEY",
      ]);
      assert.match(message, /a failure has rolled it back$/);
      return true;
    };
    const failing = db.transaction(async (tx) => {
      await tx.execute("insert or rollback into t values (1)").catch(() => {});
      await assert.rejects(tx.execute("insert into t values (2)"), isFirst);
    });
    await assert.rejects(failing, isFirst);
    const nested = db.transaction((tx) =>
      tx.transaction(async (inner) => {
        await inner.execute("insert or rollback into t values (1)").catch(() => {});
      }).catch(() => {})
    );
    await assert.rejects(nested, isFirst);
    const mine = await db.begin();
    await mine.tx.execute("insert or rollback into t values (1)").catch(() => {});
    await assert.rejects(mine.commit(), isFirst);
    assert.deepEqual(await db.values("select id from t"), [[1]]);
  }));

Deno.test("what a transaction was asked for is part of it, though nobody waited for that", () =>
  withServer(async (open) => {
    const db = await open();
    await db.script(TABLE);
    await db.transaction((tx) => {
      for (let id = 1; id <= 5; id++) tx.execute("insert into t values (?)", [id]);
      tx.transaction((nested) => void nested.execute("insert into t values (6)"));
    });
    const mine = await db.begin();
    for (const id of [7, 8]) mine.tx.execute("insert into t values (?)", [id]);
    await mine.commit();
    assert.deepEqual(await db.values("select group_concat(id) from t"), [["1,2,3,4,5,6,7,8"]]);
  }));

Deno.test("a failure that nobody waited for is told; what waited behind a failure is not run", () =>
  withServer(async (open) => {
    const db = await open();
    await db.script(`${TABLE}; insert into t values (1)`);
    const unheard: unknown[] = [];
    const hear = (event: PromiseRejectionEvent) => {
      event.preventDefault();
      unheard.push((event.reason as SqliteError).resultName);
    };
    globalThis.addEventListener("unhandledrejection", hear);
    try {
      await db.transaction((tx) => {
        tx.execute("insert into t values (1)");
        tx.execute("insert into t values (2)");
      });
      const failing = db.transaction((tx) => {
        tx.execute("insert into t values (3)");
        throw new RangeError("no");
      });
      await assert.rejects(failing, RangeError);
      // such events come with a later turn
      await new Promise((resolve) => setTimeout(resolve, 1));
    } finally {
      globalThis.removeEventListener("unhandledrejection", hear);
    }
    assert.deepEqual(unheard, ["SQLITE_CONSTRAINT_PRIMARYKEY"]);
    assert.deepEqual(await db.values("select id from t"), [[1], [2]]);
  }));
