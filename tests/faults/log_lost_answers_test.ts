// What becomes of a log's promises when its store does what it is asked and does not say so.

import { deepEqual, equal, ok } from "node:assert/strict";
import { isGraftError } from "../../src/core/errors.ts";
import { toLsn } from "../../src/core/lsn.ts";
import { PageSet } from "../../src/core/page_set.ts";
import {
  commit,
  headOf,
  newVolume,
  recordAfter,
  rejectsWith,
  tryCommit,
} from "../../src/log/_testing.ts";
import type { LogChange } from "../../src/log/commit_log.ts";
import { STORE_ERROR } from "./log_faulty_kv.ts";
import { registrationOf, withFaults } from "./log_support.ts";

Deno.test("a commit whose answer is lost is unknown to its caller, and there", () =>
  withFaults(async ({ faults, log }) => {
    const vid = newVolume();
    await commit(log, vid);
    const base = await log.head(vid);
    const record = recordAfter(vid, base);
    const version = await log.collectionVersion();
    faults.writeFaults.push("after");
    await log.append(record, base, version).then(
      () => ok(false, "it landed"),
      (error) => {
        ok(isGraftError(error, "unavailable"), String(error));
        equal(error.cause, STORE_ERROR);
      },
    );
    deepEqual((await log.headFromStore(vid)).head, headOf(record));
    deepEqual(await log.record(vid, toLsn(2)), record);
    equal(await log.append(record, base, version), "stale");
    equal((await commit(log, vid)).lsn, 3);
  }));

Deno.test("after a lost answer the head is not answered from memory", () =>
  withFaults(async ({ faults, log }) => {
    const vid = newVolume();
    await commit(log, vid);
    faults.writeFaults.push("after");
    await rejectsWith(tryCommit(log, vid), "unavailable");
    equal((await log.head(vid)).head?.lsn, 2);
  }));

Deno.test("a lost answer is everybody's in the batch, and nobody's after it", () =>
  withFaults(async ({ faults, log }) => {
    const vids = Array.from({ length: 10 }, newVolume);
    faults.writeFaults.push("after");
    const bases = await Promise.all(vids.map((vid) => log.head(vid)));
    const version = await log.collectionVersion();
    const lost = await Promise.allSettled(
      vids.map((vid, i) => log.append(recordAfter(vid, bases[i]), bases[i], version)),
    );
    deepEqual(lost.map(({ status }) => status), vids.map(() => "rejected"));
    const again = await Promise.all(vids.map((vid) => commit(log, vid)));
    deepEqual(again.map(({ lsn }) => lsn), vids.map(() => 2));
  }));

Deno.test("a read that began before a lost answer does not bring the old head back", () =>
  withFaults(async ({ faults, log }) => {
    const vid = newVolume();
    await commit(log, vid);
    faults.writeFaults.push("after");
    faults.afterRead = () => rejectsWith(tryCommit(log, vid), "unavailable");
    equal((await log.headFromStore(vid)).head?.lsn, 1);
    equal((await log.head(vid)).head?.lsn, 2);
  }));

Deno.test("a read that began before a commit does not bring the old head back", () =>
  withFaults(async ({ faults, log }) => {
    const vid = newVolume();
    await commit(log, vid);
    faults.afterRead = () => commit(log, vid);
    equal((await log.headFromStore(vid)).head?.lsn, 1);
    equal((await log.head(vid)).head?.lsn, 2);
  }));

Deno.test("nor does it when the new head was dropped for lack of room meanwhile", () =>
  withFaults(async ({ faults, log }) => {
    const vid = newVolume();
    await commit(log, vid);
    faults.afterRead = async () => {
      await commit(log, vid);
      await commit(log, newVolume());
    };
    equal((await log.headFromStore(vid)).head?.lsn, 1);
    equal((await log.head(vid)).head?.lsn, 2);
  }, { headsMax: 1 }));

Deno.test("subscribers hear of a commit whose answer was lost from the next read", () =>
  withFaults(async ({ faults, log }) => {
    const vid = newVolume();
    const heard: LogChange[] = [];
    log.subscribe((changes) => heard.push(...changes));
    await commit(log, vid);
    faults.writeFaults.push("after");
    await rejectsWith(tryCommit(log, vid), "unavailable");
    deepEqual(heard.map(({ lsn }) => lsn), [1]);
    await log.headFromStore(vid);
    await log.headFromStore(vid);
    deepEqual(heard.slice(1), [{ vid, lsn: toLsn(2), record: undefined, deleted: false }]);
    await commit(log, vid);
    deepEqual(heard.map(({ lsn }) => lsn), [1, 2, 3]);
  }));

Deno.test("a registration whose answer is lost is written once more", () =>
  withFaults(async ({ faults, log }) => {
    for (const fault of ["before", "after"] as const) {
      const registration = registrationOf(PageSet.range(1, 9));
      const { writes } = faults;
      faults.writeFaults.push(fault);
      await log.register([registration]);
      equal(faults.writes, writes + 2);
    }
    const failing = registrationOf(PageSet.range(1, 9));
    faults.writeFaults.push("before", "before");
    await rejectsWith(log.register([failing]), "unavailable");
    equal(await log.registration(failing.sid), undefined);
    await log.register([failing]);
    deepEqual(await log.registration(failing.sid), failing);
  }));
