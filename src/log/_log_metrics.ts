// What the log measures of itself.

import type { Counter, Histogram, Metrics } from "../core/metrics.ts";

const BATCH_BOUNDS = [1, 2, 4, 8, 16, 32, 64, 90];

/** The log's instruments. */
export interface LogMetrics {
  readonly commits: Counter;
  readonly batchCommits: Histogram;
  readonly staleAppends: Counter;
  readonly registrations: Counter;
  readonly writtenBytes: Counter;
}

/** Makes the instruments. */
export function logMetrics(metrics: Metrics): LogMetrics {
  return {
    commits: metrics.counter("log_commits", "Commits that landed in the log"),
    batchCommits: metrics.histogram(
      "log_batch_commits",
      "Commits that landed in one write of the log",
      BATCH_BOUNDS,
    ),
    staleAppends: metrics.counter("log_stale_appends", "Appends whose base was not the head"),
    registrations: metrics.counter("log_registrations", "Segments registered"),
    writtenBytes: metrics.counter(
      "log_written_bytes",
      "Bytes of keys and values written to the log",
    ),
  };
}
