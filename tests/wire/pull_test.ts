// Pulls: what changed, over a range, from far behind, and from beyond the head.

import assert from "node:assert/strict";
import { call, refused } from "./_support/calls.ts";
import { PATH, pullRequest } from "./_support/messages.ts";
import { bytes, join, uint } from "./_support/protobuf.ts";
import { bounded, serverOfFile } from "./_support/server.ts";
import { TestVolume } from "./_support/volume.ts";

const server = serverOfFile();
const PULLS = [PATH.pullGraft, PATH.pullCommits] as const;

/** Four commits: pages 1 and 2, then 2 and 9, then none, then 50. */
async function fourCommits(): Promise<TestVolume> {
  const volume = new TestVolume(server.to);
  await volume.push(undefined, { 1: "1@1", 2: "2@1" });
  await volume.push(1, { 2: "2@2", 9: "9@2" });
  await volume.commit({ base: 2 });
  await volume.push(3, { 50: "50@4" });
  return volume;
}

/** [start, end, page…] of a pulled graft. */
async function pulled(volume: TestVolume, start?: number, end?: number): Promise<number[]> {
  const answer = await volume.pullGraft(start, end);
  assert.deepEqual(answer.snapshot, await volume.snapshot(answer.end));
  return [answer.start, answer.end, ...answer.graft];
}

bounded("pull_graft answers the union of a range and the snapshot at its end", async () => {
  const volume = await fourCommits();
  assert.deepEqual(await pulled(volume, 1), [1, 4, 1, 2, 9, 50]);
  assert.deepEqual(await pulled(volume, 2), [2, 4, 2, 9, 50]);
  assert.deepEqual(await pulled(volume, 3), [3, 4, 50]);
  assert.deepEqual(await pulled(volume, 4), [4, 4, 50]);
  assert.deepEqual(await pulled(volume, 1, 1), [1, 1, 1, 2]);
  assert.deepEqual(await pulled(volume, 1, 2), [1, 2, 1, 2, 9]);
  assert.deepEqual(await pulled(volume, 2, 3), [2, 3, 2, 9]);
  assert.deepEqual(await pulled(volume, 3, 3), [3, 3]);
  assert.deepEqual(await pulled(volume, 4, 4), [4, 4, 50]);
});

bounded(
  "pull_commits answers the commits of a range, oldest first, with their segments",
  async () => {
    const volume = new TestVolume(server.to);
    const first = [...await volume.write({ 1: "a" }), ...await volume.write({ 2: "b" })];
    const second = await volume.write({ 3: "c" });
    const snapshots = [
      await volume.commit({ segments: first }),
      await volume.commit({ base: 1 }),
      await volume.commit({ base: 2, segments: second }),
    ];
    const commits = [first, [], second].map((segments, i) => ({
      snapshot: snapshots[i],
      segments,
    }));
    assert.deepEqual(await volume.pullCommits(1), commits);
    assert.deepEqual(await volume.pullCommits(2), commits.slice(1));
    assert.deepEqual(await volume.pullCommits(2, 2), commits.slice(1, 2));
    assert.deepEqual(await volume.pullCommits(1, 2), commits.slice(0, 2));
    assert.deepEqual(await volume.pullCommits(), commits);
  },
);

bounded("a pull without a range starts at the checkpoint", async () => {
  const volume = await fourCommits();
  const { checkpointLsn } = await volume.snapshot();
  assert.equal(checkpointLsn, 1);
  assert.deepEqual(await pulled(volume), [1, 4, 1, 2, 9, 50]);
  const commits = await volume.pullCommits();
  assert.deepEqual(commits.map(({ snapshot }) => snapshot.lsn), [1, 2, 3, 4]);
});

bounded("a pull from beyond the head, or that ends there, is missing", async () => {
  const volume = await fourCommits();
  const beyond: (readonly [number | bigint, (number | bigint)?])[] = [
    [5],
    [6],
    [5, 5],
    [5, 9],
    [4, 5],
    [1, 5],
    [1, 2n ** 53n],
    [1, 2n ** 64n - 1n],
    [2n ** 53n],
    [2n ** 64n - 1n],
    [2n ** 64n - 1n, 2n ** 64n - 1n],
  ];
  for (const [start, end] of beyond) {
    refused(await volume.tryPullGraft(start, end), "missing");
    refused(await volume.tryPullCommits(start, end), "missing");
  }
  // the client asks again and again from here, and must see the commit as soon as it landed
  await volume.push(4, { 7: "7@5" });
  assert.deepEqual(await pulled(volume, 5), [5, 5, 7]);
  assert.equal((await volume.pullCommits(5)).length, 1);
});

bounded("a pull whose start is above its end is missing", async () => {
  const volume = await fourCommits();
  for (const [start, end] of [[2, 1], [4, 3], [4, 1], [9, 2]]) {
    refused(await volume.tryPullGraft(start, end), "missing");
    refused(await volume.tryPullCommits(start, end), "missing");
  }
});

bounded("a pull of an unknown volume is missing", async () => {
  const volume = new TestVolume(server.to);
  for (const start of [undefined, 1, 5]) {
    refused(await volume.tryPullGraft(start), "missing", /volume/);
    refused(await volume.tryPullCommits(start), "missing", /volume/);
  }
});

bounded("LSN 0 is malformed at both ends of a range", async () => {
  const { vid } = await fourCommits();
  const bodies: [Uint8Array<ArrayBuffer>, RegExp][] = [
    [pullRequest(vid, 0), /inclusive_start/],
    [pullRequest(vid, 0, 3), /inclusive_start/],
    [pullRequest(vid, 1, 0), /inclusive_end/],
    // a range that says nothing starts at 0, as protobuf has it
    [join(bytes(1, vid), bytes(2, new Uint8Array(0))), /inclusive_start/],
    [join(bytes(1, vid), bytes(2, uint(2, 3))), /inclusive_start/],
  ];
  for (const path of PULLS) {
    for (const [body, message] of bodies) {
      refused(await call(server.to, path, body), "invalid", message);
    }
  }
});

bounded("a pull from far behind answers exactly what changed", async () => {
  const volume = new TestVolume(server.to);
  const changed: number[][] = [[]];
  for (let lsn = 1; lsn <= 300; lsn++) {
    const pages = [lsn * 7919 % 5000 + 1, lsn * 104_729 % 5000 + 1, 3];
    const texts = Object.fromEntries(pages.map((idx) => [idx, `${idx}@${lsn}`]));
    await volume.push(lsn === 1 ? undefined : lsn - 1, texts, 5000);
    changed.push([...new Set(pages)]);
  }
  const union = (start: number, end: number) =>
    [...new Set(changed.slice(start, end + 1).flat())].sort((a, b) => a - b);
  for (const [start, end] of [[1, 300], [2, 300], [300, 300], [128, 257], [1, 150], [64, 64]]) {
    assert.deepEqual(await pulled(volume, start, end), [start, end, ...union(start, end)]);
  }
  const commits = await volume.pullCommits();
  assert.deepEqual(
    commits.map(({ snapshot }) => snapshot.lsn),
    changed.slice(1).map((_, i) => i + 1),
  );
  assert.ok(commits.every(({ segments }) => segments.length === 1));
}, 120_000);
