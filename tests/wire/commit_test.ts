// A commit lands on the latest snapshot with durable, matching segments, or changes nothing.

import assert from "node:assert/strict";
import { accepted, type Answer, type REFUSAL, refused } from "./_support/calls.ts";
import { newId, segmentOf } from "./_support/messages.ts";
import { range } from "./_support/splinter.ts";
import { bounded, openServer, serverOfFile } from "./_support/server.ts";
import { type TestCommit, TestVolume } from "./_support/volume.ts";

const server = serverOfFile();
const HOUR_MS = 3_600_000;

/** A volume with pages 1 and 2 at LSN 1. */
async function startedVolume(): Promise<TestVolume> {
  const volume = new TestVolume(server.to);
  await volume.push(undefined, { 1: "one", 2: "two" });
  return volume;
}

/** Everything that a refused commit must leave as it was. */
async function stateOf(volume: TestVolume): Promise<unknown> {
  const bodyOf = ({ status, body }: Answer) => `${status} ${body.toHex()}`;
  const pages = await volume.tryRead(1, range(1, 20));
  return [
    // the message of a 404 may say anything, but a body of a 200 may not change
    bodyOf(await volume.trySnapshot()),
    bodyOf(await volume.tryPullGraft()),
    bodyOf(await volume.tryPullCommits()),
    bodyOf(pages),
  ];
}

/** Asserts that a commit on LSN 1 is refused, for the reason named, and that it changes nothing. */
async function refusedOnLatest(
  commitOn: (volume: TestVolume) => Promise<TestCommit> | TestCommit,
  message: RegExp,
  kind: keyof typeof REFUSAL = "invalid",
): Promise<void> {
  const volume = await startedVolume();
  const commit = await commitOn(volume);
  const before = await stateOf(volume);
  refused(await volume.tryCommit({ base: 1, ...commit }), kind, message);
  assert.deepEqual(await stateOf(volume), before);
  // the refusal leaves no trace that would keep the right commit out
  assert.equal((await volume.push(1, { 3: "three" })).lsn, 2);
}

bounded("a commit answers the snapshot that it made", async () => {
  const volume = new TestVolume(server.to);
  const beganMs = Date.now();
  const first = await volume.push(undefined, { 1: "one", 7: "seven" }, 10);
  assert.deepEqual([first.vid, first.cid], [volume.vid.toHex(), volume.cid.toHex()]);
  assert.deepEqual([first.lsn, first.checkpointLsn, first.pageCount], [1, 1, 10]);
  assert.ok(first.timestampMs >= beganMs - 1000 && first.timestampMs <= Date.now() + 1000);
  const second = await volume.push(1, { 8: "eight" }, 12);
  assert.deepEqual([second.lsn, second.checkpointLsn, second.pageCount], [2, 1, 12]);
  assert.ok(second.timestampMs >= first.timestampMs);
  assert.deepEqual(await volume.snapshot(), second);
  assert.deepEqual(await volume.snapshot(1), first);
});

bounded("a commit without segments lands, on a new volume too", async () => {
  const volume = new TestVolume(server.to);
  assert.equal((await volume.commit({ pageCount: 0 })).lsn, 1);
  const grown = await volume.commit({ base: 1, pageCount: 5 });
  assert.deepEqual([grown.lsn, grown.pageCount], [2, 5]);
  assert.deepEqual(await volume.read(2, range(1, 5)), {});
  assert.equal((await volume.push(2, { 5: "five" }, 5)).lsn, 3);
  assert.equal((await volume.commit({ base: 3, pageCount: 5 })).lsn, 4);
  assert.deepEqual(await volume.read(4, range(1, 5)), { 5: "five" });
});

bounded("a commit of several segments holds the pages of all", async () => {
  const volume = new TestVolume(server.to);
  const segments = [...await volume.write({ 1: "a", 3: "c" }), ...await volume.write({ 2: "b" })];
  await volume.commit({ segments });
  assert.deepEqual(await volume.read(1, [1, 2, 3]), { 1: "a", 2: "b", 3: "c" });
});

