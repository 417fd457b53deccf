/**
 * The lite client.
 *
 * @module
 */

import type { Clock } from "../src/core/clock.ts";
import { systemClock } from "../src/core/clock.ts";
import { GraftError } from "../src/core/errors.ts";
import type { ClientId, VolumeId } from "../src/core/gid.ts";
import { newGid, parseGid } from "../src/core/gid.ts";
import { READ_PAGES_MAX } from "../src/core/limits.ts";
import { toLsn } from "../src/core/lsn.ts";
import { toPageCount, toPageIdx } from "../src/core/page.ts";
import { PageSet } from "../src/core/page_set.ts";
import type { Random } from "../src/core/random.ts";
import { systemRandom } from "../src/core/random.ts";
import type { SegmentUse, Snapshot } from "../src/core/snapshot.ts";
import type { Timers } from "../src/core/timers.ts";
import { systemTimers } from "../src/core/timers.ts";
import * as wire from "../src/wire/messages.ts";
import type { ProtocolPath } from "../src/wire/protocol.ts";
import { MEDIA_TYPE, PATHS } from "../src/wire/protocol.ts";
import { mapConcurrently } from "./_concurrently.ts";
import { batches } from "./_page_batches.ts";
import { type Fetch, Transport } from "./_transport.ts";
import { PagesRead } from "./pages_read.ts";

/** Requests of one `read` that are on their way at once. */
const READS_AT_ONCE = 4;
/** Requests of one `write` that are on their way at once; each holds 16 MiB of memory. */
const WRITES_AT_ONCE = 2;
const DEADLINE_MS = 120_000;
const ATTEMPT_MS = 60_000;

/** How a {@linkcode GraftClient} is set up. Everything is optional. */
export interface GraftClientOptions {
  /** The token that the server asks for, without `Bearer `. */
  readonly token?: string;
  /** The metastore's URL, where it is another than the pagestore's. */
  readonly metastoreUrl?: string | URL;
  /**
   * Who commits: what makes a commit safe to repeat, even after a restart of the program. Default: a new
   * one for each client object. Two programs must never share one.
   */
  readonly clientId?: string;
  /** How long a request may take, retries and waits included; default 120,000 ms. */
  readonly deadlineMs?: number;
  /** How long one attempt may take, up to the last byte of its answer; default 60,000 ms. */
  readonly attemptMs?: number;
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

/**
 * A client without local storage: it reads pages straight from the server and writes them there.
 *
 * Numbers and identifiers that it is given are checked (GraftError `invalid`); those that it answers
 * have been. Besides the codes that a method names, every call may reject with
 *
 * - `unavailable`: no answer, or only 503 and 429, until the deadline. A commit may have landed;
 * - `unauthorized` or `forbidden`: the token;
 * - `aborted`: the signal;
 * - `internal`: a bug of the server, or an answer that cannot be read.
 *
 * Broken connections, attempts that take too long and the statuses 408, 429, 502, 503 and 504 are tried
 * again, after a random wait that grows, and not before `Retry-After`. That is safe for commits too: the
 * server answers the repeat of a commit that has landed (the same client id, base and content) with the
 * snapshot that it made.
 *
 * @example Write two pages, commit them, and read one back
 * ```ts
 * import { GraftClient } from "./mod.ts";
 *
 * async function example(url: string): Promise<void> {
 *   const client = new GraftClient(url);
 *   const vid = client.newVolumeId();
 *   const pages = new Map([[1, new Uint8Array(4096).fill(1)], [2, new Uint8Array(4096).fill(2)]]);
 *   const snapshot = await client.push(vid, undefined, pages, 2);
 *   const read = await client.read(vid, snapshot.lsn, [2]);
 *   console.log(read.page(2)?.[0]); // 2
 * }
 * ```
 */
export class GraftClient {
  /** Who commits. */
  readonly clientId: ClientId;
  readonly #pagestoreUrl: string;
  readonly #metastoreUrl: string;
  readonly #transport: Transport;
  readonly #clock: Clock;
  readonly #random: Random;

  /**
   * Nothing is sent yet.
   *
   * @param url The server's URL; a path in it stays in front of the protocol's own paths.
   * @throws {GraftError} `invalid` for a URL, a token or a client id that cannot be one.
   */
  constructor(url: string | URL, options: GraftClientOptions = {}) {
    this.#clock = options.clock ?? systemClock;
    this.#random = options.random ?? systemRandom;
    this.clientId = options.clientId === undefined
      ? newGid("client", this.#clock, this.#random)
      : parseGid("client", options.clientId);
    this.#pagestoreUrl = baseUrl(url);
    this.#metastoreUrl = baseUrl(options.metastoreUrl ?? url);
    this.#transport = new Transport({
      // called as a method of another object, the browsers' fetch throws
      fetch: options.fetch ?? ((url, init) => fetch(url, init)),
      clock: this.#clock,
      random: this.#random,
      timers: options.timers ?? systemTimers,
      headers: headersFor(options.token),
      deadlineMs: options.deadlineMs ?? DEADLINE_MS,
      attemptMs: options.attemptMs ?? ATTEMPT_MS,
    });
  }

