/**
 * A server of which nobody knows yet what it speaks.
 *
 * @module
 */

import type { VolumeId } from "../../../src/core/gid.ts";
import { GraftError } from "../../../src/core/errors.ts";
import type { Lsn } from "../../../src/core/lsn.ts";
import type { PageSet } from "../../../src/core/page_set.ts";
import type { RemoteCommit, RemoteNews, RemoteSnapshot, ReplicaRemote } from "./remote.ts";
import { NOT_GRAFT_HINT } from "../../_answers.ts";
import { NoV1Error } from "./v1_transport.ts";

/** Makes the two remotes that there are to choose from. */
export interface RemoteChoice {
  /** Makes the one over v1. */
  readonly v1: () => ReplicaRemote;
  /** Makes the one over v0.1. */
  readonly protocol: () => ProtocolSpeaker;
}

/** A remote over v0.1. */
export interface ProtocolSpeaker extends ReplicaRemote {
  /** Whether what answers speaks v0.1; rejects where nothing answers. */
  isSpoken(vid: VolumeId): Promise<boolean>;
}

interface Followed {
  readonly vid: VolumeId;
  readonly listener: (news: RemoteNews) => void;
  unfollow: () => void;
}

/** Speaks v1 until the server turns out to speak v0.1 only, and that from then on. */
export class DetectingRemote implements ReplicaRemote {
  readonly #choice: RemoteChoice;
  readonly #followed = new Set<Followed>();
  #remote: ReplicaRemote;
  #isProtocol = false;
  #asking: Promise<boolean> | undefined;

  /** Nothing is asked yet. */
  constructor(choice: RemoteChoice) {
    this.#choice = choice;
    this.#remote = choice.v1();
  }

  /** The server's URL. */
  get name(): string {
    return this.#remote.name;
  }

  /** See {@linkcode ReplicaRemote.changes}. */
  changes(vid: VolumeId, since: RemoteSnapshot | undefined, signal?: AbortSignal) {
    return this.#try(vid, (remote) => remote.changes(vid, since, signal));
  }

  /** See {@linkcode ReplicaRemote.readPages}. */
  readPages(
    vid: VolumeId,
    lsn: Lsn,
    wanted: PageSet,
    onPage: (pageIdx: number, page: Uint8Array) => void,
    signal?: AbortSignal,
  ): Promise<void> {
    return this.#try(vid, (remote) => remote.readPages(vid, lsn, wanted, onPage, signal));
  }

  /** See {@linkcode ReplicaRemote.commit}. */
  async commit(commit: RemoteCommit, signal?: AbortSignal): Promise<RemoteSnapshot> {
    try {
      return await this.#try(commit.vid, (remote) => remote.commit(commit, signal));
    } catch (error) {
      if (!(error instanceof NoServerError)) throw error;
      // it is nothing against the commit that something else answers
      const { message, hint } = error;
      throw new GraftError("unavailable", message, { cause: error, hint });
    }
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

  async #try<T>(vid: VolumeId, run: (remote: ReplicaRemote) => Promise<T>): Promise<T> {
    try {
      return await run(this.#remote);
    } catch (error) {
      if (!(error instanceof NoV1Error)) throw error;
      if (!this.#isProtocol && !await this.#ask(vid)) throw new NoServerError(error);
      return await run(this.#remote);
    }
  }

  /** Falls back if the server speaks v0.1: that v1 is not there may be the doing of something in between. */
  async #ask(vid: VolumeId): Promise<boolean> {
    this.#asking ??= this.#fallBack(vid).finally(() => this.#asking = undefined);
    return await this.#asking;
  }

  async #fallBack(vid: VolumeId): Promise<boolean> {
    const protocol = this.#choice.protocol();
    if (!await protocol.isSpoken(vid)) return false;
    this.#isProtocol = true;
    this.#remote.close();
    this.#remote = protocol;
    for (const followed of this.#followed) {
      followed.unfollow = this.#remote.follow(followed.vid, followed.listener);
    }
    return true;
  }
}

/** What answers speaks neither protocol. */
class NoServerError extends GraftError {
  constructor(error: NoV1Error) {
    super("invalid", error.message, {
      cause: error,
      hint: error.isTold ? error.hint : NOT_GRAFT_HINT,
    });
  }
}
