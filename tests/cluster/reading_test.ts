// What a process reads that another one wrote.

import assert from "node:assert/strict";
import { WireFailure } from "../harness/wire_client.ts";
import { endpointsOf } from "../wire/_support/server.ts";
import { metric } from "../wire/_support/metrics.ts";
import { BACKENDS } from "./_support/backend.ts";
import { type Cluster, startCluster, startOn } from "./_support/cluster.ts";
import { SharedVolume } from "./_support/shared_volume.ts";

const ROUNDS = 20;
/** Too little for two indexes at once. */
const SMALL_CACHE = ["--cache-bytes", "16KiB"];

/** Every process writes in turn, and every other one reads at once what was written. */
async function readAtOnce({ metastores, pagestores }: Cluster): Promise<void> {
  const volume = new SharedVolume();
  for (let round = 0; round < ROUNDS; round++) {
    const writer = pagestores[round % pagestores.length];
    const page = 1 + round % 7;
    await volume.write(writer, metastores[round % metastores.length], [page, page + 50]);
    for (const reader of pagestores) await volume.assertReads(reader);
  }
  for (const reader of pagestores) {
    for (let lsn = 1; lsn <= volume.head; lsn++) await volume.assertReads(reader, lsn);
    await assert.rejects(volume.read(reader, volume.head + 1, [1]), isMissing);
  }
}

/** A process that starts later knows everything, and one that knew an old line goes on from there. */
async function joinLater({ backend, metastores, pagestores }: Cluster): Promise<void> {
  const volume = new SharedVolume();
  await volume.write(pagestores[0], metastores[0], [1, 2, 3]);
  await volume.assertReads(pagestores[1]);
  for (let i = 0; i < ROUNDS; i++) await volume.write(pagestores[0], metastores[0], [1 + i]);
  await volume.assertReads(pagestores[1]);
  await using late = await startOn(backend, ["--role", "pagestore"]);
  await volume.assertReads(late);
  await volume.assertReads(late, 1);
}

/** Indexes that do not fit are dropped and read again, while the line goes on elsewhere. */
async function dropIndexes({ backend, metastores, pagestores }: Cluster): Promise<void> {
  await using small = await startOn(backend, ["--role", "pagestore", ...SMALL_CACHE]);
  const volumes = Array.from({ length: 6 }, () => new SharedVolume());
  for (let round = 0; round < 4; round++) {
    for (const volume of volumes) {
      await volume.write(pagestores[0], metastores[0], [1 + round, 90]);
    }
    for (const volume of volumes) await volume.assertReads(small);
  }
  for (const volume of volumes) await volume.assertReads(small, 2);
  const loads = await metric(endpointsOf(small.url), "graft_index_loads_total");
  assert.ok(loads > volumes.length, `${loads} loads: no index was ever dropped`);
}

/** A segment whose pages were all written anew since is not missed by who reads the newest LSN. */
async function deleteOldSegment({ backend, metastores, pagestores }: Cluster): Promise<void> {
  const volume = new SharedVolume();
  const [old] = await volume.write(pagestores[0], metastores[0], [1, 2]);
  await volume.write(pagestores[0], metastores[0], [1, 2, 3]);
  await backend.s3.client(backend.bucket).deleteObject(`objects/segments/${old}`);
  const [, reader] = pagestores;
  await volume.assertReads(reader);
  await assert.rejects(volume.read(reader, 1, [1, 2]), (error) => {
    assert.ok(error instanceof WireFailure, String(error));
    assert.deepEqual([error.status, error.wireCode], [500, 100]);
    assert.match(error.message, new RegExp(old), "Damage must name its object");
    return true;
  });
  // it is one LSN's damage and nobody else's
  await volume.write(pagestores[0], metastores[1], [2]);
  await volume.assertReads(reader);
}

function isMissing(error: unknown): boolean {
  return error instanceof WireFailure && error.status === 404 && error.wireCode === 2;
}

for (const kind of BACKENDS) {
  Deno.test(`over ${kind.name}`, async (t) => {
    await using cluster = await startCluster(kind);
    await t.step("each process reads at once what another wrote", () => readAtOnce(cluster));
    await t.step("a process that starts later reads everything", () => joinLater(cluster));
    await t.step("an index that was dropped is read again", () => dropIndexes(cluster));
    await t.step("a segment that the line left is not missed", () => deleteOldSegment(cluster));
  });
}
