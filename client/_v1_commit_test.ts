import assert from "node:assert/strict";
import { clientIdFromName, parseGid } from "../src/core/gid.ts";
import { toLsn } from "../src/core/lsn.ts";
import { toPageCount } from "../src/core/page.ts";
import { CommitStreamDecoder } from "../src/wire/v1/page_stream_decoder.ts";
import { batches } from "./_page_batches.ts";
import { type CommitFacts, encodeCommit } from "./_v1_commit.ts";

const FACTS: CommitFacts = {
  vid: parseGid("volume", "GonwTRj2SohJzYLLjD9nSq"),
  cid: clientIdFromName("test"),
  baseLsn: toLsn(6),
  baseDigest: undefined,
  pageCount: toPageCount(9),
};
const page = (value: number) => new Uint8Array(4096).fill(value);

function encode(facts: CommitFacts, ...pages: [number, number][]): Uint8Array {
  const [batch] = batches(pages.map(([pageIdx, value]) => [pageIdx, page(value)]));
  return encodeCommit(facts, batch);
}

function decode(body: Uint8Array) {
  const pages = new Map<number, number>();
  const decoder = new CommitStreamDecoder({
    take: (pageIdx, content) => pages.set(pageIdx, content[0]),
  });
  decoder.push(body);
  decoder.finish();
  return { header: decoder.header!, pages };
}

Deno.test("a commit holds what it is made of, its pages checked", () => {
  const { header, pages } = decode(encode(FACTS, [5, 50], [3, 30]));
  const { requestId, ...facts } = header;
  assert.deepEqual(facts, FACTS);
  assert.equal(requestId.length, 16);
  assert.deepEqual([...pages], [[5, 50], [3, 30]]);
});

Deno.test("the same commit has the same request id, in whatever order its pages come; another has another", () => {
  const idOf = (body: Uint8Array) => decode(body).header.requestId.toString();
  const id = idOf(encode(FACTS, [5, 50], [3, 30]));
  assert.equal(idOf(encode(FACTS, [3, 30], [5, 50])), id);
  const others = [
    encode({ ...FACTS, baseLsn: toLsn(7) }, [5, 50], [3, 30]),
    encode({ ...FACTS, pageCount: toPageCount(10) }, [5, 50], [3, 30]),
    encode({ ...FACTS, cid: clientIdFromName("other") }, [5, 50], [3, 30]),
    encode(FACTS, [5, 50], [3, 31]),
    encode(FACTS, [5, 30], [3, 50]),
    encode(FACTS, [5, 50]),
  ].map(idOf);
  assert.equal(new Set([id, ...others]).size, others.length + 1);
});
