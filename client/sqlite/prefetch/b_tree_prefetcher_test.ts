import assert from "node:assert/strict";
import { BTreePrefetcher } from "./b_tree_prefetcher.ts";

/** A table's interior page with children 10, 11, … */
function interior(children: number): Uint8Array {
  const page = new Uint8Array(4096);
  const view = new DataView(page.buffer);
  page[0] = 0x05;
  view.setUint16(3, children - 1);
  view.setUint32(8, 10 + children - 1);
  for (let i = 0; i < children - 1; i++) {
    view.setUint16(12 + 2 * i, 4000 - 8 * i);
    view.setUint32(4000 - 8 * i, 10 + i);
    page[4004 - 8 * i] = i;
  }
  return page;
}

function prefetcher(): BTreePrefetcher {
  const made = new BTreePrefetcher({ peek: () => undefined, pageCount: () => 100 });
  made.hit(2, interior(20));
  return made;
}

Deno.test("BTreePrefetcher: fetches siblings ahead from the second on, either way", () => {
  const up = prefetcher();
  assert.deepEqual([10, 11, 12].map((i) => [...up.missed(i)]), [[], [12], [13, 14]]);
  const down = prefetcher();
  assert.deepEqual([29, 28, 27].map((i) => [...down.missed(i)]), [[], [27], [26, 25]]);
});

Deno.test("BTreePrefetcher: fetches nothing along with lookups, unknown or damaged pages", () => {
  const lookups = prefetcher();
  assert.deepEqual([10, 15, 12, 90].map((i) => [...lookups.missed(i)]), [[], [], [], []]);
  const damaged = new BTreePrefetcher({ peek: () => undefined, pageCount: () => 5 });
  damaged.hit(2, interior(20));
  assert.deepEqual([10, 11].map((i) => [...damaged.missed(i)]), [[], []]);
});
