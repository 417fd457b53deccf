import assert from "node:assert/strict";
import { isGraftError } from "../core/errors.ts";
import { gidToBytes } from "../core/gid.ts";
import { SEGMENT_TAIL_BYTES_MAX } from "../core/limits.ts";
import { PageSet } from "../core/page_set.ts";
import { noisePage, range, reseal, testSid, testVid, volumePages } from "./_testing.ts";
import { WasmCodec } from "./codecs/wasm_codec.ts";
import { encodeSegment } from "./encoding/encode_segment.ts";
import { openSegment, type SegmentDirectory } from "./segment_directory.ts";
import { FRAME_ENTRY_BYTES, VOLUME_ENTRY, VOLUME_ENTRY_BYTES } from "./segment_format.ts";

const sid = testSid();
const codec = new WasmCodec();
const { bytes } = encodeSegment(
  sid,
  [
    volumePages(testVid(1), [...range(1, 20), 900, 70_000]),
    volumePages(testVid(2), range(300, 316), noisePage),
  ],
  codec,
);
const directoryAt = new DataView(bytes.buffer).getUint32(bytes.length - 64, true);

function open(changed: Uint8Array<ArrayBuffer>, sizeBytes = changed.length): SegmentDirectory {
  return openSegment(sid, { bytes: changed, sizeBytes });
}

function isDamaged(pattern: RegExp): (error: unknown) => boolean {
  return (error) =>
    isGraftError(error, "damaged") && error.message.includes(`segment "${sid}"`) &&
    pattern.test(error.message);
}

/** Changes the directory with a checksum that fits, as only someone hostile or a bug would. */
function refuses(
  pattern: RegExp,
  change: (bytes: Uint8Array, view: DataView, trailer: number) => void,
): void {
  assert.throws(() => open(reseal(sid, bytes, change)), isDamaged(pattern));
}

Deno.test("openSegment finds every volume, and nothing of others", () => {
  const directory = open(bytes);
  assert.equal(directory.sid, sid);
  assert.equal(directory.sizeBytes, bytes.length);
  assert.deepEqual([...directory.volumes()].map(({ vid }) => vid), [testVid(1), testVid(2)]);
  assert.deepEqual([...directory.volume(testVid(2))!.pageSet], range(300, 316));
  assert.equal(directory.volume(testVid(3)), undefined);
});

Deno.test("openSegment needs no more than the last 60 KiB", () => {
  const large = encodeSegment(sid, [volumePages(testVid(), range(1, 500), noisePage)], codec);
  const tail = large.bytes.slice(-SEGMENT_TAIL_BYTES_MAX);
  const directory = openSegment(sid, { bytes: tail, sizeBytes: large.bytes.length });
  const volume = directory.volume(testVid());
  assert.equal(volume?.frameCount, 32);
  assert.deepEqual(volume?.frameRange(0), { offset: 32, length: 16 * 4104 });
});

Deno.test("openSegment keeps nothing of the bytes it was given", () => {
  const given = bytes.slice();
  const directory = open(given);
  const before = directory.volume(testVid(1))!.frameEntry(0);
  given.fill(0);
  assert.deepEqual(directory.volume(testVid(1))!.frameEntry(0), before);
  assert.ok(directory.volume(testVid(1))!.pageSet.has(900));
  assert.ok(directory.volume(testVid(1))!.digest.some((byte) => byte !== 0));
});

Deno.test("SegmentDirectory says about how much memory it takes", () => {
  const one = encodeSegment(sid, [volumePages(testVid(), [1])], codec).bytes;
  const small = open(one).memoryBytes;
  const more = open(bytes).memoryBytes;
  assert.ok(small >= 500 && small < 3000);
  assert.ok(more > small);
});

Deno.test("openSegment notices any change of a byte of directory and trailer", () => {
  for (let at = directoryAt; at < bytes.length; at++) {
    for (const change of [1, 0x80, 0xff]) {
      const changed = bytes.slice();
      changed[at] ^= change;
      assert.throws(() => open(changed), isDamaged(/Cannot read segment/), `byte ${at}`);
    }
  }
});

Deno.test("openSegment refuses an object that was cut short or grew", () => {
  const frames = range(0, directoryAt).filter((at) => at < 64 || at % 997 === 0);
  for (const length of [...frames, ...range(directoryAt, bytes.length - 1)]) {
    assert.throws(() => open(bytes.slice(0, length)), isDamaged(/./));
    assert.throws(() => open(bytes.slice(length + 1)), isDamaged(/./));
  }
  const longer = new Uint8Array(bytes.length + 1);
  longer.set(bytes, 1);
  assert.throws(() => open(longer), isDamaged(/its length is not/));
  longer.set(bytes);
  assert.throws(() => open(longer), isDamaged(/does not end with/));
});

Deno.test("openSegment refuses a length that disagrees", () => {
  assert.throws(() => open(bytes, bytes.length + 1), isDamaged(/its length is not/));
  assert.throws(() => open(bytes, bytes.length - 1), isDamaged(/cut short/));
  assert.throws(() => open(bytes, 2 ** 32 + bytes.length), isDamaged(/longer than any segment/));
});

