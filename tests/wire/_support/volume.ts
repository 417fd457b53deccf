/**
 * A volume of a test: what its client would do, one request at a time.
 *
 * @module
 */

import { accepted, type Answer, call, type Endpoints } from "./calls.ts";
import {
  commitRequest,
  newId,
  page,
  PATH,
  pullRequest,
  readPagesResponse,
  readPullCommitsResponse,
  readPullGraftResponse,
  readRequest,
  readSnapshotResponse,
  readWriteResponse,
  type Segment,
  type Snapshot,
  snapshotRequest,
  textOf,
  writeRequest,
} from "./messages.ts";
import type { Bytes } from "./protobuf.ts";
import { splinter } from "./splinter.ts";

/** Pages of a test: page index → the text that the page begins with. */
export type Texts = Readonly<Record<number, string>>;

/** A commit that a test asks for; the defaults are those of the volume. */
export interface TestCommit {
  readonly base?: number;
  readonly pageCount?: number;
  readonly segments?: readonly Segment[];
  readonly cid?: Bytes;
}

/** The page count of commits that name none. */
export const PAGE_COUNT = 100;

/** A volume and a client that works on it. */
export class TestVolume {
  readonly to: Endpoints;
  readonly vid: Bytes;
  readonly cid: Bytes;
  readonly headers: Record<string, string>;

  /** A new volume (or `vid`) and a new client; nothing is sent. */
  constructor(to: Endpoints, vid: Bytes = newId("volume"), headers: Record<string, string> = {}) {
    this.to = to;
    this.vid = vid;
    this.cid = newId("client");
    this.headers = headers;
  }

  /** Writes pages; the segments are durable. */
  async write(pages: Texts): Promise<Segment[]> {
    return readWriteResponse(accepted(await this.tryWrite(pages)));
  }

  /** Writes pages, whatever the answer. */
  tryWrite(pages: Texts): Promise<Answer> {
    const entries = Object.entries(pages).map(([idx, text]) => [Number(idx), page(text)] as const);
    return this.#call(PATH.writePages, writeRequest(this.vid, entries));
  }

  /** Commits, whatever the answer. */
  tryCommit(commit: TestCommit = {}): Promise<Answer> {
    return this.#call(PATH.commit, this.commitRequest(commit));
  }

  /** The bytes of a commit request of this volume and client. */
  commitRequest(commit: TestCommit = {}): Bytes {
    const { base, segments } = commit;
    const pageCount = commit.pageCount ?? PAGE_COUNT;
    return commitRequest({ vid: this.vid, cid: commit.cid ?? this.cid, base, pageCount, segments });
  }

  /** Commits, and expects that it lands. */
  async commit(commit: TestCommit = {}): Promise<Snapshot> {
    return readSnapshotResponse(accepted(await this.tryCommit(commit)));
  }

  /** Writes pages and commits them on `base`. */
  async push(base: number | undefined, pages: Texts, pageCount?: number): Promise<Snapshot> {
    return await this.commit({ base, pageCount, segments: await this.write(pages) });
  }

  /** Asks for a snapshot, whatever the answer. */
  trySnapshot(lsn?: number | bigint): Promise<Answer> {
    return this.#call(PATH.snapshot, snapshotRequest(this.vid, lsn));
  }

  /** The newest snapshot, or the one at `lsn`. */
  async snapshot(lsn?: number): Promise<Snapshot> {
    return readSnapshotResponse(accepted(await this.trySnapshot(lsn)));
  }

  /** Reads pages, whatever the answer. */
  tryRead(lsn: number | bigint, wanted: Iterable<number>): Promise<Answer> {
    return this.#call(PATH.readPages, readRequest(this.vid, lsn, splinter(wanted)));
  }

  /** The text of each page that is there. */
  async read(lsn: number, wanted: Iterable<number>): Promise<Texts> {
    const pages = readPagesResponse(accepted(await this.tryRead(lsn, wanted)));
    return Object.fromEntries(Array.from(pages, ([idx, content]) => [idx, textOf(content)]));
  }

  /** Pulls what changed, whatever the answer. */
  tryPullGraft(start?: number | bigint, end?: number | bigint): Promise<Answer> {
    return this.#call(PATH.pullGraft, pullRequest(this.vid, start, end));
  }

  /** What changed in a range. */
  async pullGraft(start?: number, end?: number): Promise<ReturnType<typeof readPullGraftResponse>> {
    return readPullGraftResponse(accepted(await this.tryPullGraft(start, end)));
  }

  /** Pulls commits, whatever the answer. */
  tryPullCommits(start?: number | bigint, end?: number | bigint): Promise<Answer> {
    return this.#call(PATH.pullCommits, pullRequest(this.vid, start, end));
  }

  /** The commits of a range. */
  async pullCommits(
    start?: number,
    end?: number,
  ): Promise<ReturnType<typeof readPullCommitsResponse>> {
    return readPullCommitsResponse(accepted(await this.tryPullCommits(start, end)));
  }

  #call(path: string, body: Bytes): Promise<Answer> {
    return call(this.to, path, body, this.headers);
  }
}
