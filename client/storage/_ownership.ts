// Who owns a storage in a browser: one tab or worker at a time, by a lock that dies with it.

import { deferred } from "../replica/deferred.ts";
import { GraftError } from "../../src/core/errors.ts";
import { browserError } from "./_browser_errors.ts";
import type { OpenStorageOptions } from "./open_storage.ts";

/** `navigator.locks`, as far as it is used here. */
interface LockManager {
  request(
    name: string,
    options: { ifAvailable?: boolean; signal?: AbortSignal },
    callback: (lock: unknown) => Promise<void> | undefined,
  ): Promise<void>;
}

/** Lets go of a storage. */
export type Release = () => void;

/**
 * Makes the caller the owner of a storage.
 *
 * @throws {GraftError} `unavailable` when there is another owner and the caller does not wait, or the browser
 * refuses; `aborted`; `invalid` where the platform has no locks.
 */
export async function takeOwnership(
  storage: string,
  { wait = false, signal }: OpenStorageOptions,
): Promise<Release> {
  const locks = (globalThis.navigator as { locks?: LockManager } | undefined)?.locks;
  if (locks === undefined) throw withoutLocks(storage);
  const options = wait ? (signal === undefined ? {} : { signal }) : { ifAvailable: true };
  const taken = deferred<Release>();
  locks.request(`graft ${storage}`, options, (lock) => {
    if (lock === null) return void taken.reject(ownedByAnother(storage));
    const held = deferred<void>();
    taken.resolve(held.resolve);
    return held.promise;
  }).catch((cause) => {
    // where a browser refuses to store, it refuses locks, too
    const error = signal?.aborted
      ? gaveUp(storage, cause)
      : browserError(`open "${storage}"`, cause);
    taken.reject(error);
  });
  return await taken.promise;
}

function withoutLocks(storage: string): GraftError {
  return new GraftError("invalid", `Cannot open "${storage}": there are no locks here`, {
    hint: "In a browser the page must come over https or from the loopback; elsewhere use sqlite:",
  });
}

function ownedByAnother(storage: string): GraftError {
  return new GraftError(
    "unavailable",
    `Cannot open "${storage}": another tab or worker has it open`,
    { hint: "Close it there, or open it with `wait`; a second replica needs a storage of its own" },
  );
}

function gaveUp(storage: string, cause: unknown): GraftError {
  return new GraftError("aborted", `Cannot open "${storage}": the caller gave up`, { cause });
}
