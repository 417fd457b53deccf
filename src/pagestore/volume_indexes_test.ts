import assert from "node:assert/strict";
import { isGraftError } from "../core/errors.ts";
import { type Lsn, toLsn } from "../core/lsn.ts";
import { noMetrics } from "../core/metrics.ts";
import type { CommitLog, CommitRecord } from "../log/commit_log.ts";
import { openLog } from "../log/open_log.ts";
import { Line, overriding } from "./_testing.ts";
import { VolumeIndexes } from "./volume_indexes.ts";

const LAST = { pages: Uint32Array.of(1), size: 1 };

async function append(log: CommitLog, record: CommitRecord): Promise<void> {
  const base = await log.head(record.vid);
  assert.equal(await log.append(record, base, await log.collectionVersion()), "landed");
}

/** A log, and a count of how often records were listed. */
async function openCountingLog(): Promise<{ log: CommitLog; lists: () => number }> {
  const inner = await openLog("memory:");
  let lists = 0;
  const log = overriding<CommitLog>(inner, {
    records: (vid, start, end) => {
      lists++;
      return inner.records(vid, start, end);
    },
  });
  return { log, lists: () => lists };
}

Deno.test("VolumeIndexes loads a line once and then follows the log", async () => {
  const { log, lists } = await openCountingLog();
  const line = new Line();
  for (let i = 0; i < 5; i++) await append(log, line.commit(10, [i + 1]));
  const indexes = new VolumeIndexes({ log, metrics: noMetrics, bytesMax: 1 << 20 });
  assert.equal(indexes.peek(line.vid, toLsn(1)), undefined);
  const loads = await Promise.all([1, 5, 3].map((lsn) => indexes.at(line.vid, toLsn(lsn))));
  assert.ok(loads.every((index) => index === loads[0] && index.headLsn === 5));
  assert.equal(lists(), 1);
  await append(log, line.commit(10, [9]));
  assert.equal(indexes.peek(line.vid, toLsn(6)), loads[0]);
  assert.equal(loads[0].locate(LAST.pages, toLsn(6)).count, LAST.size);
  assert.equal(lists(), 1);
  indexes.close();
  await append(log, line.commit(10, [9]));
  assert.equal(indexes.peek(line.vid, toLsn(7)), undefined);
  assert.equal((await indexes.at(line.vid, toLsn(7))).headLsn, 7);
  assert.equal(lists(), 2);
  await log.close();
});

Deno.test("VolumeIndexes knows a new volume without reading the log", async () => {
  const { log, lists } = await openCountingLog();
  const indexes = new VolumeIndexes({ log, metrics: noMetrics, bytesMax: 1 << 20 });
  const line = new Line();
  for (let i = 0; i < 3; i++) await append(log, line.commit(10, [i + 1]));
  assert.equal(indexes.peek(line.vid, toLsn(3))?.headLsn, 3);
  assert.equal(lists(), 0);
  indexes.close();
  await log.close();
});

Deno.test("VolumeIndexes does not tell one reader what another one lacks", async () => {
  const { log } = await openCountingLog();
  const line = new Line();
  for (let i = 0; i < 3; i++) await append(log, line.commit(10, [i + 1]));
  const indexes = new VolumeIndexes({ log, metrics: noMetrics, bytesMax: 1 << 20 });
  const outcomes = await Promise.allSettled(
    [9, 1, 3].map((lsn) => indexes.at(line.vid, toLsn(lsn))),
  );
  assert.deepEqual(outcomes.map(({ status }) => status), ["rejected", "fulfilled", "fulfilled"]);
  indexes.close();
  await log.close();
});

Deno.test("VolumeIndexes does not keep an index whose volume was deleted while it was read", async () => {
  const inner = await openLog("memory:");
  const line = new Line();
  for (let i = 0; i < 3; i++) await append(inner, line.commit(10, [i + 1]));
  const log = overriding<CommitLog>(inner, {
    async *records(vid, start: Lsn, end: Lsn) {
      yield* inner.records(vid, start, end);
      await inner.tombstone(vid, await inner.head(vid));
    },
  });
  const indexes = new VolumeIndexes({ log, metrics: noMetrics, bytesMax: 1 << 20 });
  await assert.rejects(
    indexes.at(line.vid, toLsn(3)),
    (error) => isGraftError(error, "missing"),
  );
  assert.equal(indexes.peek(line.vid, toLsn(1)), undefined);
  indexes.close();
  await inner.close();
});

