import assert from "node:assert/strict";
import { clearWal, HEADER_BYTES, isDatabase, settleSize } from "./header.ts";

function header(): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES);
  bytes.set(new TextEncoder().encode("SQLite format 3\0"));
  return bytes;
}

Deno.test("a database is known by its first 16 bytes, and needs a whole header", () => {
  assert.equal(isDatabase(header()), true);
  assert.equal(isDatabase(header().subarray(0, 99)), false);
  for (let at = 0; at < 16; at++) {
    const other = header();
    other[at] ^= 0x20;
    assert.equal(isDatabase(other), false, `byte ${at}`);
  }
});

Deno.test("only the versions that stand for a WAL are changed", () => {
  for (const [before, after] of [[[2, 2], [1, 1]], [[1, 1], [1, 1]], [[3, 3], [3, 3]]]) {
    const bytes = header();
    bytes.set(before, 18);
    clearWal(bytes);
    const expected = header();
    expected.set(after, 18);
    assert.deepEqual(bytes, expected);
  }
});

Deno.test("the size is that of the file, and counts for the change counter that is there", () => {
  const page = new Uint8Array([0, ...header()]).subarray(1);
  page.set([0, 0, 1, 7], 24);
  settleSize(page, 0x1234);
  assert.deepEqual([...page.subarray(24, 32)], [0, 0, 1, 7, 0, 0, 0x12, 0x34]);
  assert.deepEqual([...page.subarray(92, 96)], [0, 0, 1, 7]);
});
