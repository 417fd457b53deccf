import assert from "node:assert/strict";
import fc from "fast-check";
import { PageBuffer } from "../core/page_buffer.ts";
import { range, testSid, testVid, volumePages } from "./_testing.ts";
import { encodeSegment } from "./encoding/encode_segment.ts";
import type { FrameCodec } from "./codec.ts";
import type { VolumePages } from "./segment.ts";
import { SegmentBudget, splitPages } from "./segment_budget.ts";
import { TRAILER_BYTES } from "./segment_format.ts";

/** Page buffers of any size cost nothing when only their indexes matter. */
function indexesOnly(number: number, indexes: Uint32Array<ArrayBuffer>): VolumePages {
  const pages = { count: indexes.length, indexes, page: () => page } as unknown as PageBuffer;
  return { vid: testVid(number), pages };
}
const page = new Uint8Array(4096);
const tiny = new Uint8Array(1);
/** Compresses everything to one byte, so that large segments are quick to make. */
const nothing: FrameCodec = { compress: () => tiny, decompress: (_, n) => new Uint8Array(n) };

function tailBytesOf(volumes: readonly VolumePages[]): number {
  const { bytes } = encodeSegment(testSid(), volumes, nothing);
  const view = new DataView(bytes.buffer);
  return bytes.length - view.getUint32(bytes.length - TRAILER_BYTES, true);
}

/** Every index in a block of its own: the sparsest set there is. */
function sparse(count: number, from = 1): Uint32Array<ArrayBuffer> {
  return Uint32Array.from({ length: count }, (_, i) => from + i * 65_536 % 2 ** 28);
}

Deno.test("SegmentBudget takes 16,384 pages and no more", () => {
  const budget = new SegmentBudget();
  assert.ok(budget.add(indexesOnly(1, Uint32Array.from(range(1, 16_383)))));
  assert.ok(!budget.add(indexesOnly(2, Uint32Array.from(range(1, 2)))));
  assert.ok(budget.add(indexesOnly(2, Uint32Array.of(9))));
  assert.ok(!budget.add(indexesOnly(3, Uint32Array.of(9))));
  assert.equal(budget.pages, 16_384);
  assert.equal(budget.volumes, 2);
});

Deno.test("SegmentBudget takes 400 volumes of a page and no more", () => {
  const budget = new SegmentBudget();
  const volumes = range(1, 400).map((number) => indexesOnly(number, Uint32Array.of(number * 999)));
  for (const volume of volumes) assert.ok(budget.add(volume));
  assert.ok(!budget.add(indexesOnly(401, Uint32Array.of(1))));
  assert.ok(tailBytesOf(volumes) <= 60 * 1024);
});

Deno.test("SegmentBudget refuses what would make the tail longer than 60 KiB", () => {
  const budget = new SegmentBudget();
  const volumes: VolumePages[] = [];
  for (let number = 1;; number++) {
    const volume = indexesOnly(number, sparse(100, number));
    if (!budget.add(volume)) break;
    volumes.push(volume);
  }
  const tail = tailBytesOf(volumes);
  assert.ok(tail <= 60 * 1024 && tail > 55 * 1024, `${tail} bytes`);
  assert.ok(budget.volumes === volumes.length, "a refusal changes nothing");
});

Deno.test("SegmentBudget does not refuse an unsorted set that fits once it is sorted", () => {
  // jumping between two neighbourhoods looks as sparse as can be
  const indexes = Uint32Array.from({ length: 8000 }, (_, i) => (i % 2) * 2 ** 27 + (i >> 1) + 1);
  assert.ok(new SegmentBudget().add(indexesOnly(1, indexes)));
});

Deno.test("whatever SegmentBudget takes can be encoded", () => {
  const volume = fc.tuple(
    fc.integer({ min: 1, max: 2000 }),
    fc.constantFrom(1, 2, 17, 255, 4099, 65_537),
    fc.integer({ min: 1, max: 1000 }),
  );
  fc.assert(
    fc.property(fc.array(volume, { minLength: 1, maxLength: 40 }), (shapes) => {
      const budget = new SegmentBudget();
      const taken = shapes
        .map(([count, step, from], i) =>
          indexesOnly(i, Uint32Array.from({ length: count }, (_, k) => from + k * step))
        )
        .filter((pages) => budget.add(pages));
      assert.ok(taken.length > 0);
      assert.ok(tailBytesOf(taken) <= 60 * 1024);
    }),
    { numRuns: 25 },
  );
});

Deno.test("splitPages gives pages back as they are when they fit", () => {
  const volume = volumePages(testVid(), [3, 1, 2]);
  assert.deepEqual(splitPages(volume), [volume]);
  assert.equal(splitPages(volume)[0].pages, volume.pages);
});

Deno.test("splitPages cuts many pages at 16,384, in the order of their indexes", () => {
  const indexes = Uint32Array.from(range(1, 40_000).toReversed());
  const parts = splitPages(indexesOnly(1, indexes));
  assert.deepEqual(parts.map(({ pages }) => pages.count), [16_384, 16_384, 40_000 - 32_768]);
  assert.deepEqual(parts.flatMap(({ pages }) => [...pages.indexes]), range(1, 40_000));
});

Deno.test("splitPages cuts sparse pages where the tail is full", () => {
  const indexes = Uint32Array.from({ length: 12_000 }, (_, i) => 1 + i * 20_011);
  const parts = splitPages(indexesOnly(1, indexes));
  assert.ok(parts.length > 1);
  assert.deepEqual(parts.flatMap(({ pages }) => [...pages.indexes]), [...indexes]);
  for (const part of parts) assert.ok(new SegmentBudget().add(part));
  for (const part of parts.slice(0, -1)) assert.ok(tailBytesOf([part]) > 50 * 1024);
});

Deno.test("splitPages keeps each page with its index", () => {
  const pages = new PageBuffer();
  for (let i = 0; i < 9000; i++) {
    const pageIdx = 1 + (i * 4099 % 9000) * 29_009;
    const bytes = pages.add(pageIdx);
    new DataView(bytes.buffer, bytes.byteOffset).setUint32(0, pageIdx);
  }
  const parts = splitPages({ vid: testVid(), pages });
  assert.ok(parts.length > 1);
  for (const part of parts) {
    for (const [at, pageIdx] of part.pages.indexes.entries()) {
      const bytes = part.pages.page(at);
      assert.equal(new DataView(bytes.buffer, bytes.byteOffset).getUint32(0), pageIdx);
    }
  }
});

Deno.test("splitPages refuses nothing at all", () => {
  assert.throws(() => splitPages({ vid: testVid(), pages: new PageBuffer() }), /no pages/);
});
