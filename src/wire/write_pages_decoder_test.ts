import assert from "node:assert/strict";
import fc from "fast-check";
import { gidToBytes, parseGid } from "../core/gid.ts";
import { PAGE_COUNT_MAX, PAGE_SIZE } from "../core/limits.ts";
import type { PageBuffer } from "../core/page_buffer.ts";
import {
  join,
  oracleDecode,
  oracleEncode,
  pageBytes,
  pageIdxs,
  pagesOf,
  randomFrom,
  refusalOf,
} from "./_testing.ts";
import { encodeWritePagesRequest } from "./page_messages.ts";
import { PAGES_BEFORE_VID_MAX, WritePagesDecoder } from "./write_pages_decoder.ts";

const VID = parseGid("volume", "GonwTRj2SohJzYLLjD9nSq");
const VID_FIELD = Uint8Array.of(0x0a, 16, ...gidToBytes(VID));
const LATER = Uint8Array.of(0xa2, 0x06, 3, 1, 2, 3);
const IDX = (pageIdx: number) => Uint8Array.of(0x08, ...varint(pageIdx));
const DATA = (pageIdx: number) => join(Uint8Array.of(0x12, 0x80, 0x20), pageBytes(pageIdx));

function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 0x7f; rest = Math.floor(rest / 128)) bytes.push(rest % 128 + 128);
  return [...bytes, rest];
}

/** A field 2 of the request with these parts within. */
function page(...parts: readonly Uint8Array[]): Uint8Array {
  const inner = join(...parts);
  return join(Uint8Array.of(0x12, ...varint(inner.length)), inner);
}

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

function messageOf(body: Uint8Array): string {
  const message = refusalOf(() => decode(body));
  const prefix = "Cannot read the write pages request: ";
  assert.ok(message.startsWith(prefix), message);
  return message.slice(prefix.length);
}

/** How many bytes of the body the decoder takes before it refuses. */
function bytesUntilRefusal(body: Uint8Array, expectedBytes?: number): number {
  const decoder = new WritePagesDecoder(expectedBytes);
  for (let at = 0; at < body.length; at++) {
    try {
      decoder.push(body.subarray(at, at + 1));
    } catch {
      return at + 1;
    }
  }
  throw new Error("The body was accepted");
}

