import assert from "node:assert/strict";
import { pageHash, xxh64 } from "../core/content_digest.ts";
import { isGraftError } from "../core/errors.ts";
import { noisePage, range, testSid, testVid, textPage, volumePages } from "./_testing.ts";
import { NativeCodec } from "./codecs/native_codec.ts";
import { WasmCodec } from "./codecs/wasm_codec.ts";
import { encodeSegment } from "./encoding/encode_segment.ts";
import { DecodedFrame, decodeFrame } from "./frame.ts";
import { openSegment, VolumeDirectory } from "./segment_directory.ts";
import { FRAME_ENTRY, FRAME_ENTRY_BYTES } from "./segment_format.ts";

const codec = new WasmCodec();
const sid = testSid();
const vid = testVid();
const page = (pageIdx: number) => pageIdx > 16 ? noisePage(pageIdx) : textPage(pageIdx);
const { bytes } = encodeSegment(sid, [volumePages(vid, range(1, 19), page)], codec);
const volume = openSegment(sid, { bytes, sizeBytes: bytes.length }).volume(vid)!;
const [compressed, raw] = [0, 1].map((frame) => {
  const { offset, length } = volume.frameRange(frame);
  return bytes.slice(offset, offset + length);
});

function isDamaged(pattern: RegExp): (error: unknown) => boolean {
  return (error) =>
    isGraftError(error, "damaged") && pattern.test(error.message) &&
    error.message.includes(sid) && error.message.includes(vid) && /frame \d/.test(error.message);
}

/** The volume with a directory that agrees with `stored` as frame 0: hostile, not damaged. */
function directoryFor(stored: Uint8Array): VolumeDirectory {
  const directory = new DataView(bytes.buffer).getUint32(bytes.length - 64, true);
  const frames = bytes.slice(directory + 48, directory + 48 + 2 * FRAME_ENTRY_BYTES);
  const view = new DataView(frames.buffer);
  view.setUint32(FRAME_ENTRY.storedBytes, stored.length, true);
  view.setBigUint64(FRAME_ENTRY.hash, xxh64(stored, 0n), true);
  const { pageSet, digest } = volume;
  return new VolumeDirectory({ sid, vid, pageSet, digest, frames });
}

Deno.test("decodeFrame gives the pages and their hashes", () => {
  for (const [frame, stored] of [compressed, raw].entries()) {
    for (const by of [codec, new NativeCodec()]) {
      const decoded = decodeFrame(volume, frame, stored, by);
      assert.equal(decoded.count, [16, 3][frame]);
      const hashes = new BigUint64Array(decoded.hashes.buffer);
      for (let slot = 0; slot < decoded.count; slot++) {
        const pageIdx = frame * 16 + slot + 1;
        assert.deepEqual(decoded.page(slot), page(pageIdx));
        assert.equal(hashes[slot], pageHash(page(pageIdx)));
      }
    }
  }
});

Deno.test("decodeFrame keeps nothing of the bytes it was given", () => {
  for (const [frame, stored] of [compressed, raw].entries()) {
    const given = stored.slice();
    const decoded = decodeFrame(volume, frame, given, codec);
    given.fill(0);
    decodeFrame(volume, 1 - frame, [compressed, raw][1 - frame], codec);
    assert.deepEqual(decoded.page(0), page(frame * 16 + 1));
    assert.ok(decoded.hashes.some((byte) => byte !== 0));
    assert.equal(decoded.pages.buffer.byteLength, decoded.count * 4096);
  }
});

Deno.test("decodeFrame refuses a byte changed anywhere", () => {
  for (const [frame, stored] of [compressed, raw].entries()) {
    for (let at = 0; at < stored.length; at += frame === 0 ? 1 : 101) {
      const changed = stored.slice();
      changed[at] ^= 1 << (at % 8);
      const decode = () => decodeFrame(volume, frame, changed, codec);
      assert.throws(decode, isDamaged(/fails its checksum$/));
    }
  }
});

Deno.test("decodeFrame refuses another length or another frame's bytes", () => {
  const decode = (stored: Uint8Array) => () => decodeFrame(volume, 0, stored, codec);
  assert.throws(decode(compressed.slice(1)), isDamaged(/bytes instead of/));
  assert.throws(decode(new Uint8Array(0)), isDamaged(/0 bytes instead of/));
  assert.throws(decode(raw), isDamaged(/bytes instead of/));
});

Deno.test("decodeFrame refuses a page that is not the one that was hashed", () => {
  for (let at = 0; at < 16 * 8; at++) {
    const changed = compressed.slice();
    changed[at] ^= 1;
    const decode = () => decodeFrame(directoryFor(changed), 0, changed, codec);
    assert.throws(decode, isDamaged(/holds a page that fails its checksum/));
  }
});

Deno.test("decodeFrame refuses pages that do not decompress to what the directory says", () => {
  const damages = [
    compressed.slice(0, -1),
    compressed.slice(0, 16 * 8 + 1),
    Uint8Array.of(...compressed, 0),
    Uint8Array.of(...compressed.subarray(0, 16 * 8), ...codec.compress(textPage(1))),
  ];
  for (const changed of damages) {
    const decode = () => decodeFrame(directoryFor(changed), 0, changed, codec);
    assert.throws(decode, isDamaged(/does not decompress/));
  }
});

Deno.test("decodeFrame refuses raw pages that are not as long as the directory says", () => {
  for (const changed of [raw.slice(0, -1), Uint8Array.of(...raw, 0), raw.slice(0, 16)]) {
    const frames = new Uint8Array(FRAME_ENTRY_BYTES);
    const view = new DataView(frames.buffer);
    view.setUint8(FRAME_ENTRY.pages, 3);
    view.setUint32(FRAME_ENTRY.storedBytes, changed.length, true);
    view.setBigUint64(FRAME_ENTRY.hash, xxh64(changed, 0n), true);
    const { pageSet, digest } = volume;
    const named = new VolumeDirectory({ sid, vid, pageSet, digest, frames });
    const decode = () => decodeFrame(named, 0, changed, codec);
    assert.throws(decode, isDamaged(/is not as long as its pages/));
  }
});

Deno.test("decodeFrame hides no bug of a codec", () => {
  const broken = {
    compress: (raw: Uint8Array) => raw,
    decompress: () => {
      throw new TypeError("a bug");
    },
  };
  assert.throws(() => decodeFrame(volume, 0, compressed, broken), TypeError);
});

Deno.test("DecodedFrame has the slots that it has, and counts its bytes", () => {
  const frame = new DecodedFrame(new Uint8Array(8192), new Uint8Array(16));
  assert.equal(frame.count, 2);
  assert.ok(frame.memoryBytes > 8192 && frame.memoryBytes < 12_000);
  for (const slot of [-1, 2, NaN]) assert.throws(() => frame.page(slot), /no such slot/);
  assert.throws(() => new DecodedFrame(new Uint8Array(8192), new Uint8Array(8)), /one hash/);
});
