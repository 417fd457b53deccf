import { deepEqual, equal, ok } from "node:assert/strict";
import { isGraftError } from "../../../core/errors.ts";
import { rejectsWith, sampleBytes } from "../../_testing.ts";
import { movedClock, s3Error, ScriptedStore } from "../_testing_store.ts";
import { type ScriptedAnswer, ScriptedS3 } from "../_testing_server.ts";

const FINE: ScriptedAnswer = { status: 200, body: "object" };
const OBJECT = new TextEncoder().encode("object");
const SLOW_DOWN = s3Error(503, "SlowDown");

for (
  const [name, failing] of [
    ["503 SlowDown", SLOW_DOWN],
    ["500 InternalError", s3Error(500, "InternalError")],
    ["502 without a body", { status: 502 }],
    ["504 with another body", { status: 504, body: "<html>Gateway timeout</html>" }],
    ["429", s3Error(429, "TooManyRequests")],
    ["400 RequestTimeout", s3Error(400, "RequestTimeout")],
    ["a broken connection", "drop"],
    ["half of the object", { ...FINE, dropAfter: 3 }],
    ["none of the object", { ...FINE, dropAfter: 0 }],
    ["an answer that does not tell its length", {
      status: 200,
      headers: { "content-length": "" },
      body: "object",
    }],
  ] as const satisfies readonly (readonly [string, ScriptedAnswer])[]
) {
  Deno.test(`a read is tried again after ${name}`, async () => {
    await using scripted = ScriptedStore.answering(failing, failing, FINE);
    deepEqual(await scripted.store.get("a"), OBJECT);
    equal(scripted.server.methods, "GET GET GET");
  });

  Deno.test(`a read is given up after four times ${name}`, async () => {
    await using scripted = ScriptedStore.answering(failing);
    await rejectsWith(
      scripted.store.get("a"),
      "unavailable",
      /"a" from s3:\/\/bucket\/some\/place/,
    );
    equal(scripted.server.methods, "GET GET GET GET");
  });
}

for (
  const answer of [
    s3Error(400, "InvalidArgument"),
    s3Error(403, "AccessDenied"),
    s3Error(404, "NoSuchKey"),
    s3Error(404, "NoSuchBucket"),
    s3Error(405, "MethodNotAllowed"),
    s3Error(409, "InvalidBucketState"),
    s3Error(501, "NotImplemented"),
    { status: 301, body: "" },
    { status: 403, body: "" },
    { status: 404, body: "" },
  ]
) {
  const code = /<Code>(\w+)/.exec(String(answer.body))?.[1] ?? "without a code";
  Deno.test(`nothing is tried again after ${answer.status} ${code}`, async () => {
    await using scripted = ScriptedStore.answering(answer);
    for (
      const call of [
        () => scripted.store.get("a"),
        () => scripted.store.getRange("a", 0, 1),
        () => scripted.store.put("a", sampleBytes(1)),
        () => scripted.store.put("a", sampleBytes(1), { ifAbsent: true }),
      ]
    ) {
      const before = scripted.server.requests.length;
      ok(isGraftError(await call().then(() => undefined, (error) => error)));
      equal(scripted.server.requests.length, before + 1);
    }
    deepEqual(scripted.timers.pauses, []);
  });
}

Deno.test("the pauses grow, and chance shortens them", async () => {
  for (const [fraction, pauses] of [[0.75, [150, 600, 2400]], [0, [0, 0, 0]]] as const) {
    await using scripted = new ScriptedStore(ScriptedS3.answering(SLOW_DOWN), {}, fraction);
    await rejectsWith(scripted.store.get("a"), "unavailable");
    deepEqual(scripted.timers.pauses, pauses);
  }
});

Deno.test("a store may ask for a longer pause, within bounds", async () => {
  const asking = (pause: string) => ({ ...SLOW_DOWN, headers: { "retry-after": pause } });
  const server = ScriptedS3.answering(asking("2"), asking("3600"), asking("never"), FINE);
  await using scripted = new ScriptedStore(server, {}, 0.5);
  await scripted.store.get("a");
  deepEqual(scripted.timers.pauses, [2000, 5000, 1600]);
});

