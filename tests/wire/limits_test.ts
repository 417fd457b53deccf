// Bodies over the limit: refused with the limit in the message, and read no further.

import assert from "node:assert/strict";
import { accepted, call, refused } from "./_support/calls.ts";
import {
  newId,
  page,
  PATH,
  readSnapshotResponse,
  readWriteResponse,
  snapshotRequest,
  writeRequest,
} from "./_support/messages.ts";
import { type Bytes, bytes, join } from "./_support/protobuf.ts";
import { bounded, serverOfFile } from "./_support/server.ts";
import { Socket } from "./_support/socket.ts";
import { range } from "./_support/splinter.ts";
import { TestVolume } from "./_support/volume.ts";

const LIMIT = 2 ** 20;
const SMALL_CALLS_LIMIT = 8 * 2 ** 20;
const server = serverOfFile({ bodyLimitBytes: LIMIT });

/** A `write_pages` of exactly this length: whole pages, and one unknown field that fills up. */
function writeOfLength(vid: Bytes, length: number): Bytes {
  const pages = Math.floor((length - 100) / 4106);
  const request = writeRequest(vid, range(1, pages).map((idx) => [idx, page(`${idx}`)]));
  // two bytes of tag, and as many of length as the rest takes
  const rest = length - request.length;
  const padding = [1, 2, 3].map((digits) => bytes(200, new Uint8Array(rest - 2 - digits)));
  const filled = padding.map((field) => join(request, field)).find((body) =>
    body.length === length
  );
  assert.ok(filled !== undefined, `No padding makes ${length} bytes`);
  return filled;
}

/** The body in parts, so that it is sent chunked and without a length. */
function chunked(body: Bytes): ReadableStream<Uint8Array<ArrayBuffer>> {
  let at = 0;
  return new ReadableStream({
    pull(controller) {
      if (at >= body.length) return controller.close();
      controller.enqueue(body.slice(at, at += 50_000));
    },
  });
}

bounded("a body of exactly the limit is taken, one byte more is refused", async () => {
  const vid = newId("volume");
  const fits = writeOfLength(vid, LIMIT);
  assert.equal(readWriteResponse(accepted(await call(server.to, PATH.writePages, fits))).length, 1);
  accepted(await call(server.to, PATH.writePages, chunked(fits)));
  const above = writeOfLength(vid, LIMIT + 1);
  refused(await call(server.to, PATH.writePages, above), "invalid", /limit is 1048576 bytes/);
  const answer = await call(server.to, PATH.writePages, chunked(above));
  refused(answer, "invalid", /limit is 1048576 bytes/);
});

bounded("a length over the limit is refused before a byte of the body came", async () => {
  for (const length of [LIMIT + 1, 2 ** 31, 2 ** 40, Number.MAX_SAFE_INTEGER]) {
    using socket = await Socket.open(server.to);
    await socket.sendHead(PATH.writePages, { "content-length": length });
    const answer = await socket.answer();
    assert.ok(answer !== undefined);
    assert.ok(refused(answer, "invalid", /limit is 1048576/).includes(String(length)));
  }
});

bounded("a chunked body over the limit is refused as soon as it is", async () => {
  using socket = await Socket.open(server.to);
  await socket.sendHead(PATH.writePages, { "transfer-encoding": "chunked" });
  const body = writeOfLength(newId("volume"), LIMIT + 1);
  for (let at = 0; at < body.length; at += 65_536) {
    await socket.sendChunk(body.slice(at, at + 65_536));
  }
  // the body never ends, and is answered all the same
  const answer = await socket.answer();
  assert.ok(answer !== undefined);
  refused(answer, "invalid", /limit is 1048576/);
});

bounded("a client that sends without end is answered while it sends", async () => {
  const giga = 2 ** 30;
  const lengths: Record<string, string>[] = [
    { "content-length": String(giga) },
    { "transfer-encoding": "chunked" },
  ];
  for (const headers of lengths) {
    using socket = await Socket.open(server.to);
    await socket.sendHead(PATH.writePages, headers);
    // as a chunk this is a size line, and then bytes of it for ever
    if ("transfer-encoding" in headers) await socket.send(new TextEncoder().encode("40000000\r\n"));
    const sending = socket.flood(new Uint8Array(65_536), giga);
    const answer = await socket.answer();
    assert.ok(answer !== undefined);
    refused(answer, "invalid");
    socket.hangUp();
    // the runtime reads on for a client that does not stop by itself, but nobody waits for that
    assert.ok(await sending < giga, "the answer came after the whole body");
  }
  const volume = new TestVolume(server.to);
  await volume.push(undefined, { 1: "still there" });
});

bounded("after a refusal the connection is usable or closed, never stuck", async () => {
  const volume = new TestVolume(server.to);
  await volume.commit();
  const tooLong = writeOfLength(volume.vid, LIMIT + 1);
  const bad = writeRequest(volume.vid, [[0, page("x")]]);
  for (const body of [tooLong, bad]) {
    using socket = await Socket.open(server.to);
    await socket.sendHead(PATH.writePages, { "content-length": body.length });
    const sending = socket.flood(body, body.length);
    const first = await socket.answer();
    assert.ok(first !== undefined);
    refused(first, "invalid");
    await sending;
    const question = snapshotRequest(volume.vid);
    const second = await socket.ask(PATH.snapshot, question);
    if (second !== undefined) assert.equal(readSnapshotResponse(accepted(second)).lsn, 1);
  }
});

bounded("a connection serves many requests, refused ones between", async () => {
  const volume = new TestVolume(server.to);
  await volume.commit();
  using socket = await Socket.open(server.to);
  for (let round = 0; round < 20; round++) {
    const bad = await socket.ask(PATH.snapshot, new Uint8Array([255]));
    assert.ok(bad !== undefined);
    refused(bad, "invalid");
    const good = await socket.ask(PATH.snapshot, snapshotRequest(volume.vid));
    assert.ok(good !== undefined);
    accepted(good);
  }
});

bounded("the other calls have a limit of their own, which is named too", async () => {
  const filler = bytes(200, new Uint8Array(SMALL_CALLS_LIMIT));
  for (const path of Object.values(PATH).filter((path) => path !== PATH.writePages)) {
    const body = join(bytes(1, newId("volume")), filler);
    refused(await call(server.to, path, body), "invalid", /limit is 8388608 bytes/);
    refused(await call(server.to, path, chunked(body)), "invalid", /limit is 8388608 bytes/);
  }
});
