// A server of a few lines, and a way to it that can be cut.

import { type Digest, digestOf } from "../../../src/core/content_digest.ts";
import { GraftError } from "../../../src/core/errors.ts";
import type { VolumeId } from "../../../src/core/gid.ts";
import { type Lsn, toLsn } from "../../../src/core/lsn.ts";
import { toPageCount } from "../../../src/core/page.ts";
import { PageSet } from "../../../src/core/page_set.ts";
import { pagesFrom } from "../pages_from.ts";
import {
  type RemoteChanges,
  type RemoteCommit,
  type RemoteNews,
  type RemoteSnapshot,
  type ReplicaRemote,
  VolumeDeletedError,
} from "./remote.ts";

/** A commit of a {@linkcode TestServer}. */
export interface TestCommit {
  readonly snapshot: RemoteSnapshot & { readonly digest: Digest };
  readonly requestId: string;
  readonly pages: ReadonlyMap<number, Uint8Array>;
}

type Listener = (vid: VolumeId) => void;

/** Volumes in memory, strictly serializable. */
export class TestServer {
  readonly #volumes = new Map<VolumeId, TestCommit[]>();
  readonly #deleted = new Set<VolumeId>();
  readonly listeners = new Set<Listener>();

  line(vid: VolumeId): readonly TestCommit[] {
    return this.#deleted.has(vid) ? [] : this.#volumes.get(vid) ?? [];
  }

  isDeleted(vid: VolumeId): boolean {
    return this.#deleted.has(vid);
  }

  head(vid: VolumeId): TestCommit {
    if (this.#deleted.has(vid)) throw new VolumeDeletedError("missing", "Cannot read: it is gone");
    const head = this.line(vid).at(-1);
    if (head === undefined) throw new GraftError("missing", "Cannot read: there is no such volume");
    return head;
  }

  delete(vid: VolumeId): void {
    this.#deleted.add(vid);
    this.#tell(vid);
  }

  /** Loses a volume. */
  forget(vid: VolumeId): readonly TestCommit[] {
    const line = this.line(vid);
    this.#volumes.delete(vid);
    return line;
  }

  /** Has a volume again. */
  restore(vid: VolumeId, line: readonly TestCommit[]): void {
    this.#volumes.set(vid, [...line]);
  }

  /** A page as of an LSN; undefined where there is none. */
  page(vid: VolumeId, lsn: number, pageIdx: number): Uint8Array | undefined {
    const line = this.line(vid);
    if (lsn > line.length) throw new GraftError("missing", "Cannot read: there is no such LSN");
    for (let i = lsn - 1; i >= 0; i--) {
      if (line[i].snapshot.pageCount < pageIdx) return undefined;
      const page = line[i].pages.get(pageIdx);
      if (page !== undefined) return page;
    }
    return undefined;
  }

  changes(vid: VolumeId, since: number): RemoteChanges {
    const { snapshot } = this.head(vid);
    const line = this.line(vid);
    const sets = line.slice(since).map(({ pages }) => PageSet.from(pages.keys()));
    const counts = line.slice(Math.max(since - 1, 0)).map(({ snapshot }) => snapshot.pageCount);
    if (since === 0) counts.push(toPageCount(0));
    const cut = pagesFrom(Math.min(...counts) + 1, Math.max(...counts));
    return { snapshot, since, pages: PageSet.union([...sets, cut]) };
  }

  async commit(commit: RemoteCommit): Promise<RemoteSnapshot> {
    const pages = new Map<number, Uint8Array>();
    for await (const [pageIdx, page] of commit.pages()) pages.set(pageIdx, page.slice());
    const { vid, cid, base, pageCount } = commit;
    const requestId = commit.requestId.toBase64();
    const line = this.#volumes.get(vid) ?? [];
    const landed = line.find((known) =>
      known.requestId === requestId && known.snapshot.cid === cid
    );
    if (landed !== undefined) return landed.snapshot;
    const head = line.at(-1)?.snapshot;
    if (this.#deleted.has(vid) || head?.lsn !== base?.lsn) {
      throw new GraftError("conflict", "Cannot commit: another commit came first");
    }
    if ([...pages.keys()].some((pageIdx) => pageIdx > pageCount)) {
      throw new GraftError("invalid", "Cannot commit: a page is above the page count");
    }
    const lsn = toLsn(line.length + 1);
    const digest = digestOf(new TextEncoder().encode(`${vid}${cid}${requestId}${lsn}`));
    const snapshot = { vid, cid, lsn, pageCount, timestampMs: 0, digest };
    this.#volumes.set(vid, [...line, { snapshot, requestId, pages }]);
    this.#tell(vid);
    return snapshot;
  }

  #tell(vid: VolumeId): void {
    for (const listener of [...this.listeners]) listener(vid);
  }
}

