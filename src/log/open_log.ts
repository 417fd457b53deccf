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
import { makeDirectories, MEMORY_PATH, openStoreFile, tryLockFile } from "./_log_io.ts";
import type { CommitLog } from "./commit_log.ts";
import { KvLog } from "./kv/kv_log.ts";

/** What a log may be given. */
export interface OpenLogOptions {
  /** The time in ids (default: the machine's). */
  readonly clock?: Clock;
  /** Makes ids (default: the platform's). */
  readonly random?: Random;
  /** Counts commits, batches, errors and bytes (default: nothing does). */
  readonly metrics?: Metrics;
  /** Takes what a subscriber throws (default: it is only counted). */
  readonly onListenerError?: (error: unknown) => void;
}

/**
 * Opens a log.
 *
 * | address | log |
 * |---|---|
 * | `memory:` | in memory; gone when it is closed |
 * | `kv:FILE` | in a Deno KV file, which one process holds: a lock on `FILE.lock` sees to it |
 *
 * @param address Where the log is.
 * @throws {GraftError} `invalid` for an address that is none, or whose file is not a log; `unavailable`
 * when the file is in use or cannot be opened.
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
  const shared = /^(kv\+https?|s3):\/\//.test(address);
  const state = shared ? "logs that processes share are not there yet" : "it is no log's address";
  throw new GraftError("invalid", `Cannot open log "${address}": ${state}`, {
    hint: "Use kv:FILE, or memory: for one that is gone when the program ends",
  });
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
      clock: options.clock ?? systemClock,
      random: options.random ?? systemRandom,
      metrics: options.metrics ?? noMetrics,
      onListenerError: options.onListenerError ?? (() => {}),
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
