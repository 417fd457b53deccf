// More bodies under way than there is memory for: 503 with Retry-After, and then on with the work.

import assert from "node:assert/strict";
import { until } from "../harness/poll.ts";
import { systemClock } from "../../src/core/clock.ts";
import { refused } from "./_support/calls.ts";
import { ingestBytes } from "./_support/metrics.ts";
import { newId, page, PATH, writeRequest } from "./_support/messages.ts";
import { bounded, openServer, serverOfFile } from "./_support/server.ts";
import { Socket } from "./_support/socket.ts";
import { range } from "./_support/splinter.ts";
import { TestVolume } from "./_support/volume.ts";

const server = serverOfFile();
const MIB = 2 ** 20;

/** Connections that keep a body of this length waiting; those that are refused are answered. */
async function slowBodies(count: number, length: number): Promise<Socket[]> {
  const sockets = await Promise.all(range(1, count).map(() => Socket.open(server.to)));
  const start = writeRequest(newId("volume"), [[1, page("slow")]]).subarray(0, 100);
  await Promise.all(sockets.map(async (socket) => {
    await socket.sendHead(PATH.writePages, { "content-length": length });
    await socket.send(start);
  }));
  return sockets;
}

/** Fills the memory for bodies up to the last 4 KiB; what is announced counts up to a mebibyte. */
async function fillMemory(): Promise<Disposable> {
  const held = new DisposableStack();
  for (const socket of await slowBodies(160, 4 * MIB)) held.use(socket);
  for (const length of [128 * 1024, 16 * 1024, 4 * 1024]) {
    for (const socket of await slowBodies(40, length)) held.use(socket);
  }
  await until("the memory for bodies is full", async () => {
    return (await new TestVolume(server.to).tryWrite({ 1: "probe" })).status === 503;
  });
  return held;
}

bounded("a write beyond the memory for bodies is a 503 with Retry-After", async () => {
  using _held = await fillMemory();
  assert.ok(await ingestBytes(server.to) > 16 * MIB);
  const answer = await new TestVolume(server.to).tryWrite({ 1: "one more" });
  refused(answer, "unavailable", /memory/);
  const retryAfter = Number(answer.headers.get("retry-after"));
  assert.ok(Number.isInteger(retryAfter) && retryAfter > 0, `retry after ${retryAfter}`);
});

bounded("reads and commits go on while writes are refused", async () => {
  const volume = new TestVolume(server.to);
  const segments = await volume.write({ 2: "written before" });
  await volume.push(undefined, { 1: "one" });
  using _held = await fillMemory();
  refused(await volume.tryWrite({ 1: "one more" }), "unavailable");
  assert.deepEqual(await volume.read(1, [1]), { 1: "one" });
  assert.equal((await volume.commit({ base: 1, segments })).lsn, 2);
  assert.deepEqual((await volume.pullGraft()).graft, [1, 2]);
});

bounded("writes go on once the slow bodies are gone", async () => {
  const volume = new TestVolume(server.to);
  const held = await fillMemory();
  refused(await volume.tryWrite({ 1: "one" }), "unavailable");
  held[Symbol.dispose]();
  await until(
    "a write is taken again",
    async () => (await volume.tryWrite({ 1: "x" })).status === 200,
  );
  await until("the memory is free again", async () => await ingestBytes(server.to) === 0);
  const pages = Object.fromEntries(range(1, 5000).map((idx) => [idx, `${idx}`]));
  assert.equal((await volume.push(undefined, pages, 5000)).lsn, 1);
});

bounded("a slow body that is finished after all is taken", async () => {
  const body = writeRequest(newId("volume"), [[1, page("slow")]]);
  using socket = await Socket.open(server.to);
  await socket.sendHead(PATH.writePages, { "content-length": body.length });
  await socket.send(body.subarray(0, 100));
  await until("the body is waited for", async () => await ingestBytes(server.to) > 0);
  await socket.send(body.subarray(100));
  assert.equal((await socket.answer())?.status, 200);
});

bounded("a body that stops coming is given up, and its memory with it", async () => {
  let skippedMs = 0;
  const clock = {
    now: () => systemClock.now(),
    monotonic: () => systemClock.monotonic() + skippedMs,
  };
  await using impatient = await openServer({ clock });
  using socket = await Socket.open(impatient.to);
  await socket.sendHead(PATH.writePages, { "content-length": MIB });
  await socket.send(new Uint8Array([10]));
  await until("the body is waited for", async () => await ingestBytes(impatient.to) > 0);
  skippedMs = 10 * 60_000;
  const answer = await socket.answer();
  assert.ok(answer !== undefined);
  refused(answer, "unavailable", /30 seconds/);
  await until("its memory is free again", async () => await ingestBytes(impatient.to) === 0);
});
