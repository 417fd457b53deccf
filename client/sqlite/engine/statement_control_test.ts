import assert from "node:assert/strict";
import { openIn } from "./_testing.ts";
import { loadEngine } from "./load_engine.ts";
import { Statement } from "./statement.ts";
import { readControl, type StatementControl } from "./statement_control.ts";

const TEXTS = [
  "begin",
  "BEGIN immediate transaction",
  " ;; /* select */ commit",
  "-- a\n--b\r\n end transaction",
  "\ufeffrollback",
  "rollback transaction",
  "rollback transaction [to]",
  "rollback transaction 'to' to savepoint x",
  "rollback/* to */transaction",
  "rollback /*\n*/ to -- that\n savepoint /* x */ 'a ''b' ; ",
  'rollback transaction "to" to "A""b"',
  "savepoint `to`",
  "savepoint[Two Words]",
  "Savepoint É",
  "release savepoint x;",
  "release X -- savepoint",
  "select 'commit'",
  "select 1 as begin_",
  "with a as (select 1) select * from a",
  "insert into t values ('; rollback')",
  "values (1) -- commit",
  "pragma query_only",
  "pragma query_only=on",
  "pragma/**/temp . /**/ query_only(off)",
  'PRAGMA main."Foreign_Keys" = 0',
  "pragma [cache_size] = -100",
  "pragma cache_size;",
  "explain pragma query_only = on",
  "explain /* it */ query plan pragma main.query_only(0)",
  "explain query plan select 1",
  "pragma table_info(t)",
  "pragma main.user_version = 3",
];

/** What SQLite tells an authorizer of a statement. */
const Action = {
  PRAGMA: 19,
  TRANSACTION: 22,
  SAVEPOINT: 32,
} as const;
const ABOUT: ReadonlySet<number> = new Set(Object.values(Action));

type Told = { action: number; first: string; second: string | undefined };

function toControl({ action, first, second }: Told): StatementControl | undefined {
  if (action === Action.TRANSACTION) {
    return { kind: "transaction", action: first.toLowerCase() as "begin" | "commit" | "rollback" };
  }
  const name = (action === Action.PRAGMA ? first : second ?? "").replace(
    /[A-Z]/g,
    (letter) => letter.toLowerCase(),
  );
  if (action === Action.SAVEPOINT) {
    const verbs = { BEGIN: "open", RELEASE: "release", ROLLBACK: "rollback" } as const;
    return { kind: "savepoint", action: verbs[first as keyof typeof verbs], name };
  }
  const isSetting = ["query_only", "foreign_keys", "cache_size"].includes(name);
  return second !== undefined && isSetting ? { kind: "setting", name } : undefined;
}

Deno.test("what a statement does is read as SQLite itself reads it", async () => {
  const instance = await (await loadEngine({ build: "asyncify" })).instantiate();
  const engine = await openIn(instance);
  let told: Told[] = [];
  const { set_authorizer: authorize } = instance.module as unknown as {
    set_authorizer(
      database: number,
      authorizer: (context: number, action: number, first: number, second: number) => number,
      context: number,
    ): number;
  };
  authorize(engine.database, (_, action, first, second) => {
    const isAbout = ABOUT.has(action);
    const text = second === 0 ? undefined : engine.text(second);
    if (isAbout) told.push({ action, first: engine.text(first), second: text });
    return 0;
  }, 0);
  const create = await Statement.prepare(engine, "create table t (a)");
  await create.statement!.step();
  await create.statement!.finalize();
  for (const sql of TEXTS) {
    told = [];
    const { statement } = await Statement.prepare(engine, sql);
    assert.ok(statement, sql);
    const [expected] = told.map(toControl);
    assert.deepEqual(statement.control, expected, sql);
    assert.deepEqual(readControl(`${statement.sql}\n;rollback to x`), expected, sql);
    await statement.finalize();
  }
  await engine.close();
});
