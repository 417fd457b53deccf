import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { digestOf } from "../../core/content_digest.ts";
import { isGraftError } from "../../core/errors.ts";
import { clientIdFromName, parseGid } from "../../core/gid.ts";
import { PAGE_SIZE } from "../../core/limits.ts";
import { toLsn } from "../../core/lsn.ts";
import { toPageCount } from "../../core/page.ts";
import { WasmCodec } from "../../segment/codecs/wasm_codec.ts";
import { CommitStreamDecoder, type Decompress, PageStreamDecoder } from "./page_stream_decoder.ts";
import { PageStreamEncoder } from "./page_stream_encoder.ts";
import { hashPages } from "./page_stream_format.ts";
import { type CommitHeader, encodeCommitHeader, encodeStreamHeader } from "./page_stream_header.ts";

const VID = parseGid("volume", "GonwTRj2SohJzYLLjD9nSq");
const HEADER = { vid: VID, lsn: toLsn(7) };
const codec = new WasmCodec();
const decompress: Decompress = (stored, rawLength) => codec.decompress(stored, rawLength);

/** A page that is easily told apart, and compresses. */
function page(pageIdx: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(PAGE_SIZE).fill(pageIdx % 251, 0, 100 + pageIdx % 50);
}

function listOf(indexes: readonly number[]) {
  return { indexes: Uint32Array.from(indexes), page: (i: number) => page(indexes[i]) };
}

function encode(indexes: readonly number[], zstd = false): Uint8Array<ArrayBuffer> {
  const encoder = new PageStreamEncoder(encodeStreamHeader(HEADER), indexes.length);
  encoder.addPages(listOf(indexes), zstd ? (raw) => codec.compress(raw) : undefined);
  encoder.end();
  return encoder.take();
}

/** The pages of a stream that comes in chunks of this length. */
function decode(bytes: Uint8Array, chunkBytes = bytes.length, options = { decompress }) {
  const pages = new Map<number, Uint8Array>();
  const decoder = new PageStreamDecoder({
    take: (pageIdx, content) => pages.set(pageIdx, content.slice()),
    ...options,
  });
  for (let at = 0; at < bytes.length; at += chunkBytes) {
    decoder.push(bytes.slice(at, at + chunkBytes));
  }
  decoder.finish();
  assert.deepEqual(decoder.header, HEADER);
  return pages;
}

function refused(bytes: Uint8Array, message: RegExp): void {
  assert.throws(() => decode(bytes), (error) => {
    assert.ok(isGraftError(error, "invalid"), String(error));
    assert.match(error.message, message);
    return true;
  });
}

/** The bytes with some of them replaced. */
function changed(bytes: Uint8Array, at: number, ...values: number[]): Uint8Array {
  const copy = bytes.slice();
  copy.set(values, at);
  return copy;
}

const FORTY = Array.from({ length: 40 }, (_, i) => i * 3 + 1);

for (const zstd of [false, true]) {
  Deno.test(`a page stream comes back as it was, ${zstd ? "compressed" : "raw"}`, () => {
    const bytes = encode(FORTY, zstd);
    assert.equal(bytes.length < 40 * PAGE_SIZE, zstd);
    for (const chunkBytes of [bytes.length, 1, 7, 4096, 65_536]) {
      const pages = decode(bytes, chunkBytes);
      assert.deepEqual([...pages.keys()], FORTY);
      for (const [pageIdx, content] of pages) assert.deepEqual(content, page(pageIdx));
    }
  });
}

Deno.test("a page stream may hold no page", () => {
  assert.deepEqual(decode(encode([])), new Map());
});

Deno.test("pages that do not compress are sent raw", () => {
  const noise = crypto.getRandomValues(new Uint8Array(PAGE_SIZE));
  const encoder = new PageStreamEncoder(encodeStreamHeader(HEADER));
  encoder.addPages(
    { indexes: Uint32Array.of(9), page: () => noise },
    (raw) => codec.compress(raw),
  );
  encoder.end();
  const bytes = encoder.take();
  assert.equal(bytes.length, 40 + 16 + 12 + PAGE_SIZE + 16);
  assert.deepEqual(decode(bytes).get(9), noise);
});

Deno.test("of a stored frame only the pages in its mask are handed over", () => {
  const raw = new Uint8Array(3 * PAGE_SIZE);
  for (const i of [0, 1, 2]) raw.set(page(10 + i), i * PAGE_SIZE);
  const stored = new Uint8Array([...hashPages(raw), ...codec.compress(raw)]);
  const encoder = new PageStreamEncoder(encodeStreamHeader(HEADER));
  encoder.addFrame({ indexes: Uint32Array.of(10, 11, 12), mask: 0b101, codec: "zstd", stored });
  encoder.addPages(listOf([11]));
  encoder.end();
  const pages = decode(encoder.take());
  assert.deepEqual([...pages.keys()], [10, 12, 11]);
  assert.deepEqual(pages.get(12), page(12));
});

Deno.test("hashes that are known are sent, not made", () => {
  const encoder = new PageStreamEncoder(encodeStreamHeader(HEADER));
  encoder.addPages({ ...listOf([1, 2]), hash: () => new Uint8Array(8) });
  encoder.end();
  refused(encoder.take(), /a page fails its checksum/);
});

