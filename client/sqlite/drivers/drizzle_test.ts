import assert from "node:assert/strict";
import { eq, relations, sql } from "drizzle-orm";
import { integer, sqliteTable, text } from "drizzle-orm/sqlite-core";
import { withDatabases } from "./_testing.ts";
import { drizzle } from "./drizzle.ts";

const authors = sqliteTable("authors", { id: integer().primaryKey(), name: text().notNull() });
const posts = sqliteTable("posts", {
  id: integer().primaryKey({ autoIncrement: true }),
  authorId: integer().references(() => authors.id),
  stars: integer().notNull().default(0),
});
const authorPosts = relations(authors, ({ many }) => ({ posts: many(posts) }));
const postAuthor = relations(posts, ({ one }) => ({
  author: one(authors, { fields: [posts.authorId], references: [authors.id] }),
}));

const SETUP = `create table authors (id integer primary key, name text not null);
  create table posts (id integer primary key autoincrement,
    authorId integer references authors (id), stars integer not null default 0)`;
const schema = { authors, posts, authorPosts, postAuthor };

Deno.test("drizzle: queries, relations, and the values that return", () =>
  withDatabases(SETUP, async (database) => {
    const queries: string[] = [];
    const db = drizzle(database, { schema, logger: { logQuery: (query) => queries.push(query) } });
    await db.insert(authors).values([{ name: "Ann" }, { name: "Bob" }]);
    const [{ id }] = await db.insert(posts).values({ authorId: 1 }).returning();
    assert.equal(id, 1);
    assert.deepEqual(await db.select().from(authors).where(eq(authors.id, 2)), [
      { id: 2, name: "Bob" },
    ]);
    assert.deepEqual(await db.select().from(authors).where(eq(authors.id, 2)).get(), {
      id: 2,
      name: "Bob",
    });
    assert.equal(await db.select().from(authors).where(eq(authors.id, 9)).get(), undefined);
    const found = await db.query.authors.findMany({ with: { posts: true } });
    assert.deepEqual(found.map(({ name, posts }) => [name, posts.length]), [["Ann", 1], [
      "Bob",
      0,
    ]]);
    assert.equal(await db.$count(posts), 1);
    const first = await db.query.posts.findFirst({ with: { author: true } });
    assert.equal(first?.author?.name, "Ann");
    assert.deepEqual(await db.values(sql`select count(*) from ${posts}`), [[1]]);
    const updated = await db.update(posts).set({ stars: 3 }).run();
    assert.equal((updated as { rowsAffected?: number }).rowsAffected, 1);
    const prepared = db.select().from(posts).where(eq(posts.id, sql.placeholder("id"))).prepare();
    assert.equal((await prepared.all({ id: 1 }))[0].stars, 3);
    assert.ok(queries.length > 8);
  }));

Deno.test("drizzle: transactions at once do not mix, and nest", () =>
  withDatabases(SETUP, async (database) => {
    const db = drizzle(database);
    await db.insert(posts).values({ stars: 0 });
    await Promise.all(Array.from({ length: 10 }, () =>
      db.transaction(async (tx) => {
        const [{ stars }] = await tx.select().from(posts);
        await tx.update(posts).set({ stars: stars + 1 });
      })));
    assert.equal((await db.select().from(posts))[0].stars, 10);
    await db.transaction(async (tx) => {
      await tx.update(posts).set({ stars: 20 });
      assert.equal((await db.select().from(posts))[0].stars, 10);
      await tx.transaction(async (inner) => {
        await inner.update(posts).set({ stars: 30 });
        inner.rollback();
      }).catch(() => {});
    });
    assert.equal((await db.select().from(posts))[0].stars, 20);
    await assert.rejects(db.transaction(async (tx) => {
      await tx.delete(posts);
      tx.rollback();
    }));
    assert.equal(await db.$count(posts), 1);
  }));

Deno.test("drizzle: a transaction runs again on what others made", () =>
  withDatabases(SETUP, async (database, other) => {
    const db = drizzle(database);
    await database.execute("insert into posts (stars) values (0)");
    await database.sync();
    await other.sync();
    let runs = 0;
    await db.transaction(async (tx) => {
      const [{ stars }] = await tx.select().from(posts);
      if (++runs === 1) {
        const changes = database.replica.changes();
        await other.execute("update posts set stars = 10");
        await other.sync();
        await changes.next();
      }
      await tx.update(posts).set({ stars: stars + 1 });
    });
    assert.equal(runs, 2);
    assert.equal((await db.select().from(posts))[0].stars, 11);
  }));
