// Page counts are part of history: what a smaller one cut off stays gone.

import assert from "node:assert/strict";
import { range } from "./_support/splinter.ts";
import { bounded, serverOfFile } from "./_support/server.ts";
import { TestVolume, type Texts } from "./_support/volume.ts";

const server = serverOfFile();

function texts(indexes: readonly number[], lsn: number): Texts {
  return Object.fromEntries(indexes.map((idx) => [idx, `${idx}@${lsn}`]));
}

bounded("pages cut off by a smaller page count are absent and stay absent", async () => {
  const volume = new TestVolume(server.to);
  await volume.push(undefined, texts(range(1, 10), 1), 10);
  await volume.commit({ base: 1, pageCount: 5 });
  await volume.commit({ base: 2, pageCount: 20 });
  assert.deepEqual(await volume.read(1, range(1, 20)), texts(range(1, 10), 1));
  assert.deepEqual(await volume.read(2, range(1, 20)), texts(range(1, 5), 1));
  assert.deepEqual(await volume.read(3, range(1, 20)), texts(range(1, 5), 1));
  await volume.push(3, { 7: "7@4" }, 20);
  assert.deepEqual(await volume.read(4, range(1, 20)), { ...texts(range(1, 5), 1), 7: "7@4" });
  assert.deepEqual(await volume.read(3, range(1, 20)), texts(range(1, 5), 1));
});

bounded("a pull over a truncation reports the pages cut off", async () => {
  const volume = new TestVolume(server.to);
  await volume.push(undefined, texts(range(1, 10), 1), 10);
  await volume.commit({ base: 1, pageCount: 5 });
  await volume.commit({ base: 2, pageCount: 20 });
  await volume.push(3, { 7: "7@4" }, 20);
  const graft = async (start: number, end?: number) => (await volume.pullGraft(start, end)).graft;
  assert.deepEqual(await graft(2, 2), [6, 7, 8, 9, 10]);
  assert.deepEqual(await graft(2, 3), [6, 7, 8, 9, 10]);
  assert.deepEqual(await graft(2), [6, 7, 8, 9, 10]);
  assert.deepEqual(await graft(3), [7]);
  assert.deepEqual(await graft(3, 3), []);
  assert.deepEqual(await graft(1), range(1, 10));
});

bounded("a commit that cuts off and writes at once reports both", async () => {
  const volume = new TestVolume(server.to);
  await volume.push(undefined, texts(range(1, 10), 1), 10);
  await volume.push(1, { 2: "2@2", 4: "4@2" }, 4);
  assert.deepEqual((await volume.pullGraft(2)).graft, [2, 4, 5, 6, 7, 8, 9, 10]);
  const kept = { 1: "1@1", 2: "2@2", 3: "3@1", 4: "4@2" };
  assert.deepEqual(await volume.read(2, range(1, 10)), kept);
  await volume.commit({ base: 2, pageCount: 10 });
  assert.deepEqual(await volume.read(3, range(1, 10)), kept);
});

bounded("a volume may be cut to nothing and grow again", async () => {
  const volume = new TestVolume(server.to);
  await volume.push(undefined, texts([1, 2, 3], 1), 3);
  assert.equal((await volume.commit({ base: 1, pageCount: 0 })).pageCount, 0);
  assert.deepEqual(await volume.read(2, [1, 2, 3]), {});
  assert.deepEqual((await volume.pullGraft(2)).graft, [1, 2, 3]);
  await volume.push(2, { 2: "2@3" }, 3);
  assert.deepEqual(await volume.read(3, [1, 2, 3]), { 2: "2@3" });
  assert.deepEqual((await volume.pullGraft(2)).graft, [1, 2, 3]);
});

bounded("what is cut off several times is gone since the first", async () => {
  const volume = new TestVolume(server.to);
  await volume.push(undefined, texts(range(1, 100), 1), 100);
  await volume.commit({ base: 1, pageCount: 50 });
  await volume.commit({ base: 2, pageCount: 80 });
  await volume.push(3, { 60: "60@4" }, 80);
  await volume.commit({ base: 4, pageCount: 30 });
  await volume.commit({ base: 5, pageCount: 100 });
  assert.deepEqual(await volume.read(4, range(45, 100)), {
    ...texts(range(45, 50), 1),
    60: "60@4",
  });
  assert.deepEqual(await volume.read(6, range(1, 100)), texts(range(1, 30), 1));
  const { graft } = await volume.pullGraft(5);
  // pages 51 to 80 but for 60 were not there to cut off; naming them too does no harm
  for (const idx of [...range(31, 50), 60]) {
    assert.ok(graft.includes(idx), `page ${idx} is missing`);
  }
  assert.ok(graft.every((idx) => idx > 30 && idx <= 80), String(graft));
});

bounded("pull_commits carries the page counts of a truncation", async () => {
  const volume = new TestVolume(server.to);
  await volume.push(undefined, texts(range(1, 10), 1), 10);
  await volume.commit({ base: 1, pageCount: 5 });
  await volume.commit({ base: 2, pageCount: 20 });
  const commits = await volume.pullCommits();
  assert.deepEqual(commits.map(({ snapshot }) => snapshot.pageCount), [10, 5, 20]);
  assert.deepEqual(commits.map(({ segments }) => segments.length), [1, 0, 0]);
});

bounded("a random line of growth, truncation and writes reads as an oracle has it", async () => {
  const volume = new TestVolume(server.to);
  const history: Texts[] = [{}];
  const changes: Set<number>[] = [new Set()];
  // a fixed sequence, so that a failure can be repeated
  let state = 12_345;
  const random = (below: number) => (state = state * 48_271 % 0x7fffffff) % below;
  for (let lsn = 1; lsn <= 60; lsn++) {
    const pageCount = random(40);
    const written = pageCount === 0 ? [] : range(1, random(4)).map(() => random(pageCount) + 1);
    const segments = written.length === 0 ? [] : await volume.write(texts(written, lsn));
    await volume.commit({ base: lsn === 1 ? undefined : lsn - 1, pageCount, segments });
    const before = Object.entries(history[lsn - 1]);
    const kept = before.filter(([idx]) => Number(idx) <= pageCount);
    const cut = before.filter(([idx]) => Number(idx) > pageCount).map(([idx]) => Number(idx));
    history.push({ ...Object.fromEntries(kept), ...texts(written, lsn) });
    changes.push(new Set([...written, ...cut]));
  }
  for (let lsn = 1; lsn <= 60; lsn++) {
    assert.deepEqual(await volume.read(lsn, range(1, 40)), history[lsn], `at LSN ${lsn}`);
    const { graft } = await volume.pullGraft(lsn);
    const missing = changes.slice(lsn).flatMap((set) => [...set]).filter((idx) =>
      !graft.includes(idx)
    );
    assert.deepEqual(missing, [], `pulled from LSN ${lsn}`);
  }
});
