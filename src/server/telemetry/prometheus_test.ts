import assert from "node:assert/strict";
import { PrometheusMetrics } from "./prometheus.ts";

/** The lines of one metric, without its help. */
async function linesOf(metrics: PrometheusMetrics, name: string): Promise<string[]> {
  const lines = (await metrics.text()).split("\n");
  return lines.filter((line) => line.startsWith(name) || line.startsWith(`# TYPE ${name}`));
}

Deno.test("PrometheusMetrics.counter() adds up by label and names itself a total", async () => {
  const metrics = new PrometheusMetrics();
  metrics.counter("pages_read", "Pages served", { role: "a" }).add();
  metrics.counter("pages_read", "Pages served", { role: "a" }).add(4);
  metrics.counter("pages_read", "Pages served", { role: "b" }).add(2);
  assert.deepEqual(await linesOf(metrics, "graft_pages_read"), [
    "# TYPE graft_pages_read_total counter",
    'graft_pages_read_total{role="a"} 5',
    'graft_pages_read_total{role="b"} 2',
  ]);
  assert.match(await metrics.text(), /# HELP graft_pages_read_total Pages served/);
});

Deno.test("PrometheusMetrics.counter() leaves a name that says total as it is", async () => {
  const metrics = new PrometheusMetrics();
  metrics.counter("object_requests_total", "Requests").add();
  assert.deepEqual((await linesOf(metrics, "graft_object"))[1], "graft_object_requests_total 1");
});

Deno.test("PrometheusMetrics.counter() shows a counter before it counted", async () => {
  const metrics = new PrometheusMetrics();
  metrics.counter("errors", "Errors");
  assert.deepEqual((await linesOf(metrics, "graft_errors"))[1], "graft_errors_total 0");
});

Deno.test("PrometheusMetrics.histogram() counts values up to each bound, bounds included", async () => {
  const metrics = new PrometheusMetrics();
  const histogram = metrics.histogram("wait_seconds", "Waiting", [1, 2], { route: "x" });
  for (const value of [0.5, 1, 1.5, 2, 3]) histogram.record(value);
  assert.deepEqual(await linesOf(metrics, "graft_wait_seconds"), [
    "# TYPE graft_wait_seconds histogram",
    'graft_wait_seconds_bucket{route="x",le="1"} 2',
    'graft_wait_seconds_bucket{route="x",le="2"} 4',
    'graft_wait_seconds_bucket{route="x",le="+Inf"} 5',
    'graft_wait_seconds_sum{route="x"} 8',
    'graft_wait_seconds_count{route="x"} 5',
  ]);
});

Deno.test("PrometheusMetrics.histogram() keeps labels apart and needs none", async () => {
  const metrics = new PrometheusMetrics();
  metrics.histogram("a", "A", [1], { x: "1" }).record(1);
  metrics.histogram("a", "A", [1], { x: "2" }).record(5);
  metrics.histogram("b", "B", [1]).record(1);
  const text = await metrics.text();
  assert.match(text, /graft_a_sum\{x="1"\} 1\n/);
  assert.match(text, /graft_a_sum\{x="2"\} 5\n/);
  assert.match(text, /graft_b_count 1\n/);
});

Deno.test("PrometheusMetrics.histogram() asserts that its bounds ascend", () => {
  assert.throws(() => new PrometheusMetrics().histogram("a", "A", [2, 1]), /do not ascend/);
});

Deno.test("PrometheusMetrics.gauge() reads when it is asked", async () => {
  const metrics = new PrometheusMetrics();
  let bytes = 1;
  metrics.gauge("held_bytes", "Bytes held", () => bytes, { cache: "frames" });
  metrics.gauge("held_bytes", "Bytes held", () => 7, { cache: "directories" });
  bytes = 3;
  assert.deepEqual((await linesOf(metrics, "graft_held_bytes")).slice(1), [
    'graft_held_bytes{cache="frames"} 3',
    'graft_held_bytes{cache="directories"} 7',
  ]);
});
