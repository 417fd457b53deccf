import assert from "node:assert/strict";
import { digestsEqual } from "../core/content_digest.ts";
import { GraftError, isGraftError } from "../core/errors.ts";
import { clientIdFromName, newGid } from "../core/gid.ts";
import { toLsn } from "../core/lsn.ts";
import { PageSet } from "../core/page_set.ts";
import { systemRandom } from "../core/random.ts";
import type { CommitLog } from "../log/commit_log.ts";
import { overriding } from "../pagestore/_testing.ts";
import { Bench, type Written } from "./_testing.ts";
import { Committer } from "./committer.ts";

const HOUR_MS = 3_600_000;

Deno.test("Committer lands commits one after the other", async () => {
  await using bench = await Bench.open();
  const first = await bench.commit({ segments: [await bench.write({ 1: "a" })] });
  assert.equal(first.record.lsn, 1);
  const second = await bench.commit({ base: 1, segments: [await bench.write({ 2: "b" })] });
  assert.equal(second.record.lsn, 2);
  assert.ok(digestsEqual(second.record.parentDigest, first.record.digest));
});

Deno.test("Committer lands a commit without segments, on a new volume too", async () => {
  await using bench = await Bench.open();
  assert.equal((await bench.commit({ pageCount: 7 })).record.pageCount, 7);
  assert.equal((await bench.commit({ base: 1, pageCount: 3 })).record.lsn, 2);
});

Deno.test("Committer answers a repeat with what landed", async (t) => {
  await using bench = await Bench.open();
  const pages = { 1: "a", 2: "b", 30: "c" };
  const segment = await bench.write(pages);
  const landed = await bench.commit({ segments: [segment] });
  await bench.commit({ base: 1, client: "another", segments: [] });

  await t.step("with the same segments", async () => {
    assert.deepEqual((await bench.commit({ segments: [segment] })).record, landed.record);
  });
  await t.step("written anew", async () => {
    const again = await bench.write(pages);
    assert.deepEqual((await bench.commit({ segments: [again] })).record, landed.record);
  });
  await t.step("split otherwise", async () => {
    const parts = [await bench.write({ 2: "b" }), await bench.write({ 1: "a", 30: "c" })];
    assert.deepEqual((await bench.commit({ segments: parts })).record, landed.record);
  });
  await t.step("although its segments are too old by now", async () => {
    bench.clock.wallMs += 100 * HOUR_MS;
    assert.deepEqual((await bench.commit({ segments: [segment] })).record, landed.record);
  });
});

Deno.test("Committer refuses a repeat that differs", async (t) => {
  await using bench = await Bench.open();
  const segment = await bench.write({ 1: "a", 2: "b" });
  const landed = await bench.commit({ segments: [segment] });
  const conflict = (request: Parameters<Bench["commit"]>[0]) =>
    assert.rejects(bench.commit(request), (error) => isGraftError(error, "conflict"));

  await t.step("in a page's bytes", async () => {
    await conflict({ segments: [await bench.write({ 1: "a", 2: "other" })] });
  });
  await t.step("in the page count", () => conflict({ pageCount: 99, segments: [segment] }));
  await t.step("in the pages", async () => {
    await conflict({ segments: [await bench.write({ 1: "a" })] });
    await conflict({ segments: [await bench.write({ 1: "a", 2: "b", 3: "c" })] });
    await conflict({ segments: [] });
  });
  await t.step("in the client", () => conflict({ client: "another", segments: [segment] }));
  await t.step("in a segment that nobody knows", async () => {
    const unknown = { sid: newGid("segment", bench.clock, systemRandom), pageSet: segment.pageSet };
    await conflict({ segments: [unknown] });
  });
  await t.step("and the first stays", async () => {
    const { head } = await bench.log.head(bench.vid);
    assert.equal(head?.lsn, 1);
    assert.ok(head && digestsEqual(head.digest, landed.record.digest));
  });
});

Deno.test("Committer refuses a base that is not the head", async () => {
  await using bench = await Bench.open();
  const conflict = (base: number | undefined) =>
    assert.rejects(bench.commit({ base, client: "b" }), (error) => isGraftError(error, "conflict"));
  await conflict(1);
  await bench.commit({});
  await bench.commit({ base: 1 });
  await conflict(undefined);
  await conflict(1);
  await conflict(3);
  await conflict(2 ** 53 - 1);
});

