import assert from "node:assert/strict";
import { parseGid } from "../src/core/gid.ts";
import { toLsn } from "../src/core/lsn.ts";
import { PagesRead } from "./pages_read.ts";

const vid = parseGid("volume", "GonwTRj2SohJzYLLjD9nSq");
const bytes = (value: number) => new Uint8Array(4096).fill(value);

Deno.test("pages are found by their index, and listed ascending", () => {
  const pages = new PagesRead(vid, toLsn(4), [[300, bytes(3)], [2, bytes(2)]]);
  assert.equal(pages.vid, vid);
  assert.equal(pages.lsn, 4);
  assert.equal(pages.size, 2);
  assert.equal(pages.page(300)?.[0], 3);
  assert.deepEqual([...pages.indexes()], [2, 300]);
  assert.deepEqual([...pages].map(([pageIdx, page]) => [pageIdx, page[0]]), [[2, 2], [300, 3]]);
});

Deno.test("an absent page is undefined, not zeros", () => {
  const pages = new PagesRead(vid, toLsn(4), [[2, bytes(2)]]);
  assert.equal(pages.page(1), undefined);
  assert.equal(pages.has(1), false);
  assert.equal(pages.has(2), true);
});
