/**
 * The object store of a server, with all that stands before it.
 *
 * @module
 */

import type { Clock } from "../core/clock.ts";
import { GraftError } from "../core/errors.ts";
import type { Metrics } from "../core/metrics.ts";
import type { Random } from "../core/random.ts";
import type { Timers } from "../core/timers.ts";
import { HedgedStore } from "../objects/hedged_store.ts";
import { MeteredStore } from "../objects/metered_store.ts";
import { openObjectStore } from "../objects/open_object_store.ts";
import type { S3StoreParts } from "../objects/s3/s3_store_parts.ts";
import type { S3Settings } from "../objects/s3/s3_settings.ts";

/** What a store is opened with. */
export interface OpenObjectsOptions {
  /** Who the program is for S3; needed where the address is there. */
  readonly s3: S3Settings | undefined;
  /** The time. */
  readonly clock: Clock;
  /** Chance. */
  readonly random: Random;
  /** Waiting. */
  readonly timers: Timers;
  /** What everything is measured with. */
  readonly metrics: Metrics;
}

/** Whether the objects of an address are not on this machine. */
export function isRemote(address: string): boolean {
  return address.startsWith("s3:");
}

/** Opens the store of an address: measured, and with hedged reads where it is remote. */
export async function openObjects(
  address: string,
  options: OpenObjectsOptions,
): Promise<MeteredStore> {
  const store = await openObjectStore(address, { s3: s3Parts(address, "objects", options) });
  const hedged = isRemote(address) ? new HedgedStore(store, options) : store;
  return new MeteredStore(hedged, options.metrics, options.clock);
}

/**
 * What a store in S3 is made of; undefined for an address elsewhere.
 *
 * @param store What it is called in the metrics.
 * @throws {GraftError} `invalid` where the settings are missing.
 */
export function s3Parts(
  address: string,
  store: string,
  { s3, clock, random, timers, metrics }: OpenObjectsOptions,
): S3StoreParts | undefined {
  if (!isRemote(address)) return undefined;
  if (s3 !== undefined) return { settings: s3, clock, random, timers, metrics, store };
  throw new GraftError("invalid", `Cannot open "${address}": no keys for S3 are given`);
}