Deno.test("every byte of a page stream is checked", () => {
  for (const zstd of [false, true]) {
    const bytes = encode([5, 6], zstd);
    for (let at = 0; at < bytes.length; at += at < 140 || at > bytes.length - 40 ? 1 : 31) {
      let pages: Map<number, Uint8Array>;
      try {
        pages = decode(changed(bytes, at, bytes[at] ^ 0x10));
      } catch (error) {
        assert.ok(isGraftError(error, "invalid"), `byte ${at}: ${error}`);
        continue;
      }
      // zstd has a bit that means nothing
      assert.ok(zstd && at === 84, `byte ${at}`);
      assert.deepEqual([...pages.values()], [page(5), page(6)]);
    }
  }
});

Deno.test("a page stream that is cut short is noticed, wherever that is", () => {
  const bytes = encode([5, 6], true);
  for (let length = 0; length < bytes.length; length++) {
    refused(bytes.subarray(0, length), /it is cut short/);
  }
});

Deno.test("items of another stream do not pass", () => {
  const other = new PageStreamEncoder(encodeStreamHeader({ ...HEADER, lsn: toLsn(8) }));
  other.addPages(listOf([5]));
  other.end();
  const spliced = new Uint8Array([...encodeStreamHeader(HEADER), ...other.take().subarray(40)]);
  refused(spliced, /an item fails its checksum/);
});

Deno.test("what is malformed is refused by name", () => {
  const bytes = encode([5, 6]);
  refused(changed(bytes, 0, 0x58), /does not begin with "GRAFTPGS"/);
  refused(changed(bytes, 8, 2), /format version is 2/);
  refused(changed(bytes, 12, 1), /reserved bytes/);
  refused(changed(bytes, 16, 0xa0), /volume/);
  refused(changed(bytes, 32, 0), /its LSN is 0/);
  refused(changed(bytes, 48, 17), /an item has 17 pages/);
  refused(changed(bytes, 49, 2), /unknown codec 2/);
  refused(changed(bytes, 50, 0), /mask/);
  refused(changed(bytes, 50, 4), /mask/);
  refused(changed(bytes, 52, 0), /an item of 2 pages has/);
  refused(new Uint8Array([...bytes, 0]), /bytes follow its end/);
  const encoder = new PageStreamEncoder(encodeStreamHeader(HEADER));
  encoder.addPages(listOf([5]));
  encoder.addPages(listOf([5]));
  encoder.end();
  refused(encoder.take(), /page 5 occurs twice/);
});

Deno.test("a reader that cannot decompress refuses compressed pages", () => {
  const decoder = new PageStreamDecoder({ take() {} });
  assert.throws(() => decoder.push(encode(FORTY, true)), /its pages are compressed/);
});

Deno.test("pages are plain arrays, whatever a decompressor makes", () => {
  const intoBuffer: Decompress = (stored, rawLength) => Buffer.from(decompress(stored, rawLength));
  const pages = decode(encode(FORTY, true), undefined, { decompress: intoBuffer });
  assert.equal(pages.size, FORTY.length);
  for (const content of pages.values()) assert.equal(content.constructor, Uint8Array);
});

const COMMIT: CommitHeader = {
  vid: VID,
  cid: clientIdFromName("test"),
  requestId: Uint8Array.from({ length: 16 }, (_, i) => i),
  baseLsn: toLsn(41),
  baseDigest: digestOf(Uint8Array.of(1)),
  pageCount: toPageCount(9),
};

function decodeCommit(header: Uint8Array): CommitHeader | undefined {
  const encoder = new PageStreamEncoder(header);
  encoder.addPages(listOf([1, 2]));
  encoder.end();
  const pages: number[] = [];
  const decoder = new CommitStreamDecoder({ take: (pageIdx) => pages.push(pageIdx) });
  decoder.push(encoder.take());
  decoder.finish();
  assert.deepEqual(pages, [1, 2]);
  return decoder.header;
}

Deno.test("a commit comes back as it was", () => {
  const first = { ...COMMIT, baseLsn: undefined, baseDigest: undefined, pageCount: undefined };
  const empty = { ...COMMIT, pageCount: toPageCount(0), baseDigest: undefined };
  for (const header of [COMMIT, first, empty]) {
    assert.deepEqual(decodeCommit(encodeCommitHeader(header)), header);
  }
});

Deno.test("a malformed commit is refused by name", () => {
  const bytes = encodeCommitHeader(COMMIT);
  const none = encodeCommitHeader({ ...COMMIT, baseDigest: undefined, pageCount: undefined });
  const cases: [Uint8Array, RegExp][] = [
    [encodeStreamHeader(HEADER), /does not begin with "GRAFTCMT"/],
    [changed(bytes, 10, 7), /flags are 7/],
    [changed(bytes, 12, 0xff, 0xff, 0xff, 0xff), /its page count is malformed/],
    [changed(none, 12, 1), /page count/],
    [changed(none, 87, 1), /reserved bytes/],
    [changed(bytes, 32, 0), /no base/],
    [changed(bytes, 39, 1), /its LSN is malformed/],
    [changed(bytes, 40, 0x80), /client/],
  ];
  for (const [header, message] of cases) assert.throws(() => decodeCommit(header), message);
});