Deno.test("a whole request is decoded, whatever the order of its fields", () => {
  const bodies = [
    encodeWritePagesRequest(VID, pagesOf([7, 3])),
    join(page(IDX(7), DATA(7)), page(IDX(3), DATA(3)), VID_FIELD),
    join(VID_FIELD, page(DATA(7), IDX(7)), page(IDX(3), DATA(3)), VID_FIELD),
    join(
      LATER,
      VID_FIELD,
      LATER,
      page(LATER, IDX(7), LATER, DATA(7), LATER),
      page(IDX(3), DATA(3)),
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
    page(IDX(300), LATER, DATA(300)),
    page(DATA(PAGE_COUNT_MAX), IDX(PAGE_COUNT_MAX)),
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
  const body = join(VID_FIELD, page(IDX(5), DATA(5)), page(IDX(6), DATA(6), LATER));
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
    assert.equal(part.slabs.length, Math.max(1, Math.ceil(part.count / 256)));
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
  const decoder = decode(join(group, VID_FIELD, page(IDX(2), group, DATA(2)), group));
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
    const decoder = decode(join(field, VID_FIELD, page(field, IDX(2), DATA(2), field), field));
    assert.equal(decoder.vid, VID);
    assertPages(decoder.pages, [2]);
  }
});

const GOOD_PAGE = page(IDX(9), DATA(9));

const REFUSED: Record<string, readonly [body: Uint8Array, message: string]> = {
  "an empty body": [new Uint8Array(0), "the body is empty"],
  "no volume": [GOOD_PAGE, 'field "vid" is missing'],
  "no pages": [VID_FIELD, 'field "pages" is missing'],
  "a short volume id": [
    Uint8Array.of(0x0a, 15, ...gidToBytes(VID).subarray(1)),
    'field "vid" is not a volume id: it has 15 bytes instead of 16',
  ],
  "a segment's id": [
    Uint8Array.of(0x0a, 16, ...gidToBytes(parseGid("segment", "LkygN9v2agcHD6dztax1qe"))),
    'field "vid" is not a volume id: its first byte is 0xa0, not 0x80',
  ],
  "two volumes": [
    join(VID_FIELD, Uint8Array.of(0x0a, 16, 0x80, ...new Uint8Array(15)), GOOD_PAGE),
    'field "vid" occurs twice and differs',
  ],
  "a page of 4095 bytes": [
    join(VID_FIELD, GOOD_PAGE, page(IDX(1), Uint8Array.of(0x12, 0xff, 0x1f), new Uint8Array(4095))),
    'field "pages[1].data" has 4095 bytes instead of 4096',
  ],
  "a page without data": [
    join(VID_FIELD, page(IDX(1))),
    'field "pages[0].data" is missing',
  ],
  "an empty page": [
    join(VID_FIELD, page()),
    'field "pages[0].pageidx" is missing, so 0, but pages start at 1',
  ],
  "index 0": [
    join(VID_FIELD, page(IDX(0), DATA(0))),
    'field "pages[0].pageidx" is 0, but pages start at 1',
  ],
  "no index": [
    join(VID_FIELD, page(DATA(0))),
    'field "pages[0].pageidx" is missing, so 0, but pages start at 1',
  ],
  "an index above 2^28": [
    join(VID_FIELD, page(IDX(PAGE_COUNT_MAX + 1), DATA(0))),
    'field "pages[0].pageidx" is 268435457, but pages end at 268435456',
  ],
  "an index that wraps at 2^32": [
    join(VID_FIELD, page(IDX(2 ** 32 + 1), DATA(0))),
    'field "pages[0].pageidx" is 4294967297, but pages end at 268435456',
  ],
  "a duplicate index": [
    join(VID_FIELD, GOOD_PAGE, page(IDX(8), DATA(8)), GOOD_PAGE),
    'field "pages[2].pageidx" is 9, which occurs twice in the request',
  ],
  "a varint for the volume": [
    Uint8Array.of(0x08, 1),
    'field "vid" has wire type varint instead of bytes',
  ],
  "a varint for a page": [
    join(VID_FIELD, Uint8Array.of(0x10, 1)),
    'field "pages[0]" has wire type varint instead of bytes',
  ],
  "bytes for an index": [
    join(VID_FIELD, page(Uint8Array.of(0x0a, 1, 1), DATA(1))),
    'field "pages[0].pageidx" has wire type bytes instead of varint',
  ],
  "a varint for the data": [
    join(VID_FIELD, page(IDX(1), Uint8Array.of(0x10, 1))),
    'field "pages[0].data" has wire type varint instead of bytes',
  ],
  "a page that is no page by its length": [
    join(VID_FIELD, Uint8Array.of(0x12, ...varint(65_537)), new Uint8Array(65_537)),
    'field "pages[0]" has 65537 bytes, more than the 65536 of any page',
  ],
  "data that reaches beyond its page": [
    join(VID_FIELD, Uint8Array.of(0x12, 10), IDX(1), DATA(1)),
    "the length 4096 of field 2 reaches beyond the end",
  ],
  "an index that reaches beyond its page": [
    join(VID_FIELD, Uint8Array.of(0x12, 2), Uint8Array.of(0x08, 0x81, 1)),
    "field 2 ends within one of its fields",
  ],
  "a group that reaches beyond its page": [
    join(VID_FIELD, page(IDX(1), Uint8Array.of(0x1b)), Uint8Array.of(0x1c)),
    "field 2 ends within one of its fields",
  ],
  "a group that is never ended": [
    join(VID_FIELD, GOOD_PAGE, Uint8Array.of(0x1b)),
    `the body ends early, after ${VID_FIELD.length + GOOD_PAGE.length + 1} bytes`,
  ],
  "a tag that is cut off": [
    join(VID_FIELD, GOOD_PAGE, Uint8Array.of(0xa2)),
    `the body ends early, after ${VID_FIELD.length + GOOD_PAGE.length + 1} bytes`,
  ],
  "a group that ends another": [
    Uint8Array.of(0x1b, 0x24),
    "a group ends that did not begin",
  ],
  "an end without a group": [Uint8Array.of(0x1c), "a group ends that did not begin"],
  "groups without end": [new Uint8Array(101).fill(0x1b), "groups are nested more than 100 deep"],
  "field number 0": [Uint8Array.of(0x02, 1, 1), "a field's tag is malformed: 2"],
  "wire type 6": [Uint8Array.of(0x0e), "a field's tag is malformed: 14"],
  "a tag above 32 bits": [
    Uint8Array.of(...varint(2 ** 35 + 10)),
    `a field's tag is malformed: ${2 ** 35 + 10}`,
  ],
  "a varint without end": [
    Uint8Array.of(0xa0, 0x06, ...new Uint8Array(11).fill(0x80)),
    "a varint is longer than 10 bytes",
  ],
};

for (const [title, [body, message]] of Object.entries(REFUSED)) {
  Deno.test(`a request with ${title} is refused`, () => {
    assert.equal(messageOf(body), message);
  });
}

Deno.test("a request cut off anywhere is refused", () => {
  const body = join(VID_FIELD, LATER, GOOD_PAGE, page(IDX(200), DATA(200)));
  const whole = [VID_FIELD.length + LATER.length + GOOD_PAGE.length];
  for (let length = 0; length < body.length; length++) {
    if (whole.includes(length)) continue;
    refusalOf(() => decode(body.slice(0, length)));
    refusalOf(() => {
      const decoder = new WritePagesDecoder();
      decoder.push(body.subarray(0, length));
      decoder.finish();
    });
  }
});

Deno.test("hostile lengths are refused as soon as they are read", () => {
  const huge = varint(2 ** 40);
  const start = VID_FIELD.length;
  const cases: [Uint8Array, number, number | undefined][] = [
    [join(VID_FIELD, Uint8Array.of(0x12, ...huge), new Uint8Array(99)), start + 1 + 6, undefined],
    [join(Uint8Array.of(0x0a, ...huge), new Uint8Array(99)), 1 + 6, undefined],
    [join(Uint8Array.of(0xa2, 0x06, ...huge), new Uint8Array(99)), 2 + 6, 200],
    [join(VID_FIELD, page(IDX(1), Uint8Array.of(0x12, ...huge))), start + 2 + 2 + 1 + 6, undefined],
    [join(VID_FIELD, GOOD_PAGE), start + 1 + 2, start + 1000],
  ];
  for (const [body, at, expectedBytes] of cases) {
    assert.equal(bytesUntilRefusal(body, expectedBytes), at);
  }
});

Deno.test("a bad index is refused before the page's data has come", () => {
  const body = join(VID_FIELD, page(IDX(0), DATA(0)));
  assert.equal(bytesUntilRefusal(body), VID_FIELD.length + 3 + 2);
});

Deno.test("the volume must come before a part is full", () => {
  const indexes = Array.from({ length: PAGES_BEFORE_VID_MAX }, (_, i) => i + 1);
  const data = new Uint8Array(PAGE_SIZE);
  const pages = indexes.map((pageIdx) => page(IDX(pageIdx), Uint8Array.of(0x12, 0x80, 0x20), data));
  const late = join(...pages, VID_FIELD);
  assert.equal(messageOf(late), 'field "vid" does not come within 4096 pages');
  const inTime = join(...pages.slice(0, -1), VID_FIELD, ...pages.slice(-1));
  assert.equal(decode(inTime).pages.count, PAGES_BEFORE_VID_MAX);
});

Deno.test("duplicates are found across parts that were taken", () => {
  const decoder = new WritePagesDecoder();
  decoder.push(join(VID_FIELD, GOOD_PAGE));
  decoder.takePages();
  const message = refusalOf(() => decoder.push(GOOD_PAGE));
  assert.match(message, /"pages\[1\]\.pageidx" is 9, which occurs twice/);
});

Deno.test("an unknown field of many megabytes passes through without being kept", () => {
  const decoder = new WritePagesDecoder();
  decoder.push(join(VID_FIELD, GOOD_PAGE, Uint8Array.of(0xa2, 0x06, ...varint(2 ** 30))));
  const chunk = new Uint8Array(2 ** 20);
  for (let i = 0; i < 1024; i++) decoder.push(chunk);
  decoder.finish();
  assert.equal(decoder.pages.count, 1);
});

Deno.test("a page's field that occurs twice counts as it came last", () => {
  const decoder = decode(join(VID_FIELD, page(IDX(1), DATA(1), DATA(2), IDX(2))));
  assertPages(decoder.pages, [2]);
});

Deno.test("what the schema encodes is decoded", () => {
  const plain = { vid: gidToBytes(VID), pages: [{ pageidx: 77, data: pageBytes(77) }] };
  const decoder = decode(oracleEncode("WritePagesRequest", plain));
  assert.equal(decoder.vid, VID);
  assertPages(decoder.pages, [77]);
});

Deno.test("the first buffer is sized by what is expected, within bounds", () => {
  const slabBytes = (expected?: number) => new WritePagesDecoder(expected).pages.slabs[0].length;
  assert.equal(slabBytes(encodeWritePagesRequest(VID, pagesOf([1, 2, 3])).length), 3 * PAGE_SIZE);
  assert.equal(slabBytes(0), PAGE_SIZE);
  assert.equal(slabBytes(2 ** 40), 256 * PAGE_SIZE);
});
