import assert from "node:assert/strict";
import { page, VID } from "../_testing.ts";
import { PageCache } from "./page_cache.ts";
import { PageRow } from "./page_rows.ts";

Deno.test("the pages that came last are at hand, and those that are left to others stay", () => {
  const cache = new PageCache(2);
  const rows = [1, 2, 3, 4].map((pageIdx) => new PageRow(VID, pageIdx, 1));
  cache.add(rows[0], page(0));
  cache.leave(rows[0]);
  for (const row of rows.slice(1)) cache.add(row, page(row.pageIdx));
  assert.deepEqual(rows.map((row) => row.page?.[0]), [0, undefined, 3, 4]);
  cache.add(rows[2], page(7));
  assert.deepEqual(rows.map((row) => row.page?.[0]), [0, undefined, 7, 4]);
});
