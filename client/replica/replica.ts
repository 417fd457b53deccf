/**
 * What users hold: one volume, on one storage, in step with one server.
 *
 * @module
 */

import { GraftError, isGraftError } from "../../src/core/errors.ts";
import type { ClientId, VolumeId } from "../../src/core/gid.ts";
import type { Lsn } from "../../src/core/lsn.ts";
import { PAGE_SIZE } from "../../src/core/limits.ts";
import { toPageCount, toPageIdx } from "../../src/core/page.ts";
import type { PageSet } from "../../src/core/page_set.ts";
import type { Random } from "../../src/core/random.ts";
import type { Timers } from "../../src/core/timers.ts";
import type { ReplicaStorage } from "../storage/replica_storage.ts";
import { Feed } from "./feed.ts";
import { PageFetcher } from "./page_fetcher.ts";
import { type RemoteChanges, type ReplicaRemote, VolumeDeletedError } from "./remote/remote.ts";
import { replayOn, type TransactionFunction } from "./replay.ts";
import { type LocalChanges, ReplicaStore, type StateChange } from "./local/replica_store.ts";
import type { State } from "./local/rows.ts";
import type { SnapshotPoint } from "./local/snapshot_points.ts";
import { ReplicaSnapshot } from "./snapshot.ts";
import type { ReplicaStatus } from "./status.ts";
import { Synchronizer } from "./synchronizer.ts";
import { Transaction } from "./transaction.ts";
import { copyVolume } from "./volume_copy.ts";

/** A snapshot as a {@linkcode Prefetch} sees it. */
export interface PrefetchContext {
  /** The LSN that is read. */
  readonly lsn: Lsn;
  /** How many pages there are. */
  readonly pageCount: number;
}

/**
 * Which pages to fetch along with some that are missed: up to 1,024 together with them, in one request. What
 * is in the replica already is left out.
 */
export type Prefetch = (missed: PageSet, snapshot: PrefetchContext) => PageSet;

/** What changed in a replica. Several changes that nobody read are told as one. */
export interface ReplicaChange {
  /** Every page that may be another one. */
  readonly pages: PageSet;
  /** How many pages the volume has now. */
  readonly pageCount: number;
  /** What the newest local state rests on; undefined for a volume that the server does not have. */
  readonly lsn: Lsn | undefined;
  /** Whether commits of others are part of it; else it was committed here. */
  readonly fromServer: boolean;
}

/** What a {@linkcode Replica} is made of. */
export interface ReplicaParts {
  /** Where it keeps its rows; closed with it. */
  readonly storage: ReplicaStorage;
  /** Its server; closed with it. */
  readonly remote: ReplicaRemote;
  /** The volume. */
  readonly vid: VolumeId;
  /** Whether the volume was made up just now, so that the server cannot know it. */
  readonly isNew: boolean;
  /** Makes a client id. */
  readonly newClientId: () => ClientId;
  /** Makes a volume id. */
  readonly newVolumeId: () => VolumeId;
  /** Chance. */
  readonly random: Random;
  /** Waiting. */
  readonly timers: Timers;
  /** How many bytes the storage may have. */
  readonly bytesMax: number;
  /** Which pages to fetch along. */
  readonly prefetch?: Prefetch;
  /** Whether nothing can be committed; default: false. */
  readonly isReadOnly?: boolean;
}

/** A transaction that can run again, and the local commit that it made. */
interface Remembered {
  readonly state: State;
  readonly run: TransactionFunction;
}

/**
 * A local, lazily filled replica of a volume: it reads and commits here, and pushes and pulls in the
 * background.
 */
export class Replica {
  readonly #parts: ReplicaParts;
  readonly #store: ReplicaStore;
  readonly #fetcher: PageFetcher;
  readonly #synchronizer: Synchronizer;
  readonly #changes: Feed<ReplicaChange>;
  readonly #statuses: Feed<ReplicaStatus>;
  /** The transactions of the line. */
  #remembered: Remembered[] = [];
  #closing: Promise<void> | undefined;

