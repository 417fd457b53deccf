/**
 * What is counted of requests.
 *
 * @module
 */

import type { Counter, Histogram, Metrics } from "../../core/metrics.ts";

/** Upper bounds of latencies, in seconds. */
const SECONDS_BOUNDS = [
  0.0001,
  0.0002,
  0.0005,
  0.001,
  0.002,
  0.005,
  0.01,
  0.02,
  0.05,
  0.1,
  0.2,
  0.5,
  1,
  2,
  5,
  10,
  30,
  60,
];

/** Counts the requests of one route; its instruments are looked up once. */
export class RouteMetrics {
  readonly #metrics: Metrics;
  readonly #route: string;
  readonly #seconds: Histogram;
  readonly #statuses = new Map<number, Counter>();
  readonly #open: { count: number };

  /** `open` counts the requests under way over all routes. */
  constructor(metrics: Metrics, route: string, open: { count: number }) {
    this.#metrics = metrics;
    this.#route = route;
    this.#open = open;
    this.#seconds = metrics.histogram(
      "request_duration_seconds",
      "Time from a request's headers to its answer",
      SECONDS_BOUNDS,
      { route },
    );
  }

  /** A request came. */
  began(): void {
    this.#open.count++;
  }

  /** A request was answered. */
  ended(status: number, tookSeconds: number): void {
    this.#open.count--;
    this.#seconds.record(tookSeconds);
    (this.#statuses.get(status) ?? this.#addStatus(status)).add();
  }

  #addStatus(status: number): Counter {
    const labels = { route: this.#route, status: String(status) };
    const counter = this.#metrics.counter("requests", "Requests answered", labels);
    this.#statuses.set(status, counter);
    return counter;
  }
}

/** Makes the {@linkcode RouteMetrics} of routes. */
export class RequestMetrics {
  readonly #metrics: Metrics;
  readonly #open = { count: 0 };

  /** Takes where to measure. */
  constructor(metrics: Metrics) {
    this.#metrics = metrics;
    metrics.gauge("requests_in_flight", "Requests under way", () => this.#open.count);
  }

  /** The metrics of the route with this name. */
  route(name: string): RouteMetrics {
    return new RouteMetrics(this.#metrics, name, this.#open);
  }
}
