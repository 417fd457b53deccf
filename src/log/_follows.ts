// What every log requires of a record before it is appended.

import { assert } from "../core/assert.ts";
import { digestsEqual, EMPTY_DIGEST } from "../core/content_digest.ts";
import { COMMIT_SEGMENTS_MAX } from "../core/limits.ts";
import { nextLsn } from "../core/lsn.ts";
import type { CommitRecord, Head, HeadRead } from "./commit_log.ts";

/** Stops an append whose record does not follow from its base. */
export function assertFollows(record: CommitRecord, { head }: HeadRead): void {
  assert(head?.deleted !== true, "A deleted volume takes no commits");
  assert(record.lsn === nextLsn(head?.lsn), "A record is not the next of its volume");
  assert(
    digestsEqual(record.parentDigest, head?.digest ?? EMPTY_DIGEST),
    "A record is not chained to the one before it",
  );
  assert(
    record.timestampMs >= (head?.timestampMs ?? 0),
    "A record is older than the one before it",
  );
  assert(record.segments.length <= COMMIT_SEGMENTS_MAX, "A record has too many segments");
}

/** Stops a deletion of what is not there. */
export function assertDeletable(head: Head | undefined): asserts head is Head {
  assert(head !== undefined && !head.deleted, "Only a volume that is there can be deleted");
}
