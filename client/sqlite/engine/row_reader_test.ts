import assert from "node:assert/strict";
import { BUILDS, openEngine } from "./_testing.ts";
import type { Engine } from "./engine.ts";
import { Statement } from "./statement.ts";
import type { SqlValue } from "./values.ts";

async function prepare(engine: Engine, sql: string): Promise<Statement> {
  const { statement } = await Statement.prepare(engine, sql);
  assert.ok(statement);
  return statement;
}

async function readAll(statement: Statement, rowsMax: number) {
  const batches: SqlValue[][][] = [];
  for (;;) {
    const { rows, isDone } = await statement.read(rowsMax);
    batches.push(rows);
    if (isDone) break;
  }
  await statement.finalize();
  return batches;
}

for (const build of BUILDS) {
  Deno.test(`${build}: values come as they are`, async () => {
    const engine = await openEngine(build);
    const sql = `select 1, -1.5, 'a' || char(0) || 'ö😀', x'00ff', null, '',  x'', 9007199254740991,
      9007199254740993, -9007199254740991, -9223372036854775808, 1e999, '${"long".repeat(20)}'`;
    const [[row]] = await readAll(await prepare(engine, sql), 10);
    assert.deepEqual(row, [
      1,
      -1.5,
      "a\0ö😀",
      Uint8Array.of(0, 255),
      null,
      "",
      new Uint8Array(0),
      9007199254740991,
      9007199254740993n,
      -9007199254740991,
      -9223372036854775808n,
      Infinity,
      "long".repeat(20),
    ]);
    await engine.close();
  });

  Deno.test(`${build}: no more rows come than are asked for, and none is lost`, async () => {
    const engine = await openEngine(build);
    const sql = `with recursive n(i) as (select 1 union all select i + 1 from n where i < 1000)
      select i, hex(zeroblob(i)) from n`;
    const batches = await readAll(await prepare(engine, sql), 100);
    assert.ok(batches.every(({ length }) => length <= 100));
    const rows = batches.flat();
    assert.deepEqual(rows.map(([i]) => i), Array.from({ length: 1000 }, (_, i) => i + 1));
    assert.ok(rows.every(([i, hex]) => (hex as string).length === 2 * (i as number)));
    await engine.close();
  });

  Deno.test(`${build}: a row that is longer than the buffer comes whole`, async () => {
    const engine = await openEngine(build);
    const batches = await readAll(
      await prepare(engine, "values (1, zeroblob(200000)), (2, zeroblob(3)), (3, zeroblob(70000))"),
      10,
    );
    const lengths = batches.flat().map(([i, blob]) => [i, (blob as Uint8Array).length]);
    assert.deepEqual(lengths, [[1, 200000], [2, 3], [3, 70000]]);
    await engine.close();
  });
}
