import assert from "node:assert/strict";
import { copyIn, copyOut, graft, memoryBytes, memoryView, reset } from "../../wasm/mod.ts";
import { isGraftError } from "./errors.ts";
import {
  combineSets,
  decodeSet,
  directoryOf,
  encodeMembers,
  encodeUnion,
  readMembers,
  readMembersAfter,
} from "./page_set_encoding.ts";

const sparse = Uint32Array.from({ length: 200_000 }, (_, i) => 5 * i + 2);

Deno.test("an encoding comes with what it holds", () => {
  const set = encodeMembers(Uint32Array.of(9, 7, 8_000_000));
  assert.deepEqual([set.size, set.first, set.last], [3, 7, 8_000_000]);
  assert.deepEqual(decodeSet(set.bytes), set);
});

Deno.test("encodings are arrays of their own length", () => {
  const { bytes } = encodeMembers(Uint32Array.of(1));
  assert.equal(bytes.buffer.byteLength, bytes.length);
  assert.equal(decodeSet(bytes).bytes.buffer.byteLength, bytes.length);
});

Deno.test("a failed validation leaves nothing behind", () => {
  const good = encodeMembers(sparse);
  const bad = good.bytes.slice();
  bad[bad.length - 5] ^= 0xff;
  assert.throws(() => decodeSet(bad), (error) => isGraftError(error, "invalid"));
  assert.deepEqual(decodeSet(good.bytes), good);
});

Deno.test("all members are read, however many stretches that takes", () => {
  const { bytes, size } = encodeMembers(sparse);
  assert.deepEqual(readMembers(bytes, size), sparse);
});

Deno.test("stretches of members follow each other without a gap", () => {
  const { bytes } = encodeMembers(sparse);
  const read: number[] = [];
  let stretches = 0;
  while (read.length < sparse.length) {
    const stretch = readMembersAfter(bytes, read.at(-1), 7000);
    assert.ok(stretch.length >= Math.min(7000, sparse.length - read.length));
    assert.ok(stretch.length < 7000 + 256);
    for (const member of stretch) read.push(member);
    stretches++;
  }
  assert.deepEqual(Uint32Array.from(read), sparse);
  assert.ok(stretches >= 28);
  assert.equal(readMembersAfter(bytes, sparse.at(-1), 7000).length, 0);
});

Deno.test("the stretch after the largest number is empty", () => {
  const { bytes } = encodeMembers(Uint32Array.of(1, 2 ** 32 - 1));
  assert.deepEqual([...readMembersAfter(bytes, 1, 10)], [2 ** 32 - 1]);
  assert.deepEqual([...readMembersAfter(bytes, 2 ** 32 - 1, 10)], []);
});

Deno.test("a directory names each partition, its end, its keys and the members before it", () => {
  const { bytes } = encodeMembers(Uint32Array.of(1, 2, 0x0100, 0x0003_0000, 0x0400_0009));
  // values 2 + 1 bytes and an index of 2 × 4; then 1 + 4 each
  assert.deepEqual([...directoryOf(bytes)], [
    ...[0x0000, 4 + 3 + 8, 2, 0],
    ...[0x0003, 4 + 3 + 8 + 5, 1, 3],
    ...[0x0400, 4 + 3 + 8 + 5 + 12 + 5, 1, 4],
  ]);
  assert.equal(directoryOf(encodeMembers(new Uint32Array()).bytes).length, 0);
});

Deno.test("the directory of a long range counts whole partitions", () => {
  const { bytes } = encodeUnion([], [{ first: 0, last: 3 * 65_536 }]);
  const directory = directoryOf(bytes);
  assert.deepEqual(
    [...directory].filter((_, i) => i % 4 === 3),
    [0, 65_536, 2 * 65_536, 3 * 65_536],
  );
});

Deno.test("a union stages one set at a time, in a place as large as the largest", () => {
  const sets = [
    encodeMembers(Uint32Array.of(1)).bytes,
    encodeMembers(sparse).bytes,
    encodeMembers(Uint32Array.of(3, 2 ** 31)).bytes,
  ];
  const union = encodeUnion(sets, [{ first: 4, last: 6 }]);
  const expected = [...new Set([...sparse, 1, 3, 2 ** 31, 4, 5, 6])].sort((a, b) => a - b);
  assert.deepEqual([...readMembers(union.bytes, union.size)], expected);
});

Deno.test("several operations share one stay in memory and give the same as each alone", () => {
  const a = encodeMembers(sparse).bytes;
  const b = encodeMembers(sparse.map((member) => 3 * member + 1)).bytes;
  const together = combineSets(["intersection", "difference", "union"], a, b);
  assert.deepEqual(together, [
    combineSets(["intersection"], a, b)[0],
    combineSets(["difference"], a, b)[0],
    combineSets(["union"], a, b)[0],
  ]);
  assert.ok(together[0].size > 60_000);
  assert.equal(together[0].size + together[1].size, sparse.length);
});

Deno.test("members may be added to what ranges and sets have filled", () => {
  const set = encodeMembers(Uint32Array.of(2, 600));
  reset();
  const members = copyIn(new Uint8Array(Uint32Array.of(600, 70_000, 3, 255).buffer));
  const setAt = copyIn(set.bytes);
  graft.pageSetBegin();
  graft.pageSetAddRange(0, 255);
  graft.pageSetAddRange(65_536, 131_071);
  graft.pageSetAddSet(setAt, set.bytes.length);
  graft.pageSetAddMembers(members, 4);
  graft.pageSetFinish();
  const output = graft.pageSetResult() + 24;
  const at = memoryView().getFloat64(output, true);
  const united = copyOut(at, memoryView().getFloat64(output + 8, true));
  const expected = encodeUnion([set.bytes], [
    { first: 0, last: 255 },
    { first: 65_536, last: 131_071 },
  ]);
  assert.deepEqual(united, expected.bytes);
  assertNothingBelowData();
});

/** Marks in the module's trees are small numbers: followed as pointers they would lead down here. */
function assertNothingBelowData(): void {
  const below = memoryBytes().subarray(0, 1024);
  assert.ok(below.length <= graft.pageSetResult());
  assert.deepEqual(below, new Uint8Array(1024));
}

Deno.test("ranges within ranges, and sets within sets, write nowhere else", () => {
  encodeUnion([], [{ first: 0, last: 131_071 }, { first: 5, last: 10 }, {
    first: 300,
    last: 70_000,
  }]);
  assertNothingBelowData();
  const full = encodeUnion([], [{ first: 256, last: 511 }, { first: 513, last: 514 }]);
  const inside = encodeMembers(Uint32Array.of(256, 300, 511));
  encodeUnion([full.bytes, inside.bytes], []);
  assertNothingBelowData();
});
