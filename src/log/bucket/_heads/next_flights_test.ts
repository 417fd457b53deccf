import { deepEqual, equal, rejects } from "node:assert/strict";
import { NextFlights } from "./next_flights.ts";

/** Work that ends when the test says so. */
class Work {
  readonly begun: PromiseWithResolvers<number>[] = [];
  run = (): Promise<number> => {
    const work = Promise.withResolvers<number>();
    this.begun.push(work);
    return work.promise;
  };
  end(number: number): void {
    this.begun[number].resolve(number);
  }
}

Deno.test("who comes while work is under way shares the next", async () => {
  const [flights, work] = [new NextFlights<string, number>(), new Work()];
  const first = flights.run("a", work.run);
  const later = [flights.run("a", work.run), flights.run("a", work.run)];
  equal(work.begun.length, 1);
  work.end(0);
  equal(await first, 0);
  await Promise.resolve();
  equal(work.begun.length, 2);
  const last = flights.run("a", work.run);
  work.end(1);
  deepEqual(await Promise.all(later), [1, 1]);
  await Promise.resolve();
  work.end(2);
  equal(await last, 2);
  // and nothing is left of them
  const again = flights.run("a", work.run);
  equal(work.begun.length, 4);
  work.end(3);
  equal(await again, 3);
});

Deno.test("keys do not wait for one another", async () => {
  const [flights, work] = [new NextFlights<string, number>(), new Work()];
  const [a, b] = [flights.run("a", work.run), flights.run("b", work.run)];
  equal(work.begun.length, 2);
  work.end(1);
  equal(await b, 1);
  work.end(0);
  equal(await a, 0);
});

Deno.test("what fails is told to those who shared it, and to no one else", async () => {
  const [flights, work] = [new NextFlights<string, number>(), new Work()];
  const first = flights.run("a", work.run);
  const second = flights.run("a", work.run);
  work.begun[0].reject(new Error("broken"));
  await rejects(first, /broken/);
  await Promise.resolve();
  work.end(1);
  equal(await second, 1);
});
