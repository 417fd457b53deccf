// Damaged segments and frames: each is either refused as damaged or read as it was written.
//
// FUZZ_SEED and FUZZ_RUNS choose what is tried; a failure prints the two that repeat it.

import assert from "node:assert/strict";
import { digestsEqual, xxh64 } from "../../src/core/content_digest.ts";
import { GraftError } from "../../src/core/errors.ts";
import { gidToBytes } from "../../src/core/gid.ts";
import {
  noisePage,
  range,
  testSid,
  testVid,
  textPage,
  volumePages,
} from "../../src/segment/_testing.ts";
import { NativeCodec } from "../../src/segment/codecs/native_codec.ts";
import { WasmCodec } from "../../src/segment/codecs/wasm_codec.ts";
import { encodeSegment } from "../../src/segment/encoding/encode_segment.ts";
import { decodeFrame } from "../../src/segment/frame.ts";
import {
  openSegment,
  type SegmentDirectory,
  VolumeDirectory,
} from "../../src/segment/segment_directory.ts";
import { graft } from "../../wasm/mod.ts";
import * as zstd from "../../wasm/build/zstd.wasm";
import { Chance, mutate } from "./page_set_mutations.ts";

const SEED = Number(Deno.env.get("FUZZ_SEED") ?? 20_250_602);
const RUNS = Number(Deno.env.get("FUZZ_RUNS") ?? 100_000);
/** Opening is quick and has the most to get wrong; decoding takes ten times as long. */
const DECODE_SHARE = 0.2;

const sid = testSid();
const codec = new WasmCodec();
const codecs = [codec, new NativeCodec()];

function segmentsOf(): Uint8Array<ArrayBuffer>[] {
  return [
    [volumePages(testVid(1), [1])],
    [volumePages(testVid(1), [...range(1, 20), 900, 70_000])],
    range(1, 5).map((number) => volumePages(testVid(number), [number, 3 * number, 2 ** 27])),
    [volumePages(testVid(1), range(1, 600).map((i) => i * 7), textPage)],
    [volumePages(testVid(1), [5], noisePage), volumePages(testVid(2), range(40, 80))],
  ].map((volumes) => encodeSegment(sid, volumes, codec).bytes);
}

function directoryStart(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(bytes.length - 64, true);
}

/** Makes the trailer agree with whatever the tail has become, so that the checks behind it are reached. */
function seal(tail: Uint8Array<ArrayBuffer>, offset: number): void {
  const view = new DataView(tail.buffer);
  const trailer = tail.length - 64;
  view.setUint32(trailer, offset, true);
  view.setUint32(trailer + 4, trailer, true);
  view.setUint32(trailer + 8, 0, true);
  tail.set(gidToBytes(sid), trailer + 16);
  view.setUint16(trailer + 40, 1, true);
  const seed = xxh64(gidToBytes(sid), 0n);
  view.setBigUint64(trailer + 48, xxh64(tail.subarray(0, trailer + 48), seed), true);
  tail.set(new TextEncoder().encode("GRAFTEND"), trailer + 56);
}

function damagedOrUndefined<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof GraftError && error.code === "damaged") return undefined;
    throw error;
  }
}

/** What was opened must make sense, whatever it was opened from. */
function checkDirectory(directory: SegmentDirectory): void {
  let offset = 32;
  for (const volume of directory.volumes()) {
    let rank = 0;
    for (let frame = 0; frame < volume.frameCount; frame++) {
      const at = volume.frameRange(frame);
      const { pages } = volume.frameEntry(frame);
      assert.equal(at.offset, offset);
      assert.equal(volume.firstRank(frame), rank);
      assert.equal(volume.frameOf(rank), frame);
      assert.equal(volume.frameOf(rank + pages - 1), frame);
      offset += at.length;
      rank += pages;
    }
    assert.equal(volume.pageSet.size, rank);
    assert.ok(volume.pageSet.first! >= 1 && volume.pageSet.last! <= 2 ** 28);
    assert.notEqual(volume.locate(volume.pageSet.last!), undefined);
  }
  assert.ok(offset + 64 < directory.sizeBytes);
}

function sameVolumes(a: SegmentDirectory, b: SegmentDirectory): boolean {
  const others = [...b.volumes()];
  return [...a.volumes()].every((volume, i) =>
    volume.vid === others[i].vid && volume.pageSet.equals(others[i].pageSet) &&
    digestsEqual(volume.digest, others[i].digest)
  );
}

