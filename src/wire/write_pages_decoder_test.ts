import assert from "node:assert/strict";
import fc from "fast-check";
import { gidToBytes } from "../core/gid.ts";
import { PAGE_COUNT_MAX, PAGE_SIZE } from "../core/limits.ts";
import type { PageBuffer } from "../core/page_buffer.ts";
import {
  DATA,
  IDX,
  join,
  LATER,
  oracleDecode,
  oracleEncode,
  pageBytes,
  pageField,
  pageIdxs,
  pagesOf,
  randomFrom,
  refusalOf,
  VID,
  VID_FIELD,
} from "./_testing.ts";
import { encodeWritePagesRequest } from "./page_messages.ts";
import { WritePagesDecoder } from "./write_pages_decoder.ts";

function decode(body: Uint8Array, cuts: readonly number[] = []): WritePagesDecoder {
  const decoder = new WritePagesDecoder(body.length);
  let from = 0;
  for (const to of [...cuts, body.length]) {
    // a chunk of its own, overwritten afterwards: the decoder must not keep views of it
    const chunk = body.slice(from, to);
    decoder.push(chunk);
    chunk.fill(0xee);
    from = to;
  }
  decoder.finish();
  return decoder;
}

function assertPages(buffer: PageBuffer, expected: readonly number[], from = 0): void {
  assert.deepEqual([...buffer.indexes], expected.slice(from, from + buffer.count));
  for (let i = 0; i < buffer.count; i++) {
    const bytes = pageBytes(expected[from + i]);
    assert.ok(buffer.page(i).every((byte, at) => byte === bytes[at]), `page at ${from + i}`);
  }
}

Deno.test("a whole request is decoded, whatever the order of its fields", () => {
  const bodies = [
    encodeWritePagesRequest(VID, pagesOf([7, 3])),
    join(pageField(IDX(7), DATA(7)), pageField(IDX(3), DATA(3)), VID_FIELD),
    join(VID_FIELD, pageField(DATA(7), IDX(7)), pageField(IDX(3), DATA(3)), VID_FIELD),
    join(
      LATER,
      VID_FIELD,
      LATER,
      pageField(LATER, IDX(7), LATER, DATA(7), LATER),
      pageField(IDX(3), DATA(3)),
    ),
  ];
  for (const body of bodies) {
    const decoder = decode(body);
    assert.equal(decoder.vid, VID);
    assertPages(decoder.pages, [7, 3]);
  }
});

Deno.test("every split of a small request into two chunks gives the same", () => {
  const body = join(
    LATER,
    VID_FIELD,
    pageField(IDX(300), LATER, DATA(300)),
    pageField(DATA(PAGE_COUNT_MAX), IDX(PAGE_COUNT_MAX)),
    LATER,
  );
  for (let cut = 0; cut <= body.length; cut++) {
    const decoder = decode(body, [cut]);
    assert.equal(decoder.vid, VID);
    assertPages(decoder.pages, [300, PAGE_COUNT_MAX]);
  }
});

Deno.test("random splits of larger requests give what the schema reads", () => {
  const requests = fc.record({
    indexes: fc.uniqueArray(pageIdxs, { minLength: 1, maxLength: 30 }),
    seed: fc.integer(),
  });
  fc.assert(
    fc.property(requests, ({ indexes, seed }) => {
      const body = encodeWritePagesRequest(VID, pagesOf(indexes));
      const random = randomFrom(seed);
      const cuts = Array.from({ length: random(40) }, () => random(body.length)).sort((a, b) =>
        a - b
      );
      const whole = oracleDecode("WritePagesRequest", body) as { pages: { pageidx: number }[] };
      const decoder = decode(body, cuts);
      assert.deepEqual([...decoder.pages.indexes], whole.pages.map(({ pageidx }) => pageidx));
      assertPages(decoder.pages, indexes);
    }),
    { numRuns: 30 },
  );
});

Deno.test("one byte at a time works, also without a length", () => {
  const body = encodeWritePagesRequest(VID, pagesOf([1, 2]));
  const decoder = new WritePagesDecoder();
  for (const byte of body) decoder.push(Uint8Array.of(byte));
  decoder.finish();
  assertPages(decoder.pages, [1, 2]);
});