Deno.test("a pause may be asked for as a date", async () => {
  const clock = movedClock();
  const date = new Date(clock.now() + 4000).toUTCString();
  const server = ScriptedS3.answering({ ...SLOW_DOWN, headers: { "retry-after": date } }, FINE);
  await using scripted = new ScriptedStore(server, { clock }, 0);
  await scripted.store.get("a");
  const [pause] = scripted.timers.pauses;
  ok(pause > 0 && pause <= 4000, `${pause}`);
});

Deno.test("no attempt starts when the time is over", async () => {
  const clock = movedClock();
  const server = new ScriptedS3((_request, i) => {
    clock.forwardMs += i === 0 ? 10_000 : 6_000;
    return SLOW_DOWN;
  });
  await using scripted = new ScriptedStore(server, { clock });
  await rejectsWith(scripted.store.get("a"), "unavailable", /503 SlowDown$/);
  equal(server.methods, "GET GET");
});

Deno.test("an attempt has no more time than is left", async () => {
  const clock = movedClock();
  const server = new ScriptedS3((_request, i) => {
    clock.forwardMs += 12_000;
    return i === 0 ? SLOW_DOWN : s3Error(404, "NoSuchKey");
  });
  await using scripted = new ScriptedStore(server, { clock });
  await rejectsWith(scripted.store.get("a"), "missing");
  const [first, second] = scripted.timers.deadlines;
  equal(first, 10_000);
  ok(second > 2_000 && second <= 3_000, `${second}`);
});

Deno.test("the time for an attempt grows with what is sent and what comes back", async () => {
  const body = sampleBytes(2 * 1024 * 1024);
  const server = ScriptedS3.answering({ status: 200 }, { status: 200, body });
  await using scripted = new ScriptedStore(server);
  await scripted.store.put("a", body);
  await scripted.store.get("a");
  deepEqual(scripted.timers.deadlines, [12_000, 10_000, 12_000]);
});

Deno.test("an attempt without an answer ends, and the next one is tried", async () => {
  const limits = { attemptMs: 200 };
  const server = ScriptedS3.answering("hang", FINE);
  await using scripted = new ScriptedStore(server, { limits });
  deepEqual(await scripted.store.get("a"), OBJECT);
  await server.hungUp;
});

Deno.test("an answer that stops in the middle ends, and the next one is tried", async () => {
  const limits = { attemptMs: 200 };
  const server = ScriptedS3.answering({ ...FINE, hangAfter: 3 }, FINE);
  await using scripted = new ScriptedStore(server, { limits });
  deepEqual(await scripted.store.get("a"), OBJECT);
  await server.hungUp;
});

Deno.test("a store that never answers is out of time", async () => {
  const limits = { attemptMs: 50, attemptsMax: 2 };
  await using scripted = new ScriptedStore(ScriptedS3.answering("hang"), { limits });
  await rejectsWith(scripted.store.get("a"), "unavailable", /did not answer in time$/);
  equal(scripted.metrics.counters.get("s3_requests_total{objects,get,timeout}"), 2);
});

Deno.test("no more requests are under way than may be", async () => {
  const server = ScriptedS3.answering("hang", FINE);
  await using scripted = new ScriptedStore(server, { limits: { concurrentMax: 1 } });
  const controller = new AbortController();
  const { signal } = controller;
  const first = rejectsWith(scripted.store.get("a", { signal }), "aborted");
  await server.hanging;
  const others = Array.from({ length: 3 }, () => scripted.store.get("b"));
  const impatient = new AbortController();
  const givenUp = rejectsWith(scripted.store.get("c", { signal: impatient.signal }), "aborted");
  impatient.abort();
  await givenUp;
  equal(server.methods, "GET");
  controller.abort();
  await first;
  deepEqual(await Promise.all(others), [OBJECT, OBJECT, OBJECT]);
  equal(server.methods, "GET GET GET GET");
});

