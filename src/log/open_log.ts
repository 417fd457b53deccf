/**
 * Opens commit logs by their address.
 *
 * @module
 */

import { dirname } from "node:path";
import { type Clock, systemClock } from "../core/clock.ts";
import { GraftError, isGraftError } from "../core/errors.ts";
import { type Metrics, noMetrics } from "../core/metrics.ts";
import { type Random, systemRandom } from "../core/random.ts";
import { systemTimers, type Timers } from "../core/timers.ts";
import { HedgedDatedStore } from "../objects/hedged_dated_store.ts";
import type { ObjectStore } from "../objects/object_store.ts";
import type { S3StoreParts } from "../objects/s3/s3_store_parts.ts";
import { openS3Store } from "../objects/s3/s3_store.ts";
import {
  accessToken,
  makeDirectories,
  MEMORY_PATH,
  openStoreFile,
  send,
  tryLockFile,
} from "./_log_io.ts";
import { BucketLog } from "./bucket/bucket_log.ts";
import type { CommitLog } from "./commit_log.ts";
import { ConnectKv } from "./kv/_connect/connect_kv.ts";
import { KvLog } from "./kv/kv_log.ts";

/** What a log may be given. */
export interface OpenLogOptions {
  /** The time in ids (default: the machine's). */
  readonly clock?: Clock;
  /** Makes ids (default: the platform's). */
  readonly random?: Random;
  /** Bounds the calls to a store on the network (default: the platform's). */
  readonly timers?: Timers;
  /** Counts commits, batches, errors and bytes (default: nothing does). */
  readonly metrics?: Metrics;
  /** Takes what a subscriber throws (default: it is only counted). */
  readonly onListenerError?: (error: unknown) => void;
  /** Where segments are: a log in a bucket looks into those that others wrote. */
  readonly segments?: ObjectStore;
  /** For `s3:`, which cannot be opened without. */
  readonly s3?: S3StoreParts;
  /** For `kv+http:` and `kv+https:` (default: the variable DENO_KV_ACCESS_TOKEN). */
  readonly kvAccessToken?: string;
}

/**
 * Opens a log.
 *
 * | address | log |
 * |---|---|
 * | `memory:` | in memory; gone when it is closed |
 * | `kv:FILE` | in a Deno KV file, which one process holds: a lock on `FILE.lock` sees to it |
 * | `kv+http://host:port`, `kv+https://host` | in a store that speaks KV Connect, for any number of processes |
 * | `s3://bucket/prefix` | in a bucket, for any number of processes |
 *
 * @param address Where the log is.
 * @throws {GraftError} `invalid` for an address that is none, or where something else than a log is;
 * `unauthorized` when a store on the network refuses the access token; `unavailable` when the file is in
 * use or cannot be opened, or the store does not answer.
 *
 * @example
 * ```ts
 * import { openLog } from "./open_log.ts";
 *
 * const log = await openLog("memory:");
 * console.log(log.storeId.length); // 32
 * await log.close();
 * ```
 */
export async function openLog(address: string, options: OpenLogOptions = {}): Promise<CommitLog> {
  if (address === "memory:") return await openStore(address, MEMORY_PATH, options);
  const file = /^kv:(?!\/\/)(.+)$/.exec(address)?.[1];
  if (file !== undefined) return await openFile(address, file, options);
  if (address.startsWith("s3:")) return await openBucket(address, options);
  const url = /^kv\+(https?:\/\/[^/].*)$/.exec(address)?.[1];
  if (url !== undefined && URL.canParse(url)) return await openConnected(address, url, options);
  throw new GraftError("invalid", `Cannot open log "${address}": it is no log's address`, {
    hint: "Use kv:FILE, kv+http://host:port, kv+https://host, s3://bucket/prefix, " +
      "or memory: for one that is gone when the program ends",
  });
}

async function openConnected(
  address: string,
  url: string,
  options: OpenLogOptions,
): Promise<CommitLog> {
  const token = options.kvAccessToken ?? accessToken();
  if (!token) {
    throw new GraftError("unauthorized", `Cannot open log "${address}": there is no access token`, {
      hint: "Set DENO_KV_ACCESS_TOKEN to the access token of the store",
    });
  }
  const parts = ownParts(options);
  const { clock, timers } = parts;
  const kv = new ConnectKv({ url, accessToken: token, send, clock, timers });
  try {
    await kv.connect();
    return await KvLog.open({ ...parts, kv, name: address, exclusive: false });
  } catch (error) {
    kv.close();
    throw cannotOpen(address, error);
  }
}

async function openBucket(address: string, options: OpenLogOptions): Promise<CommitLog> {
  const { segments, s3 } = options;
  if (segments === undefined || s3 === undefined) {
    throw new GraftError("invalid", `Cannot open log "${address}": there are no settings for S3`, {
      hint: "Set AWS_ACCESS_KEY_ID and the others",
    });
  }
  const store = new HedgedDatedStore(await openS3Store(address, s3), s3);
  try {
    return await BucketLog.open({ ...ownParts(options), store, segments, name: address });
  } catch (error) {
    await store.close();
    throw error;
  }
}

/** The parts that every log has. */
function ownParts(options: OpenLogOptions) {
  return {
    clock: options.clock ?? systemClock,
    random: options.random ?? systemRandom,
    timers: options.timers ?? systemTimers,
    metrics: options.metrics ?? noMetrics,
    onListenerError: options.onListenerError ?? (() => {}),
  };
}

async function openFile(
  address: string,
  file: string,
  options: OpenLogOptions,
): Promise<CommitLog> {
  const unlock = lock(address, file);
  try {
    return await openStore(address, file, options, unlock);
  } catch (error) {
    unlock();
    throw error;
  }
}

function lock(address: string, file: string): () => void {
  const path = `${file}.lock`;
  let unlock: (() => void) | undefined;
  try {
    makeDirectories(dirname(file));
    unlock = tryLockFile(path);
  } catch (error) {
    throw cannotOpen(address, error);
  }
  if (unlock !== undefined) return unlock;
  throw new GraftError("unavailable", `Cannot open log "${address}": another process uses it`, {
    hint: `Stop the process that holds the lock on "${path}"`,
  });
}

async function openStore(
  address: string,
  path: string,
  options: OpenLogOptions,
  onClosed?: () => void,
): Promise<CommitLog> {
  const kv = await openStoreFile(path).catch((error) => {
    throw cannotOpen(address, error);
  });
  try {
    return await KvLog.open({
      kv,
      name: address,
      exclusive: true,
      ...ownParts(options),
      onClosed,
    });
  } catch (error) {
    kv.close();
    throw error;
  }
}

/** SQLite's words for a file that is none of its own, or no longer. */
const NOT_A_DATABASE = /not a database|malformed/;

function cannotOpen(address: string, error: unknown): GraftError {
  if (isGraftError(error)) return error;
  const state = error instanceof Error ? error.message : String(error);
  const code = NOT_A_DATABASE.test(state) ? "damaged" : "unavailable";
  return new GraftError(code, `Cannot open log "${address}": ${state}`, { cause: error });
}
