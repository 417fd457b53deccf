// Segments as they lie in people's stores. They are read by our code, and once more by hand as
// docs/formats/segment.md says, with another xxHash and another zstd.

import assert from "node:assert/strict";
import { zstdDecompressSync } from "node:zlib";
import { createXXHash64 } from "hash-wasm";
import { gidFromBytes } from "../../src/core/gid.ts";
import { PageSet } from "../../src/core/page_set.ts";
import { WasmCodec } from "../../src/segment/codecs/wasm_codec.ts";
import { encodeSegment } from "../../src/segment/encoding/encode_segment.ts";
import { decodeFrames, verifySegment } from "../../src/segment/verify_segment.ts";
import { goldenNoise, goldenPath, goldenText, SEGMENT_CASES } from "./segment_cases.ts";

const codec = new WasmCodec();

async function hash(bytes: Uint8Array, seed: bigint): Promise<bigint> {
  const low = Number(seed & 0xffff_ffffn);
  const high = Number(seed >> 32n);
  const hasher = await createXXHash64(low, high);
  return BigInt(`0x${hasher.init().update(bytes).digest("hex")}`);
}

function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

interface HandReadVolume {
  readonly vid: string;
  readonly digest: Uint8Array;
  readonly pages: Map<number, Uint8Array>;
}

/** Reads the frames of a volume's entry; returns the pages, and their hashes as stored. */
async function readFramesByHand(
  bytes: Uint8Array,
  entries: Uint8Array,
): Promise<{ pages: Uint8Array[]; hashes: bigint[] }> {
  const pages: Uint8Array[] = [];
  const hashes: bigint[] = [];
  for (let at = 0; at < entries.length; at += 20) {
    const entry = view(entries.subarray(at, at + 20));
    const count = entry.getUint8(2);
    const offset = entry.getUint32(4, true);
    const stored = bytes.subarray(offset, offset + entry.getUint32(8, true));
    assert.equal(entry.getUint16(0, true), pages.length, "first rank");
    assert.equal(entry.getBigUint64(12, true), await hash(stored, 0n), "hash of the stored bytes");
    const payload = stored.subarray(count * 8);
    const raw = entry.getUint8(3) === 0 ? payload : zstdDecompressSync(payload);
    assert.equal(raw.length, count * 4096);
    for (let slot = 0; slot < count; slot++) {
      const page = new Uint8Array(raw.subarray(slot * 4096, (slot + 1) * 4096));
      hashes.push(view(stored).getBigUint64(slot * 8, true));
      assert.equal(hashes.at(-1), await hash(page, 0n), "page hash");
      pages.push(page);
    }
  }
  return { pages, hashes };
}

async function digestByHand(members: number[], hashes: bigint[]): Promise<Uint8Array> {
  let [low, high] = [0n, 0n];
  for (const [i, pageIdx] of members.entries()) {
    const item = new Uint8Array(12);
    view(item).setUint32(0, pageIdx, true);
    view(item).setBigUint64(4, hashes[i], true);
    low += await hash(item, 1n);
    high += await hash(item, 2n);
  }
  const digest = new Uint8Array(16);
  const sum = low + (high << 64n);
  view(digest).setBigUint64(0, BigInt.asUintN(64, sum), true);
  view(digest).setBigUint64(8, BigInt.asUintN(64, sum >> 64n), true);
  return digest;
}

