// Writes pages into a body. BinaryWriter would copy every page three times (into the inner message, into
// the outer one, and while it grows); the length of a body of pages is known beforehand.

import { WireType } from "@bufbuild/protobuf/wire";
import { assert } from "../core/assert.ts";
import { PAGE_COUNT_MAX, PAGE_SIZE } from "../core/limits.ts";
import type { PageList } from "./page_messages.ts";

const PAGE_IDX_TAG = 1 << 3 | WireType.Varint;
const DATA_TAG = 2 << 3 | WireType.LengthDelimited;
/** A page's tag and its length of two bytes. */
const HEAD_BYTES = 3;
/** Within a page: the tag of the index, the tag of the data, and the data's length of two bytes. */
const INNER_BYTES = 4;

assert(
  PAGE_SIZE + INNER_BYTES >= 2 ** 7 && PAGE_SIZE + INNER_BYTES + 5 < 2 ** 14,
  "A page's lengths must take two bytes",
);

/** The length of a field of pages. */
export function pagesLength(indexes: Uint32Array): number {
  let length = indexes.length * (HEAD_BYTES + INNER_BYTES + PAGE_SIZE);
  for (const pageIdx of indexes) length += varintLength(pageIdx);
  return length;
}

/**
 * Puts `pages` as the repeated field with number `field` at `offset` of `body`, which must have
 * {@linkcode pagesLength} bytes left there.
 */
export function putPages(body: Uint8Array, offset: number, field: number, pages: PageList): void {
  let at = offset;
  for (let i = 0; i < pages.indexes.length; i++) {
    const pageIdx = pages.indexes[i];
    const page = pages.page(i);
    assert(pageIdx >= 1 && pageIdx <= PAGE_COUNT_MAX, "A page to encode has no valid index");
    assert(page.length === PAGE_SIZE, "A page to encode has another size");
    body[at++] = field << 3 | WireType.LengthDelimited;
    at = putVarint(body, at, varintLength(pageIdx) + INNER_BYTES + PAGE_SIZE);
    body[at++] = PAGE_IDX_TAG;
    at = putVarint(body, at, pageIdx);
    body[at++] = DATA_TAG;
    at = putVarint(body, at, PAGE_SIZE);
    body.set(page, at);
    at += PAGE_SIZE;
  }
}

/** The bytes of a uint32 as a varint. */
function varintLength(value: number): number {
  if (value < 2 ** 7) return 1;
  if (value < 2 ** 14) return 2;
  if (value < 2 ** 21) return 3;
  return value < 2 ** 28 ? 4 : 5;
}

function putVarint(body: Uint8Array, offset: number, value: number): number {
  let at = offset;
  let rest = value;
  while (rest > 0x7f) {
    body[at++] = rest & 0x7f | 0x80;
    rest >>>= 7;
  }
  body[at++] = rest;
  return at;
}