Deno.test("a request whose turn does not come in time is not sent", async () => {
  const server = ScriptedS3.answering("hang");
  await using scripted = new ScriptedStore(server, { limits: { concurrentMax: 1, totalMs: 50 } });
  const controller = new AbortController();
  const { signal } = controller;
  // it has more time than the other: that for its bytes
  const first = scripted.store.put("a", sampleBytes(8 * 1024 * 1024), { signal });
  await server.hanging;
  await rejectsWith(scripted.store.get("b"), "unavailable", /the requests before it in time$/);
  equal(server.methods, "PUT");
  controller.abort();
  await rejectsWith(first, "aborted");
});

Deno.test("a caller that gives up ends the request under way", async () => {
  for (const answer of ["hang", { ...FINE, hangAfter: 3 }] as const) {
    await using scripted = ScriptedStore.answering(answer);
    const controller = new AbortController();
    const call = scripted.store.get("a", { signal: controller.signal });
    await scripted.server.hanging;
    controller.abort("enough");
    await rejectsWith(call, "aborted");
    await scripted.server.hungUp;
    equal(scripted.server.methods, "GET");
  }
});

Deno.test("a caller that gives up while a put is sent is told so", async () => {
  await using scripted = ScriptedStore.answering("hang");
  const controller = new AbortController();
  const { signal } = controller;
  const call = scripted.store.put("a", sampleBytes(10), { ifAbsent: true, signal });
  await scripted.server.hanging;
  controller.abort("enough");
  const error = await call.then(() => undefined, (error) => error);
  ok(isGraftError(error, "aborted"));
  equal(error.cause, "enough");
  equal(scripted.metrics.counters.get("s3_requests_total{objects,put,aborted}"), 1);
});

Deno.test("a caller that gives up in the last attempt is told that, and not that it failed", async () => {
  const server = ScriptedS3.answering("hang");
  await using scripted = new ScriptedStore(server, { limits: { attemptsMax: 1 } });
  const controller = new AbortController();
  const call = scripted.store.get("a", { signal: controller.signal });
  await server.hanging;
  controller.abort();
  await rejectsWith(call, "aborted");
});

Deno.test("a caller that gives up during a pause is told so", async () => {
  const controller = new AbortController();
  const server = new ScriptedS3(() => SLOW_DOWN);
  const sleep = (_ms: number, signal?: AbortSignal): Promise<void> => {
    controller.abort("enough");
    return signal?.aborted ? Promise.reject(new Error("woken")) : Promise.resolve();
  };
  const timers = { sleep, after: () => () => {} };
  await using scripted = new ScriptedStore(server, { timers });
  await rejectsWith(scripted.store.get("a", { signal: controller.signal }), "aborted");
  equal(server.methods, "GET");
});

Deno.test("what was really sent is counted", async () => {
  const server = ScriptedS3.answering(SLOW_DOWN, "drop", s3Error(404, "NoSuchKey"));
  await using scripted = new ScriptedStore(server, { store: "log" });
  await rejectsWith(scripted.store.get("a"), "missing");
  deepEqual(Object.fromEntries(scripted.metrics.counters), {
    "s3_requests_total{log,get,5xx}": 1,
    "s3_requests_total{log,get,network}": 1,
    "s3_requests_total{log,get,4xx}": 1,
    "s3_retries_total{log,get}": 2,
  });
});

Deno.test("each kind of request has a count of its own", async () => {
  const server = new ScriptedS3(({ method, url }) =>
    method === "DELETE" ? { status: 204 } : {
      status: 200,
      body: url.search.includes("list-type") ? "<ListBucketResult></ListBucketResult>" : "",
    }
  );
  await using scripted = new ScriptedStore(server);
  await scripted.store.put("a", sampleBytes(1));
  await scripted.store.head("a");
  await scripted.store.getTail("a", 1);
  await scripted.store.delete("a");
  await Array.fromAsync(scripted.store.list(""));
  deepEqual([...scripted.metrics.counters.keys()], [
    "s3_requests_total{objects,put,2xx}",
    "s3_requests_total{objects,head,2xx}",
    "s3_requests_total{objects,get,2xx}",
    "s3_requests_total{objects,delete,2xx}",
    "s3_requests_total{objects,list,2xx}",
  ]);
});
