// How long knowledge lasts, and how much is carried and kept.

import { assert } from "../../core/assert.ts";

/** S3 refuses a request that is dated earlier than this. */
export const DATE_AGE_MAX_MS = 15 * 60_000;
/** A name is freed at the earliest so long after a base above it was published. */
export const NAMES_KEPT_MS = 60 * 60_000;
/** A commit is acknowledged only so long after the read of the head that it rests on. */
export const ACKNOWLEDGED_WITHIN_MS = 10 * 60_000;
/** A head that is known so long may be gone on from by its name alone. */
export const HEAD_FOLLOWED_WITHIN_MS = 30 * 60_000;
/** A head that is known so long is good enough to base a commit on. */
export const HEAD_USED_WITHIN_MS = 4 * 60_000;

/** Records that a strong read follows one by one before it lists instead. */
export const FOLLOWED_MAX = 3;

/** Bytes of records that an object carries, its own aside. */
export const CARRIED_BYTES_MAX = 256 * 1024;
/** The same for an object at a multiple of 64. */
export const FOLDED_BYTES_MAX = 1024 * 1024;

/** Bytes of heads in memory, with the records that their objects carry. */
export const HEADS_BYTES_MAX = 32 * 1024 * 1024;
/** Bytes in memory of what the newest objects at multiples of 64 carry. */
export const FOLDS_BYTES_MAX = 32 * 1024 * 1024;
/** Volumes with an object of which nobody knows whether it landed. */
export const DOUBTS_MAX = 10_000;
/** Bytes of registrations in memory: a commit follows soon after the segments it names. */
export const REGISTRATIONS_BYTES_MAX = 8 * 1024 * 1024;

/** Keys of one listing, when volumes are sought. */
export const SCANNED_KEYS = 100;
/** Heads that are fetched at once, when volumes are listed. */
export const SCANNED_HEADS = 8;

assert(HEAD_USED_WITHIN_MS < ACKNOWLEDGED_WITHIN_MS, "A commit must have time to land");
assert(ACKNOWLEDGED_WITHIN_MS < DATE_AGE_MAX_MS, "What is acknowledged must have been in time");
assert(
  HEAD_FOLLOWED_WITHIN_MS + DATE_AGE_MAX_MS < NAMES_KEPT_MS,
  "No name may be free again while somebody may still take it for new",
);
