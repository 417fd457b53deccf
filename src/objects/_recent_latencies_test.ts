import { equal } from "node:assert/strict";
import { RecentLatencies } from "./_recent_latencies.ts";

function record(latencies: RecentLatencies, count: number, latencyOf: (i: number) => number) {
  for (let i = 0; i < count; i++) latencies.record(latencyOf(i));
}

Deno.test("the percentile is known from the hundredth latency on", () => {
  const latencies = new RecentLatencies();
  record(latencies, 99, (i) => i + 1);
  equal(latencies.percentileMs, undefined);
  latencies.record(100);
  equal(latencies.percentileMs, 95);
});

Deno.test("the percentile does not depend on the order", () => {
  const latencies = new RecentLatencies();
  record(latencies, 100, (i) => (i * 37) % 100 + 1);
  equal(latencies.percentileMs, 95);
});

Deno.test("the percentile follows the last 256 latencies", () => {
  const latencies = new RecentLatencies();
  record(latencies, 100, () => 10);
  record(latencies, 300, () => 500);
  equal(latencies.percentileMs, 500);
  record(latencies, 300, () => 20);
  equal(latencies.percentileMs, 20);
});

Deno.test("one slow call in thirty does not move the percentile", () => {
  const latencies = new RecentLatencies();
  record(latencies, 600, (i) => i % 30 === 0 ? 10_000 : 10);
  equal(latencies.percentileMs, 10);
});
