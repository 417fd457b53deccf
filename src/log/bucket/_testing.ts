// What the tests of logs in buckets share.

import type { Clock } from "../../core/clock.ts";
import { systemClock } from "../../core/clock.ts";
import { noMetrics } from "../../core/metrics.ts";
import { systemRandom } from "../../core/random.ts";
import { MemoryStore } from "../../objects/memory_store.ts";
import type { DatedObjectStore } from "../../objects/object_store.ts";
import type { TestedLog } from "../_conformance.ts";
import { BucketLog, type BucketLogParts } from "./bucket_log.ts";

/** A clock that stands still until it is moved. */
export class TestClock implements Clock {
  wallMs: number = Date.UTC(2026, 0, 1);
  monotonicMs = 1000.5;

  now(): number {
    return this.wallMs;
  }

  monotonic(): number {
    return this.monotonicMs;
  }

  /** Lets both clocks go on. */
  advance(ms: number): void {
    this.wallMs += ms;
    this.monotonicMs += ms;
  }
}

/** A log over a store, with its segments in memory. */
export async function openBucket(
  store: DatedObjectStore,
  parts: Partial<BucketLogParts> = {},
): Promise<BucketLog> {
  return await BucketLog.open({
    store,
    segments: new MemoryStore(),
    name: "test:",
    clock: systemClock,
    random: systemRandom,
    metrics: noMetrics,
    onListenerError: (error) => {
      throw error;
    },
    ...parts,
  });
}

/** A log in a store, as the conformance suite wants it; `open` opens the same place again and again. */
export async function testedBucketLog(open: () => Promise<DatedObjectStore>): Promise<TestedLog> {
  const listenerErrors: unknown[] = [];
  const onListenerError = (error: unknown) => listenerErrors.push(error);
  let log = await openBucket(await open(), { onListenerError });
  return {
    log,
    listenerErrors,
    collect: undefined,
    keepsRegistrations: false,
    reopen: async () => {
      await log.close();
      return log = await openBucket(await open(), { onListenerError });
    },
    dispose: () => log.close(),
  };
}
