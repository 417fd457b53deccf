/**
 * What is measured of the process itself.
 *
 * @module
 */

import type { Clock } from "../../core/clock.ts";
import type { Metrics } from "../../core/metrics.ts";
import type { Timers } from "../../core/timers.ts";
import { processMemory } from "../_server_io.ts";

const SAMPLE_MS = 500;

/**
 * Measures memory when asked, and all the time how late timers fire: a timer that is late by a
 * second means that every request waited that long.
 *
 * @returns Ends the measuring.
 */
export function measureProcess(metrics: Metrics, clock: Clock, timers: Timers): () => void {
  metrics.gauge("process_resident_memory_bytes", "Memory in RAM", () => processMemory().rssBytes);
  metrics.gauge("process_heap_bytes", "JavaScript heap in use", () => processMemory().heapBytes);
  let worstMs = 0;
  metrics.gauge("event_loop_lag_seconds", "Longest delay of a timer since the last scrape", () => {
    const lagMs = worstMs;
    worstMs = 0;
    return lagMs / 1000;
  });
  let cancel = () => {};
  const sample = () => {
    const dueMs = clock.monotonic() + SAMPLE_MS;
    cancel = timers.after(SAMPLE_MS, () => {
      worstMs = Math.max(worstMs, clock.monotonic() - dueMs);
      sample();
    });
  };
  sample();
  return () => cancel();
}
