/**
 * A server that speaks only the v0.1 protocol: the original's.
 *
 * @module
 */

import { isGraftError } from "../../../src/core/errors.ts";
import type { ClientId, VolumeId } from "../../../src/core/gid.ts";
import { type Lsn, nextLsn } from "../../../src/core/lsn.ts";
import type { Snapshot } from "../../../src/core/snapshot.ts";
import { PageSet } from "../../../src/core/page_set.ts";
import type { Timers } from "../../../src/core/timers.ts";
import { GraftClient } from "../../graft_client.ts";
import type { GraftClientOptions } from "../../options.ts";
import type { ProtocolSpeaker } from "./detecting_remote.ts";
import type { RemoteChanges, RemoteCommit, RemoteNews, RemoteSnapshot } from "./remote.ts";
import { pagesFrom } from "../pages_from.ts";

/** What a {@linkcode ProtocolRemote} is made of. */
export interface ProtocolRemoteParts {
  /** The server's URL. */
  readonly url: string;
  /** Waiting. */
  readonly timers: Timers;
  /** How its clients are set up; each commits under an id of its own. */
  readonly options: Omit<GraftClientOptions, "clientId">;
}

/** How often a volume is looked at. */
const POLL_MS = 1000;

/**
 * Speaks v0.1, which carries neither checksums nor events: a volume is looked at once a second, and TLS has to
 * guard the pages on their way.
 *
 * Nor has it ids of requests: a push that may have landed did so if the commit on its base is by the replica's
 * own client, and has the same pages and page count.
 */
export class ProtocolRemote implements ProtocolSpeaker {
  /** The server's URL. */
  readonly name: string;
  readonly #parts: ProtocolRemoteParts;
  readonly #reader: GraftClient;
  readonly #clients = new Map<ClientId, GraftClient>();
  readonly #end = new AbortController();

  /** Nothing is sent yet. */
  constructor(parts: ProtocolRemoteParts) {
    this.name = parts.url;
    this.#parts = parts;
    this.#reader = new GraftClient(parts.url, parts.options);
  }

  /** See {@linkcode ProtocolSpeaker.isSpoken}. */
  async isSpoken(vid: VolumeId): Promise<boolean> {
    try {
      await this.#reader.snapshot(vid);
      return true;
    } catch (error) {
      // only the protocol's own errors say that
      if (isGraftError(error, "missing")) return true;
      if (isGraftError(error, "unavailable")) throw error;
      return false;
    }
  }

  /** See {@linkcode ReplicaRemote.changes}. */
  async changes(
    vid: VolumeId,
    since: RemoteSnapshot | undefined,
    signal?: AbortSignal,
  ): Promise<RemoteChanges> {
    const head = await this.#reader.snapshot(vid, { signal });
    const isOther = since !== undefined && head.lsn === since.lsn && !isSameCommit(head, since);
    if (since === undefined || isOther || head.lsn < since.lsn) {
      return { snapshot: toRemote(head), since: undefined, pages: undefined };
    }
    if (head.lsn === since.lsn) {
      return { snapshot: toRemote(head), since: since.lsn, pages: PageSet.empty };
    }
    const range = { start: nextLsn(since.lsn) };
    const { snapshot, graft } = await this.#reader.pullGraft(vid, { range, signal });
    return { snapshot: toRemote(snapshot), since: since.lsn, pages: graft };
  }

  /** See {@linkcode ReplicaRemote.readPages}. */
  async readPages(
    vid: VolumeId,
    lsn: Lsn,
    wanted: PageSet,
    onPage: (pageIdx: number, page: Uint8Array) => void,
    signal?: AbortSignal,
  ): Promise<void> {
    for (const [pageIdx, page] of await this.#reader.read(vid, lsn, wanted, { signal })) {
      onPage(pageIdx, page);
    }
  }

  /** See {@linkcode ReplicaRemote.commit}. */
  async commit(commit: RemoteCommit, signal?: AbortSignal): Promise<RemoteSnapshot> {
    const { vid, cid, base, pageCount } = commit;
    const pages: (readonly [number, Uint8Array])[] = [];
    for await (const page of commit.pages()) pages.push(page);
    try {
      const snapshot = await this.#clientOf(cid).push(vid, base?.lsn, pages, pageCount, { signal });
      return toRemote(snapshot);
    } catch (error) {
      if (!isGraftError(error, "conflict")) throw error;
      const landed = await this.#findOwn(commit, signal);
      if (landed === undefined) throw error;
      return landed;
    }
  }

  /** See {@linkcode ReplicaRemote.follow}. */
  follow(vid: VolumeId, listener: (news: RemoteNews) => void): () => void {
    const end = new AbortController();
    void this.#poll(vid, listener, AbortSignal.any([end.signal, this.#end.signal]));
    return () => end.abort();
  }

  /** Ends the looking. */
  close(): void {
    this.#end.abort();
  }

  async #poll(
    vid: VolumeId,
    listener: (news: RemoteNews) => void,
    signal: AbortSignal,
  ): Promise<void> {
    let known: Lsn | undefined;
    let isOnline: boolean | undefined;
    while (!signal.aborted) {
      const lsn = await this.#look(vid, signal);
      if (signal.aborted) return;
      if (lsn instanceof Error) listener({ kind: "offline", error: lsn });
      else if (isOnline !== true) listener({ kind: "online" });
      isOnline = !(lsn instanceof Error);
      if (typeof lsn === "number" && lsn !== known) {
        known = lsn;
        listener({ kind: "behind", lsn });
      }
      await this.#parts.timers.sleep(POLL_MS, signal).catch(() => {});
    }
  }

  /** The head; undefined where there is none. */
  async #look(vid: VolumeId, signal: AbortSignal): Promise<Lsn | undefined | Error> {
    try {
      return (await this.#reader.snapshot(vid, { signal })).lsn;
    } catch (error) {
      return isGraftError(error, "missing") ? undefined : error as Error;
    }
  }

  #clientOf(cid: ClientId): GraftClient {
    const client = this.#clients.get(cid) ??
      new GraftClient(this.#parts.url, { ...this.#parts.options, clientId: cid });
    this.#clients.set(cid, client);
    return client;
  }

  async #findOwn(
    commit: RemoteCommit,
    signal: AbortSignal | undefined,
  ): Promise<RemoteSnapshot | undefined> {
    const { vid, base } = commit;
    const lsn = nextLsn(base?.lsn);
    try {
      const range = { start: lsn, end: lsn };
      const { snapshot, graft } = await this.#reader.pullGraft(vid, { range, signal });
      return isOfCommit(commit, snapshot, graft) ? toRemote(snapshot) : undefined;
    } catch (error) {
      if (isGraftError(error, "missing")) return undefined;
      throw error;
    }
  }
}

/** A copy of a storage has the same client id, so what was committed counts, too. */
function isOfCommit(commit: RemoteCommit, snapshot: Snapshot, graft: PageSet): boolean {
  const { cid, pageCount, pageSet } = commit;
  if (snapshot.cid !== cid || snapshot.pageCount !== pageCount) return false;
  // a server may name what was cut off, too
  return graft.intersection(pagesFrom(1, pageCount)).equals(pageSet);
}

function toRemote({ vid, cid, lsn, pageCount, timestampMs }: Snapshot): RemoteSnapshot {
  return { vid, cid, lsn, pageCount, timestampMs, digest: undefined };
}

function isSameCommit(a: Snapshot, b: RemoteSnapshot): boolean {
  return a.cid === b.cid && a.timestampMs === b.timestampMs;
}
