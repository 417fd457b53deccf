import { deepEqual, equal, ok } from "node:assert/strict";
import { type Clock, systemClock } from "../core/clock.ts";
import { GraftError, isGraftError } from "../core/errors.ts";
import { noMetrics } from "../core/metrics.ts";
import { systemTimers, type Timers } from "../core/timers.ts";
import { testObjectStore } from "./_conformance.ts";
import { testDatedObjectStore } from "./_conformance_dated.ts";
import { RecordedMetrics, rejectsWith, sampleBytes } from "./_testing.ts";
import { HedgedDatedStore } from "./hedged_dated_store.ts";
import { HedgedStore } from "./hedged_store.ts";
import { MemoryStore } from "./memory_store.ts";
import type { ObjectCallOptions, ObjectTail } from "./object_store.ts";

const systemParts = { clock: systemClock, timers: systemTimers, metrics: noMetrics };
testObjectStore(
  "hedged",
  () => Promise.resolve(new HedgedStore(new MemoryStore(), systemParts)),
);
testDatedObjectStore(
  "hedged",
  () => Promise.resolve(new HedgedDatedStore(new MemoryStore(), systemParts)),
);

/** Time that passes when a test says so. */
class TestTime implements Clock, Timers {
  nowMs = 0;
  #waiting: { readonly dueMs: number; readonly callback: () => void }[] = [];

  get waiting(): number {
    return this.#waiting.length;
  }

  now = () => this.nowMs;
  monotonic = () => this.nowMs;

  sleep(delayMs: number): Promise<void> {
    return new Promise((resolve) => this.after(delayMs, resolve));
  }

  after(delayMs: number, callback: () => void): () => void {
    const timer = { dueMs: this.nowMs + delayMs, callback };
    this.#waiting.push(timer);
    return () => {
      this.#waiting = this.#waiting.filter((other) => other !== timer);
    };
  }

  async advance(ms: number): Promise<void> {
    this.nowMs += ms;
    const due = this.#waiting.filter(({ dueMs }) => dueMs <= this.nowMs);
    this.#waiting = this.#waiting.filter(({ dueMs }) => dueMs > this.nowMs);
    for (const { callback } of due) callback();
    await settle();
  }
}

/** Lets everything that is ready run. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
}

interface Sent {
  readonly operation: string;
  readonly signal: AbortSignal | undefined;
  readonly answer: (bytes: Uint8Array<ArrayBuffer>) => void;
  readonly fail: (error: unknown) => void;
}

/** A store whose reads are answered by the test, or at once when it says so. */
class ScriptedStore extends MemoryStore {
  readonly sent: Sent[] = [];
  isQuick = false;

  override get(_key: string, options?: ObjectCallOptions): Promise<Uint8Array<ArrayBuffer>> {
    return this.#send("get", options);
  }

  override getRange(
    _key: string,
    _offset: number,
    _length: number,
    options?: ObjectCallOptions,
  ): Promise<Uint8Array<ArrayBuffer>> {
    return this.#send("getRange", options);
  }

  override async getTail(
    _key: string,
    _length: number,
    options?: ObjectCallOptions,
  ): Promise<ObjectTail> {
    return { bytes: await this.#send("getTail", options), sizeBytes: 1 };
  }

  override async head(key: string, options?: ObjectCallOptions) {
    const { length } = await this.#send("head", options);
    return { key, sizeBytes: length };
  }

  #send(operation: string, options?: ObjectCallOptions): Promise<Uint8Array<ArrayBuffer>> {
    if (this.isQuick) return Promise.resolve(sampleBytes(1));
    return new Promise((answer, fail) => {
      const { signal } = options ?? {};
      this.sent.push({ operation, signal, answer, fail });
      signal?.addEventListener("abort", () => {
        fail(new GraftError("aborted", 'Cannot read "a": the caller gave up'));
      });
    });
  }
}

type Read = (store: HedgedStore, signal?: AbortSignal) => Promise<unknown>;

const reads: Record<string, Read> = {
  get: (store, signal) => store.get("a", { signal }),
  getTail: (store, signal) => store.getTail("a", 60_000, { signal }),
  head: (store, signal) => store.head("a", { signal }),
  getRange: (store, signal) => store.getRange("a", 0, 1000, { signal }),
};
const largeRange: Read = (store) => store.getRange("a", 0, 1_000_000);

