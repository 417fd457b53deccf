import assert from "node:assert/strict";
import { sampleBytes } from "../_testing.ts";
import {
  fromStoredDirectory,
  PACK_BYTES,
  PACK_ROWS_MAX,
  packRows,
  toStoredDirectory,
} from "./_packs.ts";

const row = (key: string, bytes: number) => [key, sampleBytes(bytes)] as const;

Deno.test("rows of one write are packed together, in their order", () => {
  const [pack, ...others] = packRows([row("b", 10), row("a", 0), row("c", 5)]);
  assert.equal(others.length, 0);
  assert.deepEqual(pack.rows, [
    { key: "b", offset: 0, length: 10 },
    { key: "a", offset: 10, length: 0 },
    { key: "c", offset: 10, length: 5 },
  ]);
  assert.deepEqual(pack.bytes.slice(10), sampleBytes(5));
});

Deno.test("a pack ends before it is too large, and a value that is larger has its own", () => {
  const rows = [row("a", 100), row("b", PACK_BYTES), row("c", PACK_BYTES + 1), row("d", 1)];
  const packs = packRows(rows);
  assert.deepEqual(packs.map((pack) => pack.rows.map(({ key }) => key)), [["a"], ["b"], ["c"], [
    "d",
  ]]);
  const full = packRows(Array.from({ length: 33 }, (_, i) => row(`${i}`, PACK_BYTES / 32)));
  assert.deepEqual(full.map(({ rows }) => rows.length), [32, 1]);
});

Deno.test("a pack has a bounded number of rows", () => {
  const packs = packRows(Array.from({ length: PACK_ROWS_MAX + 1 }, (_, i) => row(`${i}`, 1)));
  assert.deepEqual(packs.map(({ rows }) => rows.length), [PACK_ROWS_MAX, 1]);
});

Deno.test("no rows are no pack", () => assert.deepEqual(packRows([]), []));

Deno.test("a directory is read as it was stored", () => {
  const [{ bytes, rows }] = packRows([row("b", 10), row("a", 0)]);
  const stored = toStoredDirectory(bytes.length, rows);
  assert.deepEqual(fromStoredDirectory(stored), { packBytes: 10, rows });
});

Deno.test("what is no directory is refused", () => {
  const good = toStoredDirectory(10, [{ key: "a", offset: 5, length: 5 }]);
  assert.ok(fromStoredDirectory(good) !== undefined);
  for (
    const bad of [
      undefined,
      {},
      { ...good, packBytes: 9 },
      { ...good, keys: ["a", "b"] },
      { ...good, places: undefined },
    ]
  ) {
    assert.equal(fromStoredDirectory(bad), undefined);
  }
});
