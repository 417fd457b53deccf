// What the tests of a log on a failing key-value store share.

import type { PageSet } from "../../src/core/page_set.ts";
import { newSegment, newVolume, openOver } from "../../src/log/_testing.ts";
import type { Registration } from "../../src/log/commit_log.ts";
import type { KvLog, KvLogParts } from "../../src/log/kv/kv_log.ts";
import { FaultyKv } from "./log_faulty_kv.ts";

/** A log, and the layer before its store that fails. */
export interface Faulty {
  kv: Deno.Kv;
  faults: FaultyKv;
  log: KvLog;
}

/** Checks a new log in memory, and closes it. */
export async function withFaults(
  check: (faulty: Faulty) => Promise<void>,
  parts: Partial<KvLogParts> = {},
): Promise<void> {
  const kv = await Deno.openKv(":memory:");
  const faults = new FaultyKv(kv);
  const log = await openOver(faults, parts);
  try {
    await check({ kv, faults, log });
  } finally {
    await log.close();
  }
}

/** A segment with these pages of one volume. */
export function registrationOf(pages: PageSet): Registration {
  const digest = new Uint8Array(16);
  return {
    sid: newSegment(),
    timestampMs: 1,
    sizeBytes: 2,
    volumes: [{ vid: newVolume(), pageSet: pages, digest }],
  };
}
