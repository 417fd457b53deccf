import assert from "node:assert/strict";
import { openEngine } from "./engine/_testing.ts";
import { Statement } from "./engine/statement.ts";
import { StatementCache, STATEMENTS_MAX, TEXT_LENGTH_MAX } from "./statement_cache.ts";

Deno.test("statements that were used last are kept, the others are finalized", async () => {
  const engine = await openEngine("asyncify");
  const cache = new StatementCache();
  const keep = async (sql: string) => {
    const { statement } = await Statement.prepare(engine, sql);
    assert.ok(statement);
    await cache.keep(sql, statement);
    return statement;
  };
  const first = await keep("select 1");
  for (let i = 2; i <= STATEMENTS_MAX; i++) await keep(`select ${i}`);
  assert.equal(cache.take("select 1"), first);
  assert.equal(cache.take("select 1"), undefined, "it is in use");
  await cache.keep("select 1", first);
  await keep("select 1000");
  assert.equal(cache.take("select 2"), undefined, "it was used least lately");
  await keep("select 1");
  assert.equal(cache.take("select 1"), first, "there is one already");
  await first.finalize();
  await cache.finalize();
  // it would refuse to if any statement were left
  await engine.close();
});

Deno.test("long texts are kept as long as all of them together are not too long", async () => {
  const engine = await openEngine("asyncify");
  const cache = new StatementCache();
  const long = (i: number, length: number) => `select ${i} --`.padEnd(length, "x");
  const keep = async (sql: string) => {
    const { statement } = await Statement.prepare(engine, sql);
    await cache.keep(sql, statement!);
  };
  const third = Math.floor(TEXT_LENGTH_MAX / 3);
  const [a, b, c] = [1, 2, 3].map((i) => long(i, third));
  for (const sql of [a, b, c]) await keep(sql);
  assert.ok([a, b, c].every((sql) => cache.peek(sql) !== undefined), "there is room for all");
  const half = long(4, Math.floor(TEXT_LENGTH_MAX / 2));
  await keep(half);
  assert.deepEqual([a, b, c, half].map((sql) => cache.peek(sql) !== undefined), [
    false,
    false,
    true,
    true,
  ]);
  await keep(long(5, TEXT_LENGTH_MAX + 1));
  assert.ok(cache.peek(half), "what finds no room at all drives nothing out");
  await cache.take(half)!.finalize();
  await keep(a);
  assert.ok(cache.peek(c), "what was taken out takes no room");
  await cache.finalize();
  await engine.close();
});
