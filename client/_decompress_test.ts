import assert from "node:assert/strict";
import { decompressKey, decompressOf } from "./_decompress.ts";
import { decompress } from "./zstd/decompress.ts";

const own = (stored: Uint8Array) => stored;

Deno.test("decompressOf() is the small decoder unless the options say something else", () => {
  assert.equal(decompressOf(undefined), decompress);
  assert.deepEqual(decompressOf(own)!(Uint8Array.of(1, 2), 2), Uint8Array.of(1, 2));
  assert.equal(decompressOf(false), undefined);
});

Deno.test("decompressOf() makes what a platform throws, or answers short, damage", () => {
  const stored = Uint8Array.of(1, 2);
  assert.throws(() => decompressOf(own)!(stored, 3), {
    code: "damaged",
    message: "Cannot decompress the frame: it holds 2 bytes instead of 3",
  });
  const cause = new RangeError("Unknown frame descriptor");
  const throwing = () => {
    throw cause;
  };
  assert.throws(() => decompressOf(throwing)!(stored, 2), { code: "damaged", cause });
});

Deno.test("decompressKey() tells functions apart", () => {
  const other = (stored: Uint8Array) => own(stored);
  const keys = [undefined, false, own, other] as const;
  assert.equal(new Set(keys.map(decompressKey)).size, 4);
  assert.equal(decompressKey(own), decompressKey(own));
  assert.equal(decompressKey(undefined), decompressKey(decompress));
});
