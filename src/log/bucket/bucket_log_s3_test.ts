// The same log on real S3 servers.

import { deepEqual, equal, ok } from "node:assert/strict";
import { systemClock } from "../../core/clock.ts";
import { S3_KINDS, S3Servers } from "../../objects/s3/_testing.ts";
import { openS3Store } from "../../objects/s3/s3_store.ts";
import type { DatedObjectStore } from "../../objects/object_store.ts";
import { partsFor } from "../../objects/s3/_testing.ts";
import { testCommitLog } from "../_conformance.ts";
import { headOf, newVolume, recordAfter, recordsOf, rejectsWith, tryCommit } from "../_testing.ts";
import { openBucket, testedBucketLog, WatchedStore } from "./_testing.ts";
import { assertLines, race } from "./_testing_race.ts";

const servers = new S3Servers();
Deno.test.afterAll(() => servers[Symbol.asyncDispose]());

type S3Kind = (typeof S3_KINDS)[number];

/** Opens one fresh place again and again, as so many processes would. */
async function place(kind: S3Kind): Promise<() => Promise<DatedObjectStore>> {
  const server = await servers.get(kind);
  const address = `s3://${await server.makeBucket()}/a/log`;
  return () => openS3Store(address, partsFor(server.env()));
}

for (const kind of S3_KINDS) {
  testCommitLog(`bucket in ${kind}`, async () => await testedBucketLog(await place(kind)));

  Deno.test(`bucket in ${kind}: racing processes make lines without gaps, and lose nothing`, async () => {
    const open = await place(kind);
    const logs = await Promise.all(
      Array.from({ length: 4 }, async () => await openBucket(await open())),
    );
    const result = await race({ logs, volumes: 2, writers: 12, commits: 20 });
    equal(result.unknown, 0);
    ok(result.landed.length > 40, `${result.landed.length}`);
    await assertLines(logs, result);
    const cold = await openBucket(await open());
    await assertLines([cold], result);
    for (const log of [...logs, cold]) await log.close();
  });

  Deno.test(`bucket in ${kind}: 200 commits by one process are 200 puts, read by two reads`, async () => {
    const open = await place(kind);
    const store = new WatchedStore(await open());
    const log = await openBucket(store);
    const vid = newVolume();
    equal((await tryCommit(log, vid)).outcome, "landed");
    store.take();
    for (let i = 1; i < 200; i++) {
      const base = await log.lastKnownHead(vid);
      equal(await log.append(recordAfter(vid, base), base, null), "landed");
    }
    deepEqual(store.take(), Array(199).fill("putDated"));
    const reading = new WatchedStore(await open());
    const reader = await openBucket(reading);
    reading.take();
    equal((await reader.head(vid)).head?.lsn, 200);
    equal((await recordsOf(reader, vid, 1, 200)).length, 200);
    deepEqual(reading.take(), ["list", "get", "get"]);
    await log.close();
    await reader.close();
  });

  Deno.test(`bucket in ${kind}: a put on a head that was read too long ago never lands`, async () => {
    const open = await place(kind);
    const store = new WatchedStore(await open());
    // a process that was held back for 16 minutes between the read and the put
    const late = { now: () => systemClock.now(), monotonic: () => 0 };
    const log = await openBucket(store, { clock: late });
    const vid = newVolume();
    const { record } = await tryCommit(log, vid);
    late.now = () => systemClock.now() - 16 * 60_000;
    const held = await openBucket(store, { clock: late });
    const base = await held.head(vid);
    await rejectsWith(
      held.append(recordAfter(vid, base), base, null),
      "unavailable",
      /too long ago/,
    );
    const reader = await openBucket(await open());
    deepEqual((await reader.head(vid)).head, headOf(record));
    await log.close();
    await reader.close();
  });
}
