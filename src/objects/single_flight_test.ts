import { deepEqual, equal, notEqual, rejects } from "node:assert/strict";
import { rejectsWith } from "./_testing.ts";
import { SingleFlight } from "./single_flight.ts";

/** Work that ends when the test says so. */
class Work {
  readonly signals: AbortSignal[] = [];
  readonly #ends: PromiseWithResolvers<string>[] = [];

  /** What is given to `run`. */
  readonly start = (signal: AbortSignal): Promise<string> => {
    this.signals.push(signal);
    const end = Promise.withResolvers<string>();
    this.#ends.push(end);
    return end.promise;
  };

  get starts(): number {
    return this.#ends.length;
  }

  succeed(nth: number, value: string): void {
    this.#ends[nth].resolve(value);
  }

  fail(nth: number, error: Error): void {
    this.#ends[nth].reject(error);
  }
}

/** Lets all microtasks run. */
async function settle(): Promise<void> {
  for (let i = 0; i < 10; i++) await Promise.resolve();
}

Deno.test("concurrent calls for one key share one piece of work", async () => {
  const flights = new SingleFlight<string, string>();
  const work = new Work();
  const calls = [1, 2, 3].map(() => flights.run("a", work.start));
  await settle();
  equal(work.starts, 1);
  equal(flights.size, 1);
  work.succeed(0, "result");
  deepEqual(await Promise.all(calls), ["result", "result", "result"]);
});

Deno.test("calls for different keys do not share", async () => {
  const flights = new SingleFlight<string, string>();
  const work = new Work();
  const calls = ["a", "b"].map((key) => flights.run(key, work.start));
  await settle();
  equal(work.starts, 2);
  work.succeed(0, "of a");
  work.succeed(1, "of b");
  deepEqual(await Promise.all(calls), ["of a", "of b"]);
});

Deno.test("a result is not kept for later calls", async () => {
  const flights = new SingleFlight<string, string>();
  const work = new Work();
  const first = flights.run("a", work.start);
  await settle();
  work.succeed(0, "first");
  equal(await first, "first");
  equal(flights.size, 0);
  const second = flights.run("a", work.start);
  await settle();
  work.succeed(1, "second");
  equal(await second, "second");
});

Deno.test("a failure reaches all who waited, and the next call tries again", async () => {
  const flights = new SingleFlight<string, string>();
  const work = new Work();
  const calls = [flights.run("a", work.start), flights.run("a", work.start)];
  await settle();
  work.fail(0, new Error("broken"));
  for (const call of calls) await rejects(call, /broken/);
  equal(flights.size, 0);
  const next = flights.run("a", work.start);
  await settle();
  work.succeed(1, "better");
  equal(await next, "better");
});

Deno.test("work that throws at once is a failure like any other", async () => {
  const flights = new SingleFlight<string, string>();
  const call = flights.run("a", () => {
    throw new Error("at once");
  });
  await rejects(call, /at once/);
  equal(flights.size, 0);
});

Deno.test("a caller that gives up does not disturb the others", async () => {
  const flights = new SingleFlight<string, string>();
  const work = new Work();
  const controller = new AbortController();
  const impatient = flights.run("a", work.start, controller.signal);
  const patient = flights.run("a", work.start);
  await settle();
  controller.abort("enough");
  await rejectsWith(impatient, "aborted");
  equal(work.signals[0].aborted, false);
  work.succeed(0, "result");
  equal(await patient, "result");
});

Deno.test("the one who started the work may give up first", async () => {
  const flights = new SingleFlight<string, string>();
  const work = new Work();
  const [first, second] = [new AbortController(), new AbortController()];
  const calls = [first, second].map(({ signal }) => flights.run("a", work.start, signal));
  await settle();
  first.abort();
  await rejectsWith(calls[0], "aborted");
  equal(work.starts, 1);
  work.succeed(0, "result");
  equal(await calls[1], "result");
});

Deno.test("when all have given up the work is told, and a newcomer starts anew", async () => {
  const flights = new SingleFlight<string, string>();
  const work = new Work();
  const controllers = [new AbortController(), new AbortController()];
  const calls = controllers.map(({ signal }) => flights.run("a", work.start, signal));
  await settle();
  for (const controller of controllers) controller.abort("enough");
  for (const call of calls) await rejectsWith(call, "aborted");
  equal(work.signals[0].aborted, true);
  equal(work.signals[0].reason, "enough");

  const newcomer = flights.run("a", work.start);
  await settle();
  equal(work.starts, 2);
  notEqual(work.signals[0], work.signals[1]);
  work.fail(0, new Error("given up"));
  await settle();
  equal(flights.size, 1);
  work.succeed(1, "result");
  equal(await newcomer, "result");
});

Deno.test("a caller that has given up before starts nothing", async () => {
  const flights = new SingleFlight<string, string>();
  const work = new Work();
  await rejectsWith(flights.run("a", work.start, AbortSignal.abort()), "aborted");
  equal(work.starts, 0);
  equal(flights.size, 0);
});

Deno.test("a signal that fires after the end changes nothing", async () => {
  const flights = new SingleFlight<string, string>();
  const work = new Work();
  const controller = new AbortController();
  const call = flights.run("a", work.start, controller.signal);
  await settle();
  work.succeed(0, "result");
  equal(await call, "result");
  const next = flights.run("a", work.start);
  await settle();
  controller.abort();
  equal(work.signals[1].aborted, false);
  work.succeed(1, "next");
  equal(await next, "next");
});
