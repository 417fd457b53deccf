// Pages over v1: what is sent, how, and what may be kept.

import assert from "node:assert/strict";
import { bounded, openServer, serverOfFile } from "./_support/server.ts";
import { range, splinter } from "./_support/splinter.ts";
import { readStream, V1Volume } from "./_support/v1.ts";

const ZSTD = "application/vnd.graft.pages;codec=zstd";
const server = serverOfFile();

const texts = (indexes: readonly number[], text: string) =>
  Object.fromEntries(indexes.map((idx) => [idx, `${text} ${idx}`]));

async function refused(response: Promise<Response>, status: number): Promise<void> {
  const { headers, status: found, ...rest } = await response;
  assert.equal(found, status);
  assert.equal(headers.get("content-type"), "application/problem+json", String(rest));
  await (await response).body?.cancel();
}

bounded("pages are read as they were at an LSN", async () => {
  const volume = new V1Volume(server.to);
  await volume.commit({ pages: texts(range(1, 40), "first") });
  await volume.commit({ base: 1, pages: texts([3, 30], "second"), pageCount: 35 });
  await volume.commit({ base: 2, pageCount: 60 });
  for (const accept of [undefined, "*/*", ZSTD]) {
    const first = await volume.read("1-64", 1, accept);
    assert.deepEqual([first.vid, first.lsn], [volume.vid, 1]);
    assert.deepEqual(first.pages, texts(range(1, 40), "first"));
    const third = await volume.read("1-64", 3, accept);
    const expected = { ...texts(range(1, 35), "first"), ...texts([3, 30], "second") };
    assert.deepEqual(third.pages, expected);
    assert.deepEqual((await volume.read("3,30,36", 3, accept)).pages, texts([3, 30], "second"));
  }
});

bounded("pages are compressed for those who say that they take them so", async () => {
  const volume = new V1Volume(server.to);
  await volume.commit({ pages: texts(range(1, 20), "x") });
  assert.equal((await volume.read("1-20", 1)).compressed, 0);
  assert.equal((await volume.read("1-20", 1, "application/vnd.graft.pages")).compressed, 0);
  const { items, compressed } = await volume.read("1-20", 1, ZSTD);
  assert.deepEqual([items, compressed], [2, 2]);
  assert.equal((await volume.read("5", 1, ZSTD)).compressed, 1);
});

bounded("without an LSN the newest pages are read", async () => {
  const volume = new V1Volume(server.to);
  await volume.commit({ pages: { 1: "one" } });
  await volume.commit({ base: 1, pages: { 1: "two" } });
  const answer = await volume.read("1");
  assert.deepEqual([answer.lsn, answer.pages], [2, { 1: "two" }]);
});

bounded("what was read at an LSN may be kept, what is newest may not", async () => {
  const volume = new V1Volume(server.to);
  await volume.commit({ pages: { 1: "one" } });
  const headersOf = async (lsn?: number) => {
    const response = await volume.tryRead("1", lsn);
    await response.body?.cancel();
    return response.headers;
  };
  const headers = await headersOf(1);
  assert.equal(headers.get("cache-control"), "private, immutable, max-age=3600");
  assert.equal(headers.get("vary"), "accept, authorization");
  assert.equal((await headersOf()).get("cache-control"), "no-cache");
});

bounded("a long list of pages is sent as a page set", async () => {
  const volume = new V1Volume(server.to);
  await volume.commit({ pages: texts(range(1, 300), "x") });
  const post = (body: Uint8Array<ArrayBuffer>, type = "application/vnd.graft.page-set") =>
    fetch(`${volume.url}/pages?lsn=1`, {
      method: "POST",
      body,
      headers: { "content-type": type },
    });
  const wanted = range(1, 100).map((i) => i * 3);
  const response = await post(splinter(wanted));
  assert.equal(response.status, 200);
  assert.deepEqual((await readStream(await response.bytes())).pages, texts(wanted, "x"));
  await refused(post(splinter(wanted), "application/json"), 415);
  await refused(post(new Uint8Array(3)), 400);
  await refused(post(splinter([])), 400);
  await refused(post(splinter([0, 1])), 400);
});

bounded("a large read is streamed", async () => {
  const volume = new V1Volume(server.to);
  await volume.commit({ pages: texts(range(1, 3000), "x") });
  for (const accept of ["*/*", ZSTD]) {
    const { pages } = await volume.read("1-16384", 1, accept);
    assert.deepEqual(pages, texts(range(1, 3000), "x"));
  }
  // a frame that lies across what is read at once, and pages that nobody asked for
  const { pages } = await volume.read("5-600", 1, ZSTD);
  const asked = range(5, 600).map((idx) => [idx, pages[idx]]);
  assert.deepEqual(Object.fromEntries(asked), texts(range(5, 600), "x"));
  // who goes away in the middle takes nothing with him
  const response = await volume.tryRead("1-3000", 1);
  const reader = response.body!.getReader();
  await reader.read();
  await reader.cancel();
  assert.equal((await volume.read("3000", 1)).pages[3000], "x 3000");
});

bounded("what cannot be read is told by the status", async () => {
  const volume = new V1Volume(server.to);
  await refused(volume.tryRead("1", 1), 404);
  await refused(volume.tryRead("1"), 404);
  await volume.commit({ pages: { 1: "one" } });
  await refused(volume.tryRead("1", 2), 404);
  for (const set of ["0", "x", "2-1", "1-16385"]) await refused(volume.tryRead(set, 1), 400);
  await refused(volume.tryRead("1", 0), 400);
});

bounded("pages and commits are served by a pagestore, volumes by a metastore", async () => {
  await using pagestore = await openServer({ role: "pagestore" });
  await using metastore = await openServer({ role: "metastore" });
  for (const to of [pagestore.to, metastore.to]) {
    const volume = new V1Volume(to);
    await volume.commit({ pages: { 1: "one" } });
    const isPagestore = to === pagestore.to;
    const read = await volume.tryRead("1", 1);
    await read.body?.cancel();
    assert.equal(read.status, isPagestore ? 200 : 404);
    const shown = await fetch(volume.url);
    await shown.body?.cancel();
    assert.equal(shown.status, isPagestore ? 404 : 200);
  }
});