Deno.test("openSegment refuses a tail that does not reach to the directory", () => {
  const tail = bytes.slice(directoryAt + 1);
  assert.throws(() => open(tail, bytes.length), isDamaged(/cut short/));
  assert.equal(open(bytes.slice(directoryAt), bytes.length).sizeBytes, bytes.length);
});

Deno.test("openSegment refuses another segment's bytes", () => {
  const tail = { bytes, sizeBytes: bytes.length };
  assert.throws(() => openSegment(testSid(2), tail), /it is another segment/);
  // even when it claims to be this one, as the seed of the checksum differs
  const renamed = bytes.slice();
  renamed.set(gidToBytes(testSid(2)), bytes.length - 48);
  const renamedTail = { bytes: renamed, sizeBytes: renamed.length };
  assert.throws(() => openSegment(testSid(2), renamedTail), /fails its checksum/);
});

Deno.test("openSegment refuses versions, features and keys that it does not know", () => {
  refuses(/format version is unknown/, (_, view, trailer) => view.setUint16(trailer + 40, 2, true));
  refuses(/feature that is unknown/, (_, view, trailer) => view.setUint32(trailer + 8, 1, true));
  refuses(/unknown key/, (_, view) => view.setUint32(directoryAt + 32, 1, true));
});

Deno.test("openSegment refuses totals that are off", () => {
  for (const volumes of [0, 1, 3, 401, 2 ** 32 - 1]) {
    refuses(/./, (_, view, trailer) => view.setUint32(trailer + 12, volumes, true));
  }
  for (const place of [32, 36]) {
    refuses(
      /totals/,
      (_, view, trailer) =>
        view.setUint32(trailer + place, view.getUint32(trailer + place, true) + 1, true),
    );
  }
});

Deno.test("openSegment refuses malformed volumes", () => {
  const field = (place: number, value: number) => (_: Uint8Array, view: DataView) =>
    view.setUint32(directoryAt + place, value, true);
  refuses(/malformed volume/, (changed) => changed[directoryAt] = 0xa0);
  refuses(/malformed volume/, (changed) => changed[directoryAt + 15] = 9);
  for (const pages of [0, 16_385, 2 ** 32 - 1]) {
    refuses(/malformed/, field(VOLUME_ENTRY.pages, pages));
  }
  for (const frames of [0, 1, 3, 23, 2 ** 28, 2 ** 32 - 1]) {
    refuses(/malformed/, field(VOLUME_ENTRY.frames, frames));
  }
  for (const length of [0, 1, 10_000, 2 ** 31, 2 ** 32 - 1]) {
    refuses(/malformed|totals/, field(VOLUME_ENTRY.pageSetBytes, length));
  }
});

Deno.test("openSegment refuses malformed frames", () => {
  const second = directoryAt + VOLUME_ENTRY_BYTES + FRAME_ENTRY_BYTES;
  const refusesFrame = (change: (view: DataView) => void) =>
    refuses(/malformed frame/, (_, view) => change(view));
  for (const rank of [0, 15, 17, 0xffff]) {
    refusesFrame((view) => view.setUint16(second, rank, true));
  }
  for (const pages of [0, 5, 7, 17, 255]) refusesFrame((view) => view.setUint8(second + 2, pages));
  for (const kind of [0, 2, 255]) refusesFrame((view) => view.setUint8(second + 3, kind));
  for (const place of [4, 8]) {
    for (const delta of [-1, 1, 2 ** 31]) {
      refusesFrame((view) =>
        view.setUint32(second + place, view.getUint32(second + place, true) + delta, true)
      );
    }
  }
  refusesFrame((view) => view.setUint32(second + 8, 6 * 8, true));
  refusesFrame((view) => view.setUint32(second + 8, 6 * 4104, true));
});

/** Opens a segment of `written` whose page set is replaced by another one, as long as it. */
function openWithPageSet(written: number[], members: number[]): SegmentDirectory {
  const original = encodeSegment(sid, [volumePages(testVid(), written)], codec).bytes;
  const set = PageSet.from(members).bytes;
  assert.equal(set.length, PageSet.from(written).bytes.length, "the test needs sets as long");
  return open(reseal(sid, original, (changed, _, trailer) => {
    changed.set(set, trailer - set.length);
  }));
}

Deno.test("openSegment refuses a page set that does not decode", () => {
  const setAt = directoryAt + VOLUME_ENTRY_BYTES + 2 * FRAME_ENTRY_BYTES;
  refuses(/page set does not decode/, (changed) => changed[setAt] ^= 1);
});

Deno.test("openSegment refuses a page set with what is no page index", () => {
  assert.deepEqual([...openWithPageSet([5], [6]).volume(testVid())!.pageSet], [6]);
  assert.throws(() => openWithPageSet([5], [0]), isDamaged(/no page index/));
  assert.throws(() => openWithPageSet([5], [2 ** 28 + 1]), isDamaged(/no page index/));
  assert.throws(() => openWithPageSet([5], [2 ** 32 - 1]), isDamaged(/no page index/));
});

