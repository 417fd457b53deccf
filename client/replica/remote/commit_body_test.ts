import assert from "node:assert/strict";
import { clientIdFromName, parseGid } from "../../../src/core/gid.ts";
import { PAGE_SIZE } from "../../../src/core/limits.ts";
import { toPageCount } from "../../../src/core/page.ts";
import { PageSet } from "../../../src/core/page_set.ts";
import { CommitStreamDecoder } from "../../../src/wire/v1/page_stream_decoder.ts";
import { type CommitBody, encodeCommitBody } from "./commit_body.ts";
import type { RemoteCommit } from "./remote.ts";

const PAGE_COUNT = toPageCount(1000);

function commitOf(pages: ReadonlyMap<number, Uint8Array>): RemoteCommit {
  return {
    vid: parseGid("volume", "GonwTRj2SohJzYLLjD9nSq"),
    cid: clientIdFromName("me"),
    requestId: new Uint8Array(16).fill(7),
    base: undefined,
    pageCount: PAGE_COUNT,
    pageSet: PageSet.from(pages.keys()),
    async *pages() {
      yield* pages;
    },
  };
}

async function pagesIn({ bytes, isPacked }: CommitBody): Promise<Map<number, Uint8Array>> {
  const stream = new Response(bytes).body!;
  const plain = isPacked ? stream.pipeThrough(new DecompressionStream("gzip")) : stream;
  const pages = new Map<number, Uint8Array>();
  const decoder = new CommitStreamDecoder({
    take: (pageIdx, page) => pages.set(pageIdx, page.slice()),
  });
  decoder.push(new Uint8Array(await new Response(plain).arrayBuffer()));
  decoder.finish();
  assert.equal(decoder.header?.pageCount, PAGE_COUNT);
  return pages;
}

function manyPages(count: number, make: (pageIdx: number) => Uint8Array): Map<number, Uint8Array> {
  return new Map(Array.from({ length: count }, (_, i) => [2 * i + 1, make(2 * i + 1)]));
}

// around what is encoded before it is known whether to compress
const COUNTS = [1, 15, 16, 31, 32, 33, 64, 200];

Deno.test("what compresses is sent compressed, whole", async () => {
  for (const count of COUNTS) {
    const pages = manyPages(count, (pageIdx) => new Uint8Array(PAGE_SIZE).fill(pageIdx % 251));
    const body = await encodeCommitBody(commitOf(pages));
    assert.equal(body.isPacked, true, `${count} pages`);
    assert.deepEqual(await pagesIn(body), pages, `${count} pages`);
  }
});

Deno.test("what does not compress is sent as it is, whole", async () => {
  for (const count of COUNTS) {
    const pages = manyPages(count, () => crypto.getRandomValues(new Uint8Array(PAGE_SIZE)));
    const body = await encodeCommitBody(commitOf(pages));
    assert.equal(body.isPacked, false, `${count} pages`);
    assert.deepEqual(await pagesIn(body), pages, `${count} pages`);
  }
});
