import assert from "node:assert/strict";
import { PageTable } from "./_page_table.ts";

Deno.test("PageTable answers 0 for what was not set", () => {
  const table = new PageTable();
  assert.equal(table.get(1), 0);
  table.set(300, 7);
  assert.equal(table.get(299), 0);
  assert.equal(table.get(300), 7);
});

Deno.test("PageTable holds indexes far apart in few bytes", () => {
  const table = new PageTable();
  for (const pageIdx of [1, 255, 256, 2 ** 28]) table.set(pageIdx, pageIdx);
  for (const pageIdx of [1, 255, 256, 2 ** 28]) assert.equal(table.get(pageIdx), pageIdx);
  assert.ok(table.memoryBytes < 8192, `${table.memoryBytes} bytes`);
});

Deno.test("PageTable.replaceAbove touches what was set above, and nothing else", () => {
  for (const above of [0, 1, 254, 255, 256, 257, 600]) {
    const table = new PageTable();
    const set = [1, 2, 254, 255, 256, 257, 511, 512, 600, 601, 100_000];
    for (const pageIdx of set) table.set(pageIdx, pageIdx);
    const replaced: number[] = [];
    table.replaceAbove(above, (value) => {
      replaced.push(value);
      return value + 1_000_000;
    });
    assert.deepEqual(replaced.sort((a, b) => a - b), set.filter((pageIdx) => pageIdx > above));
    for (const pageIdx of set) {
      assert.equal(table.get(pageIdx), pageIdx > above ? pageIdx + 1_000_000 : pageIdx);
    }
  }
});
