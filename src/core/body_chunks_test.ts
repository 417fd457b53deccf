import assert from "node:assert/strict";
import { bodyChunks, readBody } from "./body_chunks.ts";

/** A body that brings a chunk and then nothing, and why it was cancelled. */
function silentBody() {
  const cancelled: unknown[] = [];
  const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
    start: (controller) => controller.enqueue(Uint8Array.of(1, 2)),
    cancel: (reason) => void cancelled.push(reason),
  });
  return { body, cancelled };
}

Deno.test("readBody() joins the chunks of a body", async () => {
  const { signal } = new AbortController();
  const body = ReadableStream.from([Uint8Array.of(1), Uint8Array.of(2, 3)]);
  assert.deepEqual(await readBody(body, signal), Uint8Array.of(1, 2, 3));
  assert.deepEqual(await readBody(null, signal), new Uint8Array());
});

Deno.test("bodyChunks() ends with its signal, and cancels a body in which nothing comes", async () => {
  const { body, cancelled } = silentBody();
  const end = new AbortController();
  const chunks = bodyChunks(body, end.signal);
  assert.deepEqual((await chunks.next()).value, Uint8Array.of(1, 2));
  const next = chunks.next();
  const reason = new Error("enough");
  end.abort(reason);
  await assert.rejects(next, reason);
  assert.deepEqual(cancelled, [reason]);
});

Deno.test("bodyChunks() cancels a body that is not read to its end", async () => {
  const { body, cancelled } = silentBody();
  for await (const _ of bodyChunks(body, new AbortController().signal)) break;
  assert.equal(cancelled.length, 1);
});
