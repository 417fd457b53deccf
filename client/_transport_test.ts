import assert from "node:assert/strict";
import { AssertionError } from "../src/core/assert.ts";
import { GraftError, type GraftErrorCode } from "../src/core/errors.ts";
import { MEDIA_TYPE } from "../src/wire/protocol.ts";
import { answer, errorOf, FakeTime, refusal } from "./_testing.ts";
import { Transport, type TransportRequest } from "./_transport.ts";

const URL = "http://graft.test/metastore/v1/commit";

/** A transport over scripted answers, in time that only passes while it sleeps. */
class Harness {
  readonly time = new FakeTime();
  readonly sent: { url: string; init: RequestInit }[] = [];
  readonly transport: Transport;

  constructor(
    answers: ((init: RequestInit) => Response | Promise<Response>)[],
    options: { deadlineMs?: number; attemptMs?: number; silentMs?: number } = {},
  ) {
    this.transport = new Transport({
      fetch: async (url, init) => {
        this.sent.push({ url, init });
        const next = answers.length > 1 ? answers.shift()! : answers[0];
        return await next(init);
      },
      clock: this.time,
      random: { fill: (target) => target, fraction: () => 0.5 },
      timers: this.time,
      headers: new Headers({ "content-type": MEDIA_TYPE }),
      deadlineMs: options.deadlineMs ?? 10_000,
      attemptMs: options.attemptMs ?? 1_000,
      silentMs: options.silentMs ?? Infinity,
    });
  }

  send(request: Partial<TransportRequest<string>> = {}): Promise<string> {
    return this.transport.send({
      action: 'commit to volume "G"',
      url: URL,
      body: Uint8Array.of(1, 2, 3),
      signal: undefined,
      decode: (bytes) => `${bytes.length} bytes`,
      ...request,
    });
  }
}

const fine = () => answer(new Uint8Array(5));
const broken = () => Promise.reject(new TypeError("connection reset"));

/** A fetch that never answers, only ends with its signal. */
function hang(init: RequestInit): Promise<Response> {
  return new Promise((_, reject) => {
    init.signal!.addEventListener("abort", () => reject(init.signal!.reason));
  });
}

Deno.test("a request is posted once, with its headers and body", async () => {
  const harness = new Harness([fine]);
  assert.equal(await harness.send(), "5 bytes");
  const [{ url, init }, ...more] = harness.sent;
  assert.equal(more.length, 0);
  assert.equal(url, URL);
  assert.equal(init.method, "POST");
  assert.equal(new Headers(init.headers).get("content-type"), MEDIA_TYPE);
  assert.deepEqual(init.body, Uint8Array.of(1, 2, 3));
  assert.equal(harness.time.pending.size, 0);
});

const PASSING: [string, () => Response | Promise<Response>][] = [
  ["503", () => refusal("unavailable", "Cannot commit: too many requests")],
  ["503 without a body", () => new Response(null, { status: 503 })],
  ["429", () => new Response("slow down", { status: 429 })],
  ["a proxy's 502", () => new Response("<html>", { status: 502 })],
  ["504", () => new Response(null, { status: 504 })],
  ["408", () => new Response(null, { status: 408 })],
  ["a broken connection", broken],
];

for (const [title, failure] of PASSING) {
  Deno.test(`after ${title} the request is sent again`, async () => {
    const harness = new Harness([failure, failure, fine]);
    assert.equal(await harness.send(), "5 bytes");
    assert.equal(harness.sent.length, 3);
    assert.deepEqual(harness.time.slept, [50, 100]);
    assert.equal(harness.time.pending.size, 0);
  });
}

const FINAL: [GraftErrorCode, GraftErrorCode, RegExp | undefined][] = [
  ["invalid", "invalid", undefined],
  ["unauthorized", "unauthorized", /valid token/],
  ["forbidden", "forbidden", /allows this volume/],
  ["missing", "missing", undefined],
  ["conflict", "conflict", /^Pull, then redo/],
  ["damaged", "internal", undefined],
  ["internal", "internal", undefined],
];

for (const [sent, code, hint] of FINAL) {
  Deno.test(`${sent} from the server is ${code}, and final`, async () => {
    const harness = new Harness([() => refusal(sent, "Cannot commit: LSN 4 is taken")]);
    const error = await errorOf(harness.send());
    assert.equal(error.code, code);
    assert.equal(error.message, "Cannot commit: LSN 4 is taken");
    if (hint === undefined) assert.equal(error.hint, undefined);
    else assert.match(error.hint!, hint);
    assert.equal(harness.sent.length, 1);
    assert.equal(harness.time.pending.size, 0);
  });
}

