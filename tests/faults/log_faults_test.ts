// What becomes of a log's promises when its store fails.

import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { isGraftError } from "../../src/core/errors.ts";
import { toLsn } from "../../src/core/lsn.ts";
import { PageSet } from "../../src/core/page_set.ts";
import { testCommitLog } from "../../src/log/_conformance.ts";
import {
  commit,
  headOf,
  newSegment,
  newVolume,
  openOver,
  recordAfter,
  recordsOf,
  rejectsWith,
  sparseSet,
  testedKvLog,
  tryCommit,
  use,
} from "../../src/log/_testing.ts";
import { registrationOf, withFaults } from "./log_support.ts";
import { FaultyKv, type WriteFault } from "./log_faulty_kv.ts";

testCommitLog(
  "through a layer without faults",
  () => testedKvLog("memory", (kv) => new FaultyKv(kv)),
);

Deno.test("a commit that fails before it takes effect is not there, and can be tried again", () =>
  withFaults(async ({ faults, log }) => {
    const vid = newVolume();
    await commit(log, vid);
    const base = await log.head(vid);
    const record = recordAfter(vid, base);
    const version = await log.collectionVersion();
    faults.writeFaults.push("before");
    await rejectsWith(log.append(record, base, version), "unavailable", /disk I\/O error/);
    deepEqual(await log.headFromStore(vid), base);
    equal(await log.append(record, base, version), "landed");
  }));

Deno.test("subscribers hear nothing of a commit that did not take effect", () =>
  withFaults(async ({ faults, log }) => {
    const vid = newVolume();
    await commit(log, vid);
    const lsns: number[] = [];
    log.subscribe((changes) => lsns.push(...changes.map(({ lsn }) => lsn)));
    faults.writeFaults.push("before");
    await rejectsWith(tryCommit(log, vid), "unavailable");
    await log.headFromStore(vid);
    deepEqual(lsns, []);
    await commit(log, vid);
    await log.headFromStore(vid);
    deepEqual(lsns, [2]);
  }));

Deno.test("a commit that landed at the second try is heard of once", () =>
  withFaults(async ({ faults, log }) => {
    const vid = newVolume();
    const lsns: number[] = [];
    log.subscribe((changes) => lsns.push(...changes.map(({ lsn }) => lsn)));
    const base = await log.head(vid);
    const record = recordAfter(vid, base);
    const version = await log.collectionVersion();
    faults.writeFaults.push("before");
    await rejectsWith(log.append(record, base, version), "unavailable");
    equal(await log.append(record, base, version), "landed");
    await log.headFromStore(vid);
    deepEqual(lsns, [1]);
  }));

Deno.test("a registration outlives the fault of the commits it was written with", () =>
  withFaults(async ({ faults, log }) => {
    const vid = newVolume();
    const base = await log.head(vid);
    const version = await log.collectionVersion();
    const registration = registrationOf(PageSet.range(1, 9));
    faults.writeFaults.push("before");
    const [append, registered] = await Promise.allSettled([
      log.append(recordAfter(vid, base), base, version),
      log.register([registration]),
    ]);
    equal(append.status, "rejected");
    equal(registered.status, "fulfilled");
    equal((await log.headFromStore(vid)).head, undefined);
  }));

Deno.test("a compare that fails for no reason is tried again, but not for ever", () =>
  withFaults(async ({ faults, log }) => {
    const vid = newVolume();
    faults.writeFaults.push("refuse", "refuse", "refuse");
    const registration = registrationOf(PageSet.range(1, 9));
    const [record] = await Promise.all([commit(log, vid), log.register([registration])]);
    deepEqual((await log.headFromStore(vid)).head, headOf(record));
    faults.writeFaults.push(...Array<"refuse">(5).fill("refuse"));
    await rejectsWith(tryCommit(log, vid), "unavailable", /refused 5 times/);
    equal(faults.writeFaults.length, 0);
    equal((await commit(log, vid)).lsn, 2);
  }));

Deno.test("a compare that fails while heads cannot be read is nobody's loss", () =>
  withFaults(async ({ faults, log }) => {
    const vid = newVolume();
    const base = await log.head(vid);
    const version = await log.collectionVersion();
    faults.writeFaults.push("refuse");
    faults.readsFail = true;
    await rejectsWith(log.append(recordAfter(vid, base), base, version), "unavailable");
    faults.readsFail = false;
    equal(await log.append(recordAfter(vid, base), base, version), "landed");
  }));

/** A server's clients learn neither the log's address nor the store's words. */
const isToldInGeneral = (error: unknown) =>
  isGraftError(error, "unavailable") &&
  error.publicMessage === "Cannot answer the request: the commit log does not answer now";

Deno.test("failing reads are unavailable, and pass", () =>
  withFaults(async ({ faults, log }) => {
    const vid = newVolume();
    const record = await commit(log, vid);
    faults.readsFail = true;
    // what is in memory needs no store
    deepEqual((await log.head(vid)).head, headOf(record));
    await rejectsWith(log.head(newVolume()), "unavailable", /Cannot read log "test:": disk/);
    await rejects(log.headFromStore(vid), isToldInGeneral);
    await rejectsWith(log.record(vid, toLsn(1)), "unavailable");
    await rejectsWith(recordsOf(log, vid, 1, 1), "unavailable");
    await rejectsWith(log.volumes({ limit: 1 }), "unavailable");
    await rejectsWith(log.registration(newSegment()), "unavailable");
    equal(log.healthy, false);
    faults.readsFail = false;
    deepEqual(await recordsOf(log, vid, 1, 1), [record]);
    equal(log.healthy, true);
  }));

