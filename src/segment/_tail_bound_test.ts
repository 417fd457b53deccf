import assert from "node:assert/strict";
import fc from "fast-check";
import { PageSet } from "../core/page_set.ts";
import { TailBound, tailBytesMax } from "./_tail_bound.ts";
import { FRAME_ENTRY_BYTES, VOLUME_ENTRY_BYTES } from "./segment_format.ts";

/** What a volume of these pages really takes in a directory. */
function tailBytes(indexes: Uint32Array): number {
  const frames = Math.ceil(indexes.length / 16);
  return VOLUME_ENTRY_BYTES + frames * FRAME_ENTRY_BYTES + PageSet.from(indexes).bytes.length;
}

/** Page indexes of every density: runs, neighbourhoods and lone ones. */
const someIndexes: fc.Arbitrary<Uint32Array> = fc.array(
  fc.record({
    base: fc.integer({ min: 1, max: 2 ** 28 - 2000 }),
    spread: fc.constantFrom(1, 3, 40, 300),
    count: fc.integer({ min: 1, max: 300 }),
  }),
  { minLength: 1, maxLength: 12 },
).map((groups) => {
  const members = groups.flatMap(({ base, spread, count }) =>
    Array.from({ length: count }, (_, i) => Math.min(base + i * spread, 2 ** 28))
  );
  return Uint32Array.from(new Set(members));
});

Deno.test("tailBytesMax is never less than what a volume takes, in any order", () => {
  fc.assert(fc.property(someIndexes, fc.nat(), (indexes, turn) => {
    const turned = indexes.map((_, i) => indexes[(i * 7919 + turn) % indexes.length]);
    assert.ok(tailBytesMax(indexes) >= tailBytes(indexes));
    assert.ok(tailBytesMax(indexes.toSorted()) >= tailBytes(indexes));
    if (new Set(turned).size === indexes.length) {
      assert.ok(tailBytesMax(turned) >= tailBytes(indexes));
    }
  }));
});

Deno.test("tailBytesMax is exact for ascending indexes while no key block is a bitmap", () => {
  const sparse = Uint32Array.from({ length: 31 }, (_, i) => (i + 1) * 70_000);
  assert.equal(tailBytesMax(sparse), tailBytes(sparse));
  const dense = Uint32Array.from({ length: 200 }, (_, i) => 300 + i);
  assert.equal(tailBytesMax(dense), tailBytes(dense));
});

Deno.test("tailBytesMax says that a full segment of neighbours fits well", () => {
  const pages = Uint32Array.from({ length: 16_384 }, (_, i) => i + 1);
  assert.ok(tailBytesMax(pages) < 24 * 1024);
});

Deno.test("TailBound counts as it goes", () => {
  const bound = new TailBound();
  const empty = bound.bytes;
  const first = bound.add(5);
  assert.ok(first > empty);
  assert.equal(bound.add(6), first + 1, "a neighbour costs its byte in the block");
  assert.equal(bound.add(6 + 256), first + 1 + 5, "a new block costs its key and its byte");
  assert.equal(bound.pages, 3);
  assert.equal(bound.bytes, first + 6);
});
