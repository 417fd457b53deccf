// What the store in S3 makes of servers and networks in trouble.

import assert from "node:assert/strict";
import { systemClock } from "../../../src/core/clock.ts";
import { isGraftError } from "../../../src/core/errors.ts";
import { noMetrics } from "../../../src/core/metrics.ts";
import { systemRandom } from "../../../src/core/random.ts";
import { systemTimers } from "../../../src/core/timers.ts";
import { parseS3Address } from "../../../src/objects/s3/s3_address.ts";
import { s3SettingsFrom } from "../../../src/objects/s3/s3_settings.ts";
import { S3Store } from "../../../src/objects/s3/s3_store.ts";
import { type Fault, HttpProxy } from "../../harness/http_proxy.ts";
import { S3_KINDS, S3Server } from "../../harness/programs/s3.ts";
import { Toxiproxy } from "../../harness/programs/toxiproxy.ts";

const HOUR_MS = 3_600_000;
/** As usual, but for waits: nobody needs to wait for them in a test. */
const LIMITS = { attemptsMax: 4, attemptMs: 400, totalMs: 5_000, firstPauseMs: 5 };
const BYTES = new Uint8Array(5000).map((_, i) => i % 251);
const OTHER_BYTES = new Uint8Array([9, 9, 9]);

/** A store behind a proxy, with one object "there" that holds {@linkcode BYTES}. */
async function openStore(s3: S3Server) {
  await using opened = new AsyncDisposableStack();
  const proxy = opened.use(new HttpProxy(s3.endpoint));
  const bucket = await s3.makeBucket();
  const store = storeAt(s3, bucket, proxy.endpoint);
  opened.defer(() => store.close());
  await store.put("there", BYTES);
  proxy.reset();
  const owned = opened.move();
  return { store, proxy, bucket, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

function storeAt(s3: S3Server, bucket: string, endpoint: string): S3Store {
  return new S3Store(parseS3Address(`s3://${bucket}/some/prefix`), {
    settings: s3SettingsFrom(new Map(Object.entries(s3.env(endpoint)))),
    clock: systemClock,
    random: systemRandom,
    timers: systemTimers,
    metrics: noMetrics,
    limits: LIMITS,
  });
}

/** Meets the first requests with a fault each, then none. */
function first(...faults: readonly Fault[]): HttpProxy["fault"] {
  const left = [...faults];
  return () => left.shift();
}

/** Every call of a store, on the object that is there. */
const CALLS: Readonly<Record<string, (store: S3Store) => Promise<unknown>>> = {
  put: (store) => store.put("new", BYTES),
  "put if absent": (store) => store.put("new", BYTES, { ifAbsent: true }),
  "dated put": (store) => store.putDated("new", BYTES, systemClock.now()),
  get: async (store) => assert.deepEqual(await store.get("there"), BYTES),
  "get of a range": async (store) =>
    assert.deepEqual(await store.getRange("there", 100, 1000), BYTES.subarray(100, 1100)),
  "get of the end": async (store) =>
    assert.deepEqual((await store.getTail("there", 1000)).bytes, BYTES.subarray(4000)),
  head: async (store) => assert.equal((await store.head("there"))?.sizeBytes, BYTES.length),
  list: async (store) =>
    assert.deepEqual(await Array.fromAsync(store.list("")), [{ key: "there", sizeBytes: 5000 }]),
  delete: (store) => store.delete("there"),
};

const READS = ["get", "get of a range", "get of the end"];

function unavailable(error: unknown): boolean {
  assert.ok(isGraftError(error, "unavailable"), String(error));
  return true;
}

function conflict(error: unknown): boolean {
  assert.ok(isGraftError(error, "conflict"), String(error));
  return true;
}

async function retriesWhatMayPass(s3: S3Server): Promise<void> {
  for (const [name, call] of Object.entries(CALLS)) {
    await using opened = await openStore(s3);
    const { proxy, store } = opened;
    const status = (status: number): Fault => ({ kind: "answer", status });
    proxy.fault = first(status(503), { kind: "cut" }, status(500));
    await call(store);
    assert.equal(proxy.count(), 4, `${name}: ${proxy.requests.map(({ status }) => status)}`);
  }
}

async function givesUpOnRefusals(s3: S3Server): Promise<void> {
  for (const status of [400, 403]) {
    for (const [name, call] of Object.entries(CALLS)) {
      await using opened = await openStore(s3);
      const { proxy, store } = opened;
      proxy.fault = () => ({ kind: "answer", status, code: "SomethingWrong" });
      await assert.rejects(call(store), (error) => {
        assert.ok(isGraftError(error), `${name}: ${error}`);
        assert.match(error.message, /^Cannot .*s3:\/\//, name);
        return true;
      });
      const statuses = proxy.requests.map(({ status }) => status);
      assert.deepEqual(statuses, [status], name);
    }
  }
}

async function givesUpAfterSomeAttempts(s3: S3Server): Promise<void> {
  for (const [name, call] of Object.entries(CALLS)) {
    await using opened = await openStore(s3);
    const { proxy, store } = opened;
    proxy.fault = () => ({ kind: "answer", status: 503 });
    await assert.rejects(call(store), unavailable);
    const { kind } = proxy.requests[0];
    // a conditional put without an answer is looked up, which is a call of its own
    const attempts = proxy.requests.filter((request) => request.kind === kind).length;
    assert.equal(attempts, LIMITS.attemptsMax, name);
    proxy.fault = () => undefined;
    await call(store);
  }
}

type ConditionalPut = (
  store: S3Store,
  key: string,
  bytes: Uint8Array<ArrayBuffer>,
) => Promise<void>;

const CONDITIONAL_PUTS: readonly ConditionalPut[] = [
  (store, key, bytes) => store.put(key, bytes, { ifAbsent: true }),
  (store, key, bytes) => store.putDated(key, bytes, systemClock.now()),
];

async function countsALostAnswerAsStored(s3: S3Server): Promise<void> {
  for (const put of CONDITIONAL_PUTS) {
    await using opened = await openStore(s3);
    const { proxy, store } = opened;
    // the second attempt is refused by what the first one has stored; the platform itself makes the
    // second where the connection was used before, and tells nobody
    proxy.fault = first({ kind: "lose" });
    await put(store, "new", BYTES);
    assert.ok(proxy.count("PUT") > 1);
    proxy.fault = () => undefined;
    assert.deepEqual(await store.get("new"), BYTES);
  }
}

async function knowsItsOwnBytesFromOthers(s3: S3Server): Promise<void> {
  for (const put of CONDITIONAL_PUTS) {
    await using opened = await openStore(s3);
    const { proxy, store } = opened;
    for (const faults of [[], [{ kind: "lose" }], [{ kind: "answer", status: 503 }]] as Fault[][]) {
      proxy.fault = first(...faults);
      await assert.rejects(put(store, "there", OTHER_BYTES), conflict);
    }
    assert.deepEqual(await store.get("there"), BYTES);
  }
}

async function admitsThatItDoesNotKnow(s3: S3Server): Promise<void> {
  for (const put of CONDITIONAL_PUTS) {
    await using opened = await openStore(s3);
    const { proxy, store } = opened;
    proxy.fault = () => ({ kind: "lose" });
    await assert.rejects(put(store, "new", BYTES), unavailable);
    await assert.rejects(put(store, "there", OTHER_BYTES), unavailable);
    proxy.fault = () => undefined;
    assert.deepEqual(await store.get("new"), BYTES);
    assert.deepEqual(await store.get("there"), BYTES);
  }
}

async function takesBodiesOnlyWhole(s3: S3Server): Promise<void> {
  await using opened = await openStore(s3);
  const { proxy, store } = opened;
  for (const name of [...READS, "list"]) {
    for (const bytes of [0, undefined, 900]) {
      // the listing is shorter than the object, so that what is cut there is its end at most
      const cut: Fault = { kind: "truncate", bytes: name === "list" && bytes ? 200 : bytes };
      proxy.fault = first(cut, cut);
      proxy.reset();
      await CALLS[name](store);
      assert.equal(proxy.count(), 3, name);
    }
    proxy.fault = () => ({ kind: "truncate" });
    await assert.rejects(CALLS[name](store), unavailable);
  }
}

async function doesNotWaitForEver(s3: S3Server): Promise<void> {
  const held: Fault = { kind: "hold", delayMs: HOUR_MS };
  for (const name of ["put", "get", "list"]) {
    await using opened = await openStore(s3);
    const { proxy, store } = opened;
    proxy.fault = first(held);
    await CALLS[name](store);
    assert.equal(proxy.count(), 2, name);
  }
  await using opened = await openStore(s3);
  opened.proxy.fault = () => held;
  await assert.rejects(opened.store.get("there"), unavailable);
}

async function outlivesADeadServer(s3: S3Server): Promise<void> {
  await using toxiproxy = await Toxiproxy.start();
  const proxy = await toxiproxy.proxy(s3.endpoint);
  const store = storeAt(s3, await s3.makeBucket(), proxy.endpoint);
  await store.put("there", BYTES);
  await proxy.disable();
  await assert.rejects(store.get("there"), unavailable);
  await proxy.enable();
  assert.deepEqual(await store.get("there"), BYTES);
  // a network that swallows everything is worse: no connection is refused
  await proxy.add({ type: "timeout", timeout: 0 });
  await assert.rejects(store.get("there"), unavailable);
  await assert.rejects(store.put("new", BYTES), unavailable);
  await proxy.remove("timeout");
  assert.deepEqual(await store.get("there"), BYTES);
  // a connection is reset in the middle of a body
  await proxy.add({ type: "reset_peer", timeout: 0 });
  await assert.rejects(store.get("there"), unavailable);
  await proxy.remove("reset_peer");
  assert.deepEqual(await store.get("there"), BYTES);
  await store.close();
}

const TESTS: Readonly<Record<string, (s3: S3Server) => Promise<void>>> = {
  "503, 500 and cut connections are met with another attempt": retriesWhatMayPass,
  "a refusal is not repeated, and says what was done where": givesUpOnRefusals,
  "a store that keeps failing is given up, and used again when it is back":
    givesUpAfterSomeAttempts,
  "a conditional put whose answer was lost has stored its object": countsALostAnswerAsStored,
  "a conditional put whose answer was lost keeps others' bytes": knowsItsOwnBytesFromOthers,
  "a conditional put that nobody can tell about is unavailable": admitsThatItDoesNotKnow,
  "a body that is cut off is never returned": takesBodiesOnlyWhole,
  "an answer that does not come is not waited for": doesNotWaitForEver,
  "a dead server is unavailable until it is back": outlivesADeadServer,
};

for (const kind of S3_KINDS) {
  Deno.test(`the store behind a bad network: ${kind}`, async (t) => {
    await using s3 = await S3Server.start(kind);
    for (const [name, test] of Object.entries(TESTS)) {
      await t.step(name, () => test(s3));
    }
  });
}
