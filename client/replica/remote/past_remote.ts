/**
 * A server as it was.
 *
 * @module
 */

import { GraftError } from "../../../src/core/errors.ts";
import type { VolumeId } from "../../../src/core/gid.ts";
import type { Lsn } from "../../../src/core/lsn.ts";
import { PageSet } from "../../../src/core/page_set.ts";
import type {
  RemoteChanges,
  RemoteCommit,
  RemoteNews,
  RemoteSnapshot,
  ReplicaRemote,
} from "./remote.ts";

/** A server on which a volume stays at one snapshot. Nothing can be committed. */
export class PastRemote implements ReplicaRemote {
  readonly #remote: ReplicaRemote;
  readonly #ask: () => Promise<RemoteSnapshot>;
  #snapshot: Promise<RemoteSnapshot> | undefined;

  /**
   * @param remote The server as it is, for its pages.
   * @param ask Which snapshot it is; asked once.
   */
  constructor(remote: ReplicaRemote, ask: () => Promise<RemoteSnapshot>) {
    this.#remote = remote;
    this.#ask = ask;
  }

  /** The server's URL. */
  get name(): string {
    return this.#remote.name;
  }

  /** The snapshot, whatever is known: nothing changes. */
  async changes(_vid: VolumeId, since: RemoteSnapshot | undefined): Promise<RemoteChanges> {
    this.#snapshot ??= this.#ask();
    const snapshot = await this.#snapshot;
    if (since === undefined) return { snapshot, since, pages: undefined };
    return { snapshot, since: snapshot.lsn, pages: PageSet.empty };
  }

  /** See {@linkcode ReplicaRemote.readPages}. */
  readPages(
    vid: VolumeId,
    lsn: Lsn,
    wanted: PageSet,
    onPage: (pageIdx: number, page: Uint8Array) => void,
    signal?: AbortSignal,
  ): Promise<void> {
    return this.#remote.readPages(vid, lsn, wanted, onPage, signal);
  }

  /** Refuses. */
  commit({ vid }: RemoteCommit): Promise<RemoteSnapshot> {
    return Promise.reject(
      new GraftError("forbidden", `Cannot commit to volume "${vid}": it is opened as it was`),
    );
  }

  /** Nothing happens to what has been. */
  follow(_vid: VolumeId, listener: (news: RemoteNews) => void): () => void {
    let isFollowed = true;
    queueMicrotask(() => isFollowed && listener({ kind: "online" }));
    return () => isFollowed = false;
  }

  /** Ends everything that is under way. */
  close(): void {
    this.#remote.close();
  }
}