bounded("64 segments in a commit land, 65 are refused", async () => {
  const volume = new TestVolume(server.to);
  const written = await Promise.all(range(1, 65).map((idx) => volume.write({ [idx]: `${idx}` })));
  const segments = written.flat();
  assert.equal(segments.length, 65);
  refused(await volume.tryCommit({ segments }), "invalid", /64/);
  refused(await volume.trySnapshot(), "missing");
  assert.equal((await volume.commit({ segments: segments.slice(0, 64) })).lsn, 1);
  assert.equal((await volume.read(1, [64]))[64], "64");
  refused(await volume.tryCommit({ base: 1, segments }), "invalid", /64/);
});

bounded("a segment that nobody wrote is refused", async () => {
  await refusedOnLatest(
    () => ({ segments: [segmentOf(newId("segment"), [1])] }),
    /segment.*unknown/i,
  );
  await refusedOnLatest(
    async (volume) => {
      const known = await volume.write({ 1: "known" });
      return { segments: [...known, segmentOf(newId("segment"), [2])] };
    },
    /unknown/,
  );
  const volume = new TestVolume(server.to);
  const segments = [segmentOf(newId("segment"), [1])];
  refused(await volume.tryCommit({ segments }), "invalid", /unknown/);
  refused(await volume.trySnapshot(), "missing");
});

bounded("a segment of another volume is refused", async () => {
  const other = new TestVolume(server.to);
  await refusedOnLatest(async () => ({ segments: await other.write({ 1: "other" }) }), /volume/);
  await refusedOnLatest(async (volume) => ({
    segments: [...await volume.write({ 2: "own" }), ...await other.write({ 1: "other" })],
  }), /volume/);
});

bounded("a page set other than the segment's is refused", async () => {
  const others = { smaller: [1, 2], larger: [1, 2, 3, 4], shifted: [2, 3, 4], apart: [7, 8, 9] };
  for (const claimed of Object.values(others)) {
    await refusedOnLatest(async (volume) => {
      const [{ sid }] = await volume.write({ 1: "x", 2: "y", 3: "z" });
      return { segments: [segmentOf(sid, claimed)] };
    }, /segment.*pages/);
  }
});

bounded("a segment written too long ago is refused, unless it is a repeat", async () => {
  let nowMs = Date.now();
  const graceMs = 24 * HOUR_MS;
  const clock = { now: () => nowMs, monotonic: () => performance.now() };
  await using aging = await openServer({ clock, graceMs });
  const volume = new TestVolume(aging.to);
  const landed = { pageCount: 9, segments: await volume.write({ 1: "one" }) };
  const first = await volume.commit(landed);
  const young = await volume.write({ 2: "two" });
  const old = await volume.write({ 3: "three" });
  nowMs += graceMs / 2;
  assert.equal((await volume.commit({ base: 1, segments: young })).lsn, 2);
  nowMs += 1;
  const before = await stateOf(volume);
  refused(await volume.tryCommit({ base: 2, segments: old }), "invalid", /written .* ago.*again/);
  assert.deepEqual(await stateOf(volume), before);
  // a taken LSN is told first: with a 400 the client would write the pages again for ever
  refused(await volume.tryCommit({ base: 1, segments: old }), "conflict");
  assert.deepEqual(await volume.commit(landed), first);
  assert.equal((await volume.push(2, { 3: "three" })).lsn, 3);
});

bounded("segments that overlap are refused", async () => {
  await refusedOnLatest(async (volume) => ({
    segments: [
      ...await volume.write({ 1: "a", 2: "a" }),
      ...await volume.write({ 2: "b", 3: "b" }),
    ],
  }), /same page/);
  await refusedOnLatest(async (volume) => {
    const segments = await volume.write({ 5: "twice" });
    return { segments: [...segments, ...segments] };
  }, /same page/);
});

bounded("a page above the page count is refused, the last page is not", async () => {
  await refusedOnLatest(
    async (volume) => ({ pageCount: 9, segments: await volume.write({ 10: "beyond" }) }),
    /page 10 .*page count 9/,
  );
  await refusedOnLatest(
    async (volume) => ({ pageCount: 0, segments: await volume.write({ 1: "beyond" }) }),
    /page count 0/,
  );
  const volume = await startedVolume();
  const segments = await volume.write({ 10: "last" });
  assert.equal((await volume.commit({ base: 1, pageCount: 10, segments })).lsn, 2);
});

