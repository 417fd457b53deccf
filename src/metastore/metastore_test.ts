import assert from "node:assert/strict";
import { isGraftError } from "../core/errors.ts";
import { clientIdFromName, newGid } from "../core/gid.ts";
import { type Lsn, toLsn } from "../core/lsn.ts";
import { systemRandom } from "../core/random.ts";
import { Bench } from "./_testing.ts";

const open = (start: number, end?: number) => ({
  start: toLsn(start),
  end: end === undefined ? undefined : toLsn(end),
});

async function missing(answer: Promise<unknown>): Promise<void> {
  await assert.rejects(answer, (error) => isGraftError(error, "missing"));
}

Deno.test("Metastore.snapshot answers the head or an older LSN", async () => {
  await using bench = await Bench.open();
  await missing(bench.metastore.snapshot(bench.vid));
  await bench.commit({ pageCount: 3 });
  await bench.commit({ base: 1, pageCount: 5, client: "b" });
  const head = await bench.metastore.snapshot(bench.vid);
  assert.deepEqual(head, {
    vid: bench.vid,
    cid: clientIdFromName("b"),
    lsn: 2,
    checkpointLsn: 1,
    pageCount: 5,
    timestampMs: bench.clock.now(),
    digest: (await bench.log.head(bench.vid)).head?.digest,
  });
  assert.deepEqual(await bench.metastore.snapshot(bench.vid, toLsn(2)), head);
  assert.equal((await bench.metastore.snapshot(bench.vid, toLsn(1))).pageCount, 3);
  await missing(bench.metastore.snapshot(bench.vid, toLsn(3)));
});

Deno.test("Metastore.snapshotAt finds the last commit at or before a time", async () => {
  await using bench = await Bench.open();
  const start = bench.clock.wallMs;
  for (let lsn = 1; lsn <= 9; lsn++) {
    bench.clock.wallMs = start + Math.floor(lsn / 2) * 1000;
    await bench.commit({ base: lsn === 1 ? undefined : lsn - 1 });
  }
  const at = async (offsetMs: number) =>
    (await bench.metastore.snapshotAt(bench.vid, start + offsetMs)).lsn;
  assert.equal(await at(0), 1);
  assert.equal(await at(999), 1);
  assert.equal(await at(1000), 3);
  assert.equal(await at(2500), 5);
  assert.equal(await at(4000), 9);
  assert.equal(await at(99_000), 9);
  await missing(bench.metastore.snapshotAt(bench.vid, start - 1));
  const unknown = newGid("volume", bench.clock, systemRandom);
  await missing(bench.metastore.snapshotAt(unknown, start));
});

Deno.test("Metastore.pullGraft answers what changed in a range", async () => {
  await using bench = await Bench.open();
  await bench.commit({ segments: [await bench.write({ 1: "a", 2: "a" })] });
  await bench.commit({ base: 1, segments: [await bench.write({ 2: "b", 9: "b" })] });
  await bench.commit({ base: 2, segments: [await bench.write({ 50: "c" })] });
  const pull = async (start?: number, end?: number) => {
    const range = start === undefined ? undefined : open(start, end);
    const { snapshot, range: answered, graft } = await bench.metastore.pullGraft(bench.vid, range);
    assert.equal(snapshot.lsn, answered.end);
    return [answered.start, answered.end, ...graft];
  };
  assert.deepEqual(await pull(), [1, 3, 1, 2, 9, 50]);
  assert.deepEqual(await pull(2), [2, 3, 2, 9, 50]);
  assert.deepEqual(await pull(1, 2), [1, 2, 1, 2, 9]);
  assert.deepEqual(await pull(3, 3), [3, 3, 50]);
  await missing(pull(4));
  await missing(pull(2, 4));
  await missing(pull(3, 2));
  await missing(bench.metastore.pullGraft(newGid("volume", bench.clock, systemRandom), undefined));
});

Deno.test("Metastore.pullGraft reports cut-off pages, also when the volume grew again", async () => {
  await using bench = await Bench.open();
  await bench.commit({ pageCount: 10, segments: [await bench.write({ 1: "a", 10: "a" })] });
  await bench.commit({ base: 1, pageCount: 8 });
  await bench.commit({ base: 2, pageCount: 20 });
  const { graft } = await bench.metastore.pullGraft(bench.vid, open(2));
  assert.deepEqual([...graft], [9, 10]);
});

