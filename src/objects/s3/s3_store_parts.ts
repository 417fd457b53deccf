/**
 * What a store in S3 is made of.
 *
 * @module
 */

import type { Clock } from "../../core/clock.ts";
import type { Metrics } from "../../core/metrics.ts";
import type { Random } from "../../core/random.ts";
import type { Timers } from "../../core/timers.ts";
import type { RequestLimits } from "./requests/request_limits.ts";
import type { S3Settings } from "./s3_settings.ts";

/** What a store in S3 is made of. */
export interface S3StoreParts {
  /** Keys, region and endpoint. */
  readonly settings: S3Settings;
  /** The time. */
  readonly clock: Clock;
  /** Chance, for the pauses between attempts. */
  readonly random: Random;
  /** Waiting. */
  readonly timers: Timers;
  /** Where requests are counted. */
  readonly metrics: Metrics;
  /** The label of this store in the metrics: `objects` when not given; a log in a bucket is `log`. */
  readonly store?: string;
  /** Other limits than the usual ones. */
  readonly limits?: Partial<RequestLimits>;
}
