// What becomes of commits that wait for their turn while the log's store fails.

import { deepEqual, equal, ok } from "node:assert/strict";
import { newVolume, recordAfter, rejectsWith } from "../../src/log/_testing.ts";
import { openShared } from "../../src/log/kv/_testing.ts";
import type { KvLog } from "../../src/log/kv/kv_log.ts";
import { FaultyKv } from "./log_faulty_kv.ts";

/** So many that they take 20 batches and more. */
const VOLUMES = 200;
/** What one batch takes over KV Connect. */
const BATCH_CHANGES = 9;

interface Queue {
  readonly faults: FaultyKv;
  readonly log: KvLog;
  /** Commits to all volumes at once. @returns How many were rejected, all as unavailable. */
  readonly commitAll: () => Promise<number>;
}

/** A log that knows the heads of many volumes. */
async function withQueue(check: (queue: Queue) => Promise<void>): Promise<void> {
  const faults = new FaultyKv(await Deno.openKv(":memory:"));
  const log = await openShared(faults);
  const vids = Array.from({ length: VOLUMES }, newVolume);
  const commitAll = async () => {
    const bases = await Promise.all(vids.map((vid) => log.lastKnownHead(vid)));
    const version = await log.collectionVersion();
    const ends = await Promise.allSettled(
      vids.map((vid, i) => log.append(recordAfter(vid, bases[i]), bases[i], version)),
    );
    const rejected = ends.filter((end) => end.status === "rejected");
    for (const { reason } of rejected) await rejectsWith(Promise.reject(reason), "unavailable");
    return rejected.length;
  };
  try {
    equal(await commitAll(), 0);
    faults.writes = 0;
    await check({ faults, log, commitAll });
  } finally {
    await log.close();
  }
}

Deno.test("nobody waits for the deadlines of more than a few batches", () =>
  withQueue(async ({ faults, commitAll }) => {
    faults.writesFail = true;
    equal(await commitAll(), VOLUMES);
    ok(faults.writes <= 8, `${faults.writes} batches failed before the last commit was told`);
    faults.writesFail = false;
    equal(await commitAll(), 0);
  }));

Deno.test("a few batches that fail are not the fault of those that wait", () =>
  withQueue(async ({ faults, commitAll }) => {
    faults.writeFaults.push("before", "before", "before");
    equal(await commitAll(), 3 * BATCH_CHANGES);
    deepEqual(faults.writeFaults, []);
  }));
