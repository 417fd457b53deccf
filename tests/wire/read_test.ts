// Pages and snapshots as they were at an LSN.

import assert from "node:assert/strict";
import { accepted, call, health, refused } from "./_support/calls.ts";
import {
  newId,
  page,
  PATH,
  readPagesResponse,
  readRequest,
  readWriteResponse,
  writeRequest,
} from "./_support/messages.ts";
import { bytes, join, uint } from "./_support/protobuf.ts";
import { range, splinter } from "./_support/splinter.ts";
import { bounded, serverOfFile } from "./_support/server.ts";
import { TestVolume } from "./_support/volume.ts";

const server = serverOfFile();
const BEYOND_EVERY_LSN = [2n ** 53n - 1n, 2n ** 53n, 2n ** 63n, 2n ** 64n - 1n];

bounded("a read answers the newest version at or below its LSN", async () => {
  const volume = new TestVolume(server.to);
  await volume.push(undefined, { 1: "1@1", 2: "2@1", 3: "3@1" });
  await volume.push(1, { 2: "2@2" });
  await volume.commit({ base: 2 });
  await volume.push(3, { 1: "1@4", 2: "2@4", 90: "90@4" });
  const wanted = [1, 2, 3, 90];
  assert.deepEqual(await volume.read(1, wanted), { 1: "1@1", 2: "2@1", 3: "3@1" });
  assert.deepEqual(await volume.read(2, wanted), { 1: "1@1", 2: "2@2", 3: "3@1" });
  assert.deepEqual(await volume.read(3, wanted), { 1: "1@1", 2: "2@2", 3: "3@1" });
  const newest = { 1: "1@4", 2: "2@4", 3: "3@1", 90: "90@4" };
  assert.deepEqual(await volume.read(4, wanted), newest);
});

bounded("a page never written, or above the page count, is absent", async () => {
  const volume = new TestVolume(server.to);
  await volume.push(undefined, { 5: "five" }, 10);
  assert.deepEqual(await volume.read(1, [4, 5, 6]), { 5: "five" });
  assert.deepEqual(await volume.read(1, [10, 11, 5000, 2 ** 28]), {});
});

bounded("pages come back bit by bit as they were written", async () => {
  const volume = new TestVolume(server.to);
  const pages = new Map(range(1, 40).map((idx) => [idx, new Uint8Array(4096)]));
  for (const content of pages.values()) crypto.getRandomValues(content);
  pages.get(7)?.fill(0);
  pages.get(8)?.fill(255);
  const { vid, to } = volume;
  const written = accepted(await call(to, PATH.writePages, writeRequest(vid, pages)));
  await volume.commit({ segments: readWriteResponse(written) });
  const answer = accepted(await volume.tryRead(1, pages.keys()));
  const read = [...readPagesResponse(answer)].sort(([a], [b]) => a - b);
  assert.deepEqual(new Map(read), pages);
});

bounded("1024 pages are read at once, 1025 are refused", async () => {
  const volume = new TestVolume(server.to);
  const pages = Object.fromEntries(range(1, 1024).map((idx) => [idx, `page ${idx}`]));
  // in parts that an upstream server with its limit of 2 MB takes too
  const halves = [range(1, 450), range(451, 900), range(901, 1024)].map((part) =>
    volume.write(Object.fromEntries(part.map((idx) => [idx, pages[idx]])))
  );
  await volume.commit({ pageCount: 2000, segments: (await Promise.all(halves)).flat() });
  assert.deepEqual(await volume.read(1, range(1, 1024)), pages);
  assert.equal(Object.keys(await volume.read(1, range(977, 2000))).length, 48);
  refused(await volume.tryRead(1, range(1, 1025)), "invalid", /1025.*1024/);
  refused(await volume.tryRead(1, range(3000, 100_000)), "invalid", /1024/);
});

bounded("a missing or empty page set is refused, and one with page 0", async () => {
  const volume = new TestVolume(server.to);
  await volume.push(undefined, { 1: "one" });
  refused(await volume.tryRead(1, []), "invalid", /empty/);
  refused(await volume.tryRead(1, [0, 1]), "invalid", /page 0/);
  const without = join(bytes(1, volume.vid), uint(2, 1));
  refused(await call(server.to, PATH.readPages, without), "invalid", /graft.*missing/);
});

