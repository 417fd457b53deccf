import assert from "node:assert/strict";
import { parseGid } from "../../../src/core/gid.ts";
import { disown, ownPage, PageCodec, pageOf, ZERO_PAGE } from "./page_codec.ts";

const codec = new PageCodec(parseGid("volume", "GonwTRj2SohJzYLLjD9nSq"));
const other = new PageCodec(parseGid("volume", "GonzADtPDgZVjaNCXH7YoQ"));
const page = new Uint8Array(4096).fill(7);

Deno.test("a page comes back as it was", () => {
  const value = codec.encode(3, 9, page);
  assert.equal(value.length, 8 + 4096);
  assert.deepEqual(codec.decode(3, 9, value), page);
  assert.deepEqual(pageOf(value), page);
});

Deno.test("a page of zeros takes no room", () => {
  const value = codec.encode(3, 9, new Uint8Array(4096));
  assert.equal(value.length, 8);
  assert.equal(codec.decode(3, 9, value), ZERO_PAGE);
  assert.equal(pageOf(value), ZERO_PAGE);
  assert.equal(codec.encode(3, 9, new Uint8Array(4096).fill(1, 4095)).length, 8 + 4096);
});

Deno.test("a value that was changed is damage", () => {
  for (const at of [0, 7, 8, 4103]) {
    const value = codec.encode(3, 9, page);
    value[at] ^= 1;
    assert.throws(() => codec.decode(3, 9, value), { code: "damaged" });
  }
  const value = codec.encode(3, 9, page);
  for (const length of [0, 7, 8, 9, 4103]) {
    assert.throws(() => codec.decode(3, 9, value.subarray(0, length)), { code: "damaged" });
  }
});

Deno.test("a value under another key is damage, zeros too", () => {
  for (const value of [codec.encode(3, 9, page), codec.encode(3, 9, ZERO_PAGE)]) {
    assert.throws(() => codec.decode(4, 9, value), { code: "damaged" });
    assert.throws(() => codec.decode(3, 10, value), { code: "damaged" });
    assert.throws(() => other.decode(3, 9, value), { code: "damaged" });
  }
});

Deno.test("memory that is given back is taken again, unless ownPage() did not make it", () => {
  const mine = ownPage(page);
  disown(page);
  disown(ZERO_PAGE);
  disown(mine);
  const next = ownPage(new Uint8Array(4096).fill(9));
  assert.equal(next, mine);
  assert.deepEqual([next[0], next[4095]], [9, 9]);
  assert.notEqual(ownPage(page), mine);
});
