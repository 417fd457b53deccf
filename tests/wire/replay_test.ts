// A commit that is sent again is answered with what landed, and only the same commit is.

import assert from "node:assert/strict";
import { accepted, refused } from "./_support/calls.ts";
import { newId, readSnapshotResponse } from "./_support/messages.ts";
import { bounded, serverOfFile } from "./_support/server.ts";
import { TestVolume, type Texts } from "./_support/volume.ts";

const server = serverOfFile();
const PAGES = { 1: "one", 2: "two", 300: "three hundred" };

/** A volume whose first commit holds {@linkcode PAGES}. */
async function landed(): Promise<{ volume: TestVolume; first: Uint8Array }> {
  const volume = new TestVolume(server.to);
  const first = accepted(
    await volume.tryCommit({ pageCount: 300, segments: await volume.write(PAGES) }),
  );
  return { volume, first };
}

bounded("the same commit again answers the landed snapshot, byte for byte", async () => {
  const volume = new TestVolume(server.to);
  const commit = { pageCount: 300, segments: await volume.write(PAGES) };
  const first = accepted(await volume.tryCommit(commit));
  for (let round = 0; round < 3; round++) {
    assert.deepEqual(accepted(await volume.tryCommit(commit)), first);
  }
  assert.equal((await volume.snapshot()).lsn, 1);
});

bounded("the same content in other segments answers the landed snapshot", async () => {
  const { volume, first } = await landed();
  const segments = await volume.write(PAGES);
  assert.deepEqual(accepted(await volume.tryCommit({ pageCount: 300, segments })), first);
  const commits = await volume.pullCommits();
  assert.equal(commits.length, 1);
  assert.notDeepEqual(commits[0].segments[0].sid, segments[0].sid);
});

bounded("the same content split otherwise answers the landed snapshot", async () => {
  const { volume, first } = await landed();
  const split = [
    ...await volume.write({ 300: "three hundred" }),
    ...await volume.write({ 2: "two" }),
    ...await volume.write({ 1: "one" }),
  ];
  assert.equal(split.length, 3);
  assert.deepEqual(accepted(await volume.tryCommit({ pageCount: 300, segments: split })), first);
  const joined = [...await volume.write({ 1: "one", 300: "three hundred" }), split[1]];
  assert.deepEqual(accepted(await volume.tryCommit({ pageCount: 300, segments: joined })), first);
});

bounded("content that landed split is the same when it comes joined", async () => {
  const volume = new TestVolume(server.to);
  const split = [...await volume.write({ 1: "a" }), ...await volume.write({ 2: "b" })];
  const first = await volume.commit({ segments: split });
  assert.deepEqual(await volume.commit({ segments: [...split].reverse() }), first);
  assert.deepEqual(
    await volume.commit({ segments: await volume.write({ 1: "a", 2: "b" }) }),
    first,
  );
});

bounded("a commit without segments may be repeated", async () => {
  const volume = new TestVolume(server.to);
  const first = await volume.commit({ pageCount: 7 });
  assert.deepEqual(await volume.commit({ pageCount: 7 }), first);
  const second = await volume.commit({ base: 1, pageCount: 8 });
  assert.deepEqual(await volume.commit({ base: 1, pageCount: 8 }), second);
  assert.equal((await volume.snapshot()).lsn, 2);
});

bounded("a commit may be repeated after others landed on it", async () => {
  const { volume, first } = await landed();
  const second = await volume.push(1, { 5: "five" });
  const rival = newId("client");
  await volume.commit({ base: 2, cid: rival });
  const again = { pageCount: 300, segments: await volume.write(PAGES) };
  assert.deepEqual(accepted(await volume.tryCommit(again)), first);
  assert.deepEqual(await volume.push(1, { 5: "five" }), second);
  assert.deepEqual((await volume.snapshot()).lsn, 3);
});

bounded("repeats that race are one commit", async () => {
  const volume = new TestVolume(server.to);
  for (let lsn = 1; lsn <= 10; lsn++) {
    const base = lsn === 1 ? undefined : lsn - 1;
    const segments = await volume.write({ [lsn]: `page ${lsn}` });
    const answers = await Promise.all(
      Array.from({ length: 16 }, () => volume.tryCommit({ base, segments })),
    );
    const snapshots = answers.map((answer) => readSnapshotResponse(accepted(answer)));
    assert.equal(snapshots[0].lsn, lsn);
    for (const snapshot of snapshots) assert.deepEqual(snapshot, snapshots[0]);
  }
  assert.equal((await volume.snapshot()).lsn, 10);
});

bounded("other page content is a conflict, and the first stays", async () => {
  const { volume, first } = await landed();
  const segments = await volume.write({ ...PAGES, 2: "TWO" });
  refused(await volume.tryCommit({ pageCount: 300, segments }), "conflict");
  assert.deepEqual(await volume.read(1, [1, 2, 300]), PAGES);
  assert.deepEqual(accepted(await volume.trySnapshot()), first);
});

bounded("the same pages under swapped indexes are other content", async () => {
  const { volume } = await landed();
  const segments = await volume.write({ ...PAGES, 1: "two", 2: "one" });
  refused(await volume.tryCommit({ pageCount: 300, segments }), "conflict");
  assert.deepEqual(await volume.read(1, [1, 2]), { 1: "one", 2: "two" });
});

bounded("another page count is a conflict, and the first stays", async () => {
  const { volume, first } = await landed();
  const segments = await volume.write(PAGES);
  for (const pageCount of [301, 400]) {
    refused(await volume.tryCommit({ pageCount, segments }), "conflict");
  }
  assert.deepEqual(accepted(await volume.trySnapshot()), first);
});

bounded("another page set is a conflict, and the first stays", async () => {
  const { volume, first } = await landed();
  const others: Texts[] = [{ 1: "one", 2: "two" }, { ...PAGES, 4: "four" }, {
    1: "one",
    2: "two",
    299: "x",
  }];
  for (const pages of others) {
    const segments = await volume.write(pages);
    refused(await volume.tryCommit({ pageCount: 300, segments }), "conflict");
  }
  refused(await volume.tryCommit({ pageCount: 300 }), "conflict");
  assert.deepEqual(accepted(await volume.trySnapshot()), first);
  assert.deepEqual(await volume.read(1, [1, 2, 4, 299, 300]), PAGES);
});

bounded("equal content from another client is a conflict, and the first stays", async () => {
  const { volume, first } = await landed();
  const commits = await volume.pullCommits();
  for (const segments of [await volume.write(PAGES), commits[0].segments]) {
    const answer = await volume.tryCommit({ cid: newId("client"), pageCount: 300, segments });
    refused(answer, "conflict");
  }
  assert.deepEqual(accepted(await volume.trySnapshot()), first);
});

bounded("the same content on the next base is a new commit", async () => {
  const { volume } = await landed();
  const segments = await volume.write(PAGES);
  assert.equal((await volume.commit({ base: 1, pageCount: 300, segments })).lsn, 2);
  assert.equal((await volume.commit({ base: 2, pageCount: 300, segments })).lsn, 3);
});
