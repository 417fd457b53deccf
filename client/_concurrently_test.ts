import assert from "node:assert/strict";
import { mapConcurrently } from "./_concurrently.ts";

/** Calls that the test ends by hand. */
class Calls {
  readonly running = new Map<number, PromiseWithResolvers<number>>();
  readonly signals: AbortSignal[] = [];
  atOnceMax = 0;

  run = (item: number, signal: AbortSignal): Promise<number> => {
    const call = Promise.withResolvers<number>();
    this.running.set(item, call);
    this.signals.push(signal);
    this.atOnceMax = Math.max(this.atOnceMax, this.running.size);
    signal.addEventListener("abort", () => this.fail(item, signal.reason));
    return call.promise;
  };

  end(item: number): Promise<void> {
    this.running.get(item)!.resolve(item * 10);
    this.running.delete(item);
    return settle();
  }

  fail(item: number, reason: unknown): Promise<void> {
    this.running.get(item)?.reject(reason);
    this.running.delete(item);
    return settle();
  }
}

/** Lets every promise that can settle do so. */
async function settle(): Promise<void> {
  for (let i = 0; i < 20; i++) await Promise.resolve();
}

Deno.test("results keep the items' order, and at most `limit` calls run at once", async () => {
  const calls = new Calls();
  const results = mapConcurrently([1, 2, 3, 4], 2, undefined, calls.run);
  await settle();
  assert.deepEqual([...calls.running.keys()], [1, 2]);
  await calls.end(2);
  assert.deepEqual([...calls.running.keys()], [1, 3]);
  await calls.end(3);
  await calls.end(4);
  await calls.end(1);
  assert.deepEqual(await results, [10, 20, 30, 40]);
  assert.equal(calls.atOnceMax, 2);
});

Deno.test("items are drawn only when they can start", async () => {
  const drawn: number[] = [];
  function* source() {
    for (const item of [1, 2, 3]) {
      drawn.push(item);
      yield item;
    }
  }
  const calls = new Calls();
  const results = mapConcurrently(source(), 1, undefined, calls.run);
  await settle();
  assert.deepEqual(drawn, [1]);
  await calls.end(1);
  assert.deepEqual(drawn, [1, 2]);
  await calls.end(2);
  await calls.end(3);
  await results;
});

Deno.test("a failure stops the others, draws no more, and is what is thrown", async () => {
  const calls = new Calls();
  const results = mapConcurrently([1, 2, 3], 2, undefined, calls.run);
  const failure = assert.rejects(results, { message: "first" });
  await settle();
  await calls.fail(2, new Error("first"));
  assert.ok(calls.signals.every((signal) => signal.aborted));
  await failure;
  assert.equal(calls.signals.length, 2);
});

Deno.test("a source that fails is a failure too", async () => {
  const calls = new Calls();
  function* source() {
    yield 1;
    throw new Error("no more pages");
  }
  await assert.rejects(mapConcurrently(source(), 3, undefined, calls.run), {
    message: "no more pages",
  });
});

Deno.test("the caller's signal reaches the calls", async () => {
  const calls = new Calls();
  const caller = new AbortController();
  const results = mapConcurrently([1, 2], 2, caller.signal, calls.run);
  const failure = assert.rejects(results, { message: "enough" });
  await settle();
  caller.abort(new Error("enough"));
  await failure;
});

Deno.test("no items are no calls", async () => {
  const calls = new Calls();
  assert.deepEqual(await mapConcurrently([], 4, undefined, calls.run), []);
  assert.equal(calls.signals.length, 0);
});
