import assert from "node:assert/strict";
import { openEngine } from "./engine/_testing.ts";
import { Statement } from "./engine/statement.ts";
import { StatementCache, STATEMENTS_MAX } from "./statement_cache.ts";

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
