/**
 * The seam to the server that a replica follows.
 *
 * @module
 */

import { GraftError } from "../../../src/core/errors.ts";
import type { Digest } from "../../../src/core/content_digest.ts";
import type { ClientId, VolumeId } from "../../../src/core/gid.ts";
import type { Lsn } from "../../../src/core/lsn.ts";
import type { PageCount } from "../../../src/core/page.ts";
import type { PageSet } from "../../../src/core/page_set.ts";
import type { Snapshot } from "../../../src/core/snapshot.ts";

/** A snapshot as a replica knows it. */
export interface RemoteSnapshot extends Omit<Snapshot, "checkpointLsn"> {
  /** The digest of the commit; undefined where the server does not tell (v0.1). */
  readonly digest: Digest | undefined;
}

/** A body is longer than the server, or what is in between, takes. */
export class TooLargeError extends GraftError {}

/** A volume was deleted for ever; without this, nobody knows why it is missing. */
export class VolumeDeletedError extends GraftError {}

/** What changed up to a snapshot. */
export interface RemoteChanges {
  /** The newest snapshot. */
  readonly snapshot: RemoteSnapshot;
  /** The LSN after which the changes count, 0 for all of them; undefined: all pages may have changed. */
  readonly since: number | undefined;
  /** Every page that may have changed since; undefined where `since` is. */
  readonly pages: PageSet | undefined;
}

/**
 * What a volume's follower is told:
 *
 * - `changes`: the volume moved on, from `since` to the snapshot. Where `since` is not what the follower
 *   stands on, it asks.
 * - `behind`: something may have changed, up to the LSN where one is given: ask.
 * - `deleted`: the volume is gone for ever.
 * - `unheard`: nothing is told for now: ask, and again whenever this comes.
 * - `offline`, `online`: whether the server can be heard; `offline` also where it refuses to tell of the volume.
 */
export type RemoteNews =
  | { readonly kind: "changes"; readonly changes: RemoteChanges }
  | { readonly kind: "behind"; readonly lsn?: Lsn }
  | { readonly kind: "deleted" | "online" | "unheard" }
  | { readonly kind: "offline"; readonly error: unknown };

/** A transaction to be pushed. The same one may be sent again; it lands at most once. */
export interface RemoteCommit {
  /** The volume. */
  readonly vid: VolumeId;
  /** The replica's own client id, which nobody else uses. */
  readonly cid: ClientId;
  /** 16 bytes: the id of this transaction. */
  readonly requestId: Uint8Array;
  /** What it is based on; undefined for a volume's first commit. */
  readonly base: RemoteSnapshot | undefined;
  /** The page count from here on. */
  readonly pageCount: PageCount;
  /** Which pages it has. */
  readonly pageSet: PageSet;
  /** Those pages, in ascending order; may be asked for again. */
  pages(): AsyncIterable<readonly [pageIdx: number, page: Uint8Array]>;
}

/**
 * A server, or several of them behind one address.
 *
 * Every method may reject with GraftError `unavailable` (no answer in time), `unauthorized`,
 * `forbidden` and `aborted`.
 */
export interface ReplicaRemote {
  /** What it is, for messages: its URL. */
  readonly name: string;
  /**
   * The newest snapshot, and which pages changed since one that is known. Where the server's line is not the
   * one that `since` is of, or nobody knows what changed, it answers without pages: all may have changed.
   *
   * @throws {GraftError} `missing` when the volume has no commit; {@linkcode VolumeDeletedError} where it is known to
   * have been deleted.
   */
  changes(
    vid: VolumeId,
    since: RemoteSnapshot | undefined,
    signal?: AbortSignal,
  ): Promise<RemoteChanges>;
  /**
   * Reads pages at an LSN, in one request where the server allows so many. Calls `onPage` for each that
   * exists, verified, as they arrive, also for some that were not wanted; never twice for one. The view is the
   * callee's only during the call.
   *
   * @throws {GraftError} `missing` when the LSN is no longer readable, `damaged` for bytes that fail their checksum.
   */
  readPages(
    vid: VolumeId,
    lsn: Lsn,
    wanted: PageSet,
    onPage: (pageIdx: number, page: Uint8Array) => void,
    signal?: AbortSignal,
  ): Promise<void>;
  /**
   * Pushes a transaction.
   *
   * @throws {GraftError} `conflict` when another commit came first and this one did not land; `invalid` when it can never land;
   * {@linkcode TooLargeError} when one of fewer pages might.
   */
  commit(commit: RemoteCommit, signal?: AbortSignal): Promise<RemoteSnapshot>;
  /** Tells `listener` what happens to a volume, until the returned function is called. */
  follow(vid: VolumeId, listener: (news: RemoteNews) => void): () => void;
  /** Ends everything that is under way. */
  close(): void;
}