Deno.test("VolumeIndexes does not keep an index that was dropped while it was read on", async () => {
  const inner = await openLog("memory:");
  const line = new Line();
  for (let i = 0; i < 2; i++) await append(inner, line.commit(10, [i + 1]));
  let onListed = () => {};
  const starts: number[] = [];
  const log = overriding<CommitLog>(inner, {
    async *records(vid, start: Lsn, end: Lsn) {
      starts.push(start);
      yield* inner.records(vid, start, end);
      onListed();
    },
  });
  const indexes = new VolumeIndexes({ log, metrics: noMetrics, bytesMax: 1 << 20 });
  const old = await indexes.at(line.vid, toLsn(2));
  // this process hears of nothing, as where another one commits
  indexes.close();
  await append(inner, line.commit(10, [3]));
  onListed = () => {
    onListed = () => {};
    indexes.drop(line.vid);
  };
  const index = await indexes.at(line.vid, toLsn(3));
  assert.notEqual(index, old);
  assert.equal(indexes.peek(line.vid, toLsn(3)), index);
  assert.deepEqual(starts, [1, 3, 1]);
  await inner.close();
});

Deno.test("VolumeIndexes refuses LSNs that are not there", async () => {
  const { log } = await openCountingLog();
  const indexes = new VolumeIndexes({ log, metrics: noMetrics, bytesMax: 1 << 20 });
  const line = new Line();
  const missing = (lsn: number) =>
    assert.rejects(indexes.at(line.vid, toLsn(lsn)), (error) => isGraftError(error, "missing"));
  await missing(1);
  await append(log, line.commit(1, []));
  await missing(2);
  assert.equal((await indexes.at(line.vid, toLsn(1))).headLsn, 1);
  indexes.close();
  await log.close();
});

Deno.test("VolumeIndexes does not answer with what was missing before it was asked", async () => {
  const inner = await openLog("memory:");
  const line = new Line();
  const [isRead, goOn] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const log = overriding<CommitLog>(inner, {
    async head(vid) {
      const read = await inner.head(vid);
      // the first answer is on its way for long
      isRead.resolve();
      await goOn.promise;
      return read;
    },
  });
  const indexes = new VolumeIndexes({ log, metrics: noMetrics, bytesMax: 1 << 20 });
  // this process hears of nothing, as where another one commits
  indexes.close();
  const early = indexes.at(line.vid, toLsn(1));
  await isRead.promise;
  await append(inner, line.commit(1, [1]));
  const late = indexes.at(line.vid, toLsn(1));
  goOn.resolve();
  assert.equal((await late).headLsn, 1);
  // it was under way, so both answers are right
  await Promise.allSettled([early]);
  await inner.close();
});

Deno.test("VolumeIndexes forgets a deleted volume", async () => {
  const { log } = await openCountingLog();
  const indexes = new VolumeIndexes({ log, metrics: noMetrics, bytesMax: 1 << 20 });
  const line = new Line();
  await append(log, line.commit(1, [1]));
  await append(log, line.commit(1, [1]));
  assert.ok(indexes.peek(line.vid, toLsn(2)));
  assert.equal(await log.tombstone(line.vid, await log.head(line.vid)), "landed");
  assert.equal(indexes.peek(line.vid, toLsn(2)), undefined);
  await assert.rejects(
    indexes.at(line.vid, toLsn(2)),
    (error) => isGraftError(error, "missing"),
  );
  indexes.close();
  await log.close();
});

/** A log that says on demand that changes may have been missed, and at each listing if told to. */
async function openForgetfulLog(): Promise<
  { log: CommitLog; resync: () => void; lists: string[] }
> {
  const inner = await openLog("memory:");
  const lists: string[] = [];
  let resync = () => {};
  const log = overriding<CommitLog>(inner, {
    subscribe(listener, onResync = () => {}) {
      resync = onResync;
      return inner.subscribe(listener);
    },
    records(vid, start, end) {
      // the first listing is overtaken
      if (lists.push(vid) === 1) resync();
      return inner.records(vid, start, end);
    },
  });
  return { log, resync: () => resync(), lists };
}

