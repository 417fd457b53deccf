// The client over v1 against answers that are made up.

import assert from "node:assert/strict";
import type { GraftErrorCode } from "../src/core/errors.ts";
import { parseGid } from "../src/core/gid.ts";
import { toLsn } from "../src/core/lsn.ts";
import { PAGES_MEDIA_TYPE } from "../src/wire/v1/media_types.ts";
import { PageStreamEncoder } from "../src/wire/v1/page_stream_encoder.ts";
import { encodeStreamHeader } from "../src/wire/v1/page_stream_header.ts";
import { errorOf, problem, script, type Seen, withV1Server } from "./_testing.ts";
import { GraftClient } from "./graft_client.ts";

const vid = parseGid("volume", "GonwTRj2SohJzYLLjD9nSq");
const SNAPSHOT = {
  vid,
  cid: "Qi81Dp4C52GLoBknSJtPzw",
  lsn: 7,
  checkpointLsn: 1,
  pageCount: 9,
  timestamp: "2026-11-22T21:26:57.034Z",
  digest: "d70ed317b5c2414d04f84eae868f4039",
};

const REFUSALS: [GraftErrorCode, RegExp | undefined][] = [
  ["invalid", undefined],
  ["missing", undefined],
  ["conflict", /^Pull, then redo/],
  ["unauthorized", /valid token/],
  ["forbidden", /allows this volume/],
  ["damaged", undefined],
  ["internal", undefined],
];

for (const [code, hint] of REFUSALS) {
  Deno.test(`a problem of the code ${code} is that error, and final`, async () => {
    const seen: Seen[] = [];
    await withV1Server(script(seen, () => problem(code, "Cannot read: gone")), async (url) => {
      const error = await errorOf(new GraftClient(url).snapshot(vid));
      assert.deepEqual([error.code, error.message], [code, "Cannot read: gone"]);
      if (hint === undefined) assert.equal(error.hint, undefined);
      else assert.match(error.hint!, hint);
    });
    assert.equal(seen.length, 1);
  });
}

Deno.test("the hint of a problem is the error's", async () => {
  const handler = () => problem("conflict", "Cannot commit", "Read all of it again");
  await withV1Server(handler, async (url) => {
    const error = await errorOf(new GraftClient(url).push(vid, 6, [], 1));
    assert.equal(error.hint, "Read all of it again");
  });
});

Deno.test("what may pass is asked again", async () => {
  const seen: Seen[] = [];
  const busy = () => problem("unavailable", "Cannot answer: overload");
  const proxy = () => new Response("<html>", { status: 502 });
  await withV1Server(script(seen, busy, proxy, () => Response.json(SNAPSHOT)), async (url) => {
    assert.equal((await new GraftClient(url).snapshot(vid)).lsn, 7);
  });
  assert.equal(seen.length, 3);
});

Deno.test("a problem that is none says nothing but its status", async () => {
  const headers = { "content-type": "application/problem+json" };
  for (const body of ["[", "null", '"x"', '{"code":"missing"}', '{"code":"new","detail":"x"}']) {
    const handler = () => new Response(body, { status: 500, headers });
    await withV1Server(handler, async (url) => {
      const error = await errorOf(new GraftClient(url).snapshot(vid));
      assert.equal(error.code, "internal", body);
      assert.match(error.message, /: the server answered 500$/);
    });
  }
});

Deno.test("a snapshot that cannot be read is the server's bug", async () => {
  for (const body of ["[", JSON.stringify({ ...SNAPSHOT, lsn: 0 })]) {
    const handler = () => new Response(body, { headers: { "content-type": "application/json" } });
    await withV1Server(handler, async (url) => {
      const error = await errorOf(new GraftClient(url).snapshot(vid));
      assert.equal(error.code, "internal");
      assert.match(error.message, /: the answer is malformed$/);
    });
  }
});

Deno.test("pages that come along unasked are left out", async () => {
  const encoder = new PageStreamEncoder(encodeStreamHeader({ vid, lsn: toLsn(7) }));
  encoder.addPages({ indexes: Uint32Array.of(3, 4), page: () => new Uint8Array(4096).fill(8) });
  encoder.end();
  const body = encoder.take();
  const handler = () => new Response(body, { headers: { "content-type": PAGES_MEDIA_TYPE } });
  await withV1Server(handler, async (url) => {
    const read = await new GraftClient(url).read(vid, 7, [4, 5]);
    assert.deepEqual([...read.indexes()], [4]);
  });
});

Deno.test("an answer of v0.1 to a call of v1 is refused", async () => {
  const headers = { "content-type": "application/x-protobuf" };
  await withV1Server(() => new Response(new Uint8Array(4), { headers }), async (url) => {
    const error = await errorOf(new GraftClient(url).snapshot(vid));
    assert.equal(error.code, "invalid");
    assert.match(error.message, /x-protobuf instead of application\/json$/);
  });
});