  /** An identifier for a new volume, which comes into being with its first commit. */
  newVolumeId(): VolumeId {
    return newGid("volume", this.#clock, this.#random);
  }

  /**
   * A volume's snapshot: the latest, or the one at `lsn`.
   *
   * @throws {GraftError} `missing` when the volume or the LSN is not there.
   */
  async snapshot(vid: string, options: CallOptions & { lsn?: number } = {}): Promise<Snapshot> {
    const volume = parseGid("volume", vid);
    const lsn = options.lsn === undefined ? undefined : toLsn(options.lsn);
    return await this.#send(`read the snapshot of volume "${vid}"`, PATHS.snapshot, {
      body: wire.encodeSnapshotRequest({ vid: volume, lsn }),
      decode: wire.decodeSnapshotResponse,
      signal: options.signal,
    });
  }

  /**
   * Pages as they were at an LSN. More than 1024 are asked for in several requests, each with a deadline
   * of its own.
   *
   * @param pages The indexes of the pages wanted, in any order. What was never written is absent from the
   * result.
   * @throws {GraftError} `missing` when the volume or the LSN is not there.
   */
  async read(
    vid: string,
    lsn: number,
    pages: Iterable<number>,
    options: CallOptions = {},
  ): Promise<PagesRead> {
    const [volume, at] = [parseGid("volume", vid), toLsn(lsn)];
    const parts = await mapConcurrently(
      pageSetsOf(pages),
      READS_AT_ONCE,
      options.signal,
      (pageSet, signal) =>
        this.#send(`read pages of volume "${vid}" at LSN ${lsn}`, PATHS.readPages, {
          body: wire.encodeReadPagesRequest({ vid: volume, lsn: at, pageSet }),
          decode: (answer) => wantedPages(answer, pageSet),
          signal,
        }),
    );
    return new PagesRead(volume, at, parts.flat());
  }

  /**
   * Stores pages for a commit to name. They are durable when this resolves, but in no snapshot, and gone
   * a day later if no commit has named them.
   *
   * More than 4096 pages go in several requests, each with a deadline of its own.
   *
   * @param pages Pages of 4,096 bytes, no index twice. They are drawn as they are needed; each is copied at
   * once, so its bytes may be reused for the next.
   * @returns The segments that hold them now: none when there was no page.
   * @throws {GraftError} `invalid` for a page of another size, or one that occurs twice.
   */
  async write(
    vid: string,
    pages: Iterable<PageToWrite>,
    options: CallOptions = {},
  ): Promise<SegmentUse[]> {
    const volume = parseGid("volume", vid);
    const parts = await mapConcurrently(
      batches(pages),
      WRITES_AT_ONCE,
      options.signal,
      (batch, signal) =>
        this.#send(`write pages of volume "${vid}"`, PATHS.writePages, {
          body: wire.encodeWritePagesRequest(volume, batch),
          decode: wire.decodeWritePagesResponse,
          signal,
        }),
    );
    return parts.flat();
  }

  /**
   * Lands a commit, all of it or nothing, if its base is still the latest snapshot.
   *
   * To call it again with the same parts is safe, also after an error that left open whether it landed.
   *
   * @returns The snapshot that the commit made.
   * @throws {GraftError} `conflict` when another commit came first; `invalid` when the segments are
   * unknown, too old (half a day by default), another volume's, or overlap.
   */
  async commit(commit: CommitParts, options: CallOptions = {}): Promise<Snapshot> {
    const { vid, base, pageCount, segments } = commit;
    const request = {
      vid: parseGid("volume", vid),
      cid: this.clientId,
      snapshotLsn: base === undefined ? undefined : toLsn(base),
      pageCount: toPageCount(pageCount),
      segments,
    };
    return await this.#send(`commit to volume "${vid}"`, PATHS.commit, {
      body: wire.encodeCommitRequest(request),
      decode: wire.decodeCommitResponse,
      signal: options.signal,
    });
  }

  /**
   * A whole transaction: {@linkcode write}, then {@linkcode commit}. Nothing of it can be seen unless it
   * lands.
   *
   * @param vid The volume; its first commit creates it.
   * @param base The LSN that the pages are based on; undefined for the first commit.
   * @param pages Pages of 4,096 bytes, no index twice.
   * @param pageCount How many pages the volume has from here on.
   * @returns The snapshot that the commit made.
   * @throws {GraftError} `conflict` when another commit came first, and what `write` throws.
   */
  async push(
    vid: string,
    base: number | undefined,
    pages: Iterable<PageToWrite>,
    pageCount: number,
    options: CallOptions = {},
  ): Promise<Snapshot> {
    // refused before anything is sent, not after
    toPageCount(pageCount);
    if (base !== undefined) toLsn(base);
    const segments = await this.write(vid, pages, options);
    return await this.commit({ vid, base, pageCount, segments }, options);
  }

  /**
   * Which pages changed over a range of LSNs, those that were cut off included.
   *
   * @param options The range; without one: from the checkpoint to the latest.
   * @returns The snapshot at the range's end, the range that is answered, and the pages. Where history is
   * gone, the range is answered as if every page had changed.
   * @throws {GraftError} `missing` when the volume is not there, or nothing is at the range's start yet.
   */
  async pullGraft(
    vid: string,
    options: CallOptions & { range?: PullRange } = {},
  ): Promise<wire.PulledGraft> {
    return await this.#send(`pull volume "${vid}"`, PATHS.pullGraft, {
      body: pullRequest(vid, options.range),
      decode: wire.decodePullGraftResponse,
      signal: options.signal,
    });
  }

  /**
   * The commits of a range of LSNs, oldest first, each with its segments.
   *
   * @param options The range; without one: from the checkpoint to the latest.
   * @throws {GraftError} `missing` when the volume is not there, nothing is at the range's start yet, or
   * the history there is gone.
   */
  async pullCommits(
    vid: string,
    options: CallOptions & { range?: PullRange } = {},
  ): Promise<wire.Commit[]> {
    return await this.#send(`pull the commits of volume "${vid}"`, PATHS.pullCommits, {
      body: pullRequest(vid, options.range),
      decode: wire.decodePullCommitsResponse,
      signal: options.signal,
    });
  }

  #send<T>(
    action: string,
    path: ProtocolPath,
    request: {
      body: Uint8Array<ArrayBuffer>;
      decode: (answer: Uint8Array<ArrayBuffer>) => T;
      signal: AbortSignal | undefined;
    },
  ): Promise<T> {
    const base = path.startsWith("/pagestore/") ? this.#pagestoreUrl : this.#metastoreUrl;
    return this.#transport.send({ action, url: base + path, ...request });
  }
}

