import assert from "node:assert/strict";
import fc from "fast-check";
import { parseGid } from "../core/gid.ts";
import { PAGE_SIZE } from "../core/limits.ts";
import { PageBuffer } from "../core/page_buffer.ts";
import { join, pageBytes, pageIdxs, pagesOf } from "./_testing.ts";
import {
  decodeReadPagesResponse,
  encodeReadPagesResponse,
  encodeWritePagesRequest,
  ReadPagesEncoder,
} from "./page_messages.ts";

const VID = parseGid("volume", "GonwTRj2SohJzYLLjD9nSq");

Deno.test("pages come back as they went, in their order", () => {
  fc.assert(
    fc.property(fc.array(pageIdxs, { maxLength: 12 }), (indexes) => {
      const pages = pagesOf(indexes);
      const read = decodeReadPagesResponse(encodeReadPagesResponse(pages.indexes, pages.page));
      assert.deepEqual([...read.indexes], indexes);
      indexes.forEach((pageIdx, i) => {
        assert.ok(equal(read.page(i), pageBytes(pageIdx)));
      });
    }),
    { numRuns: 40 },
  );
});

Deno.test("an answer without pages is an empty body", () => {
  const body = encodeReadPagesResponse(new Uint32Array(0), () => new Uint8Array(0));
  assert.equal(body.length, 0);
  assert.equal(decodeReadPagesResponse(body).indexes.length, 0);
});

Deno.test("decoded pages are views of the body", () => {
  const body = encodeReadPagesResponse(Uint32Array.of(5), () => pageBytes(5));
  const page = decodeReadPagesResponse(body).page(0);
  assert.equal(page.buffer, body.buffer);
});

Deno.test("unknown fields in the answer and in its pages are skipped", () => {
  const later = Uint8Array.of(0xa2, 0x06, 2, 1, 2);
  const inner = join(
    Uint8Array.of(0x08, 5),
    later,
    Uint8Array.of(0x12, 0x80, 0x20),
    pageBytes(5),
    later,
  );
  const length = Uint8Array.of(0x0a, inner.length & 0x7f | 0x80, inner.length >> 7);
  const read = decodeReadPagesResponse(join(later, length, inner, later));
  assert.deepEqual([...read.indexes], [5]);
  assert.ok(equal(read.page(0), pageBytes(5)));
});

Deno.test("a page buffer is a list of pages to write", () => {
  const buffer = new PageBuffer(2);
  for (const pageIdx of [9, 4, 7]) buffer.add(pageIdx).set(pageBytes(pageIdx));
  const fromBuffer = encodeWritePagesRequest(VID, buffer);
  const fromList = encodeWritePagesRequest(VID, pagesOf([9, 4, 7]));
  assert.ok(equal(fromBuffer, fromList));
});

Deno.test("pages of another size or index are a bug of the caller's", () => {
  const short = { indexes: Uint32Array.of(1), page: () => new Uint8Array(PAGE_SIZE - 1) };
  assert.throws(() => encodeWritePagesRequest(VID, short), { name: "AssertionError" });
  for (const pageIdx of [0, 2 ** 28 + 1]) {
    const off = { indexes: Uint32Array.of(pageIdx), page: () => new Uint8Array(PAGE_SIZE) };
    assert.throws(() => encodeReadPagesResponse(off.indexes, off.page), { name: "AssertionError" });
  }
});

Deno.test("a body of pages has exactly the room that it needs", () => {
  for (const pageIdx of [1, 127, 128, 16_383, 16_384, 2 ** 21 - 1, 2 ** 21, 2 ** 28 - 1, 2 ** 28]) {
    const body = encodeReadPagesResponse(Uint32Array.of(pageIdx), pageBytes);
    assert.ok(equal(body.subarray(-PAGE_SIZE), pageBytes(0)), `page ${pageIdx}`);
    assert.equal(decodeReadPagesResponse(body).indexes[0], pageIdx);
  }
});

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

Deno.test("ReadPagesEncoder encodes one answer after the other into the same memory", () => {
  const encoder = new ReadPagesEncoder();
  const large = pagesOf([1, 200, 70_000]);
  const small = pagesOf([5]);
  const expected = [large, small, large].map((pages) =>
    encodeReadPagesResponse(pages.indexes, (i) => pages.page(i))
  );
  for (const [i, pages] of [large, small, large].entries()) {
    assert.deepEqual(encoder.encode(pages), expected[i]);
  }
  assert.equal(encoder.encode(small).buffer, encoder.encode(large).buffer);
  assert.equal(
    encoder.encode({ indexes: new Uint32Array(0), page: (i) => large.page(i) }).length,
    0,
  );
});
