import assert from "node:assert/strict";
import { parseGid } from "../../../src/core/gid.ts";
import { PageSet } from "../../../src/core/page_set.ts";
import { PageRow, PageRows } from "./page_rows.ts";
import { pageKey } from "./rows.ts";
import { TestStorage } from "./_testing_storage.ts";

const VID = parseGid("volume", "GonwTRj2SohJzYLLjD9nSq");
const OTHER = parseGid("volume", "GonzADtPDgZVjaNCXH7YoQ");

function rowsOf(states: Record<number, number>): PageRows {
  const rows = new PageRows();
  for (const [page, state] of Object.entries(states)) {
    rows.set(new PageRow(VID, Number(page), state));
  }
  return rows;
}

const pagesOf = (rows: readonly PageRow[]) => rows.map(({ pageIdx }) => pageIdx);

Deno.test("load() finds the newest row of each page, and the older ones", async () => {
  const storage = new TestStorage();
  const rows = [[7, 1], [7, 300], [7, 20], [70_000, 2]];
  await storage.write({
    put: [
      ...rows.map(([page, state]) => [pageKey(VID, page, state), new Uint8Array(8)] as const),
      [pageKey(OTHER, 9, 1), new Uint8Array(8)],
    ],
  });
  const loaded = await PageRows.load(storage, VID);
  assert.equal(loaded.rows.count, 2);
  assert.equal(loaded.rows.get(7)?.state, 300);
  assert.equal(loaded.rows.get(7)?.key, pageKey(VID, 7, 300));
  assert.equal(loaded.rows.get(70_000)?.state, 2);
  assert.deepEqual(loaded.older.map(({ pageIdx, state }) => [pageIdx, state]), [[7, 1], [7, 20]]);
});

Deno.test("load() refuses a key that is no page's", async () => {
  const storage = new TestStorage();
  await storage.write({ put: [[`p/${VID}/zz`, new Uint8Array(8)]] });
  await assert.rejects(PageRows.load(storage, VID), /its key is no page's/);
});

Deno.test("set() returns the row that it supersedes", () => {
  const rows = rowsOf({ 3: 1 });
  assert.equal(rows.set(new PageRow(VID, 3, 5))?.state, 1);
  assert.equal(rows.set(new PageRow(VID, 4, 5)), undefined);
  rows.delete(3);
  assert.equal(rows.get(3), undefined);
});

Deno.test("among() finds rows, whichever side is smaller", () => {
  const rows = rowsOf({ 1: 1, 5: 1, 9: 1 });
  assert.deepEqual(pagesOf(rows.among(PageSet.from([5, 6]))), [5]);
  assert.deepEqual(pagesOf(rows.among(PageSet.range(2, 1000))), [5, 9]);
});

Deno.test("above() and newerThan() choose by page and by state", () => {
  const rows = rowsOf({ 1: 4, 5: 3, 9: 5 });
  assert.deepEqual(pagesOf(rows.above(5)), [9]);
  assert.deepEqual(pagesOf(rows.newerThan(3)), [1, 9]);
});

Deno.test("idle() passes over what was read and what only this replica has", () => {
  const rows = rowsOf({ 1: 1, 2: 9, 3: 1, 4: 1 });
  for (const page of [1]) rows.get(page)!.used = true;
  assert.deepEqual(pagesOf(rows.idle(2, 5)), [3, 4]);
  // page 1 was passed over once; it was not read since
  assert.deepEqual(pagesOf(rows.idle(1, 5)), [1]);
});

Deno.test("idle() ends although everything is in use", () => {
  const rows = rowsOf({ 1: 9, 2: 9 });
  assert.deepEqual(rows.idle(5, 5), []);
});