Deno.test("Committer refuses segments that do not hold what is claimed", async (t) => {
  await using bench = await Bench.open();
  const refused = async (segments: readonly Written[], message: RegExp, pageCount?: number) => {
    await assert.rejects(bench.commit({ segments, pageCount }), (error) => {
      assert.ok(isGraftError(error, "invalid"), String(error));
      assert.match(error.message, message);
      return true;
    });
    assert.equal((await bench.log.head(bench.vid)).head, undefined);
  };
  const segment = await bench.write({ 1: "a", 2: "b" });

  await t.step("unknown", () => {
    const sid = newGid("segment", bench.clock, systemRandom);
    return refused([{ sid, pageSet: segment.pageSet }], /is unknown/);
  });
  await t.step("another volume's", async () => {
    const foreign = await bench.write({ 1: "a" }, newGid("volume", bench.clock, systemRandom));
    await refused([foreign], /holds no page of this volume/);
  });
  await t.step("another set", async () => {
    await refused([{ ...segment, pageSet: PageSet.from([1]) }], /which are not the 1/);
    await refused([{ ...segment, pageSet: PageSet.from([1, 3]) }], /which are not the 2/);
  });
  await t.step("overlapping", async () => {
    await refused([segment, await bench.write({ 2: "c", 3: "d" })], /the same page/);
    await refused([segment, segment], /the same page/);
  });
  await t.step("more than 64", async () => {
    const many = await Promise.all(
      Array.from({ length: 65 }, (_, i) => bench.write({ [i + 1]: "x" })),
    );
    await refused(many, /names 65 segments/);
    assert.equal((await bench.commit({ segments: many.slice(0, 64) })).record.segments.length, 64);
    bench.reset();
  });
  await t.step(
    "a page above the page count",
    () => refused([segment], /above the page count 1/, 1),
  );
  await t.step("page 0", () => {
    return refused([{ ...segment, pageSet: PageSet.from([0, 1]) }], /page index 0/);
  });
  await t.step("no pages", () => refused([{ ...segment, pageSet: PageSet.empty }], /no pages/));
  await t.step("too old", async () => {
    const old = await bench.write({ 1: "a" });
    bench.clock.wallMs += 12 * HOUR_MS;
    await bench.commit({ segments: [old] });
    bench.reset();
    const older = await bench.write({ 1: "a" });
    bench.clock.wallMs += 12 * HOUR_MS + 1;
    await refused([older], /write its pages again/);
  });
});

Deno.test("Committer lets one of 64 racers land", async () => {
  await using bench = await Bench.open();
  const outcomes = await Promise.allSettled(
    Array.from({ length: 64 }, async (_, i) => {
      const segments = [await bench.write({ 1: `racer ${i}` })];
      return await bench.commit({ client: `racer ${i}`, segments });
    }),
  );
  assert.equal(outcomes.filter(({ status }) => status === "fulfilled").length, 1);
  for (const outcome of outcomes) {
    if (outcome.status === "rejected") assert.ok(isGraftError(outcome.reason, "conflict"));
  }
});

Deno.test("Committer never steps back in time", async () => {
  await using bench = await Bench.open();
  const { record } = await bench.commit({});
  bench.clock.wallMs -= HOUR_MS;
  const second = await bench.commit({ base: 1 });
  assert.equal(second.record.timestampMs, record.timestampMs);
  bench.clock.wallMs += 2 * HOUR_MS;
  const third = await bench.commit({ base: 2 });
  assert.equal(third.record.timestampMs, record.timestampMs + HOUR_MS);
});

Deno.test("Committer reports its own commit although the log's answer was lost", async () => {
  await using bench = await Bench.open();
  bench.faults.push("after");
  const landed = await bench.commit({ segments: [await bench.write({ 1: "a" })] });
  assert.equal(landed.record.lsn, 1);
  assert.deepEqual(bench.faults, []);
  assert.equal((await bench.log.head(bench.vid)).head?.lsn, 1);
});

Deno.test("Committer tries again when the log failed before the append", async () => {
  await using bench = await Bench.open();
  bench.faults.push("before", "before");
  assert.equal((await bench.commit({})).record.lsn, 1);
});

Deno.test("Committer is honest about a log that stays unreachable", async () => {
  await using bench = await Bench.open();
  bench.faults.push("before", "before", "before", "before");
  await assert.rejects(bench.commit({}), (error) => isGraftError(error, "unavailable"));
  assert.equal((await bench.log.head(bench.vid)).head, undefined);
  bench.faults.push("head");
  await assert.rejects(bench.commit({}), (error) => isGraftError(error, "unavailable"));
});

