// What every store that takes dated puts does beyond `_conformance.ts`.

import { deepEqual, equal, ok } from "node:assert/strict";
import { isGraftError } from "../core/errors.ts";
import { rejectsWith, sampleBytes } from "./_testing.ts";
import type { DatedObjectStore } from "./object_store.ts";

/** Opens an empty store whose time is the machine's; what it returns is closed by the suite. */
export type OpenDatedStore = () => Promise<DatedObjectStore>;

type Behaviour = (store: DatedObjectStore) => Promise<void>;

const MINUTE_MS = 60_000;
const RACERS = 16;

/** Registers one test for each behaviour. */
export function testDatedObjectStore(backend: string, open: OpenDatedStore): void {
  for (const [behaviour, check] of Object.entries(behaviours)) {
    Deno.test(`${backend}: ${behaviour}`, async () => {
      const store = await open();
      try {
        await check(store);
      } finally {
        await store.close();
      }
    });
  }
}

/** The indexes of the puts that succeeded; the others have to be conflicts. */
async function winnersOf(puts: readonly Promise<void>[]): Promise<number[]> {
  const outcomes = await Promise.allSettled(puts);
  for (const outcome of outcomes) {
    if (outcome.status === "rejected") ok(isGraftError(outcome.reason, "conflict"));
  }
  return outcomes.flatMap(({ status }, i) => status === "fulfilled" ? [i] : []);
}

const behaviours: Record<string, Behaviour> = {
  async "a dated put takes a free key"(store) {
    await store.putDated("log/a", sampleBytes(5000), Date.now());
    deepEqual(await store.get("log/a"), sampleBytes(5000));
    await store.putDated("log/empty", new Uint8Array(0), Date.now());
    deepEqual(await store.get("log/empty"), new Uint8Array(0));
  },
  async "a dated put leaves a taken key alone"(store) {
    await store.put("log/a", sampleBytes(10, 1));
    const put = store.putDated("log/a", sampleBytes(10, 2), Date.now());
    await rejectsWith(put, "conflict", /"log\/a".*taken/);
    deepEqual(await store.get("log/a"), sampleBytes(10, 1));
  },
  async "a dated put of the very same bytes counts as stored"(store) {
    await store.putDated("log/a", sampleBytes(10), Date.now());
    await store.putDated("log/a", sampleBytes(10), Date.now());
    await store.putDated("log/a", sampleBytes(10), Date.now() - MINUTE_MS);
    deepEqual(await store.get("log/a"), sampleBytes(10));
  },
  async "a dated put and the start of another are not the same"(store) {
    await store.putDated("log/a", sampleBytes(10), Date.now());
    await rejectsWith(store.putDated("log/a", sampleBytes(9), Date.now()), "conflict");
    await rejectsWith(store.putDated("log/a", sampleBytes(11), Date.now()), "conflict");
    deepEqual(await store.get("log/a"), sampleBytes(10));
  },
  async "a put that was dated 14 minutes ago is stored"(store) {
    await store.putDated("log/a", sampleBytes(10), Date.now() - 14 * MINUTE_MS);
    deepEqual(await store.get("log/a"), sampleBytes(10));
  },
  async "a put that was dated 16 minutes ago is refused, and nothing is stored"(store) {
    const put = store.putDated("log/a", sampleBytes(10), Date.now() - 16 * MINUTE_MS);
    await rejectsWith(put, "unavailable", /"log\/a".*its date.* is too long ago$/);
    equal(await store.head("log/a"), undefined);
  },
  async "a put that is dated too early is refused before it is compared"(store) {
    await store.put("log/a", sampleBytes(10, 1));
    for (const seed of [1, 2]) {
      const put = store.putDated("log/a", sampleBytes(10, seed), Date.now() - 16 * MINUTE_MS);
      await rejectsWith(put, "unavailable");
    }
    deepEqual(await store.get("log/a"), sampleBytes(10, 1));
  },
  async "of many dated puts of one key exactly one succeeds"(store) {
    const bodies = Array.from({ length: RACERS }, (_, i) => sampleBytes(1000, i));
    const dates = bodies.map((_, i) => Date.now() - (i % 3) * MINUTE_MS);
    const winners = await winnersOf(
      bodies.map((body, i) => store.putDated("log/a", body, dates[i])),
    );
    equal(winners.length, 1);
    deepEqual(await store.get("log/a"), bodies[winners[0]]);
  },
  async "dated and undated puts of one key exclude each other"(store) {
    const bodies = Array.from({ length: RACERS }, (_, i) => sampleBytes(1000, i));
    const winners = await winnersOf(
      bodies.map((body, i) =>
        i % 2 === 0
          ? store.put("log/a", body, { ifAbsent: true })
          : store.putDated("log/a", body, Date.now())
      ),
    );
    equal(winners.length, 1);
    deepEqual(await store.get("log/a"), bodies[winners[0]]);
  },
  async "a dated put of no key, or of one who gave up, does nothing"(store) {
    await rejectsWith(store.putDated("a//b", sampleBytes(1), Date.now()), "invalid");
    const signal = AbortSignal.abort("enough");
    await rejectsWith(store.putDated("a", sampleBytes(1), Date.now(), { signal }), "aborted");
    equal(await store.head("a"), undefined);
  },
};
