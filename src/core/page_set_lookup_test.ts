import assert from "node:assert/strict";
import { directoryOf, encodeMembers } from "./page_set_encoding.ts";
import { PageSetLookup } from "./page_set_lookup.ts";

const U32_MAX = 2 ** 32 - 1;

function lookupOf(members: number[]): PageSetLookup {
  const { bytes, size } = encodeMembers(Uint32Array.from(members));
  return new PageSetLookup(bytes, directoryOf(bytes), size);
}

/** One partition of each form: few keys, a bitmap of keys, all 256 keys; and the last number there is. */
const few = [1, 2, 3, 500, 501];
const bitmap = Array.from({ length: 100 }, (_, i) => 0x0002_0000 + i * 512);
const every = Array.from({ length: 256 }, (_, i) => 0x0105_0000 + i * 256 + (i & 7));
const MEMBERS = [...few, ...bitmap, ...every, U32_MAX];
const lookup = lookupOf(MEMBERS);

Deno.test("every member is found, ranked and selected", () => {
  MEMBERS.forEach((member, rank) => {
    assert.equal(lookup.has(member), true);
    assert.equal(lookup.rank(member), rank);
    assert.equal(lookup.select(rank), member);
  });
});

Deno.test("neighbours of members are not found, and rank between them", () => {
  const all = new Set(MEMBERS);
  MEMBERS.forEach((member, rank) => {
    if (!all.has(member - 1)) {
      assert.equal(lookup.has(member - 1), false);
      assert.equal(lookup.rank(member - 1), rank);
    }
    if (member < U32_MAX && !all.has(member + 1)) {
      assert.equal(lookup.has(member + 1), false);
      assert.equal(lookup.rank(member + 1), rank + 1);
    }
  });
});

Deno.test("numbers between partitions rank after all that lie before", () => {
  assert.equal(lookup.rank(0), 0);
  assert.equal(lookup.rank(0x0001_0000), few.length);
  assert.equal(lookup.rank(0x0104_ffff), few.length + bitmap.length);
  assert.equal(lookup.rank(0x0200_0000), MEMBERS.length - 1);
  for (const absent of [0x0001_0000, 0x0104_ffff, 0x0200_0000]) {
    assert.equal(lookup.has(absent), false);
  }
});

Deno.test("numbers beyond the last partition rank after all", () => {
  const small = lookupOf([5, 70_000]);
  assert.equal(small.rank(U32_MAX), 2);
  assert.equal(small.has(U32_MAX), false);
});

Deno.test("a lookup in nothing finds nothing", () => {
  const nothing = lookupOf([]);
  assert.equal(nothing.has(0), false);
  assert.equal(nothing.rank(U32_MAX), 0);
});
