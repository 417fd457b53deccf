import assert from "node:assert/strict";
import { ResultCode } from "../engine/result_codes.ts";
import { MemoryFile } from "./memory_file.ts";

function read(file: MemoryFile, length: number, offset: number): [number, number[]] {
  const target = new Uint8Array(length).fill(255);
  return [file.read(target, offset), [...target]];
}

Deno.test("what was written is read, and zeros where nothing was", () => {
  const file = new MemoryFile();
  assert.equal(file.size, 0);
  assert.deepEqual(read(file, 2, 0), [ResultCode.IOERR_SHORT_READ, [0, 0]]);
  assert.equal(file.write(Uint8Array.of(1, 2, 3), 5), ResultCode.OK);
  assert.equal(file.size, 8);
  assert.deepEqual(read(file, 4, 3), [ResultCode.OK, [0, 0, 1, 2]]);
  assert.deepEqual(read(file, 4, 6), [ResultCode.IOERR_SHORT_READ, [2, 3, 0, 0]]);
  assert.deepEqual(read(file, 2, 100), [ResultCode.IOERR_SHORT_READ, [0, 0]]);
});

Deno.test("a file grows as far as it must, and keeps what it has", () => {
  const file = new MemoryFile();
  for (let i = 0; i < 100; i++) file.write(new Uint8Array(1000).fill(i), i * 1000);
  assert.equal(file.size, 100_000);
  for (let i = 0; i < 100; i++) assert.deepEqual(read(file, 1, i * 1000 + 999)[1], [i]);
});

Deno.test("what was cut off does not come back", () => {
  const file = new MemoryFile();
  file.write(new Uint8Array(10).fill(7), 0);
  file.truncate(4);
  assert.equal(file.size, 4);
  file.truncate(9);
  assert.equal(file.size, 4, "a truncation does not lengthen");
  file.write(Uint8Array.of(1), 9);
  assert.deepEqual(read(file, 10, 0)[1], [7, 7, 7, 7, 0, 0, 0, 0, 0, 1]);
});

Deno.test("what is written is copied", () => {
  const file = new MemoryFile();
  const bytes = Uint8Array.of(1);
  file.write(bytes, 0);
  bytes[0] = 2;
  assert.deepEqual(read(file, 1, 0)[1], [1]);
});
