import assert from "node:assert/strict";
import { configure, type LogRecord, reset } from "@logtape/logtape";
import { GraftError } from "../../core/errors.ts";
import { encodeSnapshotRequest } from "../../wire/messages.ts";
import { PATHS } from "../../wire/protocol.ts";
import {
  call,
  fakeMetastore,
  FakePagestore,
  get,
  graftErr,
  ManualTimers,
  snapshotAt,
  testApp,
  VID,
} from "../_testing.ts";
import { FixedClock, KEY, tokenWith } from "../auth/_testing.ts";
import { Authenticator } from "../auth/authenticator.ts";
import { PrometheusMetrics } from "../telemetry/prometheus.ts";
import { ANSWER_LIMIT_MS, STALL_LIMIT_MS } from "./exchange.ts";

const REQUEST = encodeSnapshotRequest({ vid: VID, lsn: undefined });

/** An app whose time stands still, and a function that lets it pass. */
function timedApp(parts: Parameters<typeof testApp>[0]) {
  const clock = new FixedClock();
  const timers = new ManualTimers();
  const app = testApp({ ...parts, clock, timers });
  const pass = async (milliseconds: number) => {
    // what the request does of itself is to happen first
    for (let i = 0; i < 20; i++) await Promise.resolve();
    await new Promise((resolve) => setTimeout(resolve, 5));
    clock.monotonicMs += milliseconds;
    timers.fire();
  };
  return { app, pass, clock };
}

async function withLog(level: "debug" | "info", work: () => Promise<void>): Promise<LogRecord[]> {
  const records: LogRecord[] = [];
  await configure({
    sinks: { list: (record) => records.push(record) },
    loggers: [
      { category: "graft", lowestLevel: level, sinks: ["list"] },
      { category: ["logtape", "meta"], lowestLevel: "error", sinks: [] },
    ],
  });
  try {
    await work();
  } finally {
    await reset();
  }
  return records;
}

Deno.test("a request that is not answered in time is a 503", async () => {
  const never = new Promise<never>(() => {});
  const { app, pass } = timedApp({ metastore: fakeMetastore({ snapshot: () => never }) });
  const response = call(app, PATHS.snapshot, REQUEST);
  await pass(ANSWER_LIMIT_MS - 1);
  await pass(1);
  const { status, code, message } = await graftErr(await response);
  assert.deepEqual([status, code], [503, 101]);
  assert.match(message, /more than 60 seconds/);
});

Deno.test("a body that makes no progress is given up, and what it held is let go", async () => {
  const pagestore = new FakePagestore();
  let cancelled = false;
  const silent = new ReadableStream<Uint8Array>({
    cancel() {
      cancelled = true;
    },
  });
  const { app, pass } = timedApp({ pagestore });
  const response = call(app, PATHS.writePages, silent);
  await pass(STALL_LIMIT_MS);
  const { status, code, message } = await graftErr(await response);
  assert.deepEqual([status, code], [503, 101]);
  assert.match(message, /nothing of its body came for 30 seconds/);
  await pass(0);
  assert(cancelled);
  assert.deepEqual([pagestore.finished, pagestore.aborted], [0, 1]);
});

Deno.test("a request that was given up is not carried out when its body comes after all", async () => {
  let calls = 0;
  const snapshot = () => {
    calls++;
    return Promise.resolve(snapshotAt(1));
  };
  const { app, pass } = timedApp({ metastore: fakeMetastore({ snapshot }) });
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const writer = writable.getWriter();
  const headers = { "content-length": String(REQUEST.length) };
  const response = call(app, PATHS.snapshot, readable, headers);
  await writer.write(REQUEST.subarray(0, 5));
  await pass(STALL_LIMIT_MS);
  assert.equal((await response).status, 503);
  await writer.write(REQUEST.subarray(5));
  await writer.close();
  await pass(0);
  assert.equal(calls, 0);
});

Deno.test("a body that goes on slowly is waited for", async () => {
  const { app, pass } = timedApp({
    metastore: fakeMetastore({ snapshot: () => Promise.resolve(snapshotAt(1)) }),
  });
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const writer = writable.getWriter();
  const response = call(app, PATHS.snapshot, readable);
  for (const byte of REQUEST) {
    await writer.write(Uint8Array.of(byte));
    await pass(STALL_LIMIT_MS / 2);
  }
  await writer.close();
  assert.equal((await response).status, 200);
});

Deno.test("a body that stops half-way may be sent again", async () => {
  const { app, pass } = timedApp({});
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const response = call(app, PATHS.snapshot, readable);
  await writable.getWriter().write(REQUEST.subarray(0, 5));
  await pass(STALL_LIMIT_MS);
  assert.equal((await graftErr(await response)).status, 503);
});

