/**
 * What the bill will say.
 *
 * @module
 */

import type { Counter, Metrics } from "../../../core/metrics.ts";

/** The kinds of requests that S3 charges for. */
export type S3Operation = "put" | "get" | "list" | "head" | "delete";

/**
 * Counts what was really sent: `s3_requests_total` by store, operation and outcome (`2xx`, `4xx`, …;
 * `network` without an answer, `timeout`, `aborted`), and `s3_retries_total` by store and operation.
 */
export class RequestCounts {
  readonly #metrics: Metrics;
  readonly #store: string;
  readonly #counters = new Map<string, Counter>();

  /** Counts for `store`, the label that tells the objects' bucket from the log's. */
  constructor(metrics: Metrics, store: string) {
    this.#metrics = metrics;
    this.#store = store;
  }

  /** One more request ended. */
  addRequest(operation: S3Operation, outcome: string): void {
    this.#counter("s3_requests_total", "Requests sent to S3", { operation, outcome }).add();
  }

  /** One more request is sent again. */
  addRetry(operation: S3Operation): void {
    this.#counter("s3_retries_total", "Requests to S3 that were sent again", { operation }).add();
  }

  #counter(name: string, help: string, labels: Record<string, string>): Counter {
    const id = [name, ...Object.values(labels)].join(" ");
    let counter = this.#counters.get(id);
    if (counter === undefined) {
      counter = this.#metrics.counter(name, help, { store: this.#store, ...labels });
      this.#counters.set(id, counter);
    }
    return counter;
  }
}
