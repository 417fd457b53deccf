// Events: who hears what, when, and who goes on where.

import assert from "node:assert/strict";
import { encrypt } from "paseto-ts/v4";
import { metric } from "./_support/metrics.ts";
import { bounded, openServer, serverOfFile } from "./_support/server.ts";
import { members, range } from "./_support/splinter.ts";
import { EventReader } from "./_support/event_reader.ts";
import { V1Volume } from "./_support/v1.ts";
import { TestVolume } from "./_support/volume.ts";

const KEY = "11".repeat(32);
const server = serverOfFile();
const newVolume = () => new V1Volume(server.to);

const follow = (volumes: readonly V1Volume[], lastEventId?: string) =>
  EventReader.open(server.to, volumes.map(({ vid }) => vid), { lastEventId });

const pagesOf = (graft: unknown) =>
  members(Uint8Array.fromBase64(String(graft), { alphabet: "base64url" }));

bounded("whoever follows a volume hears of each commit, with its pages", async () => {
  const volume = newVolume();
  await using reader = await follow([volume]);
  const first = await volume.commit({ pages: { 1: "a", 9: "a" } });
  const event = await reader.next();
  assert.equal(event.type, "commit");
  const { checkpointLsn: _, ...head } = first;
  const { graft, ...rest } = event.data;
  assert.deepEqual(rest, { ...head, since: 0 });
  assert.deepEqual(pagesOf(graft), [1, 9]);
  await volume.commit({ base: 1, pages: { 2: "b" }, pageCount: 7 });
  const second = await reader.next();
  assert.deepEqual([second.data.lsn, second.data.since], [2, 1]);
  assert.deepEqual(pagesOf(second.data.graft), [2, 8, 9]);
});

bounded("commits of the v0.1 protocol are heard of too", async () => {
  const volume = newVolume();
  await using reader = await follow([volume]);
  await new TestVolume(server.to, volume.vidBytes).push(undefined, { 3: "old" });
  const event = await reader.next();
  assert.deepEqual([event.data.lsn, pagesOf(event.data.graft)[0]], [1, 3]);
});

bounded("a new reader is told where each volume is", async () => {
  const [a, b, empty] = [newVolume(), newVolume(), newVolume()];
  await a.commit({ pages: { 1: "a" } });
  await b.commit({});
  const { digest } = await b.commit({ base: 1 });
  await using reader = await follow([a, b, empty]);
  const heads = [await reader.next(), await reader.next()];
  const lsns = Object.fromEntries(heads.map(({ data }) => [data.vid, data.lsn]));
  assert.deepEqual(lsns, { [a.vid]: 1, [b.vid]: 2 });
  const ofB = heads.find(({ data }) => data.vid === b.vid);
  assert.deepEqual([ofB?.data.digest, ofB?.data.since, ofB?.data.graft], [digest, null, null]);
  await empty.commit({});
  assert.equal((await reader.next()).data.vid, empty.vid);
});

bounded("a reader that comes back hears once of each volume that went on", async () => {
  const [moved, still] = [newVolume(), newVolume()];
  for (const volume of [moved, still]) await volume.commit({});
  let id: string | undefined;
  {
    await using reader = await follow([still, moved]);
    await reader.next();
    id = (await reader.next()).id;
  }
  for (const base of [1, 2, 3]) await moved.commit({ base });
  // in whatever order the volumes are named
  await using again = await follow([moved, still], id);
  const event = await again.next();
  assert.deepEqual([event.data.vid, event.data.lsn], [moved.vid, 4]);
  await still.commit({ base: 1 });
  assert.equal((await again.next()).data.vid, still.vid);
});

bounded("a reader goes on at another server, which has another memory", async () => {
  const data = await Deno.makeTempDir();
  let id: string | undefined;
  let vid: Uint8Array<ArrayBuffer>;
  {
    await using first = await openServer({ log: undefined, objects: undefined, data });
    const volume = new V1Volume(first.to);
    vid = volume.vidBytes;
    await volume.commit({});
    await using reader = await EventReader.open(first.to, [volume.vid]);
    id = (await reader.next()).id;
    await volume.commit({ base: 1 });
  }
  await using second = await openServer({ log: undefined, objects: undefined, data });
  const volume = new V1Volume(second.to, vid);
  await using reader = await EventReader.open(second.to, [volume.vid], { lastEventId: id });
  assert.equal((await reader.next()).data.lsn, 2);
});

bounded("an id that says nothing to the server is answered with resync", async () => {
  const volume = newVolume();
  await volume.commit({});
  for (const id of ["x", "", "00000000.1", "a.b.c"]) {
    await using reader = await follow([volume], id);
    assert.equal((await reader.next()).type, "resync");
    assert.equal((await reader.next()).data.lsn, 1);
  }
  // the id of a longer line: this one is not what it was
  await using reader = await follow([volume]);
  const { id } = await reader.next();
  await using ahead = await follow([volume], id?.replace(/\.1$/, ".9"));
  assert.equal((await ahead.next()).type, "resync");
});

bounded("a deleted volume is told of, also to whoever comes later", async () => {
  const volume = newVolume();
  await volume.commit({});
  await using reader = await follow([volume]);
  await reader.next();
  const removed = await fetch(volume.url, { method: "DELETE" });
  assert.equal(removed.status, 204);
  for (const listener of [reader, await follow([volume])]) {
    const { type, data } = await listener.next();
    assert.deepEqual([type, data], ["deleted", { vid: volume.vid }]);
    await listener[Symbol.asyncDispose]();
  }
});

