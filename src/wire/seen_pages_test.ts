import assert from "node:assert/strict";
import fc from "fast-check";
import { PAGE_COUNT_MAX } from "../core/limits.ts";
import { pageIdxs } from "./_testing.ts";
import { SeenPages } from "./seen_pages.ts";

Deno.test("SeenPages answers as a plain set does", () => {
  const nearby = fc.integer({ min: 1, max: 600 });
  fc.assert(fc.property(fc.array(fc.oneof(nearby, pageIdxs), { maxLength: 400 }), (indexes) => {
    const seen = new SeenPages();
    const plain = new Set<number>();
    for (const pageIdx of indexes) {
      assert.equal(seen.add(pageIdx), !plain.has(pageIdx), `page ${pageIdx}`);
      plain.add(pageIdx);
    }
  }));
});

Deno.test("SeenPages tells the pages of a block apart, the highest too", () => {
  const seen = new SeenPages();
  for (let pageIdx = PAGE_COUNT_MAX - 600; pageIdx <= PAGE_COUNT_MAX; pageIdx++) {
    assert.ok(seen.add(pageIdx));
  }
  for (let pageIdx = PAGE_COUNT_MAX - 600; pageIdx <= PAGE_COUNT_MAX; pageIdx++) {
    assert.ok(!seen.add(pageIdx));
  }
  assert.ok(seen.add(PAGE_COUNT_MAX - 601));
});

Deno.test("SeenPages remembers blocks that it left while it grew", () => {
  const seen = new SeenPages();
  const far = Array.from({ length: 2000 }, (_, i) => 1 + i * 1000);
  for (const pageIdx of far) assert.ok(seen.add(pageIdx));
  for (const pageIdx of far) assert.ok(!seen.add(pageIdx));
  for (const pageIdx of far) assert.ok(seen.add(pageIdx + 1));
});
