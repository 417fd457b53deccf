import assert from "node:assert/strict";
import { isGraftError } from "../core/errors.ts";
import { noisePage, range, reseal, testSid, testVid, textPage, volumePages } from "./_testing.ts";
import { WasmCodec } from "./codecs/wasm_codec.ts";
import { encodeSegment } from "./encoding/encode_segment.ts";
import { openSegment } from "./segment_directory.ts";
import { decodeFrames, verifySegment } from "./verify_segment.ts";

const codec = new WasmCodec();
const sid = testSid();
const { bytes } = encodeSegment(
  sid,
  [volumePages(testVid(1), range(1, 18)), volumePages(testVid(2), [5], noisePage)],
  codec,
);

function isDamaged(pattern: RegExp): (error: unknown) => boolean {
  return (error) => isGraftError(error, "damaged") && pattern.test(error.message);
}

Deno.test("verifySegment accepts what was encoded, and returns its directory", () => {
  const directory = verifySegment(sid, bytes, codec);
  assert.deepEqual([...directory.volumes()].map(({ vid }) => vid), [testVid(1), testVid(2)]);
});

Deno.test("verifySegment notices any change of any byte", () => {
  for (let at = 0; at < bytes.length; at++) {
    const changed = bytes.slice();
    changed[at] ^= 1 << (at % 8);
    assert.throws(() => verifySegment(sid, changed, codec), isDamaged(/./), `byte ${at}`);
  }
});

Deno.test("verifySegment notices a header that is not its own", () => {
  for (const at of [0, 8, 9, 15, 16, 31]) {
    const changed = bytes.slice();
    changed[at] ^= 1;
    assert.throws(() => verifySegment(sid, changed, codec), isDamaged(/start with its header/));
  }
});

Deno.test("verifySegment notices a digest that is not the pages'", () => {
  const changed = reseal(sid, bytes, (copy, view, trailer) => {
    copy[view.getUint32(trailer, true) + 16] ^= 1;
  });
  const pattern = new RegExp(`content digest of volume "${testVid(1)}" is off`);
  assert.throws(() => verifySegment(sid, changed, codec), isDamaged(pattern));
});

Deno.test("verifySegment notices frames that changed places", () => {
  const noise = [volumePages(testVid(1), range(1, 32), noisePage)];
  const original = encodeSegment(sid, noise, codec).bytes;
  const swapped = reseal(sid, original, (copy, view, trailer) => {
    const [first, length] = [32, 16 * 4104];
    copy.set(original.subarray(first + length, first + 2 * length), first);
    copy.set(original.subarray(first, first + length), first + length);
    // and the directory agrees
    const entries = view.getUint32(trailer, true) + 48;
    const [one, two] = [
      view.getBigUint64(entries + 12, true),
      view.getBigUint64(entries + 32, true),
    ];
    view.setBigUint64(entries + 12, two, true);
    view.setBigUint64(entries + 32, one, true);
  });
  assert.throws(() => verifySegment(sid, swapped, codec), isDamaged(/content digest/));
});

Deno.test("decodeFrames walks a volume in the order of its pages", () => {
  const volume = openSegment(sid, { bytes, sizeBytes: bytes.length }).volume(testVid(1))!;
  const frames = [...decodeFrames(volume, bytes, codec)];
  assert.deepEqual(frames.map(({ count }) => count), [16, 2]);
  assert.deepEqual(frames[1].page(1), textPage(18));
});
