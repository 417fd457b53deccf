import assert from "node:assert/strict";
import fc from "fast-check";
import { contentDigest, EMPTY_DIGEST, pageHash } from "../../core/content_digest.ts";
import { PageBuffer } from "../../core/page_buffer.ts";
import {
  noisePage,
  range,
  readPages,
  testSid,
  testVid,
  textPage,
  volumePages,
} from "../_testing.ts";
import { WasmCodec } from "../codecs/wasm_codec.ts";
import type { VolumePages } from "../segment.ts";
import { openSegment } from "../segment_directory.ts";
import { verifySegment } from "../verify_segment.ts";
import { encodeSegment } from "./encode_segment.ts";

const codec = new WasmCodec();
const sid = testSid();

/** Encodes, verifies, and compares every page with what `page` makes for its index. */
function checkRoundTrip(
  volumes: readonly VolumePages[],
  page: (pageIdx: number) => Uint8Array,
): void {
  const { bytes } = encodeSegment(sid, volumes, codec);
  verifySegment(sid, bytes, codec);
  const found = readPages(sid, bytes, codec);
  assert.deepEqual([...found.keys()], volumes.map(({ vid }) => vid).toSorted());
  for (const { vid, pages } of volumes) {
    const read = found.get(vid);
    assert.ok(read !== undefined);
    assert.deepEqual([...read.keys()], [...pages.indexes].toSorted((a, b) => a - b));
    for (const [pageIdx, bytes] of read) {
      assert.ok(Buffer.compare(bytes, page(pageIdx)) === 0, `page ${pageIdx}`);
    }
  }
}

Deno.test("encodeSegment keeps any number of pages, around every boundary", () => {
  for (const count of [1, 2, 15, 16, 17, 31, 32, 33, 255, 256, 257]) {
    checkRoundTrip([volumePages(testVid(), range(1, count))], textPage);
  }
});

Deno.test("encodeSegment keeps pages in any order, of any sparseness, of many volumes", () => {
  const indexes = fc.uniqueArray(
    fc.oneof(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 1, max: 2 ** 28 })),
    { minLength: 1, maxLength: 50 },
  );
  const volumes = fc.uniqueArray(fc.tuple(fc.nat(1000), indexes), {
    minLength: 1,
    maxLength: 8,
    selector: ([number]) => number,
  });
  const page = (pageIdx: number) => pageIdx % 3 === 0 ? noisePage(pageIdx) : textPage(pageIdx);
  fc.assert(
    fc.property(volumes, (shapes) => {
      checkRoundTrip(
        shapes.map(([number, pages]) => volumePages(testVid(number), pages, page)),
        page,
      );
    }),
    { numRuns: 60 },
  );
});

Deno.test("encodeSegment keeps 16,384 pages, the lowest index and the highest", () => {
  const indexes = [...range(1, 16_383), 2 ** 28];
  checkRoundTrip([volumePages(testVid(), indexes.toReversed())], textPage);
});

Deno.test("encodeSegment keeps 400 volumes", () => {
  checkRoundTrip(range(1, 400).map((number) => volumePages(testVid(number), [number])), textPage);
});

Deno.test("encodeSegment sorts volumes by their ids and says what it holds", () => {
  const given = [3, 1, 2].map((number) => volumePages(testVid(number), [number + 4, number]));
  const encoded = encodeSegment(sid, given, codec);
  assert.equal(encoded.sid, sid);
  assert.deepEqual(encoded.volumes.map(({ vid }) => vid), [1, 2, 3].map(testVid));
  assert.deepEqual(encoded.volumes.map(({ pageSet }) => [...pageSet]), [[1, 5], [2, 6], [3, 7]]);
  const directory = openSegment(sid, { bytes: encoded.bytes, sizeBytes: encoded.bytes.length });
  for (const volume of encoded.volumes) {
    assert.deepEqual(directory.volume(volume.vid)?.digest, volume.digest);
  }
});

Deno.test("encodeSegment gives the content digest that core defines", () => {
  const indexes = Uint32Array.of(9, 4, 70_000);
  const hashes = BigUint64Array.from(indexes, (pageIdx) => pageHash(textPage(pageIdx)));
  const { volumes } = encodeSegment(sid, [volumePages(testVid(), indexes)], codec);
  assert.deepEqual(volumes[0].digest, contentDigest(indexes, hashes));
  assert.notDeepEqual(volumes[0].digest, EMPTY_DIGEST);
});

Deno.test("encodeSegment gives the same bytes for the same pages in another order", () => {
  const forth = encodeSegment(sid, [volumePages(testVid(), range(5, 40))], codec);
  const back = encodeSegment(sid, [volumePages(testVid(), range(5, 40).toReversed())], codec);
  assert.deepEqual(forth.bytes, back.bytes);
});

Deno.test("encodeSegment stores pages raw where compressing does not help", () => {
  const volume = volumePages(testVid(), range(1, 17), noisePage);
  const { bytes } = encodeSegment(sid, [volume], codec);
  const directory = openSegment(sid, { bytes, sizeBytes: bytes.length });
  const frame = directory.volume(testVid())?.frameEntry(0);
  assert.deepEqual(frame?.raw, true);
  assert.equal(frame?.storedBytes, 16 * (4096 + 8));
  assert.ok(bytes.length < 17 * 4096 + 500);
});

Deno.test("encodeSegment makes frames of 16 neighbours, whatever the gaps between them", () => {
  const indexes = range(1, 40).map((i) => i * 1000);
  const { bytes } = encodeSegment(sid, [volumePages(testVid(), indexes)], codec);
  const volume = openSegment(sid, { bytes, sizeBytes: bytes.length }).volume(testVid());
  assert.deepEqual([0, 1, 2].map((frame) => volume?.frameEntry(frame).pages), [16, 16, 8]);
});

Deno.test("encodeSegment leaves the buffers as they were", () => {
  const volume = volumePages(testVid(), [2, 1]);
  encodeSegment(sid, [volume], codec);
  assert.deepEqual([...volume.pages.indexes], [2, 1]);
  assert.deepEqual(volume.pages.page(0), textPage(2));
});

Deno.test("encodeSegment refuses what no caller may give it", () => {
  const encode = (...volumes: VolumePages[]) => encodeSegment(sid, volumes, codec);
  const one = volumePages(testVid(1), [1]);
  assert.throws(() => encode(), /from 1 to 400 volumes/);
  assert.throws(() => encode(one, one), /a volume twice/);
  assert.throws(() => encode({ vid: testVid(), pages: new PageBuffer() }), /without pages/);
  assert.throws(() => encode(volumePages(testVid(), [1, 2, 1])), /an index twice/);
  assert.throws(() => encode(volumePages(testVid(), [0, 1])), /one that is none/);
  assert.throws(() => encode(volumePages(testVid(), [2 ** 28 + 1])), /one that is none/);
  const many = range(1, 401).map((number) => volumePages(testVid(number), [1]));
  assert.throws(() => encode(...many), /from 1 to 400 volumes/);
  const sparse = range(1, 9000).map((i) => i * 29_009);
  const page = new Uint8Array(4096);
  const tooLong = volumePages(testVid(), sparse, () => page);
  assert.throws(() => encode(tooLong), /directory is too large/);
  const tooMany = volumePages(testVid(), range(1, 16_385), () => page);
  assert.throws(() => encode(tooMany), /more than 16,384 pages/);
});
