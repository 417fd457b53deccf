// Closing: what was accepted is answered, and nobody can hold the server back.

import assert from "node:assert/strict";
import { until } from "../harness/poll.ts";
import { systemTimers, type Timers } from "../../src/core/timers.ts";
import { newId, page, PATH, readWriteResponse, writeRequest } from "./_support/messages.ts";
import { ingestBytes } from "./_support/metrics.ts";
import { bounded, openServer } from "./_support/server.ts";
import { Socket } from "./_support/socket.ts";
import { range } from "./_support/splinter.ts";
import { TestVolume } from "./_support/volume.ts";

const body = writeRequest(newId("volume"), range(1, 50).map((idx) => [idx, page(`${idx}`)]));

/** Limits of half a minute pass in moments. */
const hasty: Timers = {
  ...systemTimers,
  after: (delayMs, callback) => systemTimers.after(delayMs / 50, callback),
};

bounded("a server that closes finishes the bodies under way", async () => {
  const server = await openServer();
  using socket = await Socket.open(server.to);
  await socket.sendHead(PATH.writePages, { "content-length": body.length });
  await socket.send(body.subarray(0, 1000));
  await until("the body is waited for", async () => await ingestBytes(server.to) > 0);
  const closing = server[Symbol.asyncDispose]();
  await socket.send(body.subarray(1000));
  const answer = await socket.answer();
  assert.equal(answer?.status, 200);
  assert.equal(readWriteResponse(answer.body).length, 1);
  socket.hangUp();
  await closing;
});

bounded("a server closes although a client is stuck in its body", async () => {
  const server = await openServer({ timers: hasty });
  using socket = await Socket.open(server.to);
  await socket.sendHead(PATH.writePages, { "content-length": body.length });
  await socket.send(body.subarray(0, 1000));
  await until("the body is waited for", async () => await ingestBytes(server.to) > 0);
  await server[Symbol.asyncDispose]();
});

bounded(
  "a server closes although a client whose request was refused still owes its body",
  async () => {
    const server = await openServer({ timers: hasty });
    using socket = await Socket.open(server.to);
    await socket.sendHead(PATH.writePages, { "content-length": 2 ** 40 });
    assert.equal((await socket.answer())?.status, 400);
    await server[Symbol.asyncDispose]();
  },
);

bounded("a server closes although clients keep idle connections open", async () => {
  const server = await openServer();
  const volume = new TestVolume(server.to);
  await volume.push(undefined, { 1: "one" });
  using idle = await Socket.open(server.to);
  using used = await Socket.open(server.to);
  assert.equal((await used.ask(PATH.writePages, body))?.status, 200);
  await server[Symbol.asyncDispose]();
  assert.ok(await idle.endsNext());
  assert.ok(await used.endsNext());
});