Deno.test("pages that are taken while the next is arriving leave that one behind, wherever it is", () => {
  const body = join(VID_FIELD, pageField(IDX(5), DATA(5)), pageField(IDX(6), DATA(6), LATER));
  for (let cut = VID_FIELD.length + 2; cut < body.length; cut += 97) {
    const decoder = new WritePagesDecoder(body.length);
    decoder.push(body.subarray(0, cut));
    const taken = decoder.takePages();
    decoder.push(body.subarray(cut));
    decoder.finish();
    assertPages(taken, [5, 6]);
    assertPages(decoder.pages, [5, 6], taken.count);
    assert.equal(taken.count + decoder.pages.count, 2);
  }
});

Deno.test("a request taken in parts over many slabs is complete, and every slab but the last is full", () => {
  const indexes = Array.from({ length: 1200 }, (_, i) => i * 3 + 1);
  const body = encodeWritePagesRequest(VID, pagesOf(indexes));
  const decoder = new WritePagesDecoder();
  let from = 0;
  const take = () => {
    const part = decoder.takePages();
    assertPages(part, indexes, from);
    assert.equal(part.slabs.length, Math.ceil(part.count / 256));
    from += part.count;
  };
  for (let at = 0; at < body.length; at += 60_000) {
    decoder.push(body.subarray(at, at + 60_000));
    if (decoder.pages.count > 512) take();
  }
  decoder.finish();
  take();
  assert.equal(from, indexes.length);
});

Deno.test("a group, an old kind of field, is skipped, within a page too", () => {
  const group = Uint8Array.of(0x1b, 0x08, 1, 0x12, 1, 9, 0x23, 0x24, 0x1c);
  const decoder = decode(join(group, VID_FIELD, pageField(IDX(2), group, DATA(2)), group));
  assert.equal(decoder.vid, VID);
  assertPages(decoder.pages, [2]);
});

Deno.test("unknown fields of every wire type are skipped, empty ones too, wherever they end", () => {
  const later = [
    Uint8Array.of(0xa0, 0x06, 0x96, 0x01),
    Uint8Array.of(0xa1, 0x06, 0x0a, 0x0a, 0x0a, 0x0a, 0x0a, 0x0a, 0x0a, 0x0a),
    Uint8Array.of(0xa2, 0x06, 0),
    Uint8Array.of(0xa5, 0x06, 0x0a, 0x0a, 0x0a, 0x0a),
  ];
  for (const field of later) {
    const decoder = decode(join(field, VID_FIELD, pageField(field, IDX(2), DATA(2), field), field));
    assert.equal(decoder.vid, VID);
    assertPages(decoder.pages, [2]);
  }
});

const GOOD_PAGE = pageField(IDX(9), DATA(9));

Deno.test("duplicates are found across parts that were taken", () => {
  const decoder = new WritePagesDecoder();
  decoder.push(join(VID_FIELD, GOOD_PAGE));
  decoder.takePages();
  const message = refusalOf(() => decoder.push(GOOD_PAGE));
  assert.match(message, /"pages\[1\]\.pageidx" is 9, which occurs twice/);
});

Deno.test("an unknown field of many megabytes passes through without being kept", () => {
  const decoder = new WritePagesDecoder();
  decoder.push(join(VID_FIELD, GOOD_PAGE, Uint8Array.of(0xa2, 0x06, 0x80, 0x80, 0x80, 0x80, 0x04)));
  const chunk = new Uint8Array(2 ** 20);
  for (let i = 0; i < 1024; i++) decoder.push(chunk);
  decoder.finish();
  assert.equal(decoder.pages.count, 1);
});

Deno.test("a page's field that occurs twice counts as it came last", () => {
  const decoder = decode(join(VID_FIELD, pageField(IDX(1), DATA(1), DATA(2), IDX(2))));
  assertPages(decoder.pages, [2]);
});

Deno.test("what the schema encodes is decoded", () => {
  const plain = { vid: gidToBytes(VID), pages: [{ pageidx: 77, data: pageBytes(77) }] };
  const decoder = decode(oracleEncode("WritePagesRequest", plain));
  assert.equal(decoder.vid, VID);
  assertPages(decoder.pages, [77]);
});

Deno.test("the first buffer is sized by what is expected, within bounds", () => {
  const slabBytes = (expected: number) => {
    const { pages } = new WritePagesDecoder(expected);
    assert.equal(pages.slabs.length, 0, "something is allocated before a page comes");
    pages.add(1);
    return pages.slabs[0].length;
  };
  assert.equal(slabBytes(encodeWritePagesRequest(VID, pagesOf([1, 2, 3])).length), 3 * PAGE_SIZE);
  assert.equal(slabBytes(0), PAGE_SIZE);
  assert.equal(slabBytes(2 ** 40), 256 * PAGE_SIZE);
});
