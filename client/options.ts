/**
 * What the client and its calls are given.
 *
 * @module
 */

import type { Clock } from "../src/core/clock.ts";
import type { Random } from "../src/core/random.ts";
import type { SegmentUse } from "../src/core/snapshot.ts";
import type { Timers } from "../src/core/timers.ts";
import type { Decompress } from "../src/wire/v1/page_stream_decoder.ts";
import type { Fetch } from "./_transport.ts";

/**
 * The two interfaces of a server: `v1` (docs/http.md), which guards pages with checksums and takes a whole
 * transaction in one request, and the original's `v0.1`.
 */
export type ProtocolName = "v1" | "v0.1";

/** How a {@linkcode GraftClient} is set up. Everything is optional. */
export interface GraftClientOptions {
  /** The token that the server asks for, without `Bearer `. */
  readonly token?: string;
  /** The metastore's URL, where it is another than the pagestore's. */
  readonly metastoreUrl?: string | URL;
  /**
   * What snapshots, reads and pushes go over. Default: `v1` if the first answer shows that the server has
   * it, else `v0.1`; with `v1` they are refused with `invalid` where it has not. What only `v0.1` has (single
   * writes and commits, and both pulls) goes over `v0.1` in any case.
   */
  readonly protocol?: ProtocolName;
  /**
   * Who commits: what makes a commit safe to repeat, even after a restart of the program. Default: a new
   * one for each client object. Two programs must never share one.
   */
  readonly clientId?: string;
  /**
   * How long a request may take, retries and waits included, beside what a long body takes; default 120,000 ms, and
   * 10,000 ms while nothing has ever answered this client.
   */
  readonly deadlineMs?: number;
  /** How long one attempt may take, up to the last byte of its answer; default 60,000 ms. */
  readonly attemptMs?: number;
  /**
   * Decompresses pages, which come over `v1` compressed. Default: a small decoder in JavaScript; `false`: they
   * come uncompressed.
   */
  readonly decompress?: Decompress | false;
  /** What sends requests; default: the platform's `fetch`. */
  readonly fetch?: Fetch;
  /** Time, for tests; default: the platform's. */
  readonly clock?: Clock;
  /** Chance, for tests; default: the platform's. */
  readonly random?: Random;
  /** Waiting, for tests; default: the platform's. */
  readonly timers?: Timers;
}

/** What every call may be given. */
export interface CallOptions {
  /** Gives up the call; it then rejects with GraftError `aborted`. */
  readonly signal?: AbortSignal;
}

/** Which snapshot of a volume is meant; without either the latest. */
export interface SnapshotChoice {
  /** The one at this LSN. */
  readonly lsn?: number;
  /** The last one at or before a time: a `Date`, RFC 3339, or so long ago (`2h`, `7d`). */
  readonly at?: Date | string;
}

/** LSNs from `start` to `end`, both inclusive; without an end: to the latest. */
export interface PullRange {
  /** The first LSN of the range. */
  readonly start: number;
  /** The last LSN of the range. */
  readonly end?: number;
}

/** What a commit says. */
export interface CommitParts {
  /** The volume; its first commit creates it. */
  readonly vid: string;
  /** The LSN that the commit is based on, which must be the latest; undefined for the first commit. */
  readonly base: number | undefined;
  /** How many pages the volume has from here on. Pages above are cut off. */
  readonly pageCount: number;
  /** What {@linkcode GraftClient.write} answered: at most 64, without overlaps. */
  readonly segments: readonly SegmentUse[];
}

/** A page to write, with its index. A `Map` holds such pairs. */
export type PageToWrite = readonly [pageIdx: number, bytes: Uint8Array];
