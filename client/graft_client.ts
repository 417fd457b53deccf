/**
 * The lite client.
 *
 * @module
 */

import type { Clock } from "../src/core/clock.ts";
import { systemClock } from "../src/core/clock.ts";
import type { ClientId, VolumeId } from "../src/core/gid.ts";
import { newGid, parseGid } from "../src/core/gid.ts";
import { toLsn } from "../src/core/lsn.ts";
import { toPageCount } from "../src/core/page.ts";
import type { Random } from "../src/core/random.ts";
import { systemRandom } from "../src/core/random.ts";
import type { SegmentUse, Snapshot } from "../src/core/snapshot.ts";
import { systemTimers } from "../src/core/timers.ts";
import * as wire from "../src/wire/messages.ts";
import type { ProtocolPath } from "../src/wire/protocol.ts";
import { PATHS } from "../src/wire/protocol.ts";
import type { Commit, PulledGraft } from "../src/wire/snapshot_messages.ts";
import { mapConcurrently } from "./_concurrently.ts";
import { batches } from "./_page_batches.ts";
import { baseUrl, headersFor } from "./_setup.ts";
import { Transport } from "./_transport.ts";
import { pageSetsOf, wantedPages } from "./_wanted_pages.ts";
import type {
  CallOptions,
  CommitParts,
  GraftClientOptions,
  PageToWrite,
  PullRange,
} from "./options.ts";
import { PagesRead } from "./pages_read.ts";

/** Requests of one `read` that are on their way at once. */
const READS_AT_ONCE = 4;
/** Requests of one `write` that are on their way at once; each holds 16 MiB of memory. */
const WRITES_AT_ONCE = 2;
const DEADLINE_MS = 120_000;
const ATTEMPT_MS = 60_000;

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
   * a day later (by default) if no commit has named them.
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
  ): Promise<PulledGraft> {
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
  ): Promise<Commit[]> {
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

function pullRequest(vid: string, range: PullRange | undefined): Uint8Array<ArrayBuffer> {
  return wire.encodePullRequest({
    vid: parseGid("volume", vid),
    range: range && {
      start: toLsn(range.start),
      end: range.end === undefined ? undefined : toLsn(range.end),
    },
  });
}
