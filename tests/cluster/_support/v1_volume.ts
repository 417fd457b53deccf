/**
 * A volume that is written over v1 through any process, and what everybody must be told of it.
 *
 * @module
 */

import { deepEqual, equal, ok } from "node:assert/strict";
import { systemClock } from "../../../src/core/clock.ts";
import type { Digest } from "../../../src/core/content_digest.ts";
import { newGid } from "../../../src/core/gid.ts";
import { toLsn } from "../../../src/core/lsn.ts";
import { toPageCount } from "../../../src/core/page.ts";
import { PageSet } from "../../../src/core/page_set.ts";
import { systemRandom } from "../../../src/core/random.ts";
import {
  type ChainedSnapshot,
  changesFromJson,
  COMMIT_MEDIA_TYPE,
  encodeCommitHeader,
  PageStreamDecoder,
  PageStreamEncoder,
  REQUEST_ID_BYTES,
  snapshotFromJson,
  type VolumeEvent,
} from "../../../src/wire/v1/mod.ts";
import type { Server } from "./shared_volume.ts";

/** What one commit did. */
interface Commit {
  readonly pageCount: number;
  readonly digest: Digest;
  /** Every page that was written, or cut off. */
  readonly changed: ReadonlySet<number>;
  /** The commit that wrote each page that there is, by its LSN. */
  readonly pages: ReadonlyMap<number, number>;
}

/** A commit that is to be sent, once or several times. */
export interface EncodedCommit {
  /** The request's body. */
  readonly body: Uint8Array<ArrayBuffer>;
  /** The pages in it. */
  readonly pageIdxs: readonly number[];
  /** The page count from there on. */
  readonly pageCount: number;
}

/** A volume, its one writer, and its history. */
export class V1Volume {
  /** Its id. */
  readonly vid = newGid("volume", systemClock, systemRandom);
  /** Who commits. */
  readonly cid = newGid("client", systemClock, systemRandom);
  readonly #commits: Commit[] = [];

  /** The newest LSN; 0 when there is none. */
  get head(): number {
    return this.#commits.length;
  }

  /** Makes the next commit, under a request id of its own. */
  encode(pageIdxs: readonly number[], pageCount = 100): EncodedCommit {
    const encoder = new PageStreamEncoder(encodeCommitHeader({
      vid: this.vid,
      cid: this.cid,
      requestId: crypto.getRandomValues(new Uint8Array(REQUEST_ID_BYTES)),
      baseLsn: this.head === 0 ? undefined : toLsn(this.head),
      baseDigest: this.#commits.at(-1)?.digest,
      pageCount: toPageCount(pageCount),
    }));
    encoder.addPages({
      indexes: Uint32Array.from(pageIdxs),
      page: (i) => this.#page(pageIdxs[i], this.head + 1),
    });
    encoder.end();
    return { body: encoder.take(), pageIdxs, pageCount };
  }

  /** Commits pages through a process. */
  async commit(server: Server, pageIdxs: readonly number[], pageCount?: number): Promise<void> {
    const commit = this.encode(pageIdxs, pageCount);
    this.landed(commit, await this.send(server, commit));
  }

  /** Sends a commit, which must succeed. */
  async send(server: Server, { body }: EncodedCommit): Promise<ChainedSnapshot> {
    const response = await this.post(server.url, body);
    const answer = await response.json();
    equal(response.status, 200, JSON.stringify(answer));
    return snapshotFromJson(answer);
  }

  /** Sends the body of a commit, whatever the answer is. */
  post(url: string, body: Uint8Array<ArrayBuffer>): Promise<Response> {
    return fetch(`${url}/v1/volumes/${this.vid}/commits`, {
      method: "POST",
      headers: { "content-type": COMMIT_MEDIA_TYPE },
      body,
    });
  }

  /** Notes that the next commit landed, which `snapshot` must be of. */
  landed({ pageIdxs, pageCount }: EncodedCommit, snapshot: ChainedSnapshot): void {
    const lsn = this.head + 1;
    deepEqual([snapshot.vid, snapshot.lsn, snapshot.pageCount], [this.vid, lsn, pageCount]);
    const before = this.#commits.at(-1);
    const changed = new Set(pageIdxs);
    for (let cut = pageCount + 1; cut <= (before?.pageCount ?? 0); cut++) changed.add(cut);
    const pages = new Map(before?.pages);
    for (const pageIdx of changed) pages.delete(pageIdx);
    for (const pageIdx of pageIdxs) pages.set(pageIdx, lsn);
    this.#commits.push({ pageCount, digest: snapshot.digest, changed, pages });
  }

  /** The pages that changed after one LSN, up to another. */
  changedBetween(since: number, to: number): PageSet {
    const changed = this.#commits.slice(since, to).flatMap((commit) => [...commit.changed]);
    return PageSet.from(Uint32Array.from(new Set(changed)).sort());
  }

  /** Demands that a process answers all pages as they were at an LSN; undefined: at the head. */
  async assertReads(server: Server, lsn?: number): Promise<void> {
    const query = lsn === undefined ? "" : `?lsn=${lsn}`;
    const response = await fetch(`${server.url}/v1/volumes/${this.vid}/pages/1-100${query}`);
    equal(response.status, 200);
    const found = new Map<number, Uint8Array>();
    const decoder = new PageStreamDecoder({
      take: (pageIdx, page) => found.set(pageIdx, page.slice()),
    });
    decoder.push(await response.bytes());
    decoder.finish();
    equal(decoder.header?.lsn, lsn ?? this.head, "The pages are of another LSN");
    const { pages } = this.#commits[(lsn ?? this.head) - 1];
    deepEqual([...found.keys()].sort((a, b) => a - b), [...pages.keys()].sort((a, b) => a - b));
    for (const [pageIdx, by] of pages) deepEqual(found.get(pageIdx), this.#page(pageIdx, by));
  }

  /** Demands that a process tells exactly what changed since an LSN. */
  async assertChanges(server: Server, since: number): Promise<void> {
    const response = await fetch(`${server.url}/v1/volumes/${this.vid}/changes?since=${since}`);
    const { snapshot, graft } = changesFromJson(await response.json());
    equal(snapshot.lsn, this.head, "The changes end elsewhere");
    const expected = since === this.head ? undefined : this.changedBetween(since, this.head);
    deepEqual(graft && [...graft], expected && [...expected]);
  }

  /**
   * Demands that events tell the truth: LSNs that go up, and with each graft all that changed after the LSN
   * that it counts from and nothing else.
   *
   * @param known The LSN that the reader knew before.
   * @returns Whether what the reader knows now follows from the events alone.
   */
  assertEvents(events: readonly VolumeEvent[], known: number): boolean {
    let isComplete = true;
    for (const event of events) {
      if (event.type !== "commit" || event.vid !== this.vid) continue;
      ok(event.lsn > known, `LSN ${event.lsn} is told after LSN ${known}`);
      const commit = this.#commits[event.lsn - 1];
      deepEqual([event.pageCount, event.digest], [commit.pageCount, commit.digest]);
      if (event.since === undefined || event.since > known) isComplete = false;
      if (event.since !== undefined) {
        deepEqual([...event.graft!], [...this.changedBetween(event.since, event.lsn)]);
      }
      known = event.lsn;
    }
    return isComplete;
  }

  #page(pageIdx: number, lsn: number): Uint8Array {
    return new Uint8Array(
      Uint32Array.from({ length: 1024 }, (_, i) => i ^ pageIdx << 8 ^ lsn << 16).buffer,
    );
  }
}
