// Replicas whose requests go to one process after the other, while processes come and go.

import { deepEqual, equal, ok } from "node:assert/strict";
import { openReplica, type Replica } from "../../client/mod.ts";
import type { VolumeId } from "../../src/core/gid.ts";
import { until } from "../harness/poll.ts";
import type { ServerProcess } from "../harness/server.ts";
import { BUCKET_ON_MINIO, KV_CONNECT } from "./_support/backend.ts";
import { startOn } from "./_support/cluster.ts";

const ADDRESS = "http://cluster.test";
const ROUNDS = 5;

/** Gives each request to the next process. */
class Rotation {
  readonly servers: ServerProcess[];
  readonly asked = new Set<string>();
  #next = 0;

  constructor(servers: readonly ServerProcess[]) {
    this.servers = [...servers];
  }

  readonly fetch = (url: string, init: RequestInit): Promise<Response> => {
    const { url: chosen } = this.servers[this.#next++ % this.servers.length];
    this.asked.add(`${chosen} ${new URL(url).pathname.split("/").at(-1)}`);
    return fetch(url.replace(ADDRESS, chosen), init);
  };

  open(vid?: VolumeId): Promise<Replica> {
    return openReplica(ADDRESS, vid, { fetch: this.fetch });
  }
}

const page = (fill: number) => new Uint8Array(4096).fill(fill);

/** The first byte of each page. */
async function show(replica: Replica): Promise<number[]> {
  using snapshot = replica.snapshot();
  const bytes: number[] = [];
  for (let i = 1; i <= snapshot.pageCount; i++) bytes.push((await snapshot.read(i))[0]);
  return bytes;
}

/** Waits until a replica knows an LSN, by being told of it. */
async function untilAt(replica: Replica, lsn: number | undefined): Promise<void> {
  ok(lsn !== undefined, "Nothing was pushed");
  const isThere = () => Promise.resolve((replica.status().lsn ?? 0) >= lsn);
  await until(`LSN ${lsn} at the other replica`, isThere, { everyMs: 10 });
}

/** Both write in turns, each on what it was told of the other's. */
async function takeTurns(replicas: readonly [Replica, Replica], from: number): Promise<void> {
  for (let round = from; round < from + ROUNDS; round++) {
    const [writer, reader] = round % 2 === 0 ? replicas : replicas.toReversed();
    const before = await show(writer);
    await writer.transaction((tx) => tx.write(1 + round % 3, page(round + 1)));
    await writer.sync();
    await untilAt(reader, writer.status().lsn);
    const expected = [...before];
    expected[round % 3] = round + 1;
    deepEqual(await show(reader), expected.slice(0, Math.max(before.length, 1 + round % 3)));
    equal(reader.status().state, "synced");
  }
}

for (const kind of [KV_CONNECT, BUCKET_ON_MINIO]) {
  Deno.test(`replicas that move between processes over ${kind.name}`, async (t) => {
    await using backend = await kind.open();
    await using one = await startOn(backend, []);
    await using two = await startOn(backend, []);
    const rotation = new Rotation([one, two]);
    const first = await rotation.open();
    const second = await rotation.open(first.vid);
    const replicas = [first, second] as const;
    try {
      await t.step("they write in turns", () => takeTurns(replicas, 0));
      await t.step("they go on when a process dies", async () => {
        await one.kill9();
        rotation.servers.splice(0, 1);
        await takeTurns(replicas, ROUNDS);
      });
      await t.step("they go on at a process that was not there before", async () => {
        await using three = await startOn(backend, []);
        rotation.servers.splice(0, 1, three);
        await two.kill9();
        await takeTurns(replicas, 2 * ROUNDS);
        const late = await rotation.open(first.vid);
        deepEqual(await show(late), await show(first));
        await late.close();
      });
      const events = [...rotation.asked].filter((asked) => asked.endsWith(" events"));
      ok(events.length > 1, `Events came from one process only: ${events}`);
    } finally {
      for (const replica of replicas) await replica.close();
    }
  });
}
