// The answer of a compare or of a put is lost: never a conflict for one's own commit.

import assert from "node:assert/strict";
import { type Answer, refused } from "./_support/calls.ts";
import { type Fault, type Faults, openFaultyServer } from "./_support/faulty_server.ts";
import { newId, readSnapshotResponse, readWriteResponse } from "./_support/messages.ts";
import { bounded, type TestServer } from "./_support/server.ts";
import { range } from "./_support/splinter.ts";
import { type TestCommit, TestVolume } from "./_support/volume.ts";

type FaultyServer = TestServer & { readonly faults: Faults };

/** Ends all faults that are still on order. */
function heal({ faults }: FaultyServer): void {
  faults.compares.length = faults.logReads.length = faults.puts.length = 0;
}

/** Sends a commit, again on each 503, as the client does; any other answer is handed back. */
async function commitUntilClear(volume: TestVolume, commit: TestCommit): Promise<Answer> {
  for (let attempt = 1; attempt <= 20; attempt++) {
    const answer = await volume.tryCommit(commit);
    if (answer.status !== 503) return answer;
    refused(answer, "unavailable");
    assert.ok(Number(answer.headers.get("retry-after")) > 0);
  }
  throw new Error("20 attempts were answered with 503");
}

bounded(
  "a commit whose compare took effect, but whose answer was lost, is answered as landed",
  async () => {
    await using server = await openFaultyServer();
    const volume = new TestVolume(server.to);
    const segments = await volume.write({ 1: "one" });
    server.faults.compares.push("after");
    const answer = await commitUntilClear(volume, { segments });
    heal(server);
    assert.equal(answer.status, 200);
    assert.deepEqual(readSnapshotResponse(answer.body), await volume.snapshot());
    assert.equal((await volume.snapshot()).lsn, 1);
    assert.deepEqual(await volume.read(1, [1]), { 1: "one" });
  },
);

bounded("a commit whose compare never arrived lands in the end, once", async () => {
  await using server = await openFaultyServer();
  const volume = new TestVolume(server.to);
  await volume.commit();
  server.faults.compares.push("before", "before");
  const answer = await commitUntilClear(volume, { base: 1, pageCount: 7 });
  heal(server);
  assert.equal(answer.status, 200);
  assert.equal(readSnapshotResponse(answer.body).lsn, 2);
  assert.equal((await volume.pullCommits()).length, 2);
});

bounded("no sequence of lost compares and reads makes a conflict of one's own commit", async () => {
  await using server = await openFaultyServer();
  const outcomes: (Fault | undefined)[] = ["before", "after", undefined];
  const volume = new TestVolume(server.to);
  let base: number | undefined;
  for (const first of outcomes) {
    for (const second of outcomes) {
      for (const readsLost of range(0, 3)) {
        const segments = await volume.write({ 1: `on ${base}`, 2: `on ${base}` });
        server.faults.compares.push(first, second);
        server.faults.logReads.push(...range(1, readsLost).map(() => true as const));
        const commit = { base, segments };
        const answer = await commitUntilClear(volume, commit);
        heal(server);
        const name = `${first}, ${second}, ${readsLost} reads lost on ${base}`;
        assert.equal(answer.status, 200, name);
        const landed = readSnapshotResponse(answer.body);
        assert.equal(landed.lsn, (base ?? 0) + 1, name);
        // whoever asks again after all is told the same
        assert.deepEqual(await volume.commit(commit), landed, name);
        assert.deepEqual(
          await volume.commit({
            base,
            segments: await volume.write({ 1: `on ${base}`, 2: `on ${base}` }),
          }),
          landed,
        );
        base = landed.lsn;
      }
    }
  }
  const commits = await volume.pullCommits();
  assert.deepEqual(commits.map(({ snapshot }) => snapshot.lsn), range(1, base ?? 0));
});

bounded("a rival that landed first is a conflict also when answers are lost", async () => {
  await using server = await openFaultyServer();
  const volume = new TestVolume(server.to);
  await volume.commit();
  const segments = await volume.write({ 1: "mine" });
  await volume.commit({ base: 1, cid: newId("client"), pageCount: 3 });
  for (const faults of [[true], [true, true], []] as true[][]) {
    server.faults.logReads.push(...faults);
    refused(await commitUntilClear(volume, { base: 1, segments }), "conflict");
    heal(server);
  }
  assert.equal((await volume.snapshot()).pageCount, 3);
});

bounded("of racing writers one lands although answers are lost, and it knows", async () => {
  await using server = await openFaultyServer();
  const volume = new TestVolume(server.to);
  const cids = range(1, 16).map(() => newId("client"));
  let base: number | undefined;
  for (let round = 0; round < 12; round++) {
    server.faults.compares.push(
      ...range(1, 8).map((i) => (["after", "before"] as const)[(i * round) % 2]),
    );
    const commits = cids.map((cid, i) => ({ base, cid, pageCount: 10 + i }));
    const answers = await Promise.all(commits.map((commit) => commitUntilClear(volume, commit)));
    heal(server);
    const winners = answers.flatMap(({ status }, i) => status === 200 ? [i] : []);
    assert.equal(winners.length, 1, `round ${round}: ${answers.map(({ status }) => status)}`);
    const head = await volume.snapshot();
    assert.equal(head.cid, cids[winners[0]].toHex());
    assert.equal(head.lsn, (base ?? 0) + 1);
    base = head.lsn;
  }
});

bounded("a write whose put or registration is lost lands, at once or when sent again", async () => {
  await using server = await openFaultyServer();
  const volume = new TestVolume(server.to);
  let base: number | undefined;
  for (const fault of ["before", "after"] as const) {
    for (const order of [server.faults.puts, server.faults.compares]) {
      order.push(fault);
      const text = `${fault} on ${base}`;
      const first = await volume.tryWrite({ 1: text });
      assert.equal(order.length, 0, "the fault did not happen");
      // the log may settle by itself what became of a registration, but nobody repeats a put
      if (first.status !== 200) refused(first, "unavailable");
      else assert.equal(order, server.faults.compares);
      const segments = first.status === 200
        ? readWriteResponse(first.body)
        : await volume.write({ 1: text });
      const landed = await volume.commit({ base, segments });
      assert.deepEqual(await volume.read(landed.lsn, [1]), { 1: text });
      base = landed.lsn;
    }
  }
});

bounded("a large write of which one part is lost registers nothing", async () => {
  await using server = await openFaultyServer();
  const volume = new TestVolume(server.to);
  const pages = Object.fromEntries(range(1, 9000).map((idx) => [idx, `${idx}`]));
  for (const place of [0, 1, 2]) {
    server.faults.puts.push(...range(1, place).map(() => undefined), "before");
    refused(await volume.tryWrite(pages), "unavailable");
    heal(server);
  }
  const segments = await volume.write(pages);
  assert.equal((await volume.commit({ pageCount: 9000, segments })).lsn, 1);
  assert.deepEqual(await volume.read(1, [1, 4096, 9000]), { 1: "1", 4096: "4096", 9000: "9000" });
});
