// Whole transactions over v1.

import assert from "node:assert/strict";
import { newId } from "./_support/messages.ts";
import { ingestBytes } from "./_support/metrics.ts";
import { bounded, openServer, serverOfFile } from "./_support/server.ts";
import { range } from "./_support/splinter.ts";
import { V1Volume } from "./_support/v1.ts";
import { TestVolume } from "./_support/volume.ts";

const server = serverOfFile();
const newVolume = () => new V1Volume(server.to);

/** The parts of a refusal that tests look at. */
async function refusal(response: Response): Promise<{ status: number; code: string }> {
  assert.equal(response.headers.get("content-type"), "application/problem+json");
  const { status, code } = await response.json();
  assert.equal(status, response.status);
  return { status, code };
}

async function conflict(response: Promise<Response>): Promise<void> {
  assert.deepEqual(await refusal(await response), { status: 409, code: "conflict" });
}

async function invalid(response: Promise<Response>, status = 400): Promise<void> {
  assert.deepEqual(await refusal(await response), { status, code: "invalid" });
}

const texts = (indexes: readonly number[], text: string) =>
  Object.fromEntries(indexes.map((idx) => [idx, `${text} ${idx}`]));

bounded("a commit lands in one request, and both protocols see it", async () => {
  const volume = newVolume();
  const landed = await volume.commit({ pages: { 1: "one", 7: "seven" } });
  assert.deepEqual([landed.vid, landed.lsn, landed.pageCount], [volume.vid, 1, 7]);
  const second = await volume.commit({ base: 1, pages: { 2: "two" } });
  assert.deepEqual([second.lsn, second.pageCount], [2, 7]);
  const old = new TestVolume(server.to, volume.vidBytes);
  assert.deepEqual(await old.read(2, range(1, 9)), { 1: "one", 2: "two", 7: "seven" });
  assert.deepEqual((await volume.read("1-9", 2)).pages, { 1: "one", 2: "two", 7: "seven" });
  const response = await fetch(volume.url);
  assert.deepEqual(await response.json(), second);
});

bounded("a commit may hold no pages, and cut pages off", async () => {
  const volume = newVolume();
  await volume.commit({ pages: { 1: "one", 7: "seven" } });
  assert.equal((await volume.commit({ base: 1, pageCount: 3 })).pageCount, 3);
  assert.equal((await volume.commit({ base: 2, pageCount: 9 })).pageCount, 9);
  assert.deepEqual((await volume.read("1-9", 3)).pages, { 1: "one" });
});

bounded("a commit of many parts lands as one", async () => {
  const volume = newVolume();
  const pages = texts(range(1, 9000), "large");
  assert.equal((await volume.commit({ pages })).pageCount, 9000);
  const { pages: found } = await volume.read("4000-9001", 1);
  assert.equal(Object.keys(found).length, 5001);
  assert.equal(found[4097], "large 4097");
  assert.equal(await ingestBytes(server.to), 0);
});

bounded("a commit that is repeated is the same commit, whoever committed since", async () => {
  const volume = newVolume();
  const requestId = newId("client");
  const first = await volume.commit({ pages: { 1: "one" }, requestId });
  const other = new V1Volume(server.to, volume.vidBytes);
  await other.commit({ base: 1, pages: { 1: "other" } });
  await other.commit({ base: 2, pages: { 2: "other" } });
  assert.deepEqual(await volume.commit({ pages: { 1: "one" }, requestId }), first);
  await conflict(volume.tryCommit({ pages: { 1: "one" } }));
  await conflict(volume.tryCommit({ pages: { 1: "changed" }, requestId }));
  await conflict(other.tryCommit({ pages: { 1: "one" }, requestId }));
  const response = await fetch(volume.url);
  assert.equal((await response.json()).lsn, 3);
});