bounded("a page set that is empty or holds page 0 is refused", async () => {
  for (const [claimed, message] of [[[], /empty|no pages/], [[0, 1], /page (index )?0/]] as const) {
    await refusedOnLatest(async (volume) => {
      const [{ sid }] = await volume.write({ 1: "x" });
      return { segments: [segmentOf(sid, claimed)] };
    }, message);
  }
});

bounded("the highest page count lands, one above is refused", async () => {
  const volume = new TestVolume(server.to);
  refused(await volume.tryCommit({ pageCount: 2 ** 28 + 1 }), "invalid", /page.count/);
  refused(await volume.trySnapshot(), "missing");
  const segments = await volume.write({ [2 ** 28]: "last" });
  assert.equal((await volume.commit({ pageCount: 2 ** 28, segments })).pageCount, 2 ** 28);
  assert.deepEqual(await volume.read(1, [2 ** 28]), { [2 ** 28]: "last" });
});

bounded("a commit on anything but the latest snapshot is a conflict", async () => {
  const stranger = { cid: newId("client") };
  await refusedOnLatest(() => ({ ...stranger, base: 2 }), /head/, "conflict");
  await refusedOnLatest(() => ({ ...stranger, base: 1_000_000 }), /head/, "conflict");
  await refusedOnLatest(() => ({ ...stranger, base: undefined }), /head/, "conflict");
  const volume = await startedVolume();
  await volume.commit({ base: 1 });
  await volume.commit({ base: 2 });
  const before = await stateOf(volume);
  refused(await volume.tryCommit({ ...stranger, base: 1 }), "conflict", /LSN 3/);
  refused(await volume.tryCommit({ ...stranger, base: 2 }), "conflict", /LSN 3/);
  assert.deepEqual(await stateOf(volume), before);
});

bounded("a commit with a base on a volume without commits is a conflict", async () => {
  const volume = new TestVolume(server.to);
  refused(await volume.tryCommit({ base: 1 }), "conflict", /no commits/);
  refused(await volume.trySnapshot(), "missing");
  assert.equal((await volume.commit()).lsn, 1);
});

bounded("a taken LSN is a conflict even when the segments are bad", async () => {
  const volume = await startedVolume();
  await volume.push(1, { 3: "three" });
  const before = await stateOf(volume);
  const other = new TestVolume(server.to);
  const [{ sid }] = await volume.write({ 4: "four" });
  const bad = [
    [segmentOf(newId("segment"), [1])],
    await other.write({ 1: "other" }),
    [segmentOf(sid, [4, 5])],
    [...await volume.write({ 6: "a" }), ...await volume.write({ 6: "b" })],
  ];
  for (const cid of [volume.cid, newId("client")]) {
    for (const segments of bad) {
      refused(await volume.tryCommit({ base: 1, cid, segments }), "conflict");
    }
  }
  // what is malformed in itself is said first: there is nothing to retry
  const beyond = await volume.write({ 50: "x" });
  refused(await volume.tryCommit({ base: 1, pageCount: 49, segments: beyond }), "invalid", /49/);
  assert.deepEqual(await stateOf(volume), before);
});

bounded("a written segment may be committed once it was refused elsewhere", async () => {
  const volume = await startedVolume();
  const segments = await volume.write({ 9: "nine" });
  refused(await volume.tryCommit({ base: 5, segments }), "conflict");
  refused(await volume.tryCommit({ base: 1, pageCount: 8, segments }), "invalid");
  await volume.commit({ base: 1, segments });
  assert.deepEqual(await volume.read(2, [9]), { 9: "nine" });
});

bounded("volumes do not know each other's commits", async () => {
  const [one, two] = [await startedVolume(), await startedVolume()];
  await one.push(1, { 1: "changed" });
  assert.equal((await two.snapshot()).lsn, 1);
  assert.deepEqual(await two.read(1, [1]), { 1: "one" });
  accepted(await two.tryCommit({ base: 1 }));
});