/** Tries one damaged tail; says whether it was opened. */
function tryOpen(chance: Chance, segments: readonly Uint8Array<ArrayBuffer>[]): boolean {
  const original = chance.pick(segments);
  const start = directoryStart(original);
  const tail = mutate([original.subarray(start)], chance).slice();
  const sealed = chance.below(4) > 0 && tail.length >= 64;
  if (sealed) seal(tail, start);
  const sizeBytes = start + tail.length;
  const directory = damagedOrUndefined(() => openSegment(sid, { bytes: tail, sizeBytes }));
  if (directory === undefined) return false;
  checkDirectory(directory);
  if (!sealed) {
    const asWritten = openSegment(sid, { bytes: original, sizeBytes: original.length });
    assert.ok(sameVolumes(directory, asWritten), "damage was opened as if it were nothing");
  }
  return true;
}

interface FrameSample {
  readonly volume: VolumeDirectory;
  readonly stored: Uint8Array<ArrayBuffer>;
}

function framesOf(segments: readonly Uint8Array<ArrayBuffer>[]): FrameSample[] {
  return segments.flatMap((bytes) => {
    const directory = openSegment(sid, { bytes, sizeBytes: bytes.length });
    return [...directory.volumes()].flatMap((volume) =>
      range(0, Math.min(volume.frameCount, 2) - 1).map((frame) => {
        const { offset, length } = volume.frameRange(frame);
        const { pages, raw } = volume.frameEntry(frame);
        const stored = bytes.slice(offset, offset + length);
        return { volume: volumeOfFrame(volume, pages, raw, stored), stored };
      })
    );
  });
}

/** A volume with one frame, whose entry agrees with `stored`, whatever that is. */
function volumeOfFrame(
  { vid, pageSet, digest }: VolumeDirectory,
  pages: number,
  raw: boolean,
  stored: Uint8Array,
): VolumeDirectory {
  const frames = new Uint8Array(20);
  const view = new DataView(frames.buffer);
  view.setUint8(2, pages);
  view.setUint8(3, raw ? 0 : 1);
  view.setUint32(4, 32, true);
  view.setUint32(8, stored.length, true);
  view.setBigUint64(12, xxh64(stored, 0n), true);
  return new VolumeDirectory({ sid, vid, pageSet, digest, frames });
}

/** Tries one damaged frame; says whether it was decoded. */
function tryDecode(chance: Chance, samples: readonly FrameSample[]): boolean {
  const { volume, stored } = chance.pick(samples);
  const by = chance.pick(codecs);
  const changed = mutate([stored], chance);
  const { pages, raw } = volume.frameEntry(0);
  const sealed = chance.below(8) > 0;
  const named = sealed ? volumeOfFrame(volume, pages, raw, changed) : volume;
  const decoded = damagedOrUndefined(() => decodeFrame(named, 0, changed, by));
  if (decoded === undefined) return false;
  const expected = decodeFrame(volume, 0, stored, codec);
  assert.equal(decoded.count, pages);
  const hashes = new BigUint64Array(decoded.hashes.buffer);
  for (let slot = 0; slot < decoded.count; slot++) {
    assert.equal(xxh64(decoded.page(slot), 0n), hashes[slot], "a page fails its hash");
  }
  if (!sealed) assert.deepEqual(decoded.pages, expected.pages);
  return true;
}

function repeat(runs: number, name: string, attempt: (chance: Chance) => boolean): number {
  let read = 0;
  for (let run = 0; run < runs; run++) {
    const seed = (SEED + run) | 0;
    try {
      if (attempt(new Chance(seed))) read++;
    } catch (error) {
      throw new Error(`Cannot pass ${name}: FUZZ_SEED=${seed} FUZZ_RUNS=1`, { cause: error });
    }
  }
  return read;
}

Deno.test("a damaged segment or frame is refused as damaged, or read as it was written", () => {
  const segments = segmentsOf();
  const samples = framesOf(segments);
  // once each, so that what they allocate for good is there
  tryOpen(new Chance(1), segments);
  for (let i = 0; i < 50; i++) tryDecode(new Chance(i), samples);
  const memoryBefore = [graft.memory.buffer.byteLength, zstd.memory.buffer.byteLength];
  const decodes = Math.ceil(RUNS * DECODE_SHARE);
  const opened = repeat(RUNS - decodes + 1, "opening", (chance) => tryOpen(chance, segments));
  const decoded = repeat(decodes, "decoding", (chance) => tryDecode(chance, samples));
  console.log(`opened ${opened}, decoded ${decoded} of ${RUNS}`);
  const memoryAfter = [graft.memory.buffer.byteLength, zstd.memory.buffer.byteLength];
  for (const [i, before] of memoryBefore.entries()) {
    assert.ok(memoryAfter[i] - before <= 2 ** 20, "a module's memory grew by more than a MiB");
  }
  if (RUNS >= 1000) assert.ok(opened > 0 && opened < RUNS * 0.5, "the damage is of no use");
});
