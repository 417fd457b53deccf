import assert from "node:assert/strict";
import { type Generated, Kysely, sql } from "kysely";
import type { Database } from "../database.ts";
import { withDatabases } from "./_testing.ts";
import { GraftDialect } from "./kysely.ts";

interface Tables {
  posts: { id: Generated<number>; title: string; stars: number };
}

const SETUP = "create table posts (id integer primary key, title text not null, stars integer)";

function withKysely(run: (db: Kysely<Tables>, database: Database) => Promise<void>) {
  return withDatabases(SETUP, async (database) => {
    const kysely = new Kysely<Tables>({ dialect: new GraftDialect(database) });
    await run(kysely, database);
    await kysely.destroy();
    assert.deepEqual(await database.values("select 1"), [[1]]);
  });
}

Deno.test("kysely: queries tell rows, ids and counts", () =>
  withKysely(async (db) => {
    const inserted = await db.insertInto("posts").values({ title: "a", stars: 1 })
      .executeTakeFirstOrThrow();
    assert.deepEqual([inserted.insertId, inserted.numInsertedOrUpdatedRows], [1n, 1n]);
    const returned = await db.insertInto("posts").values({ title: "b", stars: 2 }).returning("id")
      .execute();
    assert.deepEqual(returned, [{ id: 2 }]);
    const updated = await db.updateTable("posts").set({ stars: 5 }).where("stars", ">", 0)
      .executeTakeFirstOrThrow();
    assert.equal(updated.numUpdatedRows, 2n);
    const streamed: string[] = [];
    for await (const { title } of db.selectFrom("posts").selectAll().orderBy("id").stream()) {
      streamed.push(title);
    }
    assert.deepEqual(streamed, ["a", "b"]);
    const { rows } = await sql<{ n: number }>`select count(*) as n from posts`.execute(db);
    assert.deepEqual(rows, [{ n: 2 }]);
    const [table] = await db.introspection.getTables();
    assert.deepEqual(table.columns.map(({ name }) => name), ["id", "title", "stars"]);
  }));

Deno.test("kysely: a transaction has a connection of its own, and savepoints", () =>
  withKysely(async (db) => {
    const count = async (from: Kysely<Tables>) =>
      (await from.selectFrom("posts").selectAll().execute()).length;
    await db.transaction().execute(async (tx) => {
      await tx.insertInto("posts").values({ title: "a", stars: 1 }).execute();
      assert.deepEqual([await count(db), await count(tx)], [0, 1]);
    });
    const failing = db.transaction().execute(async (tx) => {
      await tx.insertInto("posts").values({ title: "b", stars: 1 }).execute();
      throw new Error("changed my mind");
    });
    await assert.rejects(failing, /changed my mind/);
    assert.equal(await count(db), 1);
    const tx = await db.startTransaction().execute();
    await tx.insertInto("posts").values({ title: "c", stars: 1 }).execute();
    const inner = await tx.savepoint('odd "name"').execute();
    await inner.insertInto("posts").values({ title: "d", stars: 1 }).execute();
    await (await inner.rollbackToSavepoint('odd "name"').execute()).commit().execute();
    assert.equal(await count(db), 2);
  }));

Deno.test("kysely: transactions at once come one after the other", () =>
  withKysely(async (db) => {
    await db.insertInto("posts").values({ title: "a", stars: 0 }).execute();
    await Promise.all(Array.from({ length: 10 }, () =>
      db.transaction().execute(async (tx) => {
        const { stars } = await tx.selectFrom("posts").select("stars").executeTakeFirstOrThrow();
        await tx.updateTable("posts").set({ stars: stars + 1 }).execute();
      })));
    const { stars } = await db.selectFrom("posts").select("stars").executeTakeFirstOrThrow();
    assert.equal(stars, 10);
  }));

Deno.test("kysely: what lost against others is told so, and can be repeated", () =>
  withDatabases(SETUP, async (database, other) => {
    const db = new Kysely<Tables>({ dialect: new GraftDialect(database) });
    await database.values("select * from posts");
    const add = async (meanwhile: () => Promise<void>) => {
      await db.transaction().execute(async (tx) => {
        await tx.selectFrom("posts").selectAll().execute();
        await meanwhile();
        await tx.insertInto("posts").values({ title: "mine", stars: 1 }).execute();
      });
    };
    const lost = add(async () => {
      const changes = database.replica.changes();
      await other.execute("insert into posts (title) values ('theirs')");
      await other.sync();
      await changes.next();
    });
    await assert.rejects(lost, { code: "conflict" });
    await add(() => Promise.resolve());
    assert.deepEqual(await database.values("select title from posts"), [["theirs"], ["mine"]]);
  }));