Deno.test("a store that fails for a while is used again when it recovers", () =>
  withFaults(async ({ faults, log }) => {
    const vids = Array.from({ length: 8 }, newVolume);
    const records = await Promise.all(vids.map((vid) => commit(log, vid)));
    faults.writesFail = true;
    for (let i = 0; i < 3; i++) {
      await Promise.all(vids.map((vid) => rejectsWith(tryCommit(log, vid), "unavailable")));
      await rejectsWith(log.register([registrationOf(PageSet.range(1, 2))]), "unavailable");
    }
    equal(log.healthy, false);
    faults.writesFail = false;
    for (const [i, vid] of vids.entries()) {
      deepEqual((await log.head(vid)).head, headOf(records[i]));
      equal((await commit(log, vid)).lsn, 2);
    }
    equal(log.healthy, true);
  }));

Deno.test("a large record that fails leaves at most parts that nothing names", () =>
  withFaults(async ({ kv, faults, log }) => {
    const vid = newVolume();
    const large = { segments: [use(sparseSet(150_000))] };
    // the parts are written, twice each batch at most; then the record fails
    faults.writeFaults.push(undefined, "before");
    await rejectsWith(tryCommit(log, vid, large), "unavailable");
    equal((await log.headFromStore(vid)).head, undefined);
    ok((await Array.fromAsync(kv.list({ prefix: ["chunk"] }))).length > 0);
    // where the answer alone was lost, the parts are needed and stay
    faults.writeFaults.push(undefined, "after");
    await rejectsWith(tryCommit(log, vid, large), "unavailable");
    const [record] = await recordsOf(log, vid, 1, 1);
    deepEqual(record.segments.map(({ pageSet }) => pageSet.size), [30_000]);
    await commit(log, vid, large);
  }));

Deno.test("a commit that was repeated on its way is stale to its caller, and there", () =>
  withFaults(async ({ faults, log }) => {
    const vid = newVolume();
    const large = { segments: [use(sparseSet(150_000))] };
    faults.writeFaults.push(undefined, "repeat");
    const base = await log.head(vid);
    const record = recordAfter(vid, base, large);
    const version = await log.collectionVersion();
    equal(await log.append(record, base, version), "stale");
    // whatever was cleaned up after the supposed loser is done before this
    await commit(log, newVolume());
    await commit(log, newVolume());
    deepEqual(await log.record(vid, toLsn(1)), record);
    faults.writeFaults.push("repeat");
    equal(await log.tombstone(vid, await log.headFromStore(vid)), "stale");
    equal((await log.headFromStore(vid)).head?.deleted, true);
    const registration = registrationOf(PageSet.range(1, 9));
    const { writes } = faults;
    faults.writeFaults.push("repeat");
    await log.register([registration]);
    equal(faults.writes, writes + 2);
    deepEqual(await log.registration(registration.sid), registration);
  }));

Deno.test("parts that cannot be stored keep their record from being written", () =>
  withFaults(async ({ faults, log }) => {
    const vid = newVolume();
    faults.writesFail = true;
    const large = { segments: [use(sparseSet(150_000))] };
    await rejectsWith(tryCommit(log, vid, large), "unavailable");
    faults.writesFail = false;
    equal((await log.headFromStore(vid)).head, undefined);
    await commit(log, vid, large);
  }));

Deno.test("a store that does not answer when it is opened is unavailable", async () => {
  const faults = new FaultyKv(await Deno.openKv(":memory:"));
  faults.readsFail = true;
  await rejectsWith(openOver(faults), "unavailable");
  faults.readsFail = false;
  faults.writesFail = true;
  await rejectsWith(openOver(faults), "unavailable");
  faults.writesFail = false;
  await (await openOver(faults)).close();
});

/** Repeatable chance: xorshift. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}

/** The first of ten equally likely cases; the others pass. */
const FAULTS: readonly WriteFault[] = ["before", "after", "refuse"];

Deno.test("with faults at random, what was acknowledged stays and lines have no gap", () =>
  withFaults(async ({ faults, log }) => {
    const random = seeded(20_251_122);
    const vids = Array.from({ length: 6 }, newVolume);
    const acknowledged = new Map<string, string>();
    let unknown = 0;
    faults.chooseFault = () => FAULTS[random() % 10];
    await Promise.all(Array.from({ length: 12 }, async (_, writer) => {
      for (let i = 0; i < 40; i++) {
        const vid = vids[(writer + i) % vids.length];
        try {
          const { record, outcome } = await tryCommit(log, vid);
          if (outcome === "landed") {
            acknowledged.set(`${vid}/${record.lsn}`, String(record.segments[0].sid));
          }
        } catch (error) {
          if (!isGraftError(error, "unavailable")) throw error;
          unknown++;
        }
      }
    }));
    faults.chooseFault = undefined;
    ok(acknowledged.size > 50 && unknown > 20, `${acknowledged.size} ${unknown}`);
    for (const vid of vids) {
      const { head } = await log.headFromStore(vid);
      deepEqual((await log.head(vid)).head, head);
      const records = await recordsOf(log, vid, 1, head?.lsn ?? 0);
      equal(records.length, head?.lsn ?? 0);
      for (const record of records) {
        const sid = acknowledged.get(`${vid}/${record.lsn}`);
        if (sid !== undefined) equal(record.segments[0].sid, sid);
        acknowledged.delete(`${vid}/${record.lsn}`);
      }
    }
    equal(acknowledged.size, 0);
  }));