Deno.test("Metastore.pullGraft answers a huge union as one range", async () => {
  await using bench = await Bench.open();
  // every second page: a bitmap of 32 bytes for each 256, above 4 MiB from 32 million pages on
  const pageCount = 2 ** 26;
  await bench.commit({ pageCount: 2 ** 28 });
  await bench.commit({ base: 1, pageCount });
  const { graft } = await bench.metastore.pullGraft(bench.vid, undefined);
  assert.equal(graft.size, 2 ** 28 - pageCount);
  assert.ok(graft.bytes.length < 4 * 1024 * 1024);
});

Deno.test("Metastore.pullGraft sees a commit at once", async () => {
  await using bench = await Bench.open();
  await bench.commit({ pageCount: 200 });
  for (let lsn = 1; lsn < 100; lsn++) {
    const segments = [await bench.write({ [lsn]: "x" })];
    await bench.commit({ base: lsn, pageCount: 200, segments });
    const pulled = await bench.metastore.pullGraft(bench.vid, open(lsn + 1));
    assert.deepEqual([...pulled.graft], [lsn]);
  }
});

Deno.test("Metastore.pullCommits answers the commits of a range", async () => {
  await using bench = await Bench.open();
  const segments = [await bench.write({ 1: "a" }), await bench.write({ 2: "b" })];
  await bench.commit({ segments });
  await bench.commit({ base: 1 });
  const commits = await bench.metastore.pullCommits(bench.vid, undefined);
  assert.deepEqual(commits.map(({ snapshot }) => snapshot.lsn), [1, 2]);
  assert.deepEqual(commits[0].segments.map(({ sid }) => sid), segments.map(({ sid }) => sid));
  assert.equal((await bench.metastore.pullCommits(bench.vid, open(2, 2))).length, 1);
  await missing(bench.metastore.pullCommits(bench.vid, open(3)));
  await missing(bench.metastore.pullCommits(bench.vid, open(1, 3)));
});

Deno.test("Metastore.pullCommits cuts a long answer after a whole commit", async () => {
  await using bench = await Bench.open();
  const pages = Object.fromEntries(Array.from({ length: 3000 }, (_, i) => [i * 300 + 1, "x"]));
  const segments = [await bench.write(pages)];
  for (let lsn = 0; lsn < 400; lsn++) {
    await bench.commit({ base: lsn === 0 ? undefined : lsn, pageCount: 1_000_000, segments });
  }
  const seen: Lsn[] = [];
  while (seen.length < 400) {
    const commits = await bench.metastore.pullCommits(bench.vid, open(seen.length + 1));
    assert.ok(commits.length > 0);
    seen.push(...commits.map(({ snapshot }) => snapshot.lsn));
  }
  assert.ok(seen.length === 400 && seen.every((lsn, i) => lsn === i + 1));
  const first = await bench.metastore.pullCommits(bench.vid, undefined);
  assert.ok(first.length < 400, `${first.length} commits in one answer`);
});

Deno.test("Metastore.log pages through the commits", async () => {
  await using bench = await Bench.open();
  for (let lsn = 0; lsn < 5; lsn++) await bench.commit({ base: lsn === 0 ? undefined : lsn });
  const lsns = async (options: { from?: Lsn; limit: number }) =>
    (await bench.metastore.log(bench.vid, options)).map(({ snapshot }) => snapshot.lsn);
  assert.deepEqual(await lsns({ limit: 10 }), [1, 2, 3, 4, 5]);
  assert.deepEqual(await lsns({ limit: 2 }), [1, 2]);
  assert.deepEqual(await lsns({ from: toLsn(4), limit: 2 }), [4, 5]);
  assert.deepEqual(await lsns({ from: toLsn(6), limit: 2 }), []);
});

