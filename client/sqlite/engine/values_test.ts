import assert from "node:assert/strict";
import { BUILDS, openEngine } from "./_testing.ts";
import type { Engine } from "./engine.ts";
import { Statement } from "./statement.ts";
import type { SqlParameter, SqlValue } from "./values.ts";

/** What becomes of a value on its way there and back, and what SQLite takes it for. */
async function roundTrip(engine: Engine, value: SqlParameter): Promise<[SqlValue, SqlValue]> {
  const { statement } = await Statement.prepare(engine, "select ?1, typeof(?1)");
  assert.ok(statement);
  try {
    statement.bind([value]);
    assert.equal(await statement.step(), true);
    const [there, type] = statement.row();
    return [there, type];
  } finally {
    await statement.reset();
    await statement.finalize();
  }
}

const MAX = 2n ** 63n - 1n;
const MIN = -(2n ** 63n);
/** Value, what comes back, type. */
const CASES: readonly [SqlParameter, SqlValue, string][] = [
  [0, 0, "integer"],
  [-0, -0, "real"],
  [1, 1, "integer"],
  [-1, -1, "integer"],
  [2 ** 31 - 1, 2 ** 31 - 1, "integer"],
  [2 ** 31, 2 ** 31, "integer"],
  [-(2 ** 31), -(2 ** 31), "integer"],
  [-(2 ** 31) - 1, -(2 ** 31) - 1, "integer"],
  [2 ** 53 - 1, 2 ** 53 - 1, "integer"],
  [-(2 ** 53) + 1, -(2 ** 53) + 1, "integer"],
  [2 ** 53, 2 ** 53, "real"],
  [1.5, 1.5, "real"],
  [5e-324, 5e-324, "real"],
  [Infinity, Infinity, "real"],
  [-Infinity, -Infinity, "real"],
  [NaN, null, "null"],
  [7n, 7, "integer"],
  [2n ** 53n - 1n, 2 ** 53 - 1, "integer"],
  [2n ** 53n, 2n ** 53n, "integer"],
  [2n ** 53n + 1n, 2n ** 53n + 1n, "integer"],
  [-(2n ** 53n) - 1n, -(2n ** 53n) - 1n, "integer"],
  [2n ** 32n + 5n, 2 ** 32 + 5, "integer"],
  [MAX, MAX, "integer"],
  [MIN, MIN, "integer"],
  [true, 1, "integer"],
  [false, 0, "integer"],
  [null, null, "null"],
  ["", "", "text"],
  ["a\0b", "a\0b", "text"],
  ["ö 日本 😀", "ö 日本 😀", "text"],
  ["\ud800", "\ufffd", "text"],
  ["é".repeat(5000), "é".repeat(5000), "text"],
  [new Uint8Array(0), new Uint8Array(0), "blob"],
  [Uint8Array.of(0, 1, 255), Uint8Array.of(0, 1, 255), "blob"],
  [new Uint8Array(70_000).fill(9), new Uint8Array(70_000).fill(9), "blob"],
];

for (const build of BUILDS) {
  Deno.test(`${build}: values come back as they were given`, async () => {
    const engine = await openEngine(build);
    for (const [value, expected, type] of CASES) {
      const what = typeof value === "bigint" ? `${value}n` : String(value).slice(0, 20);
      assert.deepEqual(await roundTrip(engine, value), [expected, type], what);
    }
    await engine.close();
  });

  Deno.test(`${build}: views are taken for the bytes that they show`, async () => {
    const engine = await openEngine(build);
    const { buffer } = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);
    for (const view of [new Uint8Array(buffer, 2, 3), new DataView(buffer, 2, 3)]) {
      const [blob] = await roundTrip(engine, view as Uint8Array);
      assert.deepEqual(blob, Uint8Array.of(3, 4, 5));
    }
    const [blob] = await roundTrip(engine, buffer as unknown as Uint8Array);
    assert.deepEqual(blob, new Uint8Array(buffer));
    await engine.close();
  });

  Deno.test(`${build}: a blob that was read is the reader's own`, async () => {
    const engine = await openEngine(build);
    const [first] = await roundTrip(engine, Uint8Array.of(1, 2, 3));
    await roundTrip(engine, Uint8Array.of(9, 9, 9));
    assert.deepEqual(first, Uint8Array.of(1, 2, 3));
    await engine.close();
  });

  Deno.test(`${build}: what SQLite has no type for is refused`, async () => {
    const engine = await openEngine(build);
    for (const value of [MAX + 1n, MIN - 1n, new Date(0), {}, Symbol("x"), () => 1]) {
      await assert.rejects(roundTrip(engine, value as SqlParameter), { code: "invalid" });
    }
    await engine.close();
  });
}
