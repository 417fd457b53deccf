// Clients that disappear: the server goes on, and takes back what it had set aside for them.

import assert from "node:assert/strict";
import { until } from "../harness/poll.ts";
import { ingestBytes } from "./_support/metrics.ts";
import { newId, page, PATH, readRequest, writeRequest } from "./_support/messages.ts";
import { type Bytes, join } from "./_support/protobuf.ts";
import { bounded, processOfFile } from "./_support/server.ts";
import { Socket } from "./_support/socket.ts";
import { range, splinter } from "./_support/splinter.ts";
import { TestVolume } from "./_support/volume.ts";

const server = processOfFile(["--objects", "memory:", "--log", "memory:"]);
const CLIENTS = 300;
const AT_ONCE = 5;
const MIB = 2 ** 20;

/** Asserts that the server lets go of everything and does its work. */
async function assertRecovered(): Promise<void> {
  await until("the memory of bodies is free again", async () => await ingestBytes(server.to) === 0);
  const volume = new TestVolume(server.to);
  await volume.push(undefined, { 1: "still there" });
  assert.deepEqual(await volume.read(1, [1]), { 1: "still there" });
  // and a large one, which needs a whole part of the memory
  const pages = Object.fromEntries(range(1, 5000).map((idx) => [idx, `${idx}`]));
  assert.equal((await volume.push(1, pages, 5000)).lsn, 2);
}

/** Lets clients connect, do as told, and hang up, a few at a time. */
async function manyHangUp(act: (socket: Socket, client: number) => Promise<void>): Promise<void> {
  for (let client = 0; client < CLIENTS; client += AT_ONCE) {
    await Promise.all(
      range(client, client + AT_ONCE - 1).map(async (number) => {
        using socket = await Socket.open(server.to);
        await act(socket, number);
      }),
    );
  }
}

function largeWrite(): Bytes {
  return writeRequest(newId("volume"), range(1, 600).map((idx) => [idx, page(`${idx}`)]));
}

bounded("clients that hang up in the middle of a body with a length", async () => {
  const body = largeWrite();
  await manyHangUp(async (socket, client) => {
    await socket.sendHead(PATH.writePages, { "content-length": 64 * MIB });
    await socket.send(body.subarray(0, client * 8000 % body.length));
  });
  await assertRecovered();
}, 120_000);

bounded("clients that hang up in the middle of a chunked body", async () => {
  const body = largeWrite();
  await manyHangUp(async (socket, client) => {
    await socket.sendHead(PATH.writePages, { "transfer-encoding": "chunked" });
    await socket.sendChunk(body.subarray(0, 1 + client * 8000 % body.length));
  });
  await assertRecovered();
}, 120_000);

bounded("clients that hang up within a body of several parts", async () => {
  const pages = range(1, 5000).map((idx) => [idx, page(`${idx}`)] as const);
  const body = writeRequest(newId("volume"), pages);
  for (let client = 0; client < 10; client++) {
    using socket = await Socket.open(server.to);
    await socket.sendHead(PATH.writePages, { "content-length": 64 * MIB });
    // one part is on its way to the store when the client goes
    await socket.send(body);
  }
  await assertRecovered();
}, 120_000);

bounded("clients that hang up before or within other requests", async () => {
  await manyHangUp(async (socket, client) => {
    if (client % 3 === 0) return;
    await socket.sendHead(PATH.commit, { "content-length": 100_000 });
    if (client % 3 === 2) await socket.send(new Uint8Array(50_000));
  });
  await assertRecovered();
}, 120_000);

bounded("clients that send a whole request and do not wait for the answer", async () => {
  const volume = new TestVolume(server.to);
  const pages = Object.fromEntries(range(1, 1024).map((idx) => [idx, `${idx}`]));
  await volume.push(undefined, pages, 1024);
  const reading = readRequest(volume.vid, 1, splinter(range(1, 1024)));
  const writing = writeRequest(volume.vid, [[1, page("one")]]);
  await manyHangUp(async (socket, client) => {
    const [path, body] = client % 2 === 0 ? [PATH.readPages, reading] : [PATH.writePages, writing];
    await socket.sendHead(path, { "content-length": body.length });
    await socket.send(body);
  });
  await assertRecovered();
}, 120_000);

bounded("clients that hang up in the middle of an answer", async () => {
  const volume = new TestVolume(server.to);
  const pages = Object.fromEntries(range(1, 1024).map((idx) => [idx, `${idx}`]));
  await volume.push(undefined, pages, 1024);
  const request = readRequest(volume.vid, 1, splinter(range(1, 1024)));
  await manyHangUp(async (socket) => {
    await socket.sendHead(PATH.readPages, { "content-length": request.length });
    await socket.send(request);
    // four MiB do not fit the buffers in between
    await socket.firstBytes();
  });
  assert.deepEqual(await volume.read(1, range(1, 1024)), pages);
  await assertRecovered();
}, 120_000);

bounded("bytes that are no HTTP", async () => {
  await manyHangUp(async (socket, client) => {
    const noise = crypto.getRandomValues(new Uint8Array(100 + client));
    await socket.send(join(noise, new TextEncoder().encode("\r\n\r\n")));
  });
  await assertRecovered();
}, 120_000);
