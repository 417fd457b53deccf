// What the tests of a bucket log on a failing store share.

import type { Clock } from "../../src/core/clock.ts";
import { noMetrics } from "../../src/core/metrics.ts";
import type { BucketLog } from "../../src/log/bucket/bucket_log.ts";
import { Committer } from "../../src/metastore/committer.ts";
import { VolumeIndexes } from "../../src/pagestore/volume_indexes.ts";
import type { Fault, FaultyStore } from "./objects_faulty_store.ts";

/** A committer on a log, as a server has one. */
export function committerOf(log: BucketLog, clock: Clock): Committer {
  const indexes = new VolumeIndexes({ log, metrics: noMetrics, bytesMax: 1 << 20 });
  return new Committer({ log, clock, indexes, graceMs: 86_400_000 });
}

/** Spends the faults one after the other on the calls of one operation. */
export function onEach(
  operation: string,
  ...faults: readonly (Fault | undefined)[]
): FaultyStore["plan"] {
  const left = [...faults];
  return (call) => call.operation === operation ? left.shift() : undefined;
}

/** The call fails and has no effect. */
export const BEFORE: Fault = { kind: "fail before" };
/** The call has its effect, and its answer is lost. */
export const AFTER: Fault = { kind: "fail after" };
