import { deepEqual, equal, throws } from "node:assert/strict";
import { range, testSid, testVid, volumePages } from "./_testing.ts";
import { WasmCodec } from "./codecs/wasm_codec.ts";
import { encodeSegment } from "./encoding/encode_segment.ts";
import { openSegment } from "./segment_directory.ts";
import { trimTail, untrimTail } from "./segment_tail.ts";

const { bytes } = encodeSegment(
  testSid(),
  [volumePages(testVid(1), range(1, 40)), volumePages(testVid(2), [7])],
  new WasmCodec(),
);

Deno.test("directory and trailer alone open a segment as its whole tail does", () => {
  const whole = openSegment(testSid(), { bytes, sizeBytes: bytes.length });
  const trimmed = trimTail({ bytes, sizeBytes: bytes.length });
  equal(trimmed.length, 2 * 48 + 4 * 20 + 64 + pageSetBytes(whole));
  const opened = openSegment(testSid(), untrimTail(trimmed.slice()));
  equal(opened.sizeBytes, bytes.length);
  for (const volume of whole.volumes()) {
    const again = opened.volume(volume.vid)!;
    deepEqual([...again.pageSet], [...volume.pageSet]);
    deepEqual(again.frameRange(0), volume.frameRange(0));
  }
});

Deno.test("what is no directory and trailer is refused when it is opened", () => {
  const trimmed = trimTail({ bytes, sizeBytes: bytes.length });
  const spoilt = [new Uint8Array(0), trimmed.slice(-63), trimmed.slice(-64), trimmed.slice(1)];
  for (const at of [0, trimmed.length - 64, trimmed.length - 60, trimmed.length - 1]) {
    const flipped = trimmed.slice();
    flipped[at] ^= 1;
    spoilt.push(flipped);
  }
  for (const tail of spoilt) {
    throws(() => openSegment(testSid(), untrimTail(tail)), { code: "damaged" });
  }
});

function pageSetBytes(directory: ReturnType<typeof openSegment>): number {
  return [...directory.volumes()].reduce((sum, { pageSet }) => sum + pageSet.bytes.length, 0);
}