/** A store that has seen a hundred reads of one kind, all answered after `latencyMs`. */
async function experienced(read: Read, latencyMs = 20, count = 100) {
  const time = new TestTime();
  const scripted = new ScriptedStore();
  const metrics = new RecordedMetrics();
  const store = new HedgedStore(scripted, { clock: time, timers: time, metrics });
  const first = Array.from({ length: count }, () => read(store));
  await settle();
  await time.advance(latencyMs);
  for (const { answer } of scripted.sent.splice(0)) answer(sampleBytes(1));
  await Promise.all(first);
  const outcomes = () => {
    const entries = [...metrics.counters].map(([id, n]) => [/\{(\w+)\}/.exec(id)?.[1], n]);
    return Object.fromEntries(entries);
  };
  return { time, scripted, store, outcomes };
}

const failure = (state: string) => new GraftError("unavailable", `Cannot read "a": ${state}`);

for (const [operation, read] of Object.entries(reads)) {
  Deno.test(`a slow ${operation} is sent again, and the first answer wins`, async () => {
    const { time, scripted, store, outcomes } = await experienced(read);
    const result = read(store);
    await time.advance(19);
    equal(scripted.sent.length, 1);
    await time.advance(1);
    deepEqual(scripted.sent.map(({ operation }) => operation), [operation, operation]);
    const [first, second] = scripted.sent;
    second.answer(sampleBytes(3));
    await result;
    ok(first.signal?.aborted, "the loser goes on");
    ok(!second.signal?.aborted);
    deepEqual(outcomes(), { won: 1 });
    equal(time.waiting, 0);
  });
}

Deno.test("the first attempt may still win", async () => {
  const { time, scripted, store, outcomes } = await experienced(reads.get);
  const result = store.get("a");
  await time.advance(20);
  scripted.sent[0].answer(sampleBytes(7));
  deepEqual(await result, sampleBytes(7));
  ok(scripted.sent[1].signal?.aborted);
  deepEqual(outcomes(), { lost: 1 });
});

Deno.test("what answers in time is sent once, and nothing waits on", async () => {
  const { time, scripted, store, outcomes } = await experienced(reads.get);
  const result = store.get("a");
  await time.advance(10);
  scripted.sent[0].answer(sampleBytes(7));
  deepEqual(await result, sampleBytes(7));
  equal(time.waiting, 0);
  await time.advance(1000);
  equal(scripted.sent.length, 1);
  deepEqual(outcomes(), {});
});

Deno.test("nothing is sent again before a hundred answers of its kind", async () => {
  const { time, scripted, store } = await experienced(reads.get, 20, 99);
  const results = [store.get("a")];
  await time.advance(10_000);
  equal(scripted.sent.length, 1);
  scripted.sent[0].answer(sampleBytes(1));
  await Promise.all(results);
  results.push(store.get("a"));
  await time.advance(10_000);
  equal(scripted.sent.length, 3);
  for (const other of [reads.getTail, reads.head, reads.getRange]) {
    results.push(other(store) as typeof results[0]);
  }
  await time.advance(10_000);
  equal(scripted.sent.length, 6);
  for (const { answer } of scripted.sent) answer(sampleBytes(1));
  await Promise.all(results);
});

Deno.test("large ranges are measured on their own", async () => {
  const { time, scripted, store } = await experienced(reads.getRange);
  const result = largeRange(store);
  await time.advance(10_000);
  equal(scripted.sent.length, 1);
  scripted.sent[0].answer(sampleBytes(1));
  await result;
});

Deno.test("a store that answers at once is not asked again after less than 5 ms", async () => {
  const { time, scripted, store } = await experienced(reads.get, 0.1);
  const result = store.get("a");
  await time.advance(4.9);
  equal(scripted.sent.length, 1);
  await time.advance(0.1);
  equal(scripted.sent.length, 2);
  scripted.sent[0].answer(sampleBytes(1));
  await result;
});

Deno.test("an error waits for the attempt that still runs", async () => {
  const { time, scripted, store, outcomes } = await experienced(reads.get);
  for (const [failing, answering] of [[0, 1], [1, 0]]) {
    const result = store.get("a");
    await time.advance(20);
    scripted.sent[failing].fail(failure("broken"));
    await settle();
    scripted.sent[answering].answer(sampleBytes(5));
    deepEqual(await result, sampleBytes(5));
    scripted.sent.length = 0;
  }
  deepEqual(outcomes(), { won: 1, lost: 1 });
});