Deno.test("VolumeIndexes forgets all when changes may have been missed", async () => {
  const { log, resync, lists } = await openForgetfulLog();
  const indexes = new VolumeIndexes({ log, metrics: noMetrics, bytesMax: 1 << 20 });
  const line = [new Line(), new Line()];
  for (const each of line) await append(log, each.commit(10, [1]));
  resync();
  for (const { vid } of line) assert.equal(indexes.peek(vid, toLsn(1)), undefined);
  const [first, second] = line.map(({ vid }) => vid);
  assert.equal((await indexes.at(first, toLsn(1))).headLsn, 1);
  assert.ok(indexes.peek(first, toLsn(1)));
  assert.deepEqual(lists, [first, first], "what was read before the news was kept");
  await indexes.at(second, toLsn(1));
  assert.deepEqual(lists, [first, first, second]);
  indexes.close();
  await log.close();
});

Deno.test("VolumeIndexes reports a gap that stays though changes are missed meanwhile", async () => {
  const inner = await openLog("memory:");
  const line = new Line();
  for (let i = 0; i < 2; i++) await append(inner, line.commit(10, [i + 1]));
  let resync = () => {};
  let lists = 0;
  const log = overriding<CommitLog>(inner, {
    subscribe(listener, onResync = () => {}) {
      resync = onResync;
      return inner.subscribe(listener);
    },
    async *records(vid, start: Lsn, end: Lsn) {
      if (++lists > 20) throw new Error("There is no end of attempts");
      // the third attempt would be the last
      if (lists === 3) {
        resync();
        yield* inner.records(vid, start, end);
      }
    },
  });
  const indexes = new VolumeIndexes({ log, metrics: noMetrics, bytesMax: 1 << 20 });
  await assert.rejects(
    indexes.at(line.vid, toLsn(2)),
    (error) => isGraftError(error, "damaged"),
  );
  indexes.close();
  await inner.close();
});

Deno.test("VolumeIndexes evicts the least recently used, whole", async () => {
  const { log } = await openCountingLog();
  const indexes = new VolumeIndexes({ log, metrics: noMetrics, bytesMax: 40_000 });
  const lines = Array.from({ length: 12 }, () => new Line());
  for (const line of lines) {
    for (let i = 0; i < 8; i++) await append(log, line.commit(10, [i + 1]));
    // the first one stays in use
    await indexes.at(lines[0].vid, toLsn(1));
  }
  const held = lines.map((line) => indexes.peek(line.vid, toLsn(8)) !== undefined);
  assert.equal(held[0], true);
  assert.equal(held.at(-1), true);
  assert.ok(held.includes(false), "nothing was evicted");
  const evicted = lines[held.indexOf(false)];
  assert.equal((await indexes.at(evicted.vid, toLsn(8))).headLsn, 8);
  indexes.close();
  await log.close();
});

Deno.test("VolumeIndexes reads again when a list had a gap, and reports one that stays", async () => {
  const inner = await openLog("memory:");
  const line = new Line();
  for (let i = 0; i < 6; i++) await append(inner, line.commit(10, [i + 1]));
  let gaps = 1;
  const log = overriding<CommitLog>(inner, {
    async *records(vid, start: Lsn, end: Lsn) {
      const skip = gaps-- > 0 ? 3 : 0;
      for await (const record of inner.records(vid, start, end)) {
        if (record.lsn !== skip) yield record;
      }
    },
  });
  const indexes = new VolumeIndexes({ log, metrics: noMetrics, bytesMax: 1 << 20 });
  assert.equal((await indexes.at(line.vid, toLsn(6))).headLsn, 6);
  indexes.drop(line.vid);
  gaps = 100;
  await assert.rejects(
    indexes.at(line.vid, toLsn(6)),
    (error) => isGraftError(error, "damaged"),
  );
  assert.equal(gaps, 97, "three attempts");
  indexes.close();
  await log.close();
});

Deno.test("VolumeIndexes reports a line that ends below its head", async () => {
  const inner = await openLog("memory:");
  const line = new Line();
  for (let i = 0; i < 4; i++) await append(inner, line.commit(10, [i + 1]));
  const log = overriding<CommitLog>(inner, {
    records: (vid, start, end) => inner.records(vid, start, toLsn(end - 1)),
  });
  const indexes = new VolumeIndexes({ log, metrics: noMetrics, bytesMax: 1 << 20 });
  await assert.rejects(indexes.at(line.vid, toLsn(4)), (error) => {
    assert.ok(isGraftError(error, "damaged"));
    assert.match(error.message, /ends at LSN 3 below the head 4/);
    return true;
  });
  indexes.close();
  await inner.close();
});