async function readByHand(bytes: Uint8Array, sid: string): Promise<HandReadVolume[]> {
  const text = (at: number) => new TextDecoder().decode(bytes.subarray(at, at + 8));
  const trailer = view(bytes.subarray(-64));
  const [directoryAt, directoryBytes] = [trailer.getUint32(0, true), trailer.getUint32(4, true)];
  assert.equal(text(0), "GRAFTSEG");
  assert.equal(view(bytes).getUint16(8, true), 1);
  assert.equal(gidFromBytes("segment", bytes.subarray(16, 32)), sid);
  assert.equal(directoryAt + directoryBytes + 64, bytes.length);
  assert.equal(trailer.getUint32(8, true), 0, "required features");
  assert.equal(gidFromBytes("segment", bytes.subarray(-48, -32)), sid);
  assert.equal(trailer.getUint16(40, true), 1);
  const seed = await hash(bytes.subarray(16, 32), 0n);
  const covered = bytes.subarray(directoryAt, bytes.length - 16);
  assert.equal(trailer.getBigUint64(48, true), await hash(covered, seed));
  assert.equal(text(bytes.length - 8), "GRAFTEND");
  const volumes: HandReadVolume[] = [];
  let [at, pageCount, frameCount] = [directoryAt, 0, 0];
  for (let i = 0; i < trailer.getUint32(12, true); i++) {
    const entry = view(bytes.subarray(at, at + 48));
    const frames = entry.getUint32(44, true);
    const setAt = at + 48 + frames * 20;
    const setEnd = setAt + entry.getUint32(36, true);
    const members = [...PageSet.decode(bytes.subarray(setAt, setEnd))];
    assert.equal(entry.getUint32(32, true), 0, "key id");
    assert.equal(entry.getUint32(40, true), members.length);
    const read = await readFramesByHand(bytes, bytes.subarray(at + 48, setAt));
    const digest = bytes.slice(at + 16, at + 32);
    assert.deepEqual(digest, await digestByHand(members, read.hashes));
    volumes.push({
      vid: gidFromBytes("volume", bytes.subarray(at, at + 16)),
      digest,
      pages: new Map(members.map((pageIdx, rank) => [pageIdx, read.pages[rank]])),
    });
    [at, pageCount, frameCount] = [setEnd, pageCount + members.length, frameCount + frames];
  }
  assert.equal(at, bytes.length - 64);
  assert.equal(pageCount, trailer.getUint32(32, true));
  assert.equal(frameCount, trailer.getUint32(36, true));
  return volumes;
}

for (const { name, sid, volumes } of SEGMENT_CASES) {
  Deno.test(`${name} verifies, and holds the pages that it was made of`, async () => {
    const bytes = await Deno.readFile(goldenPath(name));
    const directory = verifySegment(sid, bytes, codec);
    const expected = volumes();
    assert.deepEqual(
      [...directory.volumes()].map(({ vid }) => vid),
      expected.map(({ vid }) => vid).toSorted(),
    );
    for (const { vid, pages } of expected) {
      const volume = directory.volume(vid)!;
      const frames = [...decodeFrames(volume, bytes, codec)];
      for (const [at, pageIdx] of pages.indexes.entries()) {
        const { frame, slot } = volume.locate(pageIdx)!;
        assert.deepEqual(frames[frame].page(slot), pages.page(at));
      }
    }
  });

  Deno.test(`${name} is what its pages encode to today`, async () => {
    // Another build of zstd may compress otherwise. Then this golden file stays, for the test above, and
    // a new one joins it.
    const bytes = await Deno.readFile(goldenPath(name));
    assert.deepEqual(encodeSegment(sid, volumes(), codec).bytes, new Uint8Array(bytes));
  });

  Deno.test(`${name} is laid out as docs/formats/segment.md says`, async () => {
    const bytes = await Deno.readFile(goldenPath(name));
    const read = await readByHand(bytes, sid);
    const expected = volumes().toSorted((a, b) => (a.vid < b.vid ? -1 : 1));
    assert.deepEqual(read.map(({ vid }) => vid), expected.map(({ vid }) => vid));
    for (const [i, { pages }] of expected.entries()) {
      assert.equal(read[i].pages.size, pages.count);
      for (const [at, pageIdx] of pages.indexes.entries()) {
        assert.deepEqual(read[i].pages.get(pageIdx), new Uint8Array(pages.page(at)));
      }
    }
  });
}

Deno.test("the golden segments have frames of both kinds", async () => {
  assert.ok(codec.compress(goldenNoise(9)).length >= 4096);
  assert.ok(codec.compress(goldenText(9)).length < 200);
  const sizes = await Promise.all(SEGMENT_CASES.map(async ({ name }) => {
    return (await Deno.stat(goldenPath(name))).size;
  }));
  assert.ok(sizes[1] > 4096 && sizes[1] < 6000, "one raw page, all else small");
});
