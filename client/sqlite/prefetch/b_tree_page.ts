/**
 * Pages of SQLite's b-trees, as far as prefetching needs them. What is damaged is no b-tree page.
 *
 * @see {@link https://www.sqlite.org/fileformat2.html#b_tree_pages}
 * @module
 */

import { PAGE_SIZE } from "../../../src/core/limits.ts";

/** The first byte of a b-tree page's header. */
export const PageKind = {
  INDEX_INTERIOR: 0x02,
  TABLE_INTERIOR: 0x05,
  INDEX_LEAF: 0x0a,
  TABLE_LEAF: 0x0d,
} as const;

/** What an interior page says. */
export interface InteriorPage {
  /** Whether it is a table's: its children are told apart by rowids. */
  readonly isTable: boolean;
  /** The pages below, in the order of their keys. */
  readonly children: Uint32Array;
  /** The largest rowid below each child but the last; empty for an index. */
  readonly rowids: Float64Array;
}

const HEADER_1_BYTES = 100;
const CELL_BYTES_MIN = 4;
/** Bytes of a record that always lie on the page, of an index and of a table's leaf. */
const INDEX_LOCAL_MAX = Math.floor(((PAGE_SIZE - 12) * 64) / 255) - 23;
const TABLE_LOCAL_MAX = PAGE_SIZE - 35;
const LOCAL_MIN = Math.floor(((PAGE_SIZE - 12) * 32) / 255) - 23;
const OVERFLOW_BYTES = PAGE_SIZE - 4;
/** Bytes of the integers that serial types 0 to 9 stand for. */
const INTEGER_BYTES = [0, 1, 2, 3, 4, 6, 8, 8, 0, 0];

/** Where the b-tree header of a page begins: behind the file's own header on page 1. */
function headerOf(pageIdx: number): number {
  return pageIdx === 1 ? HEADER_1_BYTES : 0;
}

/** The kind of a page, if it is a b-tree's; see {@linkcode PageKind}. */
export function kindOf(pageIdx: number, page: Uint8Array): number {
  return page[headerOf(pageIdx)];
}

/**
 * Reads an interior page.
 *
 * @param pageCount Children lie within it.
 * @returns Undefined when it is none, or damaged.
 */
export function parseInterior(
  pageIdx: number,
  page: Uint8Array,
  pageCount: number,
): InteriorPage | undefined {
  const header = headerOf(pageIdx);
  const isTable = page[header] === PageKind.TABLE_INTERIOR;
  if (!isTable && page[header] !== PageKind.INDEX_INTERIOR) return undefined;
  const cells = cellsOf(page, header, 12);
  if (cells === undefined) return undefined;
  const children = new Uint32Array(cells.length + 1);
  const rowids = new Float64Array(isTable ? cells.length : 0);
  for (let i = 0; i <= cells.length; i++) {
    const at = i < cells.length ? cells[i] : header + 8;
    const child = u32(page, at);
    if (child < 2 || child > pageCount || child === pageIdx) return undefined;
    children[i] = child;
    if (isTable && i < cells.length) rowids[i] = varint(page, at + 4).value;
  }
  return { isTable, children, rowids };
}

/**
 * The rowids that an index leaf's entries end in, in their order; NaN for an entry that ends in none or whose end
 * lies on other pages.
 *
 * @returns Empty when it is no index leaf, or damaged.
 */
export function indexedRowids(pageIdx: number, page: Uint8Array): Float64Array {
  const header = headerOf(pageIdx);
  if (page[header] !== PageKind.INDEX_LEAF) return new Float64Array();
  const cells = cellsOf(page, header, 8) ?? new Uint16Array();
  return Float64Array.from(cells, (at) => lastInteger(page, at));
}

/**
 * How many overflow pages a record has whose first one is given.
 *
 * @returns 0 when no record on the page goes on there.
 */
export function overflowPages(pageIdx: number, page: Uint8Array, firstIdx: number): number {
  const header = headerOf(pageIdx);
  const isTable = page[header] === PageKind.TABLE_LEAF;
  if (!isTable && page[header] !== PageKind.INDEX_LEAF) return 0;
  for (const cell of cellsOf(page, header, 8) ?? []) {
    const { value: bytes, end } = varint(page, cell);
    if (bytes <= (isTable ? TABLE_LOCAL_MAX : INDEX_LOCAL_MAX)) continue;
    const begin = isTable ? varint(page, end).end : end;
    const local = localBytes(bytes, isTable ? TABLE_LOCAL_MAX : INDEX_LOCAL_MAX);
    if (begin + local + 4 > PAGE_SIZE || u32(page, begin + local) !== firstIdx) continue;
    return Math.ceil((bytes - local) / OVERFLOW_BYTES);
  }
  return 0;
}

/** Where the cells begin. */
function cellsOf(page: Uint8Array, header: number, headerBytes: number): Uint16Array | undefined {
  const count = (page[header + 3] << 8) | page[header + 4];
  const begin = header + headerBytes;
  const end = begin + 2 * count;
  if (page.length !== PAGE_SIZE || end > PAGE_SIZE) return undefined;
  const cells = new Uint16Array(count);
  for (let i = 0; i < count; i++) {
    const at = (page[begin + 2 * i] << 8) | page[begin + 2 * i + 1];
    if (at < end || at > PAGE_SIZE - CELL_BYTES_MIN) return undefined;
    cells[i] = at;
  }
  return cells;
}

function localBytes(bytes: number, localMax: number): number {
  const local = LOCAL_MIN + (bytes - LOCAL_MIN) % OVERFLOW_BYTES;
  return local <= localMax ? local : LOCAL_MIN;
}

function lastInteger(page: Uint8Array, cell: number): number {
  const { value: bytes, end: begin } = varint(page, cell);
  if (bytes > INDEX_LOCAL_MAX || begin + bytes > PAGE_SIZE) return NaN;
  const { value: headerBytes, end } = varint(page, begin);
  if (headerBytes > bytes) return NaN;
  let type = NaN;
  for (let at = end; at < begin + headerBytes;) ({ value: type, end: at } = varint(page, at));
  if (!(type <= 9) || type === 0 || type === 7) return NaN;
  if (type >= 8) return type - 8;
  return signed(page, begin + bytes - INTEGER_BYTES[type], INTEGER_BYTES[type]);
}

function signed(page: Uint8Array, at: number, bytes: number): number {
  let value = (page[at] << 24) >> 24;
  for (let i = 1; i < bytes; i++) value = value * 256 + page[at + i];
  return value;
}

function u32(page: Uint8Array, at: number): number {
  return ((page[at] << 24) | (page[at + 1] << 16) | (page[at + 2] << 8) | page[at + 3]) >>> 0;
}

/** A varint as a signed number, inexact above 2^53; its end is beyond `at` also where the page ends. */
function varint(page: Uint8Array, at: number): { value: number; end: number } {
  let value = 0;
  for (let i = 0; i < 8; i++) {
    const byte = page[at + i] ?? 0;
    value = value * 128 + (byte & 0x7f);
    if (byte < 0x80) return { value, end: at + i + 1 };
  }
  value = value * 256 + (page[at + 8] ?? 0);
  return { value: value >= 2 ** 63 ? value - 2 ** 64 : value, end: at + 9 };
}
