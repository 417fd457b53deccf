import assert from "node:assert/strict";
import { decompressKey, decompressOf } from "./_decompress.ts";
import { decompress } from "./zstd/decompress.ts";

const own = (stored: Uint8Array) => stored;

Deno.test("decompressOf() is the small decoder unless the options say something else", () => {
  assert.equal(decompressOf(undefined), decompress);
  assert.equal(decompressOf(own), own);
  assert.equal(decompressOf(false), undefined);
});

Deno.test("decompressKey() tells functions apart", () => {
  const other = (stored: Uint8Array) => own(stored);
  const keys = [undefined, false, own, other] as const;
  assert.equal(new Set(keys.map(decompressKey)).size, 4);
  assert.equal(decompressKey(own), decompressKey(own));
  assert.equal(decompressKey(undefined), decompressKey(decompress));
});