/** The way of one replica to a {@linkcode TestServer}. */
export class TestRemote implements ReplicaRemote {
  readonly name = "test:";
  /** Goes before each request and each answer; what it throws is what the replica hears. */
  trip: (what: "request" | "answer" | "event") => Promise<void> = () => Promise.resolve();
  /** What was asked, in order. */
  readonly calls: string[] = [];
  /** Whether events come. */
  isConnected = true;
  readonly #server: TestServer;
  readonly #followers = new Set<(news: RemoteNews) => void>();
  readonly #undo: (() => void)[] = [];
  #isClosed = false;

  constructor(server: TestServer) {
    this.#server = server;
  }

  async changes(vid: VolumeId, since: RemoteSnapshot | undefined, signal?: AbortSignal) {
    return await this.#call(`changes ${since?.lsn ?? 0}`, signal, () => {
      if (since === undefined) {
        const { snapshot } = this.#server.head(vid);
        return { snapshot, since: undefined, pages: undefined };
      }
      return this.#server.changes(vid, since.lsn);
    });
  }

  async readPages(
    vid: VolumeId,
    lsn: Lsn,
    wanted: PageSet,
    onPage: (pageIdx: number, page: Uint8Array) => void,
    signal?: AbortSignal,
  ) {
    await this.#call(`read ${lsn}: ${[...wanted]}`, signal, () => {
      for (const pageIdx of wanted) {
        const page = this.#server.page(vid, lsn, pageIdx);
        if (page !== undefined) onPage(pageIdx, page);
      }
    });
  }

  async commit(commit: RemoteCommit, signal?: AbortSignal) {
    const what = `commit on ${commit.base?.lsn ?? 0}: ${[...commit.pageSet]}`;
    return await this.#call(what, signal, () => this.#server.commit(commit));
  }

  follow(vid: VolumeId, listener: (news: RemoteNews) => void): () => void {
    let told = 0;
    const tell = async (changed: VolumeId) => {
      if (changed !== vid || !this.isConnected) return;
      try {
        await this.trip("event");
      } catch {
        return this.connect(false);
      }
      if (!this.isConnected || this.#isClosed) return;
      if (this.#server.isDeleted(vid)) return listener({ kind: "deleted" });
      const since = told;
      const { snapshot } = this.#server.head(vid);
      told = snapshot.lsn;
      const hasSet = since > 0;
      if (hasSet) listener({ kind: "changes", changes: this.#server.changes(vid, since) });
      else listener({ kind: "behind", lsn: snapshot.lsn });
    };
    this.#server.listeners.add(tell);
    this.#followers.add(listener);
    const undo = () => {
      this.#server.listeners.delete(tell);
      this.#followers.delete(listener);
    };
    this.#undo.push(undo);
    return undo;
  }

  /** Cuts or restores the connection for events. */
  connect(isConnected: boolean): void {
    this.isConnected = isConnected;
    for (const listener of [...this.#followers]) {
      if (isConnected) {
        listener({ kind: "online" });
        listener({ kind: "behind" });
      } else listener({ kind: "offline", error: unreachable() });
    }
  }

  close(): void {
    this.#isClosed = true;
    for (const undo of this.#undo) undo();
  }

  async #call<T>(what: string, signal: AbortSignal | undefined, run: () => T | Promise<T>) {
    this.calls.push(what);
    await this.#guard(this.trip("request"), signal);
    const result = await run();
    await this.#guard(this.trip("answer"), signal);
    return result;
  }

  /** Waits, unless the caller gives up. */
  #guard(trip: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const abort = () => reject(new GraftError("aborted", "Cannot go on: the caller gave up"));
      trip.catch(() => {});
      if (signal?.aborted) return abort();
      signal?.addEventListener("abort", abort, { once: true });
      trip.then(resolve, reject).finally(() => signal?.removeEventListener("abort", abort));
    });
  }
}

/** The error of a server that cannot be reached. */
export function unreachable(): GraftError {
  return new GraftError("unavailable", "Cannot reach the server: the connection failed");
}
