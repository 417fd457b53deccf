// What changed, and deletion.

import assert from "node:assert/strict";
import { bounded, serverOfFile } from "./_support/server.ts";
import { members } from "./_support/splinter.ts";
import { V1Volume } from "./_support/v1.ts";
import { TestVolume } from "./_support/volume.ts";

const server = serverOfFile();

/** The pages of a graft as JSON carries it. */
function pagesOf(graft: string | null): number[] | null {
  if (graft === null) return null;
  return members(Uint8Array.fromBase64(graft, { alphabet: "base64url" }));
}

async function status(response: Promise<Response>): Promise<number> {
  const { status, headers, body } = await response;
  assert.equal(headers.get("content-type"), "application/problem+json");
  await body?.cancel();
  return status;
}

bounded("what changed since an LSN is one request", async () => {
  const volume = new V1Volume(server.to);
  const first = await volume.commit({ pages: { 1: "a", 9: "a" } });
  const second = await volume.commit({ base: 1, pages: { 2: "b" } });
  const third = await volume.commit({ base: 2, pages: { 3: "c" }, pageCount: 5 });
  const changes = async (query: string) => {
    const { graft, ...rest } = await volume.changes(query);
    return { ...rest, pages: pagesOf(graft) };
  };
  assert.deepEqual(await changes(""), {
    snapshot: third,
    range: null,
    pages: null,
    sinceDigest: null,
  });
  assert.deepEqual(await changes("?since=1"), {
    snapshot: third,
    range: { start: 2, end: 3 },
    pages: [2, 3, 6, 7, 8, 9],
    sinceDigest: first.digest,
  });
  assert.deepEqual(await changes("?since=1&to=2"), {
    snapshot: second,
    range: { start: 2, end: 2 },
    pages: [2],
    sinceDigest: first.digest,
  });
  assert.deepEqual((await changes("?since=0")).pages, [1, 2, 3, 6, 7, 8, 9]);
  assert.deepEqual(await changes("?since=3"), {
    snapshot: third,
    range: null,
    pages: null,
    sinceDigest: third.digest,
  });
});

bounded("changes that are not there are refused", async () => {
  const volume = new V1Volume(server.to);
  const ask = (query: string) => status(fetch(`${volume.url}/changes${query}`));
  assert.equal(await ask(""), 404);
  await volume.commit({});
  assert.equal(await ask("?since=2"), 404);
  assert.equal(await ask("?since=0&to=2"), 404);
  assert.equal(await ask("?since=x"), 400);
  assert.equal(await ask("?to=0"), 400);
});

bounded("a deleted volume is gone for both protocols", async () => {
  const volume = new V1Volume(server.to);
  const remove = () => fetch(volume.url, { method: "DELETE" });
  assert.equal(await status(remove()), 404);
  await volume.commit({ pages: { 1: "a" } });
  const removed = await remove();
  assert.equal(removed.status, 204);
  assert.equal(await removed.text(), "");
  assert.equal(await status(remove()), 404);
  assert.equal(await status(fetch(volume.url)), 404);
  assert.equal(await status(fetch(`${volume.url}/changes`)), 410);
  assert.equal(await status(volume.tryRead("1", 1)), 404);
  assert.equal(await status(volume.tryCommit({ base: 1 })), 409);
  assert.equal((await new TestVolume(server.to, volume.vidBytes).trySnapshot()).status, 404);
});
