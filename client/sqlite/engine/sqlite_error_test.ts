import assert from "node:assert/strict";
import { GraftError } from "../../../src/core/errors.ts";
import { resultName } from "./result_codes.ts";
import { SqliteError } from "./sqlite_error.ts";

Deno.test("an error says what to do by its code", () => {
  const codes: readonly [number, string, string][] = [
    [1, "invalid", "SQLITE_ERROR"],
    [5, "conflict", "SQLITE_BUSY"],
    [517, "conflict", "SQLITE_BUSY_SNAPSHOT"],
    [8, "forbidden", "SQLITE_READONLY"],
    [9, "aborted", "SQLITE_INTERRUPT"],
    [266, "unavailable", "SQLITE_IOERR_READ"],
    [7690, "unavailable", "SQLITE_IOERR_COMMIT_ATOMIC"],
    [11, "damaged", "SQLITE_CORRUPT"],
    [267, "damaged", "SQLITE_CORRUPT"],
    [26, "damaged", "SQLITE_NOTADB"],
    [21, "internal", "SQLITE_MISUSE"],
    [2067, "invalid", "SQLITE_CONSTRAINT_UNIQUE"],
  ];
  for (const [resultCode, code, name] of codes) {
    const error = new SqliteError({ resultCode, message: "it is so" });
    assert.deepEqual([error.code, error.resultName, error.resultCode], [code, name, resultCode]);
    assert.match(error.message, /^Cannot use the database: it is so/);
  }
  assert.equal(resultName(200), "SQLITE_200");
});

Deno.test("what failed below SQLite gives an error its code, its words and its hint", () => {
  const cause = new GraftError("unauthorized", "Cannot read: no token", { hint: "Pass a token" });
  const error = new SqliteError({
    resultCode: 266,
    message: "disk I/O error",
    sql: "select 1",
    cause,
  });
  assert.deepEqual([error.code, error.hint, error.cause], ["unauthorized", "Pass a token", cause]);
  assert.match(error.message, /Cannot run "select 1": Cannot read: no token/);
  const other = new SqliteError({
    resultCode: 266,
    message: "disk I/O error",
    cause: new Error("x"),
  });
  assert.deepEqual([other.code, other.cause instanceof Error], ["unavailable", true]);
});

Deno.test("an error says whether the transaction is gone", () => {
  const cause = new GraftError("unavailable", "Cannot read", { hint: "Wait" });
  const error = new SqliteError({ resultCode: 266, message: "disk I/O error", cause });
  assert.equal(error.isRolledBack, false);
  const gone = error.asRolledBack();
  assert.ok(gone.isRolledBack);
  assert.equal(gone.hint, "Wait. The transaction was rolled back: run it again as a whole");
  assert.deepEqual([gone.code, gone.resultCode], [error.code, error.resultCode]);
});

Deno.test("long statements are shown by their beginning, on one line", () => {
  const sql = `select\n  ${"a, ".repeat(200)}1`;
  const { message } = new SqliteError({ resultCode: 1, message: "no", sql, offset: 9 });
  assert.match(message, /^Cannot run "select a, a, .*…": no/);
  assert.ok(message.length < 300);
});