/** A URL that a path can be put behind. */
function baseUrl(url: string | URL): string {
  if (!URL.canParse(url)) {
    throw new GraftError("invalid", `Cannot use "${url}" as a URL: it is none`);
  }
  const { protocol, host, pathname } = new URL(url);
  if (protocol !== "http:" && protocol !== "https:") {
    throw new GraftError("invalid", `Cannot use "${url}" as a URL: it is neither http nor https`);
  }
  return `${protocol}//${host}${pathname.replace(/\/+$/, "")}`;
}

function headersFor(token: string | undefined): Headers {
  const headers = new Headers({ "content-type": MEDIA_TYPE, accept: MEDIA_TYPE });
  if (token === undefined) return headers;
  if (!/^[\x21-\x7e]+$/.test(token)) {
    throw new GraftError("invalid", "Cannot use the token: it is not one word of ASCII");
  }
  headers.set("authorization", `Bearer ${token}`);
  return headers;
}

function pullRequest(vid: string, range: PullRange | undefined): Uint8Array<ArrayBuffer> {
  return wire.encodePullRequest({
    vid: parseGid("volume", vid),
    range: range && {
      start: toLsn(range.start),
      end: range.end === undefined ? undefined : toLsn(range.end),
    },
  });
}

/** The pages wanted, in sets that one request may ask for. */
function* pageSetsOf(pages: Iterable<number>): Generator<PageSet> {
  const all = pages instanceof PageSet ? pages.toArray() : sortedPages(pages);
  for (let from = 0; from < all.length; from += READ_PAGES_MAX) {
    yield PageSet.from(all.subarray(from, from + READ_PAGES_MAX));
  }
}

function sortedPages(pages: Iterable<number>): Uint32Array {
  const distinct = new Set<number>();
  for (const pageIdx of pages) distinct.add(toPageIdx(pageIdx));
  return Uint32Array.from(distinct).sort();
}

/** The pages of an answer, which must be some of those wanted, each at most once. */
function wantedPages(answer: Uint8Array, wanted: PageSet): [number, Uint8Array][] {
  const { indexes, page } = wire.decodeReadPagesResponse(answer);
  const pages = new Map<number, Uint8Array>();
  indexes.forEach((pageIdx, i) => {
    if (!wanted.has(pageIdx) || pages.has(pageIdx)) {
      const state = wanted.has(pageIdx) ? "came twice" : "was not asked for";
      throw new GraftError(
        "invalid",
        `Cannot read the read pages response: page ${pageIdx} ${state}`,
      );
    }
    pages.set(pageIdx, page(i));
  });
  return [...pages];
}