Deno.test("openSegment refuses a page set of another size than its frames", () => {
  assert.throws(() => openWithPageSet(range(1, 40), range(1, 41)), isDamaged(/as many members/));
  assert.throws(() => openWithPageSet(range(1, 40), range(1, 39)), isDamaged(/as many members/));
});

interface CraftedFrame {
  readonly pages: number;
  readonly kind: 0 | 1;
  readonly stored: number;
}

/** A segment with a directory as asked for, all of whose numbers agree. Its frames are zeros. */
function craft(
  volumes: readonly { members: readonly number[]; frames: readonly CraftedFrame[] }[],
  gap = 0,
): Uint8Array<ArrayBuffer> {
  const entries: number[] = [];
  let [offset, pageCount, frameCount] = [32, 0, 0];
  const u16 = (value: number) => [value & 0xff, value >>> 8];
  const u32 = (value: number) => [...u16(value & 0xffff), ...u16(value >>> 16)];
  for (const [i, { members, frames }] of volumes.entries()) {
    const set = PageSet.from(members).bytes;
    entries.push(...gidToBytes(testVid(i)), ...Array<number>(16).fill(0), ...u32(0));
    entries.push(...u32(set.length), ...u32(members.length), ...u32(frames.length));
    let rank = 0;
    for (const { pages, kind, stored } of frames) {
      entries.push(...u16(rank), pages, kind, ...u32(offset), ...u32(stored));
      entries.push(...Array<number>(8).fill(0));
      [rank, offset] = [rank + pages, offset + stored];
    }
    entries.push(...set);
    [pageCount, frameCount] = [pageCount + members.length, frameCount + frames.length];
  }
  const crafted = new Uint8Array(offset + gap + entries.length + 64);
  crafted.set(entries, offset + gap);
  crafted.set(bytes.subarray(-64), crafted.length - 64);
  const view = new DataView(crafted.buffer, crafted.length - 64);
  const numbers = {
    0: offset + gap,
    4: entries.length,
    12: volumes.length,
    32: pageCount,
    36: frameCount,
  };
  for (const [at, value] of Object.entries(numbers)) view.setUint32(Number(at), value, true);
  return reseal(sid, crafted, () => {});
}

const zstdFrame = (pages: number, stored = pages * 8 + 1): CraftedFrame => ({
  pages,
  kind: 1,
  stored,
});
const rawFrame = (pages: number, stored = pages * 4104): CraftedFrame => ({
  pages,
  kind: 0,
  stored,
});

Deno.test("openSegment takes crafted segments, so that the next tests mean something", () => {
  const frames = [zstdFrame(1), rawFrame(2), zstdFrame(16)];
  const directory = open(craft([{ members: range(1, 19), frames }]));
  assert.equal(directory.volume(testVid(0))?.frameCount, 3);
  assert.equal(directory.volume(testVid(0))?.frameOf(3), 2);
});

Deno.test("openSegment refuses a volume without pages", () => {
  assert.throws(() => open(craft([{ members: [], frames: [] }])), isDamaged(/malformed volume/));
  assert.throws(() => open(craft([])), isDamaged(/totals/));
});

Deno.test("openSegment refuses frames of a length that no encoder gives them", () => {
  const frames = [
    zstdFrame(2, 16),
    zstdFrame(2, 0),
    zstdFrame(2, 2 * 4104),
    rawFrame(2, 2 * 4104 - 1),
    rawFrame(2, 4104),
  ];
  for (const frame of frames) {
    const crafted = craft([{ members: [1, 2], frames: [frame] }]);
    assert.throws(() => open(crafted), isDamaged(/malformed frame/));
  }
  const large = craft([{ members: range(1, 17), frames: [zstdFrame(17)] }]);
  assert.throws(() => open(large), isDamaged(/malformed frame/));
});

Deno.test("openSegment refuses bytes between the frames and the directory", () => {
  const volumes = [{ members: [1], frames: [zstdFrame(1)] }];
  assert.throws(() => open(craft(volumes, 1)), isDamaged(/totals/));
  assert.equal(open(craft(volumes)).sizeBytes, craft(volumes).length);
});

Deno.test("openSegment refuses more pages or a longer directory than a segment may have", () => {
  const full = { members: range(1, 16_384), frames: range(1, 1024).map(() => zstdFrame(16)) };
  assert.equal(open(craft([full])).volume(testVid(0))?.pageSet.size, 16_384);
  const more = craft([full, { members: [1], frames: [zstdFrame(1)] }]);
  assert.throws(() => open(more), isDamaged(/totals/));
  const single = { members: range(1, 1000), frames: range(1, 1000).map(() => zstdFrame(1)) };
  const long = craft([single, single, single, single]);
  assert.throws(() => open(long), isDamaged(/its length is not/));
  assert.equal([...open(craft([single, single])).volumes()].length, 2);
});
