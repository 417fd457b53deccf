import assert from "node:assert/strict";
import { GraftError } from "../src/core/errors.ts";
import { BATCH_PAGES, batches } from "./_page_batches.ts";

const page = (value: number) => new Uint8Array(4096).fill(value);

Deno.test("a few pages are one batch, in their order", () => {
  const [batch, ...more] = batches([[9, page(9)], [4, page(4)]]);
  assert.deepEqual(more, []);
  assert.deepEqual([...batch.indexes], [9, 4]);
  assert.deepEqual([batch.page(0)[0], batch.page(1)[4095]], [9, 4]);
});

Deno.test("no pages are no batch", () => {
  assert.deepEqual([...batches(new Map())], []);
});

Deno.test("many pages are batches of 4096, drawn one at a time from a buffer that is reused", () => {
  let drawn = 0;
  const shared = new Uint8Array(4096);
  function* pages(): Generator<[number, Uint8Array]> {
    for (let pageIdx = 1; pageIdx <= BATCH_PAGES * 2 + 1; pageIdx++) {
      drawn = pageIdx;
      yield [pageIdx, shared.fill(pageIdx & 0xff)];
    }
  }
  const sizes: number[] = [];
  for (const batch of batches(pages())) {
    assert.equal(drawn, sizes.length * BATCH_PAGES + batch.count);
    sizes.push(batch.count);
    for (const at of [0, batch.count - 1]) {
      assert.equal(batch.page(at)[0], batch.indexes[at] & 0xff);
    }
  }
  assert.deepEqual(sizes, [BATCH_PAGES, BATCH_PAGES, 1]);
});

const REFUSED: [string, [number, Uint8Array][], string][] = [
  ["page 0", [[0, page(0)]], "Cannot use 0 as a page index: page indexes run from 1 to 268435456"],
  [
    "a page of another size",
    [[1, page(1)], [2, new Uint8Array(4095)]],
    "Cannot write page 2: it has 4095 bytes instead of 4096",
  ],
  [
    "a page that occurs twice",
    [[7, page(1)], [8, page(1)], [7, page(1)]],
    "Cannot write page 7: it occurs twice",
  ],
];

for (const [title, pages, message] of REFUSED) {
  Deno.test(`${title} is refused`, () => {
    assert.throws(() => [...batches(pages)], (error) => {
      assert.ok(error instanceof GraftError);
      assert.equal(error.code, "invalid");
      assert.equal(error.message, message);
      return true;
    });
  });
}

Deno.test("a page that occurs twice is found across batches", () => {
  function* pages(): Generator<[number, Uint8Array]> {
    const shared = page(0);
    for (let pageIdx = 1; pageIdx <= BATCH_PAGES; pageIdx++) yield [pageIdx, shared];
    yield [1, shared];
  }
  assert.throws(() => [...batches(pages())], /Cannot write page 1: it occurs twice/);
});
