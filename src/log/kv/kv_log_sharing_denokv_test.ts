// Three processes' logs over one store on the network.

import { deepEqual, equal } from "node:assert/strict";
import { until } from "../../../tests/harness/poll.ts";
import { DenoKvServer } from "../../../tests/harness/programs/denokv.ts";
import type { VolumeId } from "../../core/gid.ts";
import { send } from "../_log_io.ts";
import { commit, newVolume, recordAfter, recordsOf, tryCommit } from "../_testing.ts";
import type { LogChange } from "../commit_log.ts";
import { connectTo, openShared } from "./_testing.ts";
import type { KvLog } from "./kv_log.ts";

let server: DenoKvServer;

Deno.test.beforeAll(async () => {
  server = await DenoKvServer.start();
});
Deno.test.afterAll(() => server[Symbol.asyncDispose]());

async function withLogs(check: (logs: KvLog[]) => Promise<void>): Promise<void> {
  const logs = await Promise.all([0, 1, 2].map(() => openShared(connectTo(server))));
  try {
    await check(logs);
  } finally {
    await Promise.all(logs.map((log) => log.close()));
  }
}

/** What a log's subscriber hears of some volumes. */
function following(log: KvLog, vids: readonly VolumeId[]): LogChange[] {
  const heard: LogChange[] = [];
  log.subscribe((changes) => heard.push(...changes.filter(({ vid }) => vids.includes(vid))));
  return heard;
}

function isTrue(look: () => boolean): () => Promise<boolean> {
  return () => Promise.resolve(look());
}

Deno.test("what one commits and deletes, all others hear in order, once", () =>
  withLogs(async (logs) => {
    const vids = [newVolume(), newVolume()];
    const heard = logs.map((log) => following(log, vids));
    for (let i = 0; i < 6; i++) for (const vid of vids) await commit(logs[i % 3], vid);
    await logs[0].tombstone(vids[1], await logs[0].head(vids[1]));
    const isHeard = (changes: LogChange[]) =>
      changes.some(({ deleted }) => deleted) &&
      changes.some(({ vid, lsn }) => vid === vids[0] && lsn === 6);
    await until("the last changes to be heard", isTrue(() => heard.every(isHeard)));
    for (const changes of heard) {
      for (const vid of vids) {
        const those = changes.filter((change) => change.vid === vid);
        equal(those.filter(({ record }) => record !== undefined).length, 2);
        // one that the log's own next change has passed may be left out
        const told = those.map(({ lsn, deleted }) => deleted ? `${lsn}, deleted` : `${lsn}`);
        deepEqual(told, [...new Set(told)].toSorted());
        equal(told.at(-1), vid === vids[0] ? "6" : "6, deleted");
      }
    }
  }));

Deno.test("a log without writes of its own hears every commit", () =>
  withLogs(async ([a, b, reader]) => {
    const vid = newVolume();
    const heard = following(reader, [vid]);
    await Promise.all([a, b].map(async (log) => {
      for (let landed = 0; landed < 20;) {
        if ((await tryCommit(log, vid)).outcome === "landed") landed++;
      }
    }));
    await until("the last commit to be heard", isTrue(() => heard.at(-1)?.lsn === 40));
    deepEqual(heard.map(({ lsn }) => lsn), Array.from({ length: 40 }, (_, i) => i + 1));
    deepEqual(new Set(heard.map(({ record }) => record)), new Set([undefined]));
  }));

Deno.test("batches of several processes that meet sort out who lost, volume by volume", () =>
  withLogs(async (logs) => {
    const vids = Array.from({ length: 60 }, newVolume);
    const bases = await Promise.all(vids.map((vid) => logs[0].head(vid)));
    const version = await logs[0].collectionVersion();
    const outcomes = await Promise.all(
      logs.map((log) =>
        Promise.all(vids.map((vid, i) => log.append(recordAfter(vid, bases[i]), bases[i], version)))
      ),
    );
    for (const [i, vid] of vids.entries()) {
      const those = outcomes.map((each) => each[i]);
      deepEqual(those.toSorted(), ["landed", "stale", "stale"]);
      equal((await recordsOf(logs[1], vid, 1, 9)).length, 1);
    }
  }));

Deno.test("a small commit is one round trip", async () => {
  const calls: string[] = [];
  const log = await openShared(connectTo(server, {
    send: (url, init) => {
      calls.push(new URL(url).pathname);
      return send(url, init);
    },
  }));
  const vid = newVolume();
  await commit(log, vid);
  calls.length = 0;
  for (let i = 0; i < 3; i++) {
    const base = await log.lastKnownHead(vid);
    await log.append(recordAfter(vid, base), base, await log.collectionVersion());
  }
  deepEqual(calls, ["/v2/atomic_write", "/v2/atomic_write", "/v2/atomic_write"]);
  await log.close();
});
