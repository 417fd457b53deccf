import assert from "node:assert/strict";
import fc from "fast-check";
import { EMPTY_DIGEST } from "../core/content_digest.ts";
import { PageSet } from "../core/page_set.ts";
import { range, testSid, testVid } from "./_testing.ts";
import { FRAME_ENTRY, FRAME_ENTRY_BYTES } from "./segment_format.ts";
import { VolumeDirectory } from "./volume_directory.ts";

/** A directory whose frames hold so many pages each; frame n is 100 + n bytes long. */
function directoryOf(pageSet: PageSet, pagesOfFrames: readonly number[]): VolumeDirectory {
  const frames = new Uint8Array(pagesOfFrames.length * FRAME_ENTRY_BYTES);
  const view = new DataView(frames.buffer);
  let rank = 0;
  let offset = 32;
  for (const [i, pages] of pagesOfFrames.entries()) {
    const at = i * FRAME_ENTRY_BYTES;
    view.setUint16(at + FRAME_ENTRY.firstRank, rank, true);
    view.setUint8(at + FRAME_ENTRY.pages, pages);
    view.setUint8(at + FRAME_ENTRY.codec, i % 2);
    view.setUint32(at + FRAME_ENTRY.offset, offset, true);
    view.setUint32(at + FRAME_ENTRY.storedBytes, 100 + i, true);
    view.setBigUint64(at + FRAME_ENTRY.hash, 2n ** 63n + BigInt(i), true);
    rank += pages;
    offset += 100 + i;
  }
  return new VolumeDirectory({
    sid: testSid(),
    vid: testVid(),
    pageSet,
    digest: EMPTY_DIGEST,
    frames,
  });
}

/** For each rank its frame, the slow and plain way. */
function framesOfRanks(pagesOfFrames: readonly number[]): number[] {
  return pagesOfFrames.flatMap((pages, frame) => Array<number>(pages).fill(frame));
}

Deno.test("frameOf finds the frame of every rank, whether frames are full or not", () => {
  const shapes = fc.oneof(
    fc.array(fc.integer({ min: 1, max: 16 }), { minLength: 1, maxLength: 40 }),
    fc.tuple(fc.nat(40), fc.integer({ min: 1, max: 16 }))
      .map(([full, last]) => [...Array<number>(full).fill(16), last]),
  );
  fc.assert(fc.property(shapes, (shape) => {
    const expected = framesOfRanks(shape);
    const volume = directoryOf(PageSet.range(5, 4 + expected.length), shape);
    assert.deepEqual(expected.map((_, rank) => volume.frameOf(rank)), expected);
    for (const frame of shape.keys()) {
      assert.equal(volume.firstRank(frame), expected.indexOf(frame));
    }
  }));
});

Deno.test("locate finds the frame and the slot of a page, and none of others", () => {
  const members = [2, 3, 5, 7, 11, 1000, 70_000];
  const volume = directoryOf(PageSet.from(members), [3, 1, 3]);
  const places = members.map((pageIdx) => volume.locate(pageIdx));
  assert.deepEqual(places.map((place) => place?.frame), [0, 0, 0, 1, 2, 2, 2]);
  assert.deepEqual(places.map((place) => place?.slot), [0, 1, 2, 0, 0, 1, 2]);
  for (const pageIdx of [0, 1, 4, 999, 70_001]) assert.equal(volume.locate(pageIdx), undefined);
});

Deno.test("frameRange and frameEntry read what the directory says", () => {
  const volume = directoryOf(PageSet.range(1, 33), [16, 16, 1]);
  assert.equal(volume.frameCount, 3);
  assert.deepEqual(volume.frameRange(0), { offset: 32, length: 100 });
  assert.deepEqual(volume.frameRange(2), { offset: 233, length: 102 });
  assert.deepEqual(volume.frameEntry(1), {
    pages: 16,
    raw: false,
    storedBytes: 101,
    hash: 2n ** 63n + 1n,
  });
  assert.equal(volume.frameEntry(2).raw, true);
});

Deno.test("a volume refuses ranks and frames that it does not have", () => {
  const volume = directoryOf(PageSet.from(range(1, 17)), [16, 1]);
  for (const rank of [-1, 17, NaN]) assert.throws(() => volume.frameOf(rank), /rank is not/);
  for (const frame of [-1, 2, NaN]) {
    assert.throws(() => volume.frameRange(frame), /no such frame/);
    assert.throws(() => volume.frameEntry(frame), /no such frame/);
    assert.throws(() => volume.firstRank(frame), /no such frame/);
  }
});

Deno.test("a volume counts its frames and its page set as memory", () => {
  const few = directoryOf(PageSet.range(1, 16), [16]);
  const many = directoryOf(PageSet.range(1, 160), Array(10).fill(16));
  const grown = 9 * FRAME_ENTRY_BYTES + many.pageSet.bytes.length - few.pageSet.bytes.length;
  assert.equal(many.memoryBytes - few.memoryBytes, grown);
});