bounded("an LSN above the head is missing, in a read and in a snapshot", async () => {
  const volume = new TestVolume(server.to);
  await volume.push(undefined, { 1: "one" });
  for (const lsn of [2, 3, 1_000_000, ...BEYOND_EVERY_LSN]) {
    refused(await volume.tryRead(lsn, [1]), "missing");
    refused(await volume.trySnapshot(lsn), "missing");
  }
  await volume.push(1, { 1: "two" });
  assert.deepEqual(await volume.read(2, [1]), { 1: "two" });
  assert.equal((await volume.snapshot(2)).lsn, 2);
});

bounded("an unknown volume is missing", async () => {
  const volume = new TestVolume(server.to);
  refused(await volume.trySnapshot(), "missing", /volume/);
  refused(await volume.trySnapshot(1), "missing", /volume/);
  refused(await volume.tryRead(1, [1]), "missing", /volume/);
  // written pages alone make no volume
  await volume.write({ 1: "one" });
  refused(await volume.trySnapshot(), "missing", /volume/);
  refused(await volume.tryRead(1, [1]), "missing", /volume/);
});

bounded("LSN 0 is malformed, in a read and in a snapshot", async () => {
  const volume = new TestVolume(server.to);
  await volume.push(undefined, { 1: "one" });
  refused(await volume.tryRead(0, [1]), "invalid", /lsn.*0/);
  refused(await volume.trySnapshot(0), "invalid", /lsn.*0/);
  const withoutLsn = join(bytes(1, volume.vid), bytes(3, splinter([1])));
  refused(await call(server.to, PATH.readPages, withoutLsn), "invalid", /lsn/);
});

bounded("each old snapshot stays as it was", async () => {
  const volume = new TestVolume(server.to);
  const landed = [];
  for (let lsn = 1; lsn <= 30; lsn++) {
    landed.push(
      await volume.commit({
        base: lsn === 1 ? undefined : lsn - 1,
        pageCount: lsn * 3,
        cid: newId("client"),
      }),
    );
  }
  for (const snapshot of landed) {
    assert.deepEqual(await volume.snapshot(snapshot.lsn), snapshot);
    assert.equal(snapshot.checkpointLsn, 1);
  }
  assert.deepEqual(await volume.snapshot(), landed[29]);
});

bounded("written pages are unseen until they are committed", async () => {
  const volume = new TestVolume(server.to);
  await volume.push(undefined, { 1: "committed" });
  await volume.write({ 1: "only written", 2: "only written" });
  assert.deepEqual(await volume.read(1, [1, 2]), { 1: "committed" });
  assert.deepEqual((await volume.pullGraft()).graft, [1]);
});

bounded("pages read while others commit are those of the LSN asked for", async () => {
  const volume = new TestVolume(server.to);
  await volume.push(undefined, Object.fromEntries(range(1, 20).map((idx) => [idx, `${idx}@1`])));
  const writing = (async () => {
    for (let base = 1; base < 60; base++) {
      const idx = base % 20 + 1;
      await volume.push(base, { [idx]: `${idx}@${base + 1}` });
    }
  })();
  const reading = Promise.all(
    range(1, 100).map(async () => {
      const pages = await volume.read(1, range(1, 20));
      for (const idx of range(1, 20)) assert.equal(pages[idx], `${idx}@1`);
    }),
  );
  await Promise.all([writing, reading]);
  for (const idx of range(1, 20)) {
    const text = (await volume.read(60, [idx]))[idx];
    assert.match(text, new RegExp(`^${idx}@(4[1-9]|5[0-9]|60)$`));
  }
});

bounded(
  "the same request may be sent with fields in any order and unknown ones between",
  async () => {
    const volume = new TestVolume(server.to);
    await volume.push(undefined, { 3: "three" });
    const body = join(
      bytes(200, new Uint8Array(50)),
      bytes(3, splinter([3])),
      uint(150, 2n ** 64n - 1n),
      uint(2, 1),
      bytes(1, volume.vid),
    );
    const pages = readPagesResponse(accepted(await call(server.to, PATH.readPages, body)));
    assert.deepEqual(pages, new Map([[3, page("three")]]));
    const twice = join(readRequest(newId("volume"), 7, splinter([9])), body);
    // of a field that comes twice the last one counts
    assert.deepEqual(
      [...readPagesResponse(accepted(await call(server.to, PATH.readPages, twice))).keys()],
      [3],
    );
  },
);

bounded("the server is healthy", async () => {
  assert.equal(await health(server.to), "200 OK\n");
});