Deno.test("Metastore.createVolume makes an empty volume that is listed", async () => {
  await using bench = await Bench.open();
  const cid = clientIdFromName("maker");
  const made = await bench.metastore.createVolume(cid);
  assert.deepEqual([made.lsn, made.pageCount, made.cid], [1, 0, cid]);
  assert.deepEqual(await bench.metastore.volumes({ limit: 10 }), [made]);
  const { graft } = await bench.metastore.pullGraft(made.vid, undefined);
  assert.equal(graft.size, 0);
});

Deno.test("Metastore.changes answers what changed after an LSN", async () => {
  await using bench = await Bench.open();
  await bench.commit({ segments: [await bench.write({ 1: "a", 2: "a" })] });
  await bench.commit({ base: 1, segments: [await bench.write({ 2: "b", 9: "b" })] });
  await bench.commit({ base: 2, segments: [await bench.write({ 50: "c" })] });
  const changes = async (since?: number, to?: number) => {
    const options = { since, to: to === undefined ? undefined : toLsn(to) };
    const { snapshot, range, graft } = await bench.metastore.changes(bench.vid, options);
    return [snapshot.lsn, range?.start, range?.end, ...graft ?? []];
  };
  assert.deepEqual(await changes(), [3, undefined, undefined]);
  assert.deepEqual(await changes(undefined, 2), [2, undefined, undefined]);
  assert.deepEqual(await changes(0), [3, 1, 3, 1, 2, 9, 50]);
  assert.deepEqual(await changes(1), [3, 2, 3, 2, 9, 50]);
  assert.deepEqual(await changes(1, 2), [2, 2, 2, 2, 9]);
  assert.deepEqual(await changes(3), [3, undefined, undefined]);
  assert.deepEqual(await changes(2, 2), [2, undefined, undefined]);
  await assert.rejects(changes(9), { code: "missing", message: /LSN 9 is above its head 3$/ });
  await missing(changes(4));
  await missing(changes(2, 1));
  await missing(changes(1, 4));
  await missing(bench.metastore.changes(newGid("volume", bench.clock, systemRandom)));
});

Deno.test("Metastore.changes tells the digest of the commit that it counts from", async () => {
  await using bench = await Bench.open();
  const first = await bench.commit({});
  const second = await bench.commit({ base: 1 });
  const digest = async (since?: number) =>
    (await bench.metastore.changes(bench.vid, { since })).sinceDigest;
  assert.deepEqual(await digest(1), first.record.digest);
  assert.deepEqual(await digest(2), second.record.digest);
  assert.equal(await digest(0), undefined);
  assert.equal(await digest(), undefined);
});

Deno.test("Metastore.find tells a new volume from a deleted one", async () => {
  await using bench = await Bench.open();
  assert.equal(await bench.metastore.find(bench.vid), "absent");
  await bench.commit({});
  assert.deepEqual(
    await bench.metastore.find(bench.vid),
    await bench.metastore.snapshot(bench.vid),
  );
  await bench.metastore.deleteVolume(bench.vid);
  assert.equal(await bench.metastore.find(bench.vid), "deleted");
});

Deno.test("Metastore.deleteVolume deletes for ever", async () => {
  await using bench = await Bench.open();
  await missing(bench.metastore.deleteVolume(bench.vid));
  await bench.commit({});
  const heard: unknown[] = [];
  const unsubscribe = bench.metastore.subscribe((changes) => heard.push(...changes));
  await bench.metastore.deleteVolume(bench.vid);
  unsubscribe();
  assert.deepEqual(heard, [{ vid: bench.vid, lsn: 1, record: undefined, deleted: true }]);
  await missing(bench.metastore.snapshot(bench.vid));
  await missing(bench.metastore.deleteVolume(bench.vid));
  await assert.rejects(bench.commit({ base: 1 }), (error) => isGraftError(error, "conflict"));
});

Deno.test("Metastore.deleteVolume deletes a volume that is being committed to", async () => {
  await using bench = await Bench.open();
  await bench.commit({});
  const commits = async () => {
    for (let lsn = 1; lsn < 20; lsn++) await bench.commit({ base: lsn });
  };
  const [outcome] = await Promise.allSettled([
    commits(),
    bench.metastore.deleteVolume(bench.vid),
  ]);
  assert.equal(await bench.metastore.find(bench.vid), "deleted");
  assert.ok(outcome.status === "rejected" && isGraftError(outcome.reason, "conflict"));
});
