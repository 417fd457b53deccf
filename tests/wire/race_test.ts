// Of writers on one snapshot exactly one wins.

import assert from "node:assert/strict";
import { type Answer, refused } from "./_support/calls.ts";
import { newId, readSnapshotResponse } from "./_support/messages.ts";
import { bounded, serverOfFile } from "./_support/server.ts";
import { TestVolume } from "./_support/volume.ts";

const server = serverOfFile();
const WRITERS = 64;
const ROUNDS = 20;

/** Asserts one 200 and a conflict for everybody else; returns who won. */
function onlyWinner(answers: readonly Answer[]): number {
  const winners = answers.flatMap(({ status }, writer) => status === 200 ? [writer] : []);
  assert.equal(winners.length, 1, `${winners.length} writers won`);
  answers.forEach((answer, writer) => writer === winners[0] || refused(answer, "conflict"));
  return winners[0];
}

bounded("of 64 writers that commit on one snapshot at once, one lands, 20 times over", async () => {
  const volume = new TestVolume(server.to);
  const cids = Array.from({ length: WRITERS }, () => newId("client"));
  for (let lsn = 1; lsn <= ROUNDS; lsn++) {
    const base = lsn === 1 ? undefined : lsn - 1;
    const written = await Promise.all(cids.map((_, i) => volume.write({ 1: `${lsn} by ${i}` })));
    const answers = await Promise.all(
      cids.map((cid, i) => volume.tryCommit({ base, cid, segments: written[i] })),
    );
    const winner = onlyWinner(answers);
    const snapshot = readSnapshotResponse(answers[winner].body);
    assert.deepEqual([snapshot.lsn, snapshot.cid], [lsn, cids[winner].toHex()]);
    assert.deepEqual(await volume.snapshot(), snapshot);
    assert.deepEqual(await volume.read(lsn, [1]), { 1: `${lsn} by ${winner}` });
  }
  assert.equal((await volume.pullCommits()).length, ROUNDS);
});

bounded("writers that retry on the new head all land, on one line without gaps", async () => {
  const volume = new TestVolume(server.to);
  await volume.commit();
  const landed = await Promise.all(Array.from({ length: 16 }, async (_, writer) => {
    const cid = newId("client");
    for (;;) {
      const { lsn: base } = await volume.snapshot();
      const answer = await volume.tryCommit({ base, cid, pageCount: 1000 + writer });
      if (answer.status === 200) return readSnapshotResponse(answer.body).lsn;
      refused(answer, "conflict");
    }
  }));
  assert.deepEqual(landed.sort((a, b) => a - b), Array.from({ length: 16 }, (_, i) => i + 2));
  const commits = await volume.pullCommits();
  assert.deepEqual(commits.map(({ snapshot }) => snapshot.lsn), [1, ...landed]);
});

bounded("commits of many volumes at once all land", async () => {
  const volumes = Array.from({ length: 200 }, () => new TestVolume(server.to));
  for (const base of [undefined, 1, 2]) {
    const landed = await Promise.all(
      volumes.map((volume, i) => volume.push(base, { [i + 1]: `${i} on ${base}` }, 200)),
    );
    assert.ok(landed.every(({ lsn }) => lsn === (base ?? 0) + 1));
  }
  const read = await Promise.all(volumes.map((volume, i) => volume.read(3, [i + 1])));
  read.forEach((pages, i) => assert.deepEqual(pages, { [i + 1]: `${i} on 2` }));
});

bounded("a snapshot read after an acknowledged commit never lags behind it", async () => {
  const volume = new TestVolume(server.to);
  await volume.commit();
  let acknowledged = 1;
  let done = false;
  const readers = Array.from({ length: 8 }, async () => {
    while (!done) {
      const atLeast = acknowledged;
      const { snapshot } = await volume.pullGraft();
      assert.ok(
        snapshot.lsn >= atLeast,
        `${snapshot.lsn} was answered after ${atLeast} had landed`,
      );
      assert.ok((await volume.snapshot()).lsn >= snapshot.lsn);
    }
  });
  const writing = (async () => {
    for (let base = 1; base <= 100; base++) {
      acknowledged = (await volume.push(base, { [base]: "x" })).lsn;
    }
  })().finally(() => done = true);
  await Promise.all([writing, ...readers]);
});
