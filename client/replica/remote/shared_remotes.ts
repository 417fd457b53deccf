/**
 * Remotes that replicas share.
 *
 * @module
 */

import type { RemoteCommit, RemoteNews, ReplicaRemote } from "./remote.ts";
import type { VolumeId } from "../../../src/core/gid.ts";

interface Shared {
  readonly remote: ReplicaRemote;
  users: number;
}

/** One user's part of a remote: closing it closes the remote when nobody else uses it. */
class SharedRemote implements ReplicaRemote {
  readonly name: string;
  readonly changes: ReplicaRemote["changes"];
  readonly readPages: ReplicaRemote["readPages"];
  readonly #remote: ReplicaRemote;
  readonly #onClose: () => void;
  #isClosed = false;

  constructor(remote: ReplicaRemote, onClose: () => void) {
    this.name = remote.name;
    this.changes = remote.changes.bind(remote);
    this.readPages = remote.readPages.bind(remote);
    this.#remote = remote;
    this.#onClose = onClose;
  }

  commit(commit: RemoteCommit, signal?: AbortSignal) {
    return this.#remote.commit(commit, signal);
  }

  follow(vid: VolumeId, listener: (news: RemoteNews) => void): () => void {
    return this.#remote.follow(vid, listener);
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#onClose();
  }
}

/** Remotes by what tells them apart, for as long as somebody uses them. */
export class SharedRemotes {
  readonly #shared = new Map<string, Shared>();

  /** The remote of a key; made where there is none. Close it when it is no longer used. */
  open(key: string, make: () => ReplicaRemote): ReplicaRemote {
    const shared = this.#shared.get(key) ?? { remote: make(), users: 0 };
    this.#shared.set(key, shared);
    shared.users++;
    return new SharedRemote(shared.remote, () => {
      if (--shared.users > 0) return;
      this.#shared.delete(key);
      shared.remote.close();
    });
  }
}
