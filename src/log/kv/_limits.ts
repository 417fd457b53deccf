// The limits of Deno KV, with room to spare, and those of the log's caches.

import { assert } from "../../core/assert.ts";
import { COMMIT_SEGMENTS_MAX } from "../../core/limits.ts";

/** Bytes of a value; KV refuses more than 65,536. Larger ones are cut into chunks. */
export const VALUE_BYTES_MAX = 60 * 1024;
/** Bytes of a value that is kept in chunks: twice what a full commit of full segments takes. */
export const CHUNKED_BYTES_MAX = 8 * 1024 * 1024;

/** Keys that one atomic write sets or removes; KV refuses more than 1,000. */
export const ATOMIC_MUTATIONS_MAX = 900;
/** Keys that one atomic write compares; KV refuses more than 100. */
export const ATOMIC_CHECKS_MAX = 90;
/** Bytes of keys and values in one atomic write; KV refuses more than 819,200. */
export const ATOMIC_BYTES_MAX = 720 * 1024;
/** Bytes of keys in one atomic write; KV refuses more than 81,920. */
export const ATOMIC_KEY_BYTES_MAX = 72 * 1024;

/** Keys of one `getMany`. */
export const GET_MANY_KEYS_MAX = 10;
/** Entries of a listing fetched at once: small enough that values of full size stay below 16 MiB. */
export const LIST_BATCH_ENTRIES = 256;

/** How long the feed tells what changed; a reader that comes later starts over. */
export const FEED_RETENTION_MS = 24 * 60 * 60 * 1000;

/** Batches that one change may be part of without landing or losing, before its caller is told. */
export const ATTEMPTS_MAX = 5;
/** Heads kept in memory, about 500 bytes each. */
export const HEADS_MAX = 32_768;
/** Bytes of registrations kept in memory: a commit follows soon after the segments it names. */
export const REGISTRATIONS_BYTES_MAX = 8 * 1024 * 1024;

assert(COMMIT_SEGMENTS_MAX + 4 <= ATOMIC_MUTATIONS_MAX, "A full commit must fit one atomic write");
assert(LIST_BATCH_ENTRIES <= 500, "A listing's batch must stay below KV's 1,000 entries");
