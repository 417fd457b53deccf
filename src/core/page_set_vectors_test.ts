// What the official library encodes, byte for byte.

import assert from "node:assert/strict";
import vectors from "../../tests/vectors/graft-v0.1.json" with { type: "json" };
import { PageSet } from "./page_set.ts";

/** The members of runs of [first, count]. */
function members(runs: number[][]): Uint32Array {
  return Uint32Array.from(
    runs.flatMap(([first, count]) => Array.from({ length: count }, (_, i) => first + i)),
  );
}

function ranges(runs: number[][]): { first: number; last: number }[] {
  return runs.map(([first, count]) => ({ first, last: first + count - 1 }));
}

Deno.test("the vectors are all there", () => {
  assert.equal(vectors.splinter.length, 28);
  assert.equal(vectors.splinter_ops.length, 12);
});

for (const vector of vectors.splinter) {
  Deno.test(`the official encoding of "${vector.name}" is made from its members`, () => {
    assert.equal(PageSet.from(members(vector.runs)).bytes.toHex(), vector.bytes);
  });

  Deno.test(`the official encoding of "${vector.name}" is made from its runs`, () => {
    const set = PageSet.union(ranges(vector.runs));
    assert.equal(set.bytes.toHex(), vector.bytes);
    assert.equal(set.size, vector.cardinality);
  });

  Deno.test(`the official encoding of "${vector.name}" is read`, () => {
    const set = PageSet.decode(Uint8Array.fromHex(vector.bytes));
    assert.equal(set.size, vector.cardinality);
    assert.deepEqual(set.toArray(), members(vector.runs));
    assert.equal(set.bytes.toHex(), vector.bytes);
  });
}

vectors.splinter_ops.forEach((vector, number) => {
  const a = PageSet.from(members(vector.a));
  const b = PageSet.from(members(vector.b));

  Deno.test(`the official union ${number} is byte-identical`, () => {
    for (const union of [a.union(b), b.union(a), PageSet.union([a, b])]) {
      assert.equal(union.bytes.toHex(), vector.union);
      assert.equal(union.size, vector.union_len);
    }
  });

  Deno.test(`the official intersection ${number} is byte-identical`, () => {
    assert.equal(a.intersection(b).bytes.toHex(), vector.intersection);
    assert.equal(b.intersection(a).bytes.toHex(), vector.intersection);
  });

  Deno.test(`the official cut ${number} is byte-identical`, () => {
    const { intersection, rest } = a.cut(b);
    assert.equal(intersection.bytes.toHex(), vector.cut);
    assert.equal(rest.bytes.toHex(), vector.rest);
    assert.equal(rest.size, vector.rest_len);
    assert.equal(a.difference(b).bytes.toHex(), vector.rest);
  });
});
