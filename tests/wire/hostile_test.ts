// Requests made to hurt: each is a 400, and costs the server nothing.

import assert from "node:assert/strict";
import { call, refused } from "./_support/calls.ts";
import { GOOD, IDS } from "./_support/good_requests.ts";
import { memoryBytes } from "./_support/memory.ts";
import { commitRequest, pageField, PATH, readRequest, segmentInfo } from "./_support/messages.ts";
import { type Bytes, bytes, join, lengthPrefix, uint, varint } from "./_support/protobuf.ts";
import { bounded, processOfFile } from "./_support/server.ts";
import { Socket } from "./_support/socket.ts";
import { range, splinter } from "./_support/splinter.ts";
import { TestVolume } from "./_support/volume.ts";

const server = processOfFile(["--objects", "memory:", "--log", "memory:"]);

const { vid, cid, sid, one } = IDS;

/** [path, body, what the message names] */
type Case = readonly [string, Bytes, RegExp];

async function refuseAll(cases: Iterable<Case>): Promise<void> {
  for (const [path, body, message] of cases) {
    refused(await call(server.to, path, body), "invalid", message);
  }
}

const each = (make: (path: string, good: Bytes) => Case): Case[] =>
  Object.entries(GOOD).map(([path, good]) => make(path, good));

bounded("a huge length prefix is refused without waiting for its bytes", async () => {
  const lengths = [2 ** 20, 2 ** 31 - 1, 2 ** 31, 2 ** 32, 2n ** 53n, 2n ** 60n, 2n ** 64n - 1n];
  for (const length of lengths) {
    for (const path of Object.keys(GOOD)) {
      for (const field of [1, 2, 3, 5, 300]) {
        const body = join(bytes(1, vid), lengthPrefix(field, length), new Uint8Array(10));
        refused(await call(server.to, path, body), "invalid");
      }
    }
    const inner = bytes(2, join(uint(1, 1), lengthPrefix(2, length), new Uint8Array(10)));
    await refuseAll([[PATH.writePages, join(bytes(1, vid), inner), /pages\[0\]|cut|ends|beyond/]]);
  }
});

bounded("varints that do not end are refused", async () => {
  const endless = new Uint8Array(20).fill(255);
  await refuseAll([
    ...each((path): Case => [path, endless, /./]),
    ...each((path): Case => [path, join(bytes(1, vid), endless), /./]),
    [PATH.readPages, join(bytes(1, vid), varint(2 << 3), endless), /./],
    [PATH.writePages, join(bytes(1, vid), bytes(2, join(varint(1 << 3), endless))), /./],
    // field numbers run from 1
    ...each((path): Case => [path, join(varint(0), varint(1)), /./]),
  ]);
});

bounded(
  "hostile page sets are refused where they are read and where they are committed",
  async () => {
    const hostile: Record<string, Bytes> = {
      "no bytes": new Uint8Array(0),
      "no magic": one.slice(4),
      "another magic": join(new Uint8Array([1, 2, 3, 4]), one.slice(4)),
      "cut at its start": join(one.slice(0, 4), one.slice(5)),
      "cut at its end": one.slice(0, -1),
      "more keys than there are": withBytes(one, one.length - 4, 200),
      "65535 keys": withBytes(withBytes(one, one.length - 4, 255), one.length - 3, 255),
      "an offset outside": withBytes(one, one.length - 8, 255, 255, 255, 127),
      "a wrong cardinality": withBytes(one, one.length - 9, 255),
      "unsorted keys": withBytes(splinter([1, 2]), 4, 2, 1),
      "a key twice": withBytes(splinter([1, 2]), 4, 1, 1),
      "bytes before its level": join(one.slice(0, 4), new Uint8Array(64), one.slice(4)),
    };
    for (const [name, graft] of Object.entries(hostile)) {
      const commit = commitRequest({ vid, cid, pageCount: 9, segments: [{ sid, graft }] });
      for (
        const [path, body] of [[PATH.readPages, readRequest(vid, 1, graft)], [PATH.commit, commit]]
      ) {
        const answer = await call(server.to, path as string, body as Bytes);
        const message = refused(answer, "invalid");
        assert.match(message, /graft|page set/, name);
      }
    }
  },
);

