/**
 * A server of which nobody knows yet what it speaks.
 *
 * @module
 */

import type { VolumeId } from "../../src/core/gid.ts";
import type { Lsn } from "../../src/core/lsn.ts";
import type { PageSet } from "../../src/core/page_set.ts";
import type { RemoteCommit, RemoteNews, RemoteSnapshot, ReplicaRemote } from "./remote.ts";
import { NoV1Error } from "./v1_transport.ts";

/** Makes the two remotes that there are to choose from. */
export interface RemoteChoice {
  /** Makes the one over v1; it calls `onNoV1` when its events are not there. */
  readonly v1: (onNoV1: () => void) => ReplicaRemote;
  /** Makes the one over v0.1. */
  readonly protocol: () => ReplicaRemote;
}

interface Followed {
  readonly vid: VolumeId;
  readonly listener: (news: RemoteNews) => void;
  unfollow: () => void;
}

/** Speaks v1 until the server turns out not to, and v0.1 from then on. */
export class DetectingRemote implements ReplicaRemote {
  readonly #choice: RemoteChoice;
  readonly #followed = new Set<Followed>();
  #remote: ReplicaRemote;
  #isProtocol = false;

  /** Nothing is asked yet. */
  constructor(choice: RemoteChoice) {
    this.#choice = choice;
    this.#remote = choice.v1(() => this.#fallBack());
  }

  /** The server's URL. */
  get name(): string {
    return this.#remote.name;
  }

  /** See {@linkcode ReplicaRemote.changes}. */
  changes(vid: VolumeId, since: RemoteSnapshot | undefined, signal?: AbortSignal) {
    return this.#try((remote) => remote.changes(vid, since, signal));
  }

  /** See {@linkcode ReplicaRemote.readPages}. */
  readPages(
    vid: VolumeId,
    lsn: Lsn,
    wanted: PageSet,
    onPage: (pageIdx: number, page: Uint8Array) => void,
    signal?: AbortSignal,
  ): Promise<void> {
    return this.#try((remote) => remote.readPages(vid, lsn, wanted, onPage, signal));
  }

  /** See {@linkcode ReplicaRemote.commit}. */
  commit(commit: RemoteCommit, signal?: AbortSignal): Promise<RemoteSnapshot> {
    return this.#try((remote) => remote.commit(commit, signal));
  }

  /** See {@linkcode ReplicaRemote.follow}. */
  follow(vid: VolumeId, listener: (news: RemoteNews) => void): () => void {
    const followed = { vid, listener, unfollow: this.#remote.follow(vid, listener) };
    this.#followed.add(followed);
    return () => {
      this.#followed.delete(followed);
      followed.unfollow();
    };
  }

  /** Ends everything that is under way. */
  close(): void {
    this.#followed.clear();
    this.#remote.close();
  }

  async #try<T>(run: (remote: ReplicaRemote) => Promise<T>): Promise<T> {
    try {
      return await run(this.#remote);
    } catch (error) {
      if (!(error instanceof NoV1Error)) throw error;
      this.#fallBack();
      return await run(this.#remote);
    }
  }

  #fallBack(): void {
    if (this.#isProtocol) return;
    this.#isProtocol = true;
    this.#remote.close();
    this.#remote = this.#choice.protocol();
    for (const followed of this.#followed) {
      followed.unfollow = this.#remote.follow(followed.vid, followed.listener);
    }
  }
}
