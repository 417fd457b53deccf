import assert from "node:assert/strict";
import { ManualTimers } from "../_testing.ts";
import { FixedClock } from "../auth/_testing.ts";
import { measureProcess } from "./process_metrics.ts";
import { PrometheusMetrics } from "./prometheus.ts";

Deno.test("measureProcess() shows memory and the worst lag since the last scrape", async () => {
  const metrics = new PrometheusMetrics();
  const clock = new FixedClock();
  const timers = new ManualTimers();
  const stop = measureProcess(metrics, clock, timers);
  for (const lateMs of [0, 250, 30]) {
    clock.monotonicMs += 500 + lateMs;
    timers.fire();
  }
  assert.match(await metrics.text(), /graft_event_loop_lag_seconds 0.25\n/);
  const again = await metrics.text();
  assert.match(again, /graft_event_loop_lag_seconds 0\n/);
  const rss = /graft_process_resident_memory_bytes (\d+)/.exec(again);
  assert(Number(rss?.[1]) > 1_000_000);
  stop();
  assert.equal(timers.waiting, 0);
});
