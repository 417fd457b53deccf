// What becomes of a log's promises when its store on the network dies, hangs and comes back.

import { deepEqual, equal, ok } from "node:assert/strict";
import { systemClock } from "../../src/core/clock.ts";
import { isGraftError } from "../../src/core/errors.ts";
import { clientIdFromName, type VolumeId } from "../../src/core/gid.ts";
import { toLsn } from "../../src/core/lsn.ts";
import { noMetrics } from "../../src/core/metrics.ts";
import { toPageCount } from "../../src/core/page.ts";
import { systemTimers, type Timers } from "../../src/core/timers.ts";
import {
  commit,
  newVolume,
  recordAfter,
  recordsOf,
  rejectsWith,
  tryCommit,
} from "../../src/log/_testing.ts";
import type { LogChange } from "../../src/log/commit_log.ts";
import { connectTo, openShared } from "../../src/log/kv/_testing.ts";
import type { KvLog } from "../../src/log/kv/kv_log.ts";
import { Committer } from "../../src/metastore/committer.ts";
import { VolumeIndexes } from "../../src/pagestore/volume_indexes.ts";
import { pause, until } from "../harness/poll.ts";
import { DenoKvServer } from "../harness/programs/denokv.ts";

/** The log's deadlines and pauses, ten times as fast, so that a test need not wait for them. */
const HASTY: Timers = {
  sleep: (delayMs, signal) => systemTimers.sleep(delayMs / 10, signal),
  after: (delayMs, callback) => systemTimers.after(delayMs / 10, callback),
};

interface Store {
  readonly server: DenoKvServer;
  /** Two processes' logs. */
  readonly logs: readonly KvLog[];
}

async function withStore(check: (store: Store) => Promise<void>): Promise<void> {
  await using server = await DenoKvServer.start();
  const open = () => openShared(connectTo(server, { timers: HASTY }), { timers: HASTY });
  const logs = [await open(), await open()];
  try {
    await check({ server, logs });
  } finally {
    await Promise.all(logs.map((log) => log.close()));
  }
}

function committerOf(log: KvLog): Committer {
  const indexes = new VolumeIndexes({ log, metrics: noMetrics, bytesMax: 1 << 20 });
  return new Committer({ log, indexes, clock: systemClock, graceMs: 86_400_000 });
}

/** A client that commits through one process or another, and keeps what it was told. */
class Writer {
  readonly vid: VolumeId;
  /** The page count of each acknowledged commit, by LSN: each commit has its own. */
  readonly acknowledged = new Map<number, number>();
  unavailable = 0;
  readonly #committers: readonly Committer[];
  readonly #cid;
  #base: number | undefined;
  #attempts = 0;

  constructor(committers: readonly Committer[], vid: VolumeId, name: string) {
    this.#committers = committers;
    this.vid = vid;
    this.#cid = clientIdFromName(name);
  }

  /** Commits until told to stop; a commit of unknown outcome is repeated, as every client does. */
  async run(isOver: () => boolean): Promise<void> {
    while (!isOver()) {
      const pageCount = ++this.#attempts;
      while (!await this.#commit(pageCount));
    }
  }

  /** @returns Whether it has an answer. */
  async #commit(pageCount: number): Promise<boolean> {
    const through = this.#committers[(pageCount + this.unavailable) % this.#committers.length];
    try {
      const { record } = await through.commit({
        vid: this.vid,
        cid: this.#cid,
        snapshotLsn: this.#base === undefined ? undefined : toLsn(this.#base),
        pageCount: toPageCount(pageCount),
        segments: [],
      });
      this.#base = record.lsn;
      this.acknowledged.set(record.lsn, pageCount);
      return true;
    } catch (error) {
      if (!isGraftError(error, "unavailable")) throw error;
      this.unavailable++;
      await pause(20);
      return false;
    }
  }
}