Deno.test("Committer tells another's commit from its own after a lost answer", async () => {
  await using bench = await Bench.open();
  bench.faults.push("rival");
  await assert.rejects(
    bench.commit({ client: "slow" }),
    (error) => isGraftError(error, "conflict"),
  );
  const record = await bench.log.record(bench.vid, toLsn(1));
  assert.equal(record?.cid, clientIdFromName("rival"));
});

Deno.test("Committer passes on what is not about the outcome", async () => {
  await using bench = await Bench.open();
  bench.faults.push("bug");
  await assert.rejects(bench.commit({}), (error) => !(error instanceof GraftError));
});

const ID = new Uint8Array(16).fill(1);
const OTHER_ID = new Uint8Array(16).fill(2);

Deno.test("Committer finds a repeat by its request id, whoever committed since", async (t) => {
  await using bench = await Bench.open();
  const segment = await bench.write({ 1: "a" });
  const landed = await bench.commit({ segments: [segment], requestId: ID });
  assert.deepEqual(landed.record.requestId, ID);
  await bench.commit({ base: 1, client: "another" });
  const moved = await bench.commit({ base: 2, requestId: OTHER_ID });
  await bench.commit({ base: 3, client: "another" });

  await t.step("on the same base, with its pages written anew", async () => {
    const again = await bench.write({ 1: "a" });
    assert.deepEqual(
      (await bench.commit({ segments: [again], requestId: ID })).record,
      landed.record,
    );
  });
  await t.step("on an earlier base than the one it landed on", async () => {
    assert.deepEqual((await bench.commit({ base: 1, requestId: OTHER_ID })).record, moved.record);
  });
  await t.step("but not another client's", async () => {
    const foreign = bench.commit({ client: "another", segments: [segment], requestId: ID });
    await assert.rejects(foreign, (error) => isGraftError(error, "conflict"));
  });
  await t.step("and not with other pages", async () => {
    const segments = [await bench.write({ 1: "other" })];
    await assert.rejects(
      bench.commit({ segments, requestId: ID }),
      (error) => isGraftError(error, "conflict"),
    );
  });
});

Deno.test("Committer answers a conflict when the volume is deleted while it looks for a repeat", async () => {
  await using bench = await Bench.open();
  const { log, clock, vid } = bench;
  await bench.commit({ client: "another" });
  bench.indexes.drop(vid);
  const deletedMeanwhile = overriding<CommitLog>(log, {
    async record(vid, lsn) {
      const record = await log.record(vid, lsn);
      await log.tombstone(vid, await log.head(vid));
      return record;
    },
  });
  const parts = { log: deletedMeanwhile, indexes: bench.indexes, clock, graceMs: HOUR_MS };
  const commit = new Committer(parts).commit({
    vid,
    cid: clientIdFromName("client"),
    snapshotLsn: undefined,
    pageCount: undefined,
    segments: [],
    requestId: ID,
  });
  await assert.rejects(commit, (error) => {
    assert.ok(isGraftError(error, "conflict"), String(error));
    assert.match(error.message, /the volume was deleted$/);
    return true;
  });
});

Deno.test("Committer takes equal commits with two request ids for two commits", async () => {
  await using bench = await Bench.open();
  const segments = [await bench.write({ 1: "a" })];
  await bench.commit({ segments, requestId: ID });
  await assert.rejects(
    bench.commit({ segments, requestId: OTHER_ID }),
    (error) => isGraftError(error, "conflict"),
  );
});

Deno.test("Committer refuses a base with another digest, and only that", async () => {
  await using bench = await Bench.open();
  const first = await bench.commit({});
  const wrong = bench.commit({ base: 1, baseDigest: new Uint8Array(16) });
  await assert.rejects(wrong, (error) => isGraftError(error, "conflict"));
  const second = await bench.commit({ base: 1, baseDigest: first.record.digest });
  assert.equal(second.record.lsn, 2);
});

Deno.test("Committer keeps the page count, or grows it to the highest page", async () => {
  await using bench = await Bench.open();
  const counts = async (base: number | undefined, pages: Record<number, string>) => {
    const segments = Object.keys(pages).length === 0 ? [] : [await bench.write(pages)];
    return (await bench.commitUncounted(base, segments)).record.pageCount;
  };
  assert.equal(await counts(undefined, {}), 0);
  assert.equal(await counts(1, { 3: "a" }), 3);
  assert.equal(await counts(2, { 1: "a" }), 3);
  assert.equal(await counts(3, { 2: "a", 9: "a" }), 9);
  // a repeat whose base has grown meanwhile is still the same commit
  assert.equal(await counts(2, { 1: "a" }), 3);
});
