/**
 * Measuring with Prometheus.
 *
 * @module
 */

import { Counter as PromCounter, Gauge, Histogram as PromHistogram, Registry } from "prom-client";
import { assert } from "../../core/assert.ts";
import type { Counter, Histogram, Metrics } from "../../core/metrics.ts";

const PREFIX = "graft_";

type Labels = Record<string, string>;

/**
 * The {@linkcode Metrics} of a server, with `graft_` before each name and `_total` after those of counters.
 *
 * What is measured goes into plain numbers and reaches prom-client's instruments only when somebody asks:
 * recording through them costs a microsecond a value, as they look labels up each time.
 */
export class PrometheusMetrics implements Metrics {
  readonly #registry = new Registry();
  readonly #counters = new Map<string, CounterFamily>();
  readonly #histograms = new Map<string, HistogramFamily>();
  readonly #gauges = new Map<string, GaugeFamily>();

  /** The media type of {@linkcode PrometheusMetrics.text}. */
  get contentType(): string {
    return this.#registry.contentType;
  }

  /** Everything measured, in the text format. */
  text(): Promise<string> {
    return this.#registry.metrics();
  }

  /** See {@linkcode Metrics.counter}. The same name and labels give the same counter. */
  counter(name: string, help: string, labels: Labels = {}): Counter {
    const family = getOrMake(
      this.#counters,
      name,
      () => new CounterFamily(this.#registry, counterName(name), help, Object.keys(labels)),
    );
    return family.cell(labels);
  }

  /** See {@linkcode Metrics.histogram}. The same name and labels give the same histogram. */
  histogram(name: string, help: string, bounds: readonly number[], labels: Labels = {}): Histogram {
    const family = getOrMake(
      this.#histograms,
      name,
      () => new HistogramFamily(this.#registry, PREFIX + name, help, bounds),
    );
    return family.cell(labels);
  }

  /** See {@linkcode Metrics.gauge}. */
  gauge(name: string, help: string, read: () => number, labels: Labels = {}): void {
    const family = getOrMake(
      this.#gauges,
      name,
      () => new GaugeFamily(this.#registry, PREFIX + name, help, Object.keys(labels)),
    );
    family.add(labels, read);
  }
}

function counterName(name: string): string {
  return name.endsWith("_total") ? PREFIX + name : `${PREFIX}${name}_total`;
}

function getOrMake<T>(families: Map<string, T>, name: string, make: () => T): T {
  const family = families.get(name) ?? make();
  families.set(name, family);
  return family;
}

function labelKey(labels: Labels): string {
  return JSON.stringify(Object.entries(labels).sort());
}

class CounterCell implements Counter {
  readonly labels: Labels;
  value = 0;

  constructor(labels: Labels) {
    this.labels = labels;
  }

  add(amount = 1): void {
    this.value += amount;
  }
}

class CounterFamily {
  readonly #cells = new Map<string, CounterCell>();

  constructor(registry: Registry, name: string, help: string, labelNames: string[]) {
    const cells = this.#cells;
    new PromCounter({
      name,
      help,
      labelNames,
      registers: [registry],
      collect() {
        this.reset();
        for (const cell of cells.values()) this.inc(cell.labels, cell.value);
      },
    });
  }

  cell(labels: Labels): CounterCell {
    return getOrMake(this.#cells, labelKey(labels), () => new CounterCell(labels));
  }
}

class GaugeFamily {
  readonly #readers: { labels: Labels; read: () => number }[] = [];

  constructor(registry: Registry, name: string, help: string, labelNames: string[]) {
    const readers = this.#readers;
    new Gauge({
      name,
      help,
      labelNames,
      registers: [registry],
      collect() {
        for (const { labels, read } of readers) this.set(labels, read());
      },
    });
  }

  add(labels: Labels, read: () => number): void {
    this.#readers.push({ labels, read });
  }
}

class HistogramCell implements Histogram {
  readonly labels: Labels;
  readonly #bounds: readonly number[];
  /** Values in each bucket alone; the last one is beyond all bounds. */
  readonly counts: Float64Array;
  sum = 0;

  constructor(labels: Labels, bounds: readonly number[]) {
    this.labels = labels;
    this.#bounds = bounds;
    this.counts = new Float64Array(bounds.length + 1);
  }

  record(value: number): void {
    let at = 0;
    while (at < this.#bounds.length && value > this.#bounds[at]) at++;
    this.counts[at]++;
    this.sum += value;
  }
}

/** prom-client's histogram cannot be set, so what it exports is made here. */
class HistogramFamily extends PromHistogram {
  readonly #name: string;
  readonly #help: string;
  readonly #bounds: readonly number[];
  readonly #cells = new Map<string, HistogramCell>();

  constructor(registry: Registry, name: string, help: string, bounds: readonly number[]) {
    assert(bounds.every((bound, at) => at === 0 || bounds[at - 1] < bound), "Bounds do not ascend");
    super({ name, help, registers: [registry] });
    this.#name = name;
    this.#help = help;
    this.#bounds = bounds;
  }

  cell(labels: Labels): HistogramCell {
    return getOrMake(this.#cells, labelKey(labels), () => new HistogramCell(labels, this.#bounds));
  }

  /** What the registry, and prom-client's own `get`, take the values from; its types do not know it. */
  getForPromString(): Promise<object> {
    const values = [...this.#cells.values()].flatMap((cell) => this.#values(cell));
    return Promise.resolve({ name: this.#name, help: this.#help, type: "histogram", values });
  }

  #values({ labels, counts, sum }: HistogramCell) {
    let count = 0;
    const buckets = [...counts].map((inBucket, at) => {
      count += inBucket;
      const le = at < this.#bounds.length ? String(this.#bounds[at]) : "+Inf";
      return { metricName: `${this.#name}_bucket`, labels: { ...labels, le }, value: count };
    });
    return [
      ...buckets,
      { metricName: `${this.#name}_sum`, labels, value: sum },
      { metricName: `${this.#name}_count`, labels, value: count },
    ];
  }
}
