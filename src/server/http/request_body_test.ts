import assert from "node:assert/strict";
import { isGraftError } from "../../core/errors.ts";
import { systemRandom } from "../../core/random.ts";
import { ManualTimers } from "../_testing.ts";
import { FixedClock } from "../auth/_testing.ts";
import { Deadlines } from "./deadlines.ts";
import { Exchange } from "./exchange.ts";
import { expectedBytesOf, readBody, readChunks } from "./request_body.ts";

function exchangeOf(body: BodyInit | null, headers: Record<string, string> = {}): Exchange {
  const request = new Request("http://localhost/", { method: "POST", body, headers });
  const deadlines = new Deadlines(new FixedClock(), new ManualTimers());
  return new Exchange(request, 0, { deadlines, random: systemRandom, onLate() {} });
}

function streamOf(chunks: readonly Uint8Array[]): ReadableStream<Uint8Array> {
  return ReadableStream.from(chunks);
}

Deno.test("readBody() reads short and long bodies, with and without a length", async () => {
  for (const length of [0, 1, 64 * 1024, 64 * 1024 + 1, 1_000_000]) {
    const body = systemRandom.fill(new Uint8Array(Math.min(length, 65_536)));
    const whole = new Uint8Array(length).map((_, at) => body[at % body.length]);
    const withLength = exchangeOf(whole, { "content-length": String(length) });
    assert.deepEqual(await readBody(withLength, 1_000_000), whole);
    assert.deepEqual(await readBody(exchangeOf(whole), 1_000_000), whole);
  }
});

Deno.test("readBody() takes no body for an empty one", async () => {
  assert.equal((await readBody(exchangeOf(null), 10)).length, 0);
});

Deno.test("readBody() starts the time for the answer", async () => {
  for (
    const exchange of [
      exchangeOf("x", { "content-length": "1" }),
      exchangeOf("x"),
      exchangeOf(null),
    ]
  ) {
    assert(exchange.waitsForClient);
    await readBody(exchange, 10);
    assert(!exchange.waitsForClient);
  }
});

Deno.test("readBody() refuses more than the limit, announced or not", async () => {
  const tooLarge = (error: unknown) =>
    isGraftError(error, "invalid") && /limit is 10 bytes/.test(error.message);
  await readBody(exchangeOf(new Uint8Array(10)), 10);
  await assert.rejects(readBody(exchangeOf(new Uint8Array(11)), 10), tooLarge);
  const announced = exchangeOf(new Uint8Array(11), { "content-length": "11" });
  await assert.rejects(readBody(announced, 10), tooLarge);
});

Deno.test("expectedBytesOf() reads the length", () => {
  assert.equal(expectedBytesOf(exchangeOf("x").request, 10), undefined);
  assert.equal(expectedBytesOf(exchangeOf("x", { "content-length": "7" }).request, 10), 7);
});

Deno.test("readChunks() waits for each chunk to be taken", async () => {
  const log: string[] = [];
  const chunks = [Uint8Array.of(1), Uint8Array.of(2)];
  await readChunks(exchangeOf(streamOf(chunks)), 10, async ([first]) => {
    log.push(`begin ${first}`);
    await new Promise((resolve) => setTimeout(resolve, 1));
    log.push(`end ${first}`);
  });
  assert.deepEqual(log, ["begin 1", "end 1", "begin 2", "end 2"]);
});

Deno.test("readChunks() lets the rest of a body go when it is refused", async () => {
  let cancelled = false;
  const body = new ReadableStream<Uint8Array>({
    pull: (controller) => controller.enqueue(Uint8Array.of(1)),
    cancel() {
      cancelled = true;
    },
  });
  const refusal = new Error("refused");
  await assert.rejects(
    readChunks(exchangeOf(body), 10, () => {
      throw refusal;
    }),
    refusal,
  );
  assert(cancelled);
});

Deno.test("readChunks() reports a body that broke off", async () => {
  const body = new ReadableStream<Uint8Array>({
    pull: (controller) => controller.error(new Error("connection reset")),
  });
  await assert.rejects(
    readChunks(exchangeOf(body), 10, () => {}),
    (error) => isGraftError(error, "invalid") && /broke off/.test(error.message),
  );
});
