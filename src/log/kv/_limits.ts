// The limits of Deno KV, with room to spare, and those of the log's caches.

import { assert } from "../../core/assert.ts";
import { COMMIT_SEGMENTS_MAX } from "../../core/limits.ts";

/** Bytes of a value; KV refuses more than 65,536. Larger ones are cut into chunks. */
export const VALUE_BYTES_MAX = 60 * 1024;
/** Bytes of a value that is kept in chunks: twice what a full commit of full segments takes. */
export const CHUNKED_BYTES_MAX = 8 * 1024 * 1024;

/** What one atomic write takes. */
export interface AtomicLimits {
  /** Keys that it sets or removes. */
  readonly mutations: number;
  /** Keys that it compares. */
  readonly checks: number;
  /** Bytes of its keys and values. */
  readonly bytes: number;
  /** Bytes of its keys. */
  readonly keyBytes: number;
}

/** In Deno's own store, which refuses more than 1,000, 100, 819,200 and 81,920. */
export const LOCAL_LIMITS: AtomicLimits = {
  mutations: 900,
  checks: 90,
  bytes: 720 * 1024,
  keyBytes: 72 * 1024,
};
/** Over KV Connect: denokv refuses more than 10 checks, and takes the others as Deno does. */
export const REMOTE_LIMITS: AtomicLimits = { ...LOCAL_LIMITS, checks: 10 };
/** Batches under way at once, where one takes a round trip. */
export const REMOTE_BATCHES_MAX = 4;

/** Keys of one `getMany`. */
export const GET_MANY_KEYS_MAX = 10;
/** Entries of a listing fetched at once: small enough that values of full size stay below 16 MiB. */
export const LIST_BATCH_ENTRIES = 256;

/** How long the feed tells what changed; a reader that comes later starts over. */
export const FEED_RETENTION_MS = 24 * 60 * 60 * 1000;

/** Batches that one change may be part of without landing or losing, before its caller is told. */
export const ATTEMPTS_MAX = 5;
/** Batches that may fail, each by its deadline, while a change waits for its turn. */
export const FAILURES_WAITED_MAX = 4;
/** Heads kept in memory, about 500 bytes each. */
export const HEADS_MAX = 32_768;
/**
 * Bytes of registrations kept in memory, of some 1,500 small segments: a commit follows soon after the segments it
 * names, and one that is not here costs a read.
 */
export const REGISTRATIONS_BYTES_MAX = 1024 * 1024;

assert(
  COMMIT_SEGMENTS_MAX + 4 <= LOCAL_LIMITS.mutations,
  "A full commit must fit one atomic write",
);
assert(LIST_BATCH_ENTRIES <= 500, "A listing's batch must stay below KV's 1,000 entries");
