import assert from "node:assert/strict";
import { zstdCompressSync } from "node:zlib";
import fc from "fast-check";
import * as zstd from "../../../wasm/build/zstd.wasm";
import { isGraftError } from "../../core/errors.ts";
import { PAGE_SIZE } from "../../core/limits.ts";
import { noisePage, textPage } from "../_testing.ts";
import { NativeCodec } from "./native_codec.ts";
import { WasmCodec } from "./wasm_codec.ts";

const codecs = { WasmCodec: new WasmCodec(), NativeCodec: new NativeCodec() };
const all = Object.entries(codecs);
const pairs = all.flatMap(([, from]) => all.map(([, to]) => ({ from, to })));

function pagesOf(count: number, page = textPage): Uint8Array {
  const raw = new Uint8Array(count * PAGE_SIZE);
  for (let i = 0; i < count; i++) raw.set(page(i + 1), i * PAGE_SIZE);
  return raw;
}

function isDamaged(error: unknown): boolean {
  return isGraftError(error, "damaged");
}

/** A zstd frame header that states `size` bytes of content, then a raw block of four bytes, the last. */
function frameStating(size: bigint): Uint8Array {
  const bytes = new Uint8Array(20);
  // single segment, eight bytes of content size
  bytes.set([0x28, 0xb5, 0x2f, 0xfd, 0xe0]);
  new DataView(bytes.buffer).setBigUint64(5, size, true);
  bytes.set([(4 << 3) | 1, 0, 0, 1, 2, 3, 4], 13);
  return bytes;
}

Deno.test("every codec reads what any codec wrote, of any number of pages", () => {
  for (const { from, to } of pairs) {
    for (const count of [1, 2, 15, 16]) {
      for (const page of [textPage, noisePage]) {
        const raw = pagesOf(count, page);
        assert.deepEqual(to.decompress(from.compress(raw).slice(), raw.length), raw);
      }
    }
  }
});

Deno.test("every codec reads what any codec wrote, whatever it is", () => {
  const runs = fc.array(fc.tuple(fc.nat(255), fc.integer({ min: 1, max: 900 })), {
    minLength: 1,
    maxLength: 60,
  });
  fc.assert(fc.property(runs, (parts) => {
    const raw = Uint8Array.from(parts.flatMap(([byte, length]) => Array(length).fill(byte)));
    for (const { from, to } of pairs) {
      assert.deepEqual(to.decompress(from.compress(raw).slice(), raw.length), raw);
    }
  }));
});

for (const [name, codec] of all) {
  Deno.test(`${name} makes less than half of text`, () => {
    assert.ok(codec.compress(pagesOf(16)).length < 8 * PAGE_SIZE);
  });

  Deno.test(`${name} states the content size`, () => {
    const frame = codec.compress(pagesOf(16));
    assert.deepEqual([...frame.subarray(0, 4)], [0x28, 0xb5, 0x2f, 0xfd]);
    const sizeFlag = frame[4] >>> 6;
    const singleSegment = (frame[4] >>> 5) & 1;
    assert.equal(sizeFlag, 1, "sizes from 256 to 65,791 take two bytes");
    const at = singleSegment ? 5 : 6;
    assert.equal(frame[at] + frame[at + 1] * 256 + 256, 16 * PAGE_SIZE);
  });

  Deno.test(`${name} gives bytes that later calls leave alone`, () => {
    const stored = codec.compress(pagesOf(2)).slice();
    const raw = codec.decompress(stored, 2 * PAGE_SIZE);
    codec.compress(pagesOf(16, noisePage));
    codec.decompress(codec.compress(pagesOf(2, noisePage)).slice(), 2 * PAGE_SIZE);
    assert.deepEqual(raw, pagesOf(2));
    assert.equal(raw.buffer.byteLength, raw.length, "a cache would keep what is around it");
  });

  Deno.test(`${name} refuses a frame that was cut short, at any length`, () => {
    const stored = codec.compress(pagesOf(1)).slice();
    for (let length = 0; length < stored.length; length++) {
      assert.throws(() => codec.decompress(stored.subarray(0, length), PAGE_SIZE), isDamaged);
    }
  });

  Deno.test(`${name} refuses a length other than was written`, () => {
    const stored = codec.compress(pagesOf(2)).slice();
    assert.throws(() => codec.decompress(stored, PAGE_SIZE), isDamaged);
    assert.throws(() => codec.decompress(stored, 3 * PAGE_SIZE), isDamaged);
  });

  Deno.test(`${name} refuses what is no zstd`, () => {
    assert.throws(() => codec.decompress(new Uint8Array(0), PAGE_SIZE), isDamaged);
    assert.throws(() => codec.decompress(new Uint8Array(100), PAGE_SIZE), isDamaged);
    assert.throws(() => codec.decompress(noisePage(5), PAGE_SIZE), isDamaged);
    assert.throws(() => codec.decompress(new Uint8Array(2 ** 25), PAGE_SIZE), isDamaged);
  });

  Deno.test(`${name} takes no memory for a size that a frame only states`, () => {
    const stored = codec.compress(pagesOf(16)).slice();
    codec.decompress(stored, 16 * PAGE_SIZE);
    const before = zstd.memory.buffer.byteLength;
    for (const size of [2n ** 16n + 1n, 2n ** 30n, 2n ** 40n, 2n ** 63n, 2n ** 64n - 1n]) {
      assert.throws(() => codec.decompress(frameStating(size), PAGE_SIZE), isDamaged);
    }
    assert.equal(zstd.memory.buffer.byteLength, before);
  });

  Deno.test(`${name} stops where a frame becomes more than was asked for`, () => {
    const bomb = zstdCompressSync(new Uint8Array(2 ** 24));
    assert.ok(bomb.length < 2000);
    const decompress = () => codec.decompress(bomb, PAGE_SIZE);
    assert.throws(decompress, (error) => isDamaged(error) && /not valid/.test(String(error)));
  });

  Deno.test(`${name} works on after a refusal`, () => {
    const stored = codec.compress(pagesOf(3)).slice();
    assert.throws(() => codec.decompress(stored.subarray(1), 3 * PAGE_SIZE), isDamaged);
    assert.deepEqual(codec.decompress(stored, 3 * PAGE_SIZE), pagesOf(3));
  });
}

Deno.test("WasmCodec refuses more than a frame before it reaches its memory", () => {
  const tooMuch = new Uint8Array(16 * PAGE_SIZE + 1);
  assert.throws(() => codecs.WasmCodec.compress(tooMuch), /More than a frame/);
  assert.throws(() => codecs.WasmCodec.decompress(tooMuch, tooMuch.length), /More than a frame/);
});
