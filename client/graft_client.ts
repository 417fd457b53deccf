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
import { type Lsn, toLsn } from "../src/core/lsn.ts";
import { toPageCount } from "../src/core/page.ts";
import { PageBuffer } from "../src/core/page_buffer.ts";
import type { PageSet } from "../src/core/page_set.ts";
import type { Random } from "../src/core/random.ts";
import { systemRandom } from "../src/core/random.ts";
import type { SegmentUse, Snapshot } from "../src/core/snapshot.ts";
import { systemTimers } from "../src/core/timers.ts";
import type { PullRequest } from "../src/wire/messages.ts";
import type { Commit, PulledGraft } from "../src/wire/snapshot_messages.ts";
import { mapConcurrently } from "./_concurrently.ts";
import { decompressOf } from "./_decompress.ts";
import { BATCH_PAGES, batches } from "./_page_batches.ts";
import { ProtocolCalls } from "./_protocol_calls.ts";
import { ProtocolChoice } from "./_protocol_choice.ts";
import { baseUrl, headersFor, requireKnown } from "./_setup.ts";
import { Transport } from "./_transport.ts";
import { V1Calls } from "./_v1_calls.ts";
import { pageSetsOf } from "./_wanted_pages.ts";
import type {
  CallOptions,
  CommitParts,
  GraftClientOptions,
  PageToWrite,
  PullRange,
  SnapshotChoice,
} from "./options.ts";
import { PagesRead } from "./pages_read.ts";