  private constructor(parts: ReplicaParts, store: ReplicaStore, feed: Feed<ReplicaChange>) {
    this.#parts = parts;
    this.#store = store;
    this.#changes = feed;
    this.#statuses = new Feed((_, newer) => newer);
    this.#synchronizer = new Synchronizer({
      ...parts,
      store,
      onStatus: () => this.#statuses.tell(this.status()),
    });
    this.#fetcher = new PageFetcher({
      vid: parts.vid,
      remote: parts.remote,
      hold: () => store.hold(),
      release: (point) => store.release(point),
      keep: (point, pages) => store.keep(point, pages),
      prefetch: (missed, point) => this.#prefetch(missed, point),
      onEnd: (error) => this.#synchronizer.heard(error),
    });
  }

  /**
   * Opens a replica on parts; `openReplica` picks them.
   *
   * @throws {GraftError} What asking the server for a volume throws that the storage does not know.
   */
  static async open(parts: ReplicaParts): Promise<Replica> {
    const feed = new Feed<ReplicaChange>(mergeChanges);
    const store: ReplicaStore = await ReplicaStore.load({
      ...parts,
      onChange: (change) => feed.tell(toChange(store, change)),
    });
    const replica = new Replica(parts, store, feed);
    const mustAsk = !store.isKnown && !parts.isNew;
    if (mustAsk) await replica.#askFirst();
    replica.#synchronizer.start(mustAsk);
    return replica;
  }

  /** The volume. */
  get vid(): VolumeId {
    return this.#store.vid;
  }

  /** Who commits. */
  get cid(): ClientId {
    return this.#store.cid;
  }

  /** Whether nothing can be committed, as of what is past. */
  get isReadOnly(): boolean {
    return this.#parts.isReadOnly ?? false;
  }

  /** The number of the state that {@linkcode Replica.snapshot} would hold now. */
  get state(): number {
    return this.#store.newest;
  }

  /** The volume as it is now, local commits included. */
  snapshot(): ReplicaSnapshot {
    this.#requireOpen();
    return new ReplicaSnapshot({ store: this.#store, fetcher: this.#fetcher });
  }

  /**
   * Runs a transaction and commits it here: all of it or nothing. It is pushed in the background, and
   * resolves before that.
   *
   * @param run Reads and writes through `tx`. It runs again, on a newer snapshot, when something else was
   * committed or pulled meanwhile, and in {@linkcode Replica.replay}: so it should do nothing else.
   * @returns What `run` returned.
   * @throws {GraftError} `unavailable` when the storage is full, `forbidden` when the replica is read-only, `aborted`
   * when it is closed, and what `run` throws: then nothing is committed.
   */
  async transaction<T>(run: TransactionFunction<T>): Promise<T> {
    for (;;) {
      const snapshot = this.snapshot();
      try {
        const tx = new Transaction(snapshot);
        const result = await run(tx);
        tx.end();
        const isDone = !tx.hasChanges || await this.#tryCommit(snapshot, tx.changes, run);
        if (isDone) return result;
      } finally {
        snapshot.close();
      }
    }
  }

  /**
   * Commits changes that were made on a snapshot here, and closes the snapshot. For those who keep what they
   * change themselves.
   *
   * @param changes Pages of the snapshot that are cut off and lie below the new page count have to be among them.
   * @param run What makes them again, for {@linkcode Replica.replay}; without it they cannot be replayed.
   * @returns The state that it made, as a snapshot.
   * @throws {GraftError} `conflict` when something else was committed or pulled since: do the work again; `invalid` for
   * what is no page, or lies beyond the page count; `forbidden` when the replica is read-only; `unavailable` when the
   * storage is full; `aborted` when the replica is closed.
   */
  async commit(
    snapshot: ReplicaSnapshot,
    changes: LocalChanges,
    run?: TransactionFunction,
  ): Promise<ReplicaSnapshot> {
    return await this.commitNow(snapshot, changes, run);
  }

  /**
   * As {@linkcode Replica.commit}, but at once where the storage writes at once: then it throws what that rejects
   * with.
   */
  commitNow(
    snapshot: ReplicaSnapshot,
    changes: LocalChanges,
    run?: TransactionFunction,
  ): ReplicaSnapshot | Promise<ReplicaSnapshot> {
    requireWritable(changes);
    const hold = (point: SnapshotPoint) =>
      new ReplicaSnapshot({ store: this.#store, fetcher: this.#fetcher, point });
    const committing = this.#commit(snapshot, changes, run);
    return committing instanceof Promise ? committing.then(hold) : hold(committing);
  }

  /**
   * What changes from now on, told at once; nothing is fetched. It ends with the replica; leave the loop to end it
   * before.
   */
  changes(): AsyncIterableIterator<ReplicaChange> {
    this.#requireOpen();
    return this.#changes.read();
  }

  /** How the replica is doing. */
  status(): ReplicaStatus {
    const store = this.#store;
    const { state, isOnline, error } = this.#synchronizer;
    return {
      vid: store.vid,
      state,
      isOnline,
      lsn: store.base?.lsn,
      pageCount: store.pageCount,
      localCommits: store.line.length,
      localPages: store.localPages,
      storageBytes: store.bytes,
      error,
    };
  }

  /** The status whenever it may be another; as {@linkcode Replica.changes} otherwise. */
  statuses(): AsyncIterableIterator<ReplicaStatus> {
    this.#requireOpen();
    return this.#statuses.read();
  }

  /**
   * Resolves when all that was committed here is on the server, and all that was committed there until now is known
   * here.
   *
   * @throws {GraftError} What hinders it: `unavailable` when the server does not answer, `conflict` when others
   * committed first, `missing` when the volume was deleted, and what else a push is refused with.
   */
  async sync(): Promise<void> {
    this.#requireOpen();
    await this.#synchronizer.sync();
  }

  /**
   * Gives up the local commits for what the server has; offline, for what it had when it last answered.
   *
   * @throws {GraftError} `unavailable` when the storage is full, and what else the server answers than that it has no
   * such volume.
   */
  async reset(): Promise<void> {
    this.#requireOpen();
    await this.#synchronizer.pause((signal) => this.#reset(signal));
  }

  /**
   * Runs the transactions of the local commits again on what the server has now, in their order; then they are
   * pushed. All or nothing: where one throws, everything stays as it was.
   *
   * @throws {GraftError} `invalid` when there are local commits whose function is not known: those made before
   * the replica was opened, and those of {@linkcode Replica.commit}.
   */
  async replay(): Promise<void> {
    this.#requireOpen();
    await this.#synchronizer.pause(async (signal) => {
      while (!await this.#tryReplay(signal));
    });
  }

  /**
   * Copies what is here, local commits included, to a new volume, and gives up the local commits. Where it fails, they
   * are all still here; a copy that nobody names may be left on the server.
   *
   * @returns The new volume's id.
   * @throws {GraftError} `conflict` when something was committed here meanwhile: call it again; `unavailable` when the
   * server does not answer, or a page is missing here; and what else it refuses a commit with.
   */
  async keepBoth(): Promise<VolumeId> {
    this.#requireOpen();
    return await this.#synchronizer.pause(async (signal) => {
      const snapshot = this.snapshot();
      try {
        const vid = await this.#copy(snapshot, signal);
        await this.#reset(signal, snapshot.state);
        return vid;
      } finally {
        snapshot.close();
      }
    });
  }

  /**
   * Ends everything that is under way, and lets the storage go. What was not pushed is pushed when it is opened again.
   */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** Closes it. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Whether it is committed; else the snapshot was not the newest any more. */
  async #tryCommit(
    snapshot: ReplicaSnapshot,
    changes: LocalChanges,
    run: TransactionFunction,
  ): Promise<boolean> {
    try {
      this.#store.release(await this.#commit(snapshot, changes, run));
      return true;
    } catch (error) {
      if (isGraftError(error, "conflict") && snapshot.state !== this.#store.newest) return false;
      throw error;
    }
  }

  #commit(
    snapshot: ReplicaSnapshot,
    changes: LocalChanges,
    run: TransactionFunction | undefined,
  ): SnapshotPoint | Promise<SnapshotPoint> {
    this.#requireOpen();
    if (this.isReadOnly) {
      throw new GraftError("forbidden", `Cannot commit to volume "${this.vid}": it is read-only`);
    }
    const finish = (next: SnapshotPoint) => {
      snapshot.takeBack(true);
      this.#remember(next.state, run);
      this.#synchronizer.pushSoon();
      return next;
    };
    const fail = (error: unknown): never => {
      snapshot.takeBack(false);
      throw error;
    };
    const point = snapshot.lend();
    let committing: SnapshotPoint | Promise<SnapshotPoint>;
    try {
      committing = this.#store.commit(point, changes);
    } catch (error) {
      return fail(error);
    }
    return committing instanceof Promise ? committing.then(finish, fail) : finish(committing);
  }

  #remember(state: State, run: TransactionFunction | undefined): void {
    const first = this.#store.line[0]?.state ?? Infinity;
    // what was pushed stands in front
    const kept = this.#remembered.findIndex((remembered) => remembered.state >= first);
    if (kept !== 0) this.#remembered.splice(0, kept < 0 ? Infinity : kept);
    if (run !== undefined && state >= first) this.#remembered.push({ state, run });
  }

  /** @param expected The state that is given up; default: whatever is there. */
  async #reset(signal: AbortSignal, expected?: State): Promise<void> {
    const changes = await this.#askForReset(signal);
    await this.#store.replaceLine(changes, [], expected);
    this.#remembered = [];
    this.#synchronizer.unblock();
  }

  async #askForReset(signal: AbortSignal): Promise<RemoteChanges | undefined> {
    try {
      return await this.#parts.remote.changes(this.vid, this.#store.base, signal);
    } catch (error) {
      if (isGraftError(error, "unavailable") || isGraftError(error, "missing")) return undefined;
      throw error;
    }
  }

  /** Whether it was done; else something was committed here meanwhile. */
  async #tryReplay(signal: AbortSignal): Promise<boolean> {
    const { remote } = this.#parts;
    const { newest, line } = this.#store;
    const functions = line.map(({ state }) => this.#functionOf(state));
    const changes = await this.#askForReplay(signal);
    // nobody has made the volume yet, so nothing is in the way of the commits
    if (changes === undefined) {
      this.#synchronizer.unblock();
      return true;
    }
    const results = await replayOn(changes, functions, remote, signal);
    try {
      await this.#store.replaceLine(changes, results, newest);
    } catch (error) {
      if (isGraftError(error, "conflict")) return false;
      throw error;
    }
    this.#remembered = this.#store.line.flatMap(({ state }, i) =>
      results[i] === undefined ? [] : [{ state, run: results[i].run }]
    );
    this.#synchronizer.unblock();
    return true;
  }

  async #askForReplay(signal: AbortSignal): Promise<RemoteChanges | undefined> {
    const { base } = this.#store;
    try {
      return await this.#parts.remote.changes(this.vid, base, signal);
    } catch (error) {
      if (isGraftError(error, "missing") && base === undefined) return undefined;
      throw error;
    }
  }

  #functionOf(state: State): TransactionFunction {
    const remembered = this.#remembered.find((known) => known.state === state);
    if (remembered !== undefined) return remembered.run;
    throw new GraftError(
      "invalid",
      `Cannot replay the local commits of volume "${this.vid}": not all were made by transaction() here`,
      { hint: "Call reset() or keepBoth()" },
    );
  }

  async #copy(snapshot: ReplicaSnapshot, signal: AbortSignal): Promise<VolumeId> {
    const { remote, random, newVolumeId } = this.#parts;
    const vid = newVolumeId();
    await copyVolume({ snapshot, remote, vid, cid: this.#store.cid, random }, signal);
    return vid;
  }

  async #askFirst(): Promise<void> {
    try {
      await this.#store.pull(await this.#parts.remote.changes(this.vid, undefined));
    } catch (error) {
      const isToCome = isGraftError(error, "missing") && !(error instanceof VolumeDeletedError) &&
        !this.isReadOnly;
      if (isToCome) return await this.#store.startEmpty();
      throw error;
    }
  }

  *#prefetch(missed: PageSet, point: SnapshotPoint): Iterable<number> {
    const { prefetch } = this.#parts;
    const { base } = point;
    if (prefetch === undefined || base === undefined) return;
    for (const pageIdx of prefetch(missed, { lsn: base.lsn, pageCount: base.pageCount })) {
      if (pageIdx > base.pageCount) return;
      if (pageIdx > 0 && this.#store.lacks(point, pageIdx)) yield pageIdx;
    }
  }

  async #close(): Promise<void> {
    await this.#fetcher.close();
    await this.#synchronizer.close();
    this.#changes.end();
    this.#statuses.end();
    this.#parts.remote.close();
    await this.#store.close();
  }

  #requireOpen(): void {
    if (this.#closing === undefined) return;
    throw new GraftError("aborted", `Cannot use the replica of volume "${this.vid}": it is closed`);
  }
}

/** @throws {GraftError} `invalid` for what is no page, or lies beyond the page count. */
function requireWritable({ pages, pageCount }: LocalChanges): void {
  toPageCount(pageCount);
  for (const [pageIdx, page] of pages) {
    if (toPageIdx(pageIdx) <= pageCount && page.length === PAGE_SIZE) continue;
    throw new GraftError(
      "invalid",
      `Cannot write page ${pageIdx}: it has ${page.length} bytes, and the volume ${pageCount} pages`,
    );
  }
}

function toChange(store: ReplicaStore, { pages, fromServer }: StateChange): ReplicaChange {
  return { pages, fromServer, pageCount: store.pageCount, lsn: store.base?.lsn };
}

function mergeChanges(older: ReplicaChange, newer: ReplicaChange): ReplicaChange {
  return {
    ...newer,
    pages: older.pages.union(newer.pages),
    fromServer: older.fromServer || newer.fromServer,
  };
}