bounded("a page set that claims billions of pages is answered at once", async () => {
  const volume = new TestVolume(server.to);
  await volume.push(undefined, { 1: "one" });
  // 256 full blocks below 256 keys below 256 keys below 256 keys: every number there is, in few bytes
  const all = everyNumber();
  refused(await call(server.to, PATH.readPages, readRequest(volume.vid, 1, all)), "invalid");
  const [{ sid }] = await volume.write({ 2: "two" });
  const commit = join(
    volume.commitRequest({ base: 1, pageCount: 2 ** 28 }),
    bytes(5, segmentInfo({ sid, graft: all })),
  );
  refused(await call(server.to, PATH.commit, commit), "invalid");
});

bounded("thousands of malformed requests leave memory flat and the server at work", async () => {
  const volume = new TestVolume(server.to);
  const prefix = lengthPrefix(2, 2 ** 31);
  const sets = [readRequest(vid, 1, everyNumber()), readRequest(vid, 1, one.slice(0, -1))];
  const bodies: [string, Bytes][] = [
    [PATH.writePages, join(bytes(1, vid), prefix)],
    [PATH.writePages, join(bytes(1, vid), lengthPrefix(2, 2n ** 60n))],
    [PATH.writePages, join(bytes(1, vid), pageField(1, new Uint8Array(4095)))],
    [PATH.readPages, sets[0]],
    [PATH.readPages, sets[1]],
    [PATH.commit, join(GOOD[PATH.commit], lengthPrefix(5, 2 ** 31))],
    [PATH.snapshot, lengthPrefix(1, 2n ** 60n)],
  ];
  const round = async (requests: number) => {
    for (let sent = 0; sent < requests; sent += 50) {
      await Promise.all(
        range(1, 50).map(async (i) => {
          const [path, body] = bodies[(sent + i) % bodies.length];
          refused(await call(server.to, path, body), "invalid");
        }),
      );
    }
  };
  // the first thousands warm the compiler and the pools up
  await round(3000);
  const before = await memoryBytes(server.process.pid, "VmRSS");
  await round(6000);
  const grown = await memoryBytes(server.process.pid, "VmRSS") - before;
  assert.ok(grown < 48 * 2 ** 20, `resident memory grew by ${Math.round(grown / 2 ** 20)} MiB`);
  await volume.push(undefined, { 1: "still there" });
  assert.deepEqual(await volume.read(1, [1]), { 1: "still there" });
}, 120_000);

bounded("bodies that claim 1 GiB and send nothing take no memory", async () => {
  const before = await memoryBytes(server.process.pid, "VmRSS");
  for (let round = 0; round < 20; round++) {
    const sockets = await Promise.all(range(1, 50).map(() => Socket.open(server.to)));
    const path = round % 2 === 0 ? PATH.writePages : PATH.commit;
    await Promise.all(
      sockets.map((socket) => socket.sendHead(path, { "content-length": 2 ** 30 })),
    );
    sockets.forEach((socket) => socket[Symbol.dispose]());
  }
  const grown = await memoryBytes(server.process.pid, "VmRSS") - before;
  // what a thousand requests leave to the garbage collector; a slab each would be 1,000 MiB
  assert.ok(grown < 192 * 2 ** 20, `resident memory grew by ${Math.round(grown / 2 ** 20)} MiB`);
  const volume = new TestVolume(server.to);
  await until(async () => (await volume.tryWrite({ 1: "one" })).status === 200);
  await volume.push(undefined, { 1: "still there" });
});

/** A copy with other bytes from a position on. */
function withBytes(original: Bytes, at: number, ...replacement: number[]): Bytes {
  const changed = original.slice();
  changed.set(replacement, at);
  return changed;
}

/** 65,536 full blocks below one key: the numbers 0 to 2^24 - 1. */
function everyNumber(): Bytes {
  const zeros = (length: number) => new Uint8Array(length);
  const full = zeros(256).fill(255);
  // level 3 has 256 full blocks, so no value bytes and no key bytes, cardinalities 255, offsets 0
  const level3 = join(full, zeros(512));
  const offsets = new Uint8Array(new Uint32Array(range(1, 256).map((i) => (256 - i) * 768)).buffer);
  const level2 = join(...range(1, 256).map(() => level3), full, offsets);
  const level1 = join(level2, zeros(1), new Uint8Array([255]), zeros(4));
  return join(new Uint8Array([0xda, 0xae, 0x12, 0xdf]), level1, new Uint8Array([1, 0, 0, 0]));
}

async function until(happens: () => Promise<boolean>): Promise<void> {
  while (!await happens()) await new Promise((resolve) => setTimeout(resolve, 20));
}