bounded("a large graft is left out", async () => {
  const volume = newVolume();
  await using reader = await follow([volume]);
  const pages = Object.fromEntries(range(1, 1000).map((i) => [i * 300, "x"]));
  await volume.commit({ pages });
  const { data } = await reader.next();
  assert.deepEqual([data.lsn, data.since, data.graft], [1, null, null]);
});

bounded("a thousand readers of one volume hear of a commit", async () => {
  const volume = newVolume();
  await volume.commit({});
  const readers = await Promise.all(range(1, 1000).map(() => follow([volume])));
  try {
    await Promise.all(readers.map((reader) => reader.next()));
    await volume.commit({ base: 1, pages: { 1: "x" } });
    const heard = await Promise.all(readers.map((reader) => reader.next()));
    assert.ok(heard.every(({ data }) => data.lsn === 2));
    assert.equal(await metric(server.to, "graft_event_volumes"), 1);
  } finally {
    await Promise.all(readers.map((reader) => reader[Symbol.asyncDispose]()));
  }
});

bounded("who goes is forgotten", async () => {
  await using own = await openServer();
  const volume = new V1Volume(own.to);
  const readers = await Promise.all(
    range(1, 5).map(() => EventReader.open(own.to, [volume.vid])),
  );
  assert.equal(await metric(own.to, "graft_event_streams"), 5);
  for (const reader of readers) await reader[Symbol.asyncDispose]();
  // the server learns of it when it next writes to them
  for (let base = 0; await metric(own.to, "graft_event_streams") > 0; base++) {
    await volume.commit({ base: base === 0 ? undefined : base });
  }
  assert.equal(await metric(own.to, "graft_event_volumes"), 0);
});

bounded("events end when the server stops", async () => {
  const own = await openServer();
  const volume = new V1Volume(own.to);
  await volume.commit({});
  await using reader = await EventReader.open(own.to, [volume.vid]);
  await reader.next();
  await own[Symbol.asyncDispose]();
  assert.equal(await reader.tryNext(), undefined);
});

bounded("volumes that cannot be followed are refused", async () => {
  const ask = async (query: string) => {
    const response = await fetch(`${server.to.metastore}/v1/events${query}`);
    await response.body?.cancel();
    return response.status;
  };
  const { vid } = newVolume();
  assert.equal(await ask(""), 400);
  assert.equal(await ask("?volumes="), 400);
  assert.equal(await ask("?volumes=x"), 400);
  assert.equal(await ask(`?volumes=${vid},x`), 400);
  assert.equal(await ask(`?volumes=${Array(1001).fill(vid)}`), 400);
  const head = await fetch(`${server.to.metastore}/v1/events?volumes=${vid}`, { method: "HEAD" });
  assert.deepEqual([head.status, await metric(server.to, "graft_event_streams")], [200, 0]);
});

bounded("every route of v1 needs a token that allows it", async () => {
  await using own = await openServer({ authKeys: [KEY] });
  const bytes = Uint8Array.fromHex(KEY).toBase64({ alphabet: "base64url", omitPadding: true });
  const options = { addIat: false, addExp: false, validatePayload: false } as const;
  const bearer = (claims: Record<string, unknown>) => ({
    authorization: `Bearer ${encrypt(`k4.local.${bytes}`, JSON.stringify(claims), options)}`,
  });
  const mine = new V1Volume(own.to, undefined, bearer({}));
  const other = new V1Volume(own.to);
  await mine.commit({ pages: { 1: "a" } });
  const base = own.to.metastore;
  const body = await new V1Volume(own.to, mine.vidBytes).body({ base: 7 });
  const commit = (headers: Record<string, string>): RequestInit => ({
    method: "POST",
    body,
    headers: { "content-type": "application/vnd.graft.commit", ...headers },
  });
  const routes: [
    string,
    string,
    string,
    (headers: Record<string, string>) => RequestInit,
    number,
  ][] = [
    ["changes", "read", `${mine.url}/changes`, (headers) => ({ headers }), 200],
    ["pages", "read", `${mine.url}/pages/1?lsn=1`, (headers) => ({ headers }), 200],
    ["events", "read", `${base}/v1/events?volumes=${mine.vid}`, (headers) => ({ headers }), 200],
    ["commits", "write", `${mine.url}/commits`, commit, 409],
    ["delete", "admin", mine.url, (headers) => ({ method: "DELETE", headers }), 204],
  ];
  for (const [name, verb, url, init, status] of routes) {
    const ask = async (headers: Record<string, string>) => {
      const response = await fetch(url, init(headers));
      await response.body?.cancel();
      return response.status;
    };
    const others = ["read", "write", "fork", "admin"].filter((can) => can !== verb);
    assert.equal(await ask({}), 401, name);
    assert.equal(await ask(bearer({ can: others })), 403, name);
    assert.equal(await ask(bearer({ volumes: [other.vid] })), 403, name);
    assert.equal(await ask(bearer({ can: [verb], volumes: [mine.vid] })), status, name);
  }
  const both = `${base}/v1/events?volumes=${mine.vid},${other.vid}`;
  const partly = await fetch(both, { headers: bearer({ volumes: [mine.vid] }) });
  await partly.body?.cancel();
  // the other one is told of as forbidden
  assert.equal(partly.status, 200);
  const described = await fetch(`${base}/v1/openapi.json`);
  await described.body?.cancel();
  assert.equal(described.status, 200);
});
