/**
 * Puts that only take a free key.
 *
 * @module
 */

import { isSameBytes } from "../../core/bytes.ts";
import { GraftError, isGraftError } from "../../core/errors.ts";
import { takenObject } from "../_call_checks.ts";
import type { BucketCall, BucketCalls } from "./bucket_calls.ts";
import { S3Failure } from "./requests/s3_failure.ts";

/**
 * Stores an object under a free key.
 *
 * An attempt whose answer was lost may have been carried out: what the next one meets under the key may be
 * our own object. `fetch` makes a next one without a word when a connection that was used before breaks, so
 * whoever is told that the key is taken asks what is there; the very same bytes count as stored.
 *
 * @param dateMs When the put is dated, each attempt the same.
 * @throws {GraftError} `conflict` when the key is taken by others; `unavailable` when that is not known.
 */
export async function putIfAbsent(
  calls: BucketCalls,
  call: BucketCall,
  body: Uint8Array<ArrayBuffer>,
  dateMs?: number,
): Promise<void> {
  try {
    await calls.attempt(call, {
      operation: "put",
      method: "PUT",
      headers: { "if-none-match": "*" },
      body,
      dateMs,
      statuses: [200],
      read() {},
    });
  } catch (error) {
    if (!(error instanceof S3Failure)) throw error;
    const isTaken = error.facts.status === 412;
    const isWorthALook = isTaken || (error.mayHaveLanded && !error.isTransient);
    if (isWorthALook) return await compare(calls, call, body, error);
    throw explainPut(calls, call, error, dateMs);
  }
}

/** Returns where the object is `body`. */
async function compare(
  calls: BucketCalls,
  call: BucketCall,
  body: Uint8Array<ArrayBuffer>,
  failure: S3Failure,
): Promise<void> {
  let stored: Uint8Array;
  try {
    stored = await calls.get(call);
  } catch (error) {
    if (isGraftError(error, "aborted")) throw error;
    const state = isGraftError(error, "missing")
      ? "the key was taken, and then free again"
      : "nobody knows whether it was stored";
    throw new GraftError("unavailable", `Cannot ${call.what}: ${state}`, { cause: failure });
  }
  if (!isSameBytes(stored, body)) throw takenObject(calls.name, call.key);
}

function explainPut(
  calls: BucketCalls,
  call: BucketCall,
  failure: S3Failure,
  dateMs: number | undefined,
): unknown {
  const isOutdated = dateMs !== undefined && failure.facts.code === "RequestTimeTooSkewed";
  if (!isOutdated) return calls.explain(call.what, failure);
  return new GraftError(
    "unavailable",
    `Cannot ${call.what}: its date, ${new Date(dateMs).toISOString()}, is too long ago`,
    { cause: failure },
  );
}