/** Lets writers write while the store has its troubles, and then compares what they know with the log. */
async function writeThrough(
  { server, logs }: Store,
  troubles: (server: DenoKvServer) => Promise<void>,
): Promise<{ unavailable: number }> {
  const committers = logs.map(committerOf);
  const writers = Array.from(
    { length: 12 },
    (_, i) => new Writer(committers, newVolume(), `writer ${i}`),
  );
  let isOver = false;
  const written = Promise.all(writers.map((writer) => writer.run(() => isOver)));
  await troubles(server);
  const before = writers.reduce((sum, { acknowledged }) => sum + acknowledged.size, 0);
  // it goes on without a restart of anything but the store
  await until("a commit after the last trouble", () => {
    const now = writers.reduce((sum, { acknowledged }) => sum + acknowledged.size, 0);
    return Promise.resolve(now > before + 24);
  });
  isOver = true;
  await written;
  for (const { vid, acknowledged } of writers) {
    const head = (await logs[1].head(vid)).head?.lsn ?? 0;
    const records = await recordsOf(logs[0], vid, 1, head);
    deepEqual(records.map(({ lsn }) => lsn), Array.from({ length: head }, (_, i) => i + 1));
    const found = new Map<number, number>(records.map(({ lsn, pageCount }) => [lsn, pageCount]));
    // each writer is alone on its volume: it was told of every commit, and none is there twice
    deepEqual(found, acknowledged);
  }
  return { unavailable: writers.reduce((sum, writer) => sum + writer.unavailable, 0) };
}

Deno.test("a store that is killed and started again loses nothing and makes no conflict", () =>
  withStore(async (store) => {
    await writeThrough(store, async ({ process }) => {
      for (let i = 0; i < 3; i++) {
        await pause(400);
        await process.kill();
        await pause(i * 300);
        await process.start();
      }
    });
  }));

Deno.test("a store that hangs beyond every deadline loses nothing and makes no conflict", () =>
  withStore(async (store) => {
    const { unavailable } = await writeThrough(store, async ({ process }) => {
      for (let i = 0; i < 2; i++) {
        await pause(400);
        await process.pause();
        await pause(2500);
        process.resume();
      }
    });
    ok(unavailable > 0, "no call was given up");
  }));

Deno.test("a store that is down is unavailable, and healthy again when it is back", () =>
  withStore(async ({ server, logs: [log] }) => {
    const vid = newVolume();
    const record = await commit(log, vid);
    const base = await log.head(vid);
    await server.process.kill();
    const version = await log.collectionVersion();
    await rejectsWith(log.append(recordAfter(vid, base), base, version), "unavailable");
    await rejectsWith(log.head(vid), "unavailable", /no answer within 10 s \(.*refused/);
    await rejectsWith(tryCommit(log, vid), "unavailable");
    equal(log.healthy, false);
    await server.process.start();
    deepEqual(await recordsOf(log, vid, 1, 1), [record]);
    equal(log.healthy, true);
    equal((await commit(log, vid)).lsn, 2);
  }));

Deno.test("a commit that was given up and lands later is found, and announced", () =>
  withStore(async ({ server, logs: [log, other] }) => {
    const vid = newVolume();
    await commit(log, vid);
    const heard: LogChange[][] = [[], []];
    // the other may hear of the first commit too: it was open already
    const isNews = (change: LogChange) => change.vid === vid && change.lsn > 1;
    for (const [i, each] of [log, other].entries()) {
      each.subscribe((changes) => heard[i].push(...changes.filter(isNews)));
    }
    const base = await log.lastKnownHead(vid);
    const record = recordAfter(vid, base);
    const version = await log.collectionVersion();
    await server.process.pause();
    await rejectsWith(log.append(record, base, version), "unavailable", /no answer within 10 s/);
    server.process.resume();
    // whether it was on its way already is the network's to say: the log tells, one way or the other
    const { head } = await log.lastKnownHead(vid);
    if (head?.lsn === 1) equal(await log.append(record, base, version), "landed");
    deepEqual(await log.record(vid, toLsn(2)), record);
    equal(await log.append(record, base, version), "stale");
    await until(
      "both to hear of it",
      () => Promise.resolve(heard.every(({ length }) => length > 0)),
    );
    await commit(other, vid);
    await until("both to hear of the next", () => {
      return Promise.resolve(heard.every((changes) => changes.at(-1)?.lsn === 3));
    });
    for (const changes of heard) deepEqual(changes.map(({ lsn }) => lsn), [2, 3]);
  }));

Deno.test("followers of a store that was gone hear what happened, once each and in order", () =>
  withStore(async ({ server, logs: [log, other] }) => {
    const vid = newVolume();
    const lsns: number[] = [];
    other.subscribe((changes) => {
      lsns.push(...changes.filter((change) => change.vid === vid).map(({ lsn }) => lsn));
    });
    for (let i = 0; i < 3; i++) {
      await commit(log, vid);
      await commit(log, vid);
      await server.process.kill();
      await pause(200);
      await server.process.start();
    }
    await commit(log, vid);
    await until("the last commit to be heard", () => Promise.resolve(lsns.at(-1) === 7));
    deepEqual(lsns, [1, 2, 3, 4, 5, 6, 7]);
  }));