Deno.test("an app that drains answers 503, quietly, and is drained when the last request is", async () => {
  const stored = Promise.withResolvers<never>();
  const app = testApp({ metastore: fakeMetastore({ snapshot: () => stored.promise }) });
  const underWay = call(app, PATHS.snapshot, REQUEST);
  let drained = false;
  const records = await withLog("info", async () => {
    app.drain().then(() => drained = true);
    const refused = await graftErr(await call(app, PATHS.snapshot, REQUEST));
    assert.deepEqual([refused.status, refused.code, drained], [503, 101, false]);
  });
  assert.deepEqual(records.map(({ level, properties }) => [level, properties]), [
    ["info", { requests: 1 }],
  ]);
  stored.reject(new GraftError("missing", "Cannot read: gone"));
  assert.equal((await underWay).status, 404);
  await app.drain();
  assert(drained);
});

Deno.test("time spent on storing a part is not the client's", async () => {
  const pagestore = new FakePagestore();
  const metastore = fakeMetastore();
  const { app, pass } = timedApp({ pagestore, metastore });
  const stored = Promise.withResolvers<void>();
  pagestore.onFinish = () => stored.promise;
  const { encodeWritePagesRequest } = await import("../../wire/messages.ts");
  const page = new Uint8Array(4096);
  const body = encodeWritePagesRequest(VID, { indexes: Uint32Array.of(1), page: () => page });
  const response = call(app, PATHS.writePages, body);
  await pass(STALL_LIMIT_MS + 1000);
  stored.resolve();
  assert.equal((await response).status, 200);
});

Deno.test("requests are counted by route and status, and none is left in flight", async () => {
  const metrics = new PrometheusMetrics();
  const metastore = fakeMetastore({ snapshot: () => Promise.resolve(snapshotAt(1)) });
  const app = testApp({ metrics, metastore });
  for (let i = 0; i < 3; i++) await call(app, PATHS.snapshot, REQUEST);
  await call(app, PATHS.snapshot, undefined);
  const text = await (await get(app, "/metrics")).text();
  assert.match(text, /graft_requests_total\{route="snapshot",status="200"\} 3/);
  assert.match(text, /graft_requests_total\{route="snapshot",status="400"\} 1/);
  assert.match(text, /graft_request_duration_seconds_count\{route="snapshot"\} 4/);
  // the one that asks is under way
  assert.match(text, /graft_requests_in_flight 1\n/);
});

Deno.test("only failures and slow requests are logged, with their request id", async () => {
  const records = await withLog("info", async () => {
    const failing = () => Promise.reject(new TypeError("x is undefined"));
    const clock = new FixedClock();
    const slow = () => {
      clock.monotonicMs += 1500;
      return Promise.resolve(snapshotAt(1));
    };
    const app = testApp({
      clock,
      metastore: fakeMetastore({ snapshot: slow, pullGraft: failing, commit: failing }),
    });
    const { encodePullRequest } = await import("../../wire/messages.ts");
    const pull = encodePullRequest({ vid: VID, range: undefined });
    await call(app, PATHS.pullGraft, pull, { "x-request-id": "pull-1" });
    await call(app, PATHS.snapshot, REQUEST, { "x-request-id": "slow-1" });
    await call(app, PATHS.snapshot, undefined);
  });
  assert.deepEqual(records.map(({ level }) => level), ["error", "warning"]);
  assert.equal(records[0].properties.requestId, "pull-1");
  assert(records[0].properties.error instanceof TypeError);
  assert.deepEqual(records[1].properties, {
    route: "snapshot",
    status: 200,
    tookMs: 1500,
    requestId: "slow-1",
  });
});

Deno.test("at level debug every request is logged", async () => {
  const records = await withLog("debug", async () => {
    await call(testApp(), PATHS.snapshot, undefined);
  });
  assert.deepEqual(records.map(({ properties }) => properties.status), [400]);
});

Deno.test("no token and no key reaches the log or an answer", async () => {
  const token = tokenWith({});
  const records = await withLog("debug", async () => {
    const fail = () => Promise.reject(new GraftError("internal", "Cannot go on"));
    const authenticator = new Authenticator([KEY], new FixedClock());
    const app = testApp({ authenticator, metastore: fakeMetastore({ snapshot: fail }) });
    for (const sent of [token, `${token}x`, "short"]) {
      const headers = { authorization: `Bearer ${sent}` };
      const response = await call(app, PATHS.snapshot, REQUEST, headers);
      assert(response.status >= 400);
      const { message } = await graftErr(response);
      assert(!message.includes(sent) && !message.includes(KEY));
    }
  });
  const text = JSON.stringify(records.map(({ properties, message }) => [properties, message]));
  assert(records.length >= 3 && !text.includes(token) && !text.includes(KEY));
});
