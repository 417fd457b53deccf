// What the decoder of `write_pages` refuses, at which byte, and that the error says which part is wrong.

import assert from "node:assert/strict";
import { gidToBytes, parseGid } from "../core/gid.ts";
import { PAGE_COUNT_MAX, PAGE_SIZE, WRITE_PART_PAGES } from "../core/limits.ts";
import {
  DATA,
  IDX,
  join,
  LATER,
  pageField,
  refusalOf,
  varint,
  VID,
  VID_FIELD,
} from "./_testing.ts";
import { WritePagesDecoder } from "./write_pages_decoder.ts";

function decode(body: Uint8Array): WritePagesDecoder {
  const decoder = new WritePagesDecoder(body.length);
  decoder.push(body);
  decoder.finish();
  return decoder;
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

const GOOD_PAGE = pageField(IDX(9), DATA(9));

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
    join(
      VID_FIELD,
      GOOD_PAGE,
      pageField(IDX(1), Uint8Array.of(0x12, 0xff, 0x1f), new Uint8Array(4095)),
    ),
    'field "pages[1].data" has 4095 bytes instead of 4096',
  ],
  "a page without data": [
    join(VID_FIELD, pageField(IDX(1))),
    'field "pages[0].data" is missing',
  ],
  "an empty page": [
    join(VID_FIELD, pageField()),
    'field "pages[0].pageidx" is missing, so 0, but pages start at 1',
  ],
  "index 0": [
    join(VID_FIELD, pageField(IDX(0), DATA(0))),
    'field "pages[0].pageidx" is 0, but pages start at 1',
  ],
  "no index": [
    join(VID_FIELD, pageField(DATA(0))),
    'field "pages[0].pageidx" is missing, so 0, but pages start at 1',
  ],
  "an index above 2^28": [
    join(VID_FIELD, pageField(IDX(PAGE_COUNT_MAX + 1), DATA(0))),
    'field "pages[0].pageidx" is 268435457, but pages end at 268435456',
  ],
  "an index that wraps at 2^32": [
    join(VID_FIELD, pageField(IDX(2 ** 32 + 1), DATA(0))),
    'field "pages[0].pageidx" is 4294967297, but pages end at 268435456',
  ],
  "a duplicate index": [
    join(VID_FIELD, GOOD_PAGE, pageField(IDX(8), DATA(8)), GOOD_PAGE),
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
    join(VID_FIELD, pageField(Uint8Array.of(0x0a, 1, 1), DATA(1))),
    'field "pages[0].pageidx" has wire type bytes instead of varint',
  ],
  "a varint for the data": [
    join(VID_FIELD, pageField(IDX(1), Uint8Array.of(0x10, 1))),
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
    join(VID_FIELD, pageField(IDX(1), Uint8Array.of(0x1b)), Uint8Array.of(0x1c)),
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
  const body = join(VID_FIELD, LATER, GOOD_PAGE, pageField(IDX(200), DATA(200)));
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
    [
      join(VID_FIELD, pageField(IDX(1), Uint8Array.of(0x12, ...huge))),
      start + 2 + 2 + 1 + 6,
      undefined,
    ],
    [join(VID_FIELD, GOOD_PAGE), start + 1 + 2, start + 1000],
  ];
  for (const [body, at, expectedBytes] of cases) {
    assert.equal(bytesUntilRefusal(body, expectedBytes), at);
  }
});

Deno.test("a bad index is refused before the page's data has come", () => {
  const body = join(VID_FIELD, pageField(IDX(0), DATA(0)));
  assert.equal(bytesUntilRefusal(body), VID_FIELD.length + 3 + 2);
});

Deno.test("the volume must come before a part is full", () => {
  const indexes = Array.from({ length: WRITE_PART_PAGES }, (_, i) => i + 1);
  const data = new Uint8Array(PAGE_SIZE);
  const pages = indexes.map((pageIdx) =>
    pageField(IDX(pageIdx), Uint8Array.of(0x12, 0x80, 0x20), data)
  );
  const late = join(...pages, VID_FIELD);
  assert.equal(messageOf(late), 'field "vid" does not come within 4096 pages');
  const inTime = join(...pages.slice(0, -1), VID_FIELD, ...pages.slice(-1));
  assert.equal(decode(inTime).pages.count, WRITE_PART_PAGES);
});
