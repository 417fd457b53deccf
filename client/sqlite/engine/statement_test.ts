import assert from "node:assert/strict";
import { BUILDS, openEngine } from "./_testing.ts";
import type { Engine } from "./engine.ts";
import { SqliteError } from "./sqlite_error.ts";
import { type SqlParameters, Statement } from "./statement.ts";

async function prepare(engine: Engine, sql: string): Promise<Statement> {
  const { statement } = await Statement.prepare(engine, sql);
  assert.ok(statement);
  return statement;
}

async function first(engine: Engine, sql: string, parameters: SqlParameters): Promise<unknown[]> {
  const statement = await prepare(engine, sql);
  try {
    statement.bind(parameters);
    await statement.step();
    return statement.row();
  } finally {
    await statement.reset();
    await statement.finalize();
  }
}

for (const build of BUILDS) {
  Deno.test(`${build}: parameters go by position, or by name`, async () => {
    const engine = await openEngine(build);
    const cases: readonly [string, SqlParameters, unknown[]][] = [
      ["select ?, ?", [1, "b"], [1, "b"]],
      ["select ?2, ?1, ?2", [1, 2], [2, 1, 2]],
      ["select :a, @b, $c, :a", { a: 1, b: 2, c: 3 }, [1, 2, 3, 1]],
      ["select :a, @b, $c", { ":a": 1, "@b": 2, $c: 3 }, [1, 2, 3]],
      ["select :a, $b", [1, 2], [1, 2]],
      ["select 1", [], [1]],
      ["select 1", {}, [1]],
    ];
    for (const [sql, parameters, row] of cases) {
      assert.deepEqual(await first(engine, sql, parameters), row, sql);
    }
    await engine.close();
  });

  Deno.test(`${build}: parameters that do not fit are refused, and say which`, async () => {
    const engine = await openEngine(build);
    const cases: readonly [string, SqlParameters, RegExp][] = [
      ["select ?, ?", [1], /takes 2 parameters, not 1/],
      ["select 1", [1], /takes 0 parameters, not 1/],
      ["select :a", {}, /no value is given for ":a"/],
      ["select :a", { a: 1, b: 2 }, /no parameter "b"/],
      ["select ?", { a: 1 }, /parameter 1 has no name/],
      ["select :toString", {}, /no value is given/],
    ];
    for (const [sql, parameters, message] of cases) {
      await assert.rejects(first(engine, sql, parameters), { code: "invalid", message });
    }
    await engine.close();
  });

  Deno.test(`${build}: a statement runs again, with other values and none left over`, async () => {
    const engine = await openEngine(build);
    const statement = await prepare(engine, "select ?");
    for (const value of [1, "two", null]) {
      statement.bind([value]);
      assert.equal(await statement.step(), true);
      assert.deepEqual(statement.row(), [value]);
      assert.equal(await statement.step(), false);
      await statement.reset();
    }
    await statement.finalize();
    await engine.close();
  });

  Deno.test(`${build}: the text behind a statement is told, whatever its characters`, async () => {
    const engine = await openEngine(build);
    const { statement, tail } = await Statement.prepare(engine, "select '😀é';\n select '日本';");
    assert.equal(statement?.sql, "select '😀é';");
    assert.equal(tail, "\n select '日本';");
    await statement?.finalize();
    const blank = await Statement.prepare(engine, " -- nothing\n /* at all */ ");
    assert.deepEqual([blank.statement, blank.tail], [undefined, ""]);
    await engine.close();
  });

  Deno.test(`${build}: columns follow the schema`, async () => {
    const engine = await openEngine(build);
    for (const sql of ["create table t (a)", "insert into t values (1)"]) {
      const statement = await prepare(engine, sql);
      assert.deepEqual([statement.columns, statement.isReadOnly], [[], false]);
      assert.equal(await statement.step(), false);
      await statement.finalize();
    }
    const all = await prepare(engine, "select *, a as again from t");
    assert.deepEqual([all.columns, all.isReadOnly], [["a", "again"], true]);
    const alter = await prepare(engine, "alter table t add column b default 2");
    await alter.step();
    await alter.finalize();
    assert.equal(await all.step(), true);
    assert.deepEqual(all.toObject(all.row()), { a: 1, b: 2, again: 1 });
    await all.reset();
    await all.finalize();
    await engine.close();
  });

  Deno.test(`${build}: errors tell where, and what`, async () => {
    const engine = await openEngine(build);
    const syntax = await Statement.prepare(engine, "select frm").catch((error) => error);
    assert.ok(syntax instanceof SqliteError);
    assert.deepEqual([syntax.code, syntax.offset], ["invalid", 7]);
    assert.match(syntax.message, /no such column: frm/);
    await assert.rejects(Statement.prepare(engine, "select 1\0"), { code: "invalid" });
    await assert.rejects(Statement.prepare(engine, "\0"), { code: "invalid" });
    const statement = await prepare(engine, "select abs(-9223372036854775808)");
    await assert.rejects(async () => await statement.step(), { resultName: "SQLITE_ERROR" });
    await statement.reset();
    await statement.finalize();
    await engine.close();
  });
}
