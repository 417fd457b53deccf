// What the tests of this folder share: a real log in memory, with faults on order.

import { addDigests, type Digest, digestOf, EMPTY_DIGEST } from "../core/content_digest.ts";
import type { Clock } from "../core/clock.ts";
import { GraftError } from "../core/errors.ts";
import { clientIdFromName, newGid, type SegmentId, type VolumeId } from "../core/gid.ts";
import { noMetrics } from "../core/metrics.ts";
import { toLsn } from "../core/lsn.ts";
import { toPageCount } from "../core/page.ts";
import { PageSet } from "../core/page_set.ts";
import { systemRandom } from "../core/random.ts";
import type { SegmentUse } from "../core/snapshot.ts";
import type { CommitLog } from "../log/commit_log.ts";
import { openLog } from "../log/open_log.ts";
import { overriding } from "../pagestore/_testing.ts";
import { VolumeIndexes } from "../pagestore/volume_indexes.ts";
import { Committer, type Landed } from "./committer.ts";
import { Metastore } from "./metastore.ts";

/** A segment as `write` answers it. */
export type Written = SegmentUse;

/** What happens to the next appends: see {@linkcode withFaults}. */
export type Fault = "before" | "after" | "head" | "rival" | "bug";

/** A clock that stands still until it is moved. */
export class TestClock implements Clock {
  wallMs = Date.UTC(2026, 0, 1);
  now(): number {
    return this.wallMs;
  }
  monotonic(): number {
    return this.wallMs;
  }
}

/** What a test commits; the defaults are a first commit by "client". */
export interface TestCommit {
  readonly base?: number;
  readonly client?: string;
  readonly pageCount?: number;
  readonly segments?: readonly SegmentUse[];
  readonly requestId?: Uint8Array;
  readonly baseDigest?: Digest;
}

const DAY_MS = 24 * 3_600_000;

/** A committer and a metastore on a log in memory. */
export class Bench implements AsyncDisposable {
  readonly clock: TestClock;
  readonly log: CommitLog;
  readonly faults: Fault[] = [];
  readonly metastore: Metastore;
  readonly indexes: VolumeIndexes;
  vid: VolumeId;
  readonly #committer: Committer;

  private constructor(clock: TestClock, log: CommitLog) {
    this.clock = clock;
    this.log = log;
    this.vid = newGid("volume", clock, systemRandom);
    const faulty = withFaults(log, this.faults);
    this.indexes = new VolumeIndexes({ log, metrics: noMetrics, bytesMax: 1 << 20 });
    const parts = {
      log: faulty,
      clock,
      graceMs: DAY_MS,
      random: systemRandom,
      indexes: this.indexes,
    };
    this.#committer = new Committer(parts);
    this.metastore = new Metastore(parts);
  }

  static async open(): Promise<Bench> {
    const clock = new TestClock();
    const log = await openLog("memory:", { clock, random: systemRandom, metrics: noMetrics });
    return new Bench(clock, log);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.indexes.close();
    await this.log.close();
  }

  /** Goes on with a new volume. */
  reset(): void {
    this.vid = newGid("volume", this.clock, systemRandom);
  }

  /** Commits without saying how many pages the volume has. */
  commitUncounted(base: number | undefined, segments: readonly SegmentUse[]): Promise<Landed> {
    return this.#committer.commit({
      vid: this.vid,
      cid: clientIdFromName("client"),
      snapshotLsn: base === undefined ? undefined : toLsn(base),
      pageCount: undefined,
      segments,
    });
  }

  /** Registers a segment with these pages; their text stands for their bytes. */
  async write(pages: Record<number, string>, vid: VolumeId = this.vid): Promise<Written> {
    const sid: SegmentId = newGid("segment", this.clock, systemRandom);
    const pageSet = PageSet.from(Object.keys(pages).map(Number));
    let digest = EMPTY_DIGEST;
    for (const [pageIdx, text] of Object.entries(pages)) {
      digest = addDigests(digest, digestOf(new TextEncoder().encode(`${pageIdx} ${text}`)));
    }
    const volumes = [{ vid, pageSet, digest }];
    await this.log.register([{ sid, timestampMs: this.clock.now(), sizeBytes: 1, volumes }]);
    return { sid, pageSet };
  }

  commit(commit: TestCommit): Promise<Landed> {
    return this.#committer.commit({
      vid: this.vid,
      cid: clientIdFromName(commit.client ?? "client"),
      snapshotLsn: commit.base === undefined ? undefined : toLsn(commit.base),
      pageCount: toPageCount(commit.pageCount ?? 100),
      segments: commit.segments ?? [],
      requestId: commit.requestId,
      baseDigest: commit.baseDigest,
    });
  }
}

/**
 * The log, with one fault of the list spent on each append: `before` fails without effect, `after` takes
 * effect and loses the answer, `head` is `before` with the next look at the head failing too, `rival`
 * lets another client land first and loses the answer, `bug` throws what no log should.
 */
function withFaults(log: CommitLog, faults: Fault[]): CommitLog {
  const lost = () => new GraftError("unavailable", "Cannot commit: the answer was lost");
  let headFails = false;
  const append: CommitLog["append"] = async (record, base, checkedAgainst) => {
    const fault = faults.shift();
    if (fault === "bug") throw new TypeError("undefined is not a function");
    if (fault === "rival") {
      const rival = {
        ...record,
        cid: clientIdFromName("rival"),
        digest: digestOf(new Uint8Array(1)),
      };
      await log.append(rival, base, checkedAgainst);
    }
    if (fault === "before" || fault === "head" || fault === "rival") {
      headFails = fault === "head";
      throw lost();
    }
    const outcome = await log.append(record, base, checkedAgainst);
    if (fault === "after") throw lost();
    return outcome;
  };
  const headFromStore: CommitLog["headFromStore"] = (vid) => {
    if (!headFails) return log.headFromStore(vid);
    headFails = false;
    return Promise.reject(lost());
  };
  return overriding(log, { append, headFromStore });
}