bounded("a commit lands on its base only", async () => {
  const volume = newVolume();
  await conflict(volume.tryCommit({ base: 1, pages: { 1: "one" } }));
  const first = await volume.commit({ pages: { 1: "one" } });
  await conflict(volume.tryCommit({ pages: { 2: "two" } }));
  await conflict(volume.tryCommit({ base: 2, pages: { 2: "two" } }));
  await conflict(volume.tryCommit({ base: 1, baseDigest: "00".repeat(16), pages: { 2: "two" } }));
  const second = await volume.commit({ base: 1, baseDigest: first.digest, pages: { 2: "two" } });
  assert.equal(second.lsn, 2);
});

bounded("of many commits on one base one lands", async () => {
  const volume = newVolume();
  await volume.commit({});
  const racers = range(1, 16).map((i) =>
    new V1Volume(server.to, volume.vidBytes).tryCommit({
      base: 1,
      pages: { 1: `racer ${i}` },
    })
  );
  const statuses = await Promise.all(racers.map(async (racer) => {
    const response = await racer;
    await response.body?.cancel();
    return response.status;
  }));
  assert.deepEqual(statuses.sort(), [200, ...range(2, 16).map(() => 409)]);
});

bounded("a commit may be compressed with gzip", async () => {
  const volume = newVolume();
  const body = new Blob([await volume.body({ pages: texts(range(1, 600), "zipped") })]);
  const zipped = await new Response(
    body.stream().pipeThrough(new CompressionStream("gzip")),
  ).bytes();
  assert.ok(zipped.length < body.size / 20);
  const init = { body: zipped, headers: { "content-encoding": "gzip" } };
  const response = await volume.tryCommit({}, init);
  assert.equal(response.status, 200);
  assert.equal((await response.json()).pageCount, 600);
  assert.equal((await volume.read("600", 1)).pages[600], "zipped 600");
  const cut = { ...init, body: zipped.subarray(0, zipped.length - 40) };
  await invalid(volume.tryCommit({}, cut));
  await invalid(volume.tryCommit({}, { ...init, headers: { "content-encoding": "br" } }), 415);
});

bounded("what a compressed commit holds is limited too", async () => {
  await using small = await openServer({ bodyLimitBytes: 1024 * 1024 });
  const volume = new V1Volume(small.to);
  const bomb = new Blob(Array.from({ length: 64 }, () => new Uint8Array(1024 * 1024)));
  const body = await new Response(bomb.stream().pipeThrough(new CompressionStream("gzip"))).bytes();
  const headers = { "content-encoding": "gzip" };
  await invalid(volume.tryCommit({}, { body, headers }), 413);
  const pages = await volume.body({ pages: texts(range(1, 400), "x") });
  const zipped = await new Response(
    new Blob([pages]).stream().pipeThrough(new CompressionStream("gzip")),
  ).bytes();
  await invalid(volume.tryCommit({}, { body: zipped, headers }), 413);
  await invalid(volume.tryCommit({}, { body: pages }), 413);
  assert.equal(await ingestBytes(small.to), 0);
});

bounded("a malformed commit is refused, and nothing of it lands", async () => {
  const volume = newVolume();
  const body = await volume.body({ pages: { 1: "one", 2: "two" } });
  const changed = (at: number) => body.with(at, body[at] ^ 1);
  for (const at of [0, 8, 20, 45, 60, 88, 96, 98, 104, 112, 200, body.length - 1]) {
    await invalid(volume.tryCommit({}, { body: changed(at) }));
  }
  for (const length of [0, 87, 88, 104, 5000, body.length - 1]) {
    await invalid(volume.tryCommit({}, { body: body.subarray(0, length) }));
  }
  await invalid(volume.tryCommit({}, { body: new Uint8Array([...body, 0]) }));
  await invalid(volume.tryCommit({ pageCount: 1, pages: { 2: "two" } }));
  await invalid(
    volume.tryCommit({ pages: { 1: "one" } }, { headers: { "content-type": "x/y" } }),
    415,
  );
  const foreign = await newVolume().body({ pages: { 1: "one" } });
  await invalid(volume.tryCommit({}, { body: foreign }));
  const response = await fetch(volume.url);
  assert.equal((await refusal(response)).status, 404);
  assert.equal(await ingestBytes(server.to), 0);
});
