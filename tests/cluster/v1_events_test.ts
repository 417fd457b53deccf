// What a process tells of commits that were made through another one.

import { deepEqual, equal, notEqual, ok } from "node:assert/strict";
import type { ServerProcess } from "../harness/server.ts";
import { type Backend, BUCKET_ON_MINIO, KV_CONNECT } from "./_support/backend.ts";
import { startOn } from "./_support/cluster.ts";
import { EventReader } from "./_support/event_reader.ts";
import { V1Volume } from "./_support/v1_volume.ts";

/** Three processes that answer everything. */
type Three = readonly [ServerProcess, ServerProcess, ServerProcess];

/** One commit after the other is told, each with its graft, wherever it was made. */
async function tellEach([one, two, three]: Three): Promise<void> {
  const volume = new V1Volume();
  await using reader = await EventReader.open({ url: two.url, vids: [volume.vid] });
  const commits: [ServerProcess, number[], number][] = [
    [one, [1, 2, 90], 100],
    [three, [5], 100],
    [two, [6, 7], 100],
    // pages that are cut off have changed, too
    [one, [3], 50],
    [three, [80], 100],
  ];
  for (const [server, pageIdxs, pageCount] of commits) {
    await volume.commit(server, pageIdxs, pageCount);
    await reader.untilTold(volume.vid, volume.head);
  }
  deepEqual(reader.events.map((event) => event.type === "commit" && event.lsn), [1, 2, 3, 4, 5]);
  ok(
    volume.assertEvents(reader.events.slice(1), 1),
    "What changed does not follow from the events",
  );
}

/** Of commits that follow each other fast, the last is told, and nothing that is not true. */
async function tellMany(servers: Three): Promise<void> {
  const volume = new V1Volume();
  await volume.commit(servers[0], [1]);
  const readers = await Promise.all(
    servers.map(({ url }) => EventReader.open({ url, vids: [volume.vid] })),
  );
  await using owned = new AsyncDisposableStack();
  for (const reader of readers) owned.use(reader);
  for (let i = 0; i < 30; i++) await volume.commit(servers[i % 3], [1 + i, 2 + i * 3]);
  for (const [i, reader] of readers.entries()) {
    await reader.untilTold(volume.vid, volume.head);
    volume.assertEvents(reader.events, 0);
    // whoever was told reads, from whatever process, what it was told of
    await volume.assertChanges(servers[(i + 1) % 3], 1);
    await volume.assertReads(servers[(i + 2) % 3], volume.head);
  }
}

/** An id of one process is good at another: what came since is told, what is known is not. */
async function resumeElsewhere([one, two, three]: Three): Promise<void> {
  const [moving, quiet] = [new V1Volume(), new V1Volume()];
  const vids = [moving.vid, quiet.vid];
  await moving.commit(one, [1]);
  await quiet.commit(two, [1]);
  let lastEventId: string;
  {
    await using first = await EventReader.open({ url: two.url, vids });
    await first.untilTold(moving.vid, 1);
    await first.untilTold(quiet.vid, 1);
    await moving.commit(one, [2, 3]);
    await first.untilTold(moving.vid, 2);
    lastEventId = first.lastId!;
  }
  await moving.commit(three, [4]);
  await moving.commit(one, [5]);
  await using second = await EventReader.open({ url: three.url, vids, lastEventId });
  await second.untilTold(moving.vid, 4);
  await quiet.commit(one, [9]);
  await second.untilTold(quiet.vid, 2);
  moving.assertEvents(second.events, 2);
  quiet.assertEvents(second.events, 1);
  notEqual(second.lastId, lastEventId);
  await moving.assertChanges(three, 2);
}

/** A process dies with its readers; who goes on elsewhere misses nothing, and hears nothing again. */
async function outliveProcess(backend: Backend, [one, two]: Three): Promise<void> {
  const volume = new V1Volume();
  await volume.commit(one, [1]);
  await using doomed = await startOn(backend, []);
  await using first = await EventReader.open({ url: doomed.url, vids: [volume.vid] });
  await first.untilTold(volume.vid, 1);
  for (let i = 0; i < 5; i++) await volume.commit([one, two, doomed][i % 3], [2 + i]);
  await doomed.kill9();
  await first.untilEnd();
  const known = first.lsnOf(volume.vid);
  for (let i = 0; i < 5; i++) await volume.commit([one, two][i % 2], [20 + i]);
  const options = { url: two.url, vids: [volume.vid], lastEventId: first.lastId };
  await using second = await EventReader.open(options);
  await second.untilTold(volume.vid, 11);
  await volume.commit(one, [30]);
  await second.untilTold(volume.vid, 12);
  // resync is not among them: the id of the dead process says all
  equal(second.events.every(({ type }) => type === "commit"), true);
  volume.assertEvents([...first.events, ...second.events], 0);
  await volume.assertChanges(two, known);
}

/** An id that stands for nothing is no end: the reader is told to ask, and where each volume is. */
async function resumeWithout([one, two]: Three): Promise<void> {
  const volume = new V1Volume();
  await volume.commit(one, [1]);
  const options = { url: two.url, vids: [volume.vid], lastEventId: "00000000.1" };
  await using reader = await EventReader.open(options);
  await reader.untilTold(volume.vid, 1);
  equal(reader.events[0].type, "resync");
}

/** A deletion is told to those who follow elsewhere, and to those who come back with an old id. */
async function tellDeletion([one, two, three]: Three): Promise<void> {
  const volume = new V1Volume();
  await volume.commit(one, [1]);
  await using reader = await EventReader.open({ url: two.url, vids: [volume.vid] });
  await reader.untilTold(volume.vid, 1);
  const lastEventId = reader.lastId;
  const deleted = await fetch(`${one.url}/v1/volumes/${volume.vid}`, { method: "DELETE" });
  equal(deleted.status, 204);
  await reader.untilType("deleted");
  deepEqual(reader.events.at(-1), { type: "deleted", vid: volume.vid });
  await using late = await EventReader.open({ url: three.url, vids: [volume.vid], lastEventId });
  await late.untilType("deleted");
  deepEqual(late.events, [{ type: "deleted", vid: volume.vid }]);
}

for (const kind of [KV_CONNECT, BUCKET_ON_MINIO]) {
  Deno.test(`events over ${kind.name}`, async (t) => {
    await using backend = await kind.open();
    await using one = await startOn(backend, []);
    await using two = await startOn(backend, []);
    await using three = await startOn(backend, []);
    const servers: Three = [one, two, three];
    await t.step("each commit is told with its graft", () => tellEach(servers));
    await t.step("the newest of many commits is told", () => tellMany(servers));
    await t.step("a reader goes on at another process", () => resumeElsewhere(servers));
    await t.step("a reader outlives its process", () => outliveProcess(backend, servers));
    await t.step("a reader with an unknown id is told to ask", () => resumeWithout(servers));
    await t.step("a deletion is told everywhere", () => tellDeletion(servers));
  });
}