/** Requests of one `read` that are on their way at once. */
const READS_AT_ONCE = 4;
/** Requests of one `write` that are on their way at once; each holds 16 MiB of memory. */
const WRITES_AT_ONCE = 2;
const CLIENT_OPTIONS = Object.keys(
  {
    token: true,
    metastoreUrl: true,
    protocol: true,
    clientId: true,
    deadlineMs: true,
    attemptMs: true,
    decompress: true,
    fetch: true,
    clock: true,
    random: true,
    timers: true,
  } satisfies Record<keyof GraftClientOptions, true>,
);
const DEADLINE_MS = 120_000;
const ATTEMPT_MS = 60_000;
/** Where nothing has ever answered, the URL is wrong more often than the server is being restarted. */
const SILENT_MS = 10_000;

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
 * It speaks v1 where the server has it, which the first answer tells, and v0.1 with the original's servers.
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
  readonly #v1: V1Calls;
  readonly #protocol: ProtocolCalls;
  readonly #choice: ProtocolChoice;
  readonly #clock: Clock;
  readonly #random: Random;

  /**
   * Nothing is sent yet.
   *
   * @param url The server's URL; a path in it stays in front of the protocol's own paths.
   * @throws {GraftError} `invalid` for a URL, a token or a client id that cannot be one, and unknown options.
   */
  constructor(url: string | URL, options: GraftClientOptions = {}) {
    requireKnown(options, CLIENT_OPTIONS);
    this.#clock = options.clock ?? systemClock;
    this.#random = options.random ?? systemRandom;
    this.clientId = options.clientId === undefined
      ? newGid("client", this.#clock, this.#random)
      : parseGid("client", options.clientId);
    const urls = {
      pagestoreUrl: baseUrl(url),
      metastoreUrl: baseUrl(options.metastoreUrl ?? url),
    };
    const transport = new Transport({
      // called as a method of another object, the browsers' fetch throws
      fetch: options.fetch ?? ((url, init) => fetch(url, init)),
      clock: this.#clock,
      random: this.#random,
      timers: options.timers ?? systemTimers,
      headers: headersFor(options.token),
      deadlineMs: options.deadlineMs ?? DEADLINE_MS,
      attemptMs: options.attemptMs ?? ATTEMPT_MS,
      silentMs: options.deadlineMs === undefined ? SILENT_MS : Infinity,
    });
    this.#v1 = new V1Calls(transport, urls, decompressOf(options.decompress));
    this.#protocol = new ProtocolCalls(transport, urls);
    this.#choice = new ProtocolChoice(options.protocol);
  }

  /** An identifier for a new volume, which comes into being with its first commit. */
  newVolumeId(): VolumeId {
    return newGid("volume", this.#clock, this.#random);
  }

  /**
   * A volume's snapshot: the latest, the one at `lsn`, or the last one at or before `at`.
   *
   * @throws {GraftError} `missing` when the volume or the LSN is not there; `invalid` for a time that is none,
   * and for any on a server without the v1 interface.
   */
  async snapshot(vid: string, options: CallOptions & SnapshotChoice = {}): Promise<Snapshot> {
    const volume = parseGid("volume", vid);
    const { at, signal } = options;
    const lsn = options.lsn === undefined ? undefined : toLsn(options.lsn);
    const time = at instanceof Date ? formatTime(at) : at;
    return await this.#choice.run(
      () => this.#v1.snapshot(volume, lsn ?? time, signal),
      () => {
        if (time === undefined) return this.#protocol.snapshot(volume, lsn, signal);
        throw new GraftError("invalid", "Cannot look for a time: the server has no v1 interface");
      },
    );
  }

  /**
   * Pages as they were at an LSN. More than 1024 are asked for in several requests, each with a deadline
   * of its own.
   *
   * @param lsn The LSN; undefined: the newest, which the result names. Up to 1024 pages are then one
   * request; two where the server has no v1.
   * @param pages The indexes of the pages wanted, in any order. What was never written is absent from the
   * result.
   * @throws {GraftError} `missing` when the volume or the LSN is not there; `damaged` for pages that fail
   * their checksum on arrival.
   */
  async read(
    vid: string,
    lsn: number | undefined,
    pages: Iterable<number>,
    options: CallOptions = {},
  ): Promise<PagesRead> {
    const volume = parseGid("volume", vid);
    const { signal } = options;
    const given = lsn === undefined ? undefined : toLsn(lsn);
    const sets = [...pageSetsOf(pages)];
    if (sets.length === 1) return await this.#readSet(volume, given, sets[0], signal);
    // one answer says which LSN it is of; several have to be told the same one
    const at = given ?? (await this.snapshot(vid, options)).lsn;
    const parts = await mapConcurrently(
      sets,
      READS_AT_ONCE,
      signal,
      (pageSet, signal) => this.#readSet(volume, at, pageSet, signal),
    );
    return new PagesRead(volume, at, parts.flatMap((part) => [...part]));
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
    return await this.#writeBatches(parseGid("volume", vid), batches(pages), options.signal);
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
    return await this.#protocol.commit(request, options.signal);
  }

  /**
   * A whole transaction, in one request up to 16 MiB of pages. More of them, and to a server without v1, are
   * a {@linkcode write} and a {@linkcode commit}. Nothing of it can be seen unless it lands.
   *
   * To call it again with the same arguments is safe, also after an error that left open whether it landed.
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
    const facts = {
      vid: parseGid("volume", vid),
      cid: this.clientId,
      baseLsn: base === undefined ? undefined : toLsn(base),
      baseDigest: undefined,
      pageCount: toPageCount(pageCount),
    };
    const { signal } = options;
    const rest = batches(pages);
    const first = rest.next().value ?? new PageBuffer(1);
    const inParts = async () => {
      const segments = await this.#writeBatches(facts.vid, chain(first, rest), signal);
      return await this.commit({ vid, base, pageCount, segments }, options);
    };
    // more may follow than should be in memory, and sent again, all at once
    if (first.count === BATCH_PAGES) return await inParts();
    const isSure = this.#choice.known === "v1";
    return await this.#choice.run(() => this.#v1.commit(facts, first, isSure, signal), inParts);
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
    return await this.#protocol.pullGraft(pullRequest(vid, options.range), options.signal);
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
    return await this.#protocol.pullCommits(pullRequest(vid, options.range), options.signal);
  }

  #readSet(
    vid: VolumeId,
    lsn: Lsn | undefined,
    pageSet: PageSet,
    signal: AbortSignal | undefined,
  ): Promise<PagesRead> {
    return this.#choice.run(
      () => this.#v1.read(vid, lsn, pageSet, signal),
      () => this.#protocol.read(vid, lsn, pageSet, signal),
    );
  }

  async #writeBatches(
    vid: VolumeId,
    parts: Iterable<PageBuffer>,
    signal: AbortSignal | undefined,
  ): Promise<SegmentUse[]> {
    const segments = await mapConcurrently(
      parts,
      WRITES_AT_ONCE,
      signal,
      (part, signal) => this.#protocol.write(vid, part, signal),
    );
    return segments.flat();
  }
}

function formatTime(time: Date): string {
  if (!Number.isNaN(time.getTime())) return time.toISOString();
  throw new GraftError("invalid", "Cannot read a snapshot: the date is none");
}

/** What was drawn first, then the rest; a part without pages is none. */
function* chain(first: PageBuffer, rest: Iterable<PageBuffer>): Generator<PageBuffer> {
  if (first.count > 0) yield first;
  yield* rest;
}

function pullRequest(vid: string, range: PullRange | undefined): PullRequest {
  return {
    vid: parseGid("volume", vid),
    range: range && {
      start: toLsn(range.start),
      end: range.end === undefined ? undefined : toLsn(range.end),
    },
  };
}