Deno.test("a message of another form is put behind what was tried", async () => {
  const harness = new Harness([() => refusal("missing", "snapshot not found")]);
  const error = await errorOf(harness.send());
  assert.equal(error.message, 'Cannot commit to volume "G": snapshot not found');
});

Deno.test("a hint that the server gave is not given twice", async () => {
  const harness = new Harness([() => refusal("conflict", "Cannot commit: LSN 4 is taken (Pull)")]);
  assert.equal((await errorOf(harness.send())).hint, undefined);
});

Deno.test("an error without a message says the status", async () => {
  const harness = new Harness([() => refusal("internal", "")]);
  const error = await errorOf(harness.send());
  assert.equal(error.message, 'Cannot commit to volume "G": the server answered 500');
});

Deno.test("the server's Retry-After is waited for", async () => {
  const busy = () => refusal("unavailable", "busy", { "retry-after": "3" });
  const harness = new Harness([busy, fine]);
  await harness.send();
  assert.deepEqual(harness.time.slept, [3050]);
});

Deno.test("a Retry-After beyond the deadline ends the request at once", async () => {
  const busy = () => refusal("unavailable", "the disk is full", { "retry-after": "60" });
  const harness = new Harness([busy]);
  const error = await errorOf(harness.send());
  assert.equal(error.code, "unavailable");
  assert.equal(error.message, 'Cannot commit to volume "G": the disk is full (1 attempt)');
  assert.equal(error.hint, "The server asked to wait 60 s");
  assert.deepEqual(harness.time.slept, []);
});

Deno.test("retries end at the deadline, and the last cause is told", async () => {
  const harness = new Harness([broken], { deadlineMs: 1000 });
  const begin = harness.time.now();
  const error = await errorOf(harness.send());
  // 50 + 100 + 200 + 400, and another 800 would be too late
  assert.deepEqual(harness.time.slept, [50, 100, 200, 400]);
  assert.ok(harness.time.now() - begin <= 1000);
  assert.equal(error.code, "unavailable");
  assert.equal(
    error.message,
    'Cannot commit to volume "G": the connection to http://graft.test failed (5 attempts)',
  );
  assert.equal((error.cause as Error).message, "connection reset");
});

Deno.test("an attempt that takes too long is given up and made again", async () => {
  const harness = new Harness([hang, fine]);
  const sent = harness.send();
  await turns();
  assert.deepEqual([...harness.time.pending].map(({ delayMs }) => delayMs), [1000]);
  harness.time.pass(1000);
  assert.equal(await sent, "5 bytes");
  assert.equal(harness.sent.length, 2);
});

Deno.test("the last attempt has no more time than the deadline leaves", async () => {
  const harness = new Harness([hang], { deadlineMs: 1500 });
  const failed = errorOf(harness.send());
  await turns();
  harness.time.pass(1000);
  await turns();
  assert.deepEqual([...harness.time.pending].map(({ delayMs }) => delayMs), [450]);
  harness.time.pass(450);
  const error = await failed;
  assert.equal(error.code, "unavailable");
  assert.equal(
    error.message,
    'Cannot commit to volume "G": no answer from http://graft.test within 450 ms (2 attempts)',
  );
});

Deno.test("an answer that stops in the middle is given up at the limit too", async () => {
  const stuck = (init: RequestInit) => {
    const body = new ReadableStream({
      start(controller) {
        init.signal!.addEventListener("abort", () => controller.error(init.signal!.reason));
      },
    });
    return new Response(body, { headers: { "content-type": MEDIA_TYPE } });
  };
  const harness = new Harness([stuck, fine]);
  const sent = harness.send();
  await turns();
  harness.time.pass(1000);
  assert.equal(await sent, "5 bytes");
});

Deno.test("a signal that fired before is an abort without a request", async () => {
  const harness = new Harness([fine]);
  const error = await errorOf(harness.send({ signal: AbortSignal.abort("enough") }));
  assert.equal(error.code, "aborted");
  assert.equal(error.message, 'Cannot commit to volume "G": the caller gave up');
  assert.equal(error.cause, "enough");
  assert.equal(harness.sent.length, 0);
});