Deno.test("when both attempts fail, the first error counts", async () => {
  const { time, scripted, store, outcomes } = await experienced(reads.get);
  const result = store.get("a");
  await time.advance(20);
  scripted.sent[1].fail(failure("the second broke"));
  scripted.sent[0].fail(failure("the first broke later"));
  await rejectsWith(result, "unavailable", /the second broke/);
  deepEqual(outcomes(), { failed: 1 });
});

Deno.test("an error before the second attempt ends the read", async () => {
  const { time, scripted, store } = await experienced(reads.get);
  const result = store.get("a");
  scripted.sent[0].fail(failure("broken"));
  await rejectsWith(result, "unavailable");
  equal(time.waiting, 0);
});

Deno.test("that there is no object is an answer", async () => {
  const { time, scripted, store, outcomes } = await experienced(reads.get);
  const result = store.get("a");
  await time.advance(20);
  scripted.sent[1].fail(new GraftError("missing", 'Cannot read "a": there is no such object'));
  await rejectsWith(result, "missing");
  ok(scripted.sent[0].signal?.aborted);
  deepEqual(outcomes(), { won: 1 });
});

Deno.test("a caller that gives up ends both attempts", async () => {
  const { time, scripted, store } = await experienced(reads.get);
  const controller = new AbortController();
  const result = reads.get(store, controller.signal);
  await time.advance(20);
  controller.abort();
  await rejectsWith(result, "aborted");
  ok(scripted.sent.every(({ signal }) => signal?.aborted));
  equal(time.waiting, 0);
});

Deno.test("a store that is slow for all is sent five reads in a hundred twice", async () => {
  const { time, scripted, store, outcomes } = await experienced(reads.get);
  const results = Array.from({ length: 400 }, () => store.get("a"));
  await time.advance(20);
  // twenty-five are earned by five hundred reads, of which ten can be saved up
  equal(scripted.sent.length - 400, 10);
  equal(outcomes().refused, 390);
  for (const { answer } of scripted.sent.splice(0)) answer(sampleBytes(1));
  await Promise.all(results);
  for (let i = 0; i < 100; i++) {
    const result = store.get("a");
    await time.advance(20);
    for (const { answer } of scripted.sent.splice(0)) answer(sampleBytes(1));
    await result;
  }
  equal(outcomes().lost, 15);
});

Deno.test("a store that has become slower is waited for longer", async () => {
  const { time, scripted, store } = await experienced(reads.get);
  for (let i = 0; i < 300; i++) {
    const result = store.get("a");
    await time.advance(200);
    for (const { answer } of scripted.sent.splice(0)) answer(sampleBytes(1));
    await result;
  }
  const result = store.get("a");
  await time.advance(199);
  equal(scripted.sent.length, 1);
  scripted.sent[0].answer(sampleBytes(1));
  await result;
});

Deno.test("failures are not taken for latencies", async () => {
  const { time, scripted, store } = await experienced(reads.get);
  for (let i = 0; i < 300; i++) {
    const result = store.get("a");
    scripted.sent.splice(0).forEach(({ fail }) => fail(failure("broken")));
    ok(isGraftError(await result.catch((error) => error), "unavailable"));
  }
  const result = store.get("a");
  await time.advance(19);
  equal(scripted.sent.length, 1);
  scripted.sent[0].answer(sampleBytes(1));
  await result;
});

Deno.test("puts, deletions and listings are sent once, however long they take", async () => {
  const calls: string[] = [];
  class CountedStore extends MemoryStore {
    override put(key: string): Promise<void> {
      calls.push(`put ${key}`);
      return time.sleep(10_000);
    }
    override delete(key: string): Promise<void> {
      calls.push(`delete ${key}`);
      return time.sleep(10_000);
    }
  }
  const time = new TestTime();
  const parts = { clock: time, timers: time, metrics: noMetrics };
  const store = new HedgedStore(new CountedStore(), parts);
  const written = Array.from(
    { length: 150 },
    () => [store.put("a", sampleBytes(1)), store.delete("a")],
  );
  await time.advance(10_000);
  await Promise.all(written.flat());
  const last = [store.put("b", sampleBytes(1)), store.delete("b")];
  await time.advance(9_999);
  deepEqual(calls.slice(-4), ["put a", "delete a", "put b", "delete b"]);
  await time.advance(1);
  await Promise.all(last);
  deepEqual(await Array.fromAsync(store.list("")), []);
});
