// Whole transactions through one process, and what every other one answers from then on.

import { deepEqual, equal } from "node:assert/strict";
import type { ServerProcess } from "../harness/server.ts";
import { BACKENDS } from "./_support/backend.ts";
import { startOn } from "./_support/cluster.ts";
import { V1Volume } from "./_support/v1_volume.ts";

const ROUNDS = 12;

/** No process may answer from what it knew before: neither pages, nor what changed. */
async function readAtOnce(servers: readonly ServerProcess[]): Promise<void> {
  const volume = new V1Volume();
  for (let round = 0; round < ROUNDS; round++) {
    const writer = servers[round % servers.length];
    // every third commit cuts pages off, and the next one brings the page count back
    await volume.commit(writer, [1 + round % 7, 40 + round % 5], round % 3 === 2 ? 50 : 100);
    for (const server of servers) {
      await volume.assertReads(server);
      await volume.assertChanges(server, 0);
      await volume.assertChanges(server, volume.head - 1);
    }
  }
  for (let lsn = 1; lsn <= volume.head; lsn++) await volume.assertReads(servers[1], lsn);
}

/** The same bytes once more are the same commit, at whatever process. */
async function repeatElsewhere(servers: readonly ServerProcess[]): Promise<void> {
  const volume = new V1Volume();
  await volume.commit(servers[0], [1]);
  const commit = volume.encode([2, 3]);
  const snapshot = await volume.send(servers[0], commit);
  volume.landed(commit, snapshot);
  deepEqual(await volume.send(servers[1], commit), snapshot);
  // and it still is when others have landed since
  await volume.commit(servers[1], [4]);
  for (const server of servers) deepEqual(await volume.send(server, commit), snapshot);
  for (const server of servers) await volume.assertReads(server);
}

/** Of two commits on one base, at two processes at once, one lands. */
async function raceForBase(servers: readonly ServerProcess[]): Promise<void> {
  const volume = new V1Volume();
  await volume.commit(servers[0], [1]);
  for (let round = 0; round < ROUNDS; round++) {
    const commits = servers.map((_, i) => volume.encode([2 + i]));
    const answers = await Promise.all(
      commits.map(({ body }, i) => volume.post(servers[i].url, body)),
    );
    const statuses = answers.map(({ status }) => status);
    deepEqual(statuses.toSorted(), [200, ...servers.slice(1).map(() => 409)], `round ${round}`);
    for (const answer of answers) await answer.body?.cancel();
    const winner = statuses.indexOf(200);
    // the repeat tells what it made
    volume.landed(commits[winner], await volume.send(servers[winner], commits[winner]));
  }
  for (const server of servers) await volume.assertReads(server);
  equal(volume.head, ROUNDS + 1);
}

for (const kind of BACKENDS) {
  Deno.test(`v1 over ${kind.name}`, async (t) => {
    await using backend = await kind.open();
    await using one = await startOn(backend, []);
    await using two = await startOn(backend, []);
    const servers = [one, two];
    await t.step("each process answers at once what another took", () => readAtOnce(servers));
    await t.step("a commit is repeated at another process", () => repeatElsewhere(servers));
    await t.step("one of two commits on one base lands", () => raceForBase(servers));
  });
}