Deno.test("a signal that fires ends the attempt and is not a reason to retry", async () => {
  // with no time for another attempt it is still an abort
  const harness = new Harness([hang], { deadlineMs: 40 });
  const caller = new AbortController();
  const failed = errorOf(harness.send({ signal: caller.signal }));
  await turns();
  caller.abort();
  assert.equal((await failed).code, "aborted");
  assert.equal(harness.sent.length, 1);
  assert.equal(harness.time.pending.size, 0);
});

Deno.test("a signal that fires ends the wait between attempts", async () => {
  const caller = new AbortController();
  const harness = new Harness([() => {
    queueMicrotask(() => caller.abort());
    return refusal("unavailable", "busy");
  }]);
  harness.time.sleep = (_delayMs, signal) =>
    new Promise((_, reject) => {
      const abort = () => reject(new GraftError("aborted", "Cannot wait: the caller gave up"));
      if (signal!.aborted) abort();
      else signal!.addEventListener("abort", abort);
    });
  const error = await errorOf(harness.send({ signal: caller.signal }));
  assert.equal(error.code, "aborted");
  assert.equal(error.message, 'Cannot commit to volume "G": the caller gave up');
});

Deno.test("an answer of another type is refused, and the hint points at the URL", async () => {
  const harness = new Harness([
    () => new Response("<html>", { headers: { "content-type": "text/html" } }),
  ]);
  const error = await errorOf(harness.send());
  assert.equal(error.code, "invalid");
  assert.equal(
    error.message,
    'Cannot commit to volume "G": the answer is text/html instead of application/x-protobuf',
  );
  assert.match(error.hint!, /^Check the URL/);
  assert.equal(harness.sent.length, 1);
});

Deno.test("a 404 that is not the protocol's says nothing about the volume", async () => {
  const harness = new Harness([() => new Response("not found", { status: 404 })]);
  const error = await errorOf(harness.send());
  assert.equal(error.code, "invalid");
  assert.match(error.hint!, /^Check the URL/);
});

Deno.test("a 409 with a body that cannot be read is not a conflict", async () => {
  const harness = new Harness([() => answer(Uint8Array.of(0xff), { status: 409 })]);
  assert.equal((await errorOf(harness.send())).code, "invalid");
});

Deno.test("the media type may have another case and parameters", async () => {
  const headers = { "content-type": "Application/X-Protobuf; charset=binary" };
  const harness = new Harness([() => new Response(new Uint8Array(2), { headers })]);
  assert.equal(await harness.send(), "2 bytes");
});

Deno.test("an answer that cannot be read is the server's bug, and final", async () => {
  const harness = new Harness([fine]);
  const decode = () => {
    throw new GraftError("invalid", "Cannot read the commit response: no");
  };
  const error = await errorOf(harness.send({ decode }));
  assert.equal(error.code, "internal");
  assert.equal(error.message, 'Cannot commit to volume "G": the answer is malformed');
  assert.equal((error.cause as Error).message, "Cannot read the commit response: no");
  assert.equal(harness.sent.length, 1);
});

Deno.test("a broken invariant is neither retried nor wrapped", async () => {
  const harness = new Harness([fine]);
  const decode = () => {
    throw new AssertionError("Broken");
  };
  await assert.rejects(harness.send({ decode }), { name: "AssertionError" });
  assert.equal(harness.sent.length, 1);
});

/** Lets promises settle, those of streams too. */
async function turns(): Promise<void> {
  for (let i = 0; i < 5; i++) await new Promise((resolve) => setTimeout(resolve, 0));
}

Deno.test("where nothing has ever answered a request is given up sooner, and the URL is doubted", async () => {
  const harness = new Harness([broken], { silentMs: 500 });
  const error = await errorOf(harness.send());
  assert.equal(harness.sent.length, 4);
  assert.match(error.hint ?? "", /Check the URL, and whether a server is running there/);
  const known = new Harness([fine, broken], { silentMs: 500 });
  await known.send();
  assert.match((await errorOf(known.send())).hint ?? "", /Try again later/);
  assert.ok(known.sent.length > 5);
});

Deno.test("a long body has more time", async () => {
  const harness = new Harness([hang]);
  const sent = harness.send({ body: new Uint8Array(16_384) });
  await Promise.resolve();
  assert.deepEqual([...harness.time.pending].map(({ delayMs }) => delayMs), [2000]);
  harness.time.pass(20_000);
  await assert.rejects(sent, { code: "unavailable", message: /within 2000 ms/ });
});
