/**
 * Why the database file refuses what SQLite asks of it.
 *
 * @module
 */

import { GraftError } from "../../../src/core/errors.ts";
import type { VolumeId } from "../../../src/core/gid.ts";
import { PAGE_SIZE } from "../../../src/core/limits.ts";

/** A page of SQLite is a page of the volume. */
export function otherPageSize(): GraftError {
  return new GraftError(
    "invalid",
    `Cannot use another page size in a volume: its pages have ${PAGE_SIZE} bytes`,
    { hint: "Import the database anew: that converts it" },
  );
}

/** Nothing can be committed. */
export function readOnly(vid: VolumeId): GraftError {
  return new GraftError("forbidden", `Cannot write to volume "${vid}": it is open read-only`, {
    hint: "Open it without an LSN or a time to write to it",
  });
}

/** Another connection writes. */
export function busy(): GraftError {
  return new GraftError("conflict", "Cannot write to the database: another transaction is open", {
    hint: "Try again when that has ended",
  });
}

/** The snapshot is not the newest any more. */
export function stale(): GraftError {
  return new GraftError(
    "conflict",
    "Cannot write to the database: it was changed since the transaction began to read",
    { hint: "Begin the transaction anew, best with begin immediate" },
  );
}
