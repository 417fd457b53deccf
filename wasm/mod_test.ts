import assert from "node:assert/strict";
import { alloc, copyIn, copyOut, graft, memoryBytes, memoryView, reset } from "./mod.ts";

const WASM_PAGE = 65_536;

Deno.test("allocations are 8-aligned and do not overlap", () => {
  reset();
  let end = 0;
  for (const length of [0, 1, 7, 8, 9, 4096, 3]) {
    const at = alloc(length);
    assert.equal(at % 8, 0);
    assert.ok(at >= end);
    end = at + length;
  }
});

Deno.test("a reset starts the arena anew", () => {
  reset();
  const first = alloc(1000);
  alloc(1000);
  reset();
  assert.equal(alloc(1), first);
});

Deno.test("what is copied in comes out again", () => {
  reset();
  const one = Uint8Array.of(1, 2, 3);
  const two = Uint8Array.of(4, 5);
  const [oneAt, twoAt] = [copyIn(one), copyIn(two)];
  assert.deepEqual(copyOut(oneAt, 3), one);
  assert.deepEqual(copyOut(twoAt, 2), two);
});

Deno.test("what is copied out is the caller's", () => {
  reset();
  const at = copyIn(Uint8Array.of(1, 2, 3));
  const out = copyOut(at, 3);
  memoryBytes()[at] = 9;
  assert.deepEqual(out, Uint8Array.of(1, 2, 3));
  assert.equal(out.buffer.byteLength, 3);
});

Deno.test("memory grows with what is allocated, and the views follow", () => {
  reset();
  const before = memoryBytes();
  const at = alloc(before.length + WASM_PAGE);
  const after = memoryBytes();
  assert.equal(before.length, 0);
  assert.ok(after.length >= at + WASM_PAGE);
  after[at] = 7;
  assert.equal(memoryView().getUint8(at), 7);
  assert.equal(memoryBytes(), after);
});

Deno.test("a reset keeps the memory that has grown", () => {
  reset();
  alloc(40 * WASM_PAGE);
  const grown = memoryBytes().length;
  reset();
  alloc(40 * WASM_PAGE);
  assert.equal(memoryBytes().length, grown);
});

Deno.test("numbers are little-endian", () => {
  reset();
  const at = copyIn(Uint8Array.of(1, 2, 0, 0));
  assert.equal(memoryView().getUint32(at, true), 0x0201);
});

Deno.test("more than the address space traps and leaves the module usable", () => {
  reset();
  alloc(1000);
  assert.throws(() => alloc(0xffff_ffff), WebAssembly.RuntimeError);
  reset();
  const at = copyIn(Uint8Array.of(5));
  assert.deepEqual(copyOut(at, 1), Uint8Array.of(5));
});

Deno.test("pages are hashed many at a time as each alone", () => {
  reset();
  const pages = Uint8Array.from({ length: 3 * 4096 }, (_, i) => (i * i) >> 5);
  const at = copyIn(pages);
  const out = alloc(3 * 8);
  graft.xxh64Pages(at, 3, out);
  for (let page = 0; page < 3; page++) {
    const alone = graft.xxh64(at + page * 4096, 4096, 0n);
    assert.equal(memoryView().getBigInt64(out + page * 8, true), alone);
  }
});
