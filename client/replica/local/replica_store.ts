/**
 * A replica without a server: its rows in the storage, and what is known of them in memory.
 *
 * @module
 */

import { assert } from "../../../src/core/assert.ts";
import { GraftError } from "../../../src/core/errors.ts";
import type { ClientId, VolumeId } from "../../../src/core/gid.ts";
import { type Lsn, nextLsn } from "../../../src/core/lsn.ts";
import { PageSet } from "../../../src/core/page_set.ts";
import type { ReplicaStorage } from "../../storage/replica_storage.ts";
import { changedBy, putLine, rowsToRemove } from "./line_replacement.ts";
import { LocalLine } from "./local_line.ts";
import { LocalPages } from "./local_pages.ts";
import { ZERO_PAGE } from "./page_codec.ts";
import { type Batch, newBatch } from "./page_keeper.ts";
import type { PageRow } from "./page_rows.ts";
import type { RemoteChanges, RemoteSnapshot } from "../remote/remote.ts";
import { type LoadedReplica, loadReplica } from "./replica_loader.ts";
import {
  commitKey,
  damagedRow,
  encodeCommit,
  encodeFooting,
  type Footing,
  footingKey,
  type LocalCommit,
  pageKey,
  type PushUnderWay,
  type State,
} from "./rows.ts";
import { pagesFrom } from "../pages_from.ts";
import type { SnapshotPoint } from "./snapshot_points.ts";
import { StorageRoom } from "./storage_room.ts";
import { Turns } from "../turns.ts";

/** What a transaction changes. */
export interface LocalChanges {
  /** The pages, by index; none above the page count. */
  readonly pages: ReadonlyMap<number, Uint8Array>;
  /** How many pages the volume has from here on. */
  readonly pageCount: number;
}

/** A new state. */
export interface StateChange {
  /** The pages that may have changed. */
  readonly pages: PageSet;
  /** Whether the server's commits changed them. */
  readonly fromServer: boolean;
}

/** What a {@linkcode ReplicaStore} is made of. */
export interface ReplicaStoreParts {
  readonly storage: ReplicaStorage;
  readonly vid: VolumeId;
  /** Makes a client id. */
  readonly newClientId: () => ClientId;
  /** How many bytes the storage may have. What is only here counts too, and is never evicted. */
  readonly bytesMax: number;
  /** Called after each new state. */
  readonly onChange: (change: StateChange) => void;
}

/**
 * The state of a replica. Whatever changes it is one batch of the storage, and is known in memory only once
 * that is written.
 */
export class ReplicaStore {
  /** The volume. */
  readonly vid: VolumeId;
  readonly #parts: ReplicaStoreParts;
  readonly #turns = new Turns();
  readonly #pages: LocalPages;
  readonly #room: StorageRoom;
  #footing: Footing;
  readonly #line: LocalLine;
  #isKnown: boolean;
  #isClosed = false;
  /** Pages of local commits that the storage has lost. */
  #lost: ReadonlySet<number>;

  private constructor(parts: ReplicaStoreParts, loaded: LoadedReplica) {
    this.#parts = parts;
    this.vid = parts.vid;
    this.#pages = new LocalPages(parts.storage, parts.vid, this.#turns, loaded);
    this.#room = new StorageRoom(parts, this.#pages);
    this.#lost = loaded.lost;
    this.#isKnown = loaded.footing !== undefined;
    this.#footing = loaded.footing ??
      { cid: parts.newClientId(), base: undefined, pushed: 0, newest: 0, push: undefined };
    const { push, pushed } = this.#footing;
    if (push !== undefined) this.#pages.points.hold({ state: push.last, pushed });
    this.#line = new LocalLine(this.#pages, loaded.line, pushed);
  }

  /** Reads what a storage has of a volume. */
  static async load(parts: ReplicaStoreParts): Promise<ReplicaStore> {
    return new ReplicaStore(parts, await loadReplica(parts.storage, parts.vid));
  }

  /** Whether the storage knew the volume, or it was written to since. */
  get isKnown(): boolean {
    return this.#isKnown;
  }

  /** Who commits. */
  get cid(): ClientId {
    return this.#footing.cid;
  }

  /** What the line of local commits rests on. */
  get base(): RemoteSnapshot | undefined {
    return this.#footing.base;
  }

  /** The number of the newest state. */
  get newest(): State {
    return this.#footing.newest;
  }

  /** The push that was begun. */
  get push(): PushUnderWay | undefined {
    return this.#footing.push;
  }

  /** The local commits that the server does not have, oldest first. */
  get line(): readonly LocalCommit[] {
    return this.#line.commits;
  }

  /** How many pages the volume has here. */
  get pageCount(): number {
    return this.#line.pageCount ?? this.#footing.base?.pageCount ?? 0;
  }

  /** How many pages are in the storage. */
  get localPages(): number {
    return this.#pages.rows.count;
  }

  /** The bytes of what is kept. */
  get bytes(): number {
    return this.#pages.bytes;
  }

  /** The newest state, which can be read until it is released. */
  hold(): SnapshotPoint {
    const { base, pushed, newest } = this.#footing;
    const point = {
      state: newest,
      base,
      pushed,
      pageCount: this.pageCount,
      lowest: this.#line.lowest,
    };
    this.#pages.points.hold(point);
    return point;
  }

  /** A state is not read any more. */
  release(point: SnapshotPoint): void {
    this.#pages.release(point.state);
  }

  /**
   * A page as of a state that is held.
   *
   * @returns The page; a promise of it where the storage cannot answer at once, and of undefined where
   * the state of things has changed meanwhile: look again; undefined where only the server has it.
   */
  find(
    point: SnapshotPoint,
    pageIdx: number,
  ): Uint8Array | Promise<Uint8Array | undefined> | undefined {
    if (pageIdx > point.pageCount) return ZERO_PAGE;
    if (this.#lost.size > 0) this.#requireThere(pageIdx);
    const row = this.#rowOf(point, pageIdx);
    if (row !== undefined) return this.#pages.read(row);
    return this.#isOnServer(point, pageIdx) ? undefined : ZERO_PAGE;
  }

  /** Whether {@linkcode find} would find a page only on the server; nothing is read. */
  lacks(point: SnapshotPoint, pageIdx: number): boolean {
    return pageIdx <= point.pageCount && this.#rowOf(point, pageIdx) === undefined &&
      this.#isOnServer(point, pageIdx);
  }

  /** Where the server has a page that {@linkcode find} found nowhere. */
  lsnOf(point: SnapshotPoint, pageIdx: number): Lsn {
    const base = this.#hasChanged(point, pageIdx) ? point.base : this.base;
    assert(base !== undefined, "A page that is fetched is on the server");
    return base.lsn;
  }

  /**
   * Makes a new state of a transaction on the newest one. The point is released, unless this fails.
   *
   * @returns The new state, held; a promise where something has to be waited for.
   * @throws {GraftError} `conflict` when the point is not the newest any more; `unavailable` when the storage is full.
   */
  commit(point: SnapshotPoint, changes: LocalChanges): SnapshotPoint | Promise<SnapshotPoint> {
    return this.#turns.runNow(() => this.#commit(point, changes));
  }

  /**
   * Keeps pages that the server has, where they have not changed since `point`.
   *
   * @throws {GraftError} `unavailable` when the storage is full.
   */
  keep(point: SnapshotPoint, pages: ReadonlyMap<number, Uint8Array>): Promise<void> {
    return this.#turns.run(async () => {
      // what was cut off when it was asked for, or is now, is zeros here, whatever the server had
      const last = Math.min(
        point.lowest,
        point.base?.pageCount ?? 0,
        this.#line.lowest,
        this.base?.pageCount ?? 0,
      );
      const wanted = [...pages].filter(([pageIdx]) =>
        pageIdx <= last && !this.#hasChanged(point, pageIdx) &&
        this.#pages.rows.get(pageIdx) === undefined
      );
      if (wanted.length === 0) return;
      const batch = newBatch();
      const rows = this.#pages.put(batch, this.#footing.pushed, wanted);
      await this.#room.make(batch, rows, this.#footing.pushed);
      await this.#pages.write(batch, "relaxed");
      this.#pages.supersede(rows);
    });
  }

  /**
   * Moves to what the server has now. Only without local commits.
   *
   * @returns `done`; `line` when there are local commits; `gap` when the changes do not count from the base.
   */
  pull(changes: RemoteChanges): Promise<"done" | "line" | "gap"> {
    return this.#turns.run(async () => {
      const { snapshot, since } = changes;
      if (snapshot.vid !== this.vid) throw strangeAnswer(this.vid, "changes of another volume");
      const isOld = since !== undefined && snapshot.lsn <= (this.base?.lsn ?? 0);
      if (isOld) return "done";
      if (this.line.length > 0) return "line";
      if (since !== undefined && since > (this.base?.lsn ?? 0)) return "gap";
      await this.#replaceLine(changes, []);
      return "done";
    });
  }

  /** Takes note of a volume that the server does not have yet. */
  startEmpty(): Promise<void> {
    return this.#turns.run(async () => {
      if (this.#isKnown) return;
      const batch = newBatch();
      this.#putFooting(batch, this.#footing);
      await this.#pages.write(batch);
      this.#isKnown = true;
    });
  }

  /**
   * Gives the local commits up for what the server has, and others on top of that: one batch.
   *
   * @param changes What the server has; undefined: back to the base.
   * @param commits The new line.
   * @param expected The state that is given up; undefined: whatever is there.
   * @throws {GraftError} `conflict` when there is another state now.
   */
  replaceLine(
    changes: RemoteChanges | undefined,
    commits: readonly LocalChanges[],
    expected: State | undefined,
  ): Promise<void> {
    return this.#turns.run(async () => {
      if (expected !== undefined && expected !== this.newest) throw localConflict(this.vid);
      await this.#replaceLine(changes, commits);
    });
  }

  /**
   * Begins a push of the line, or goes on with the one that was begun. Its last state is held.
   *
   * @param pagesMax How many pages it may have; a single commit may have more.
   */
  beginPush(newRequestId: () => Uint8Array, pagesMax: number): Promise<PushUnderWay> {
    return this.#turns.run(async () => {
      if (this.#footing.push !== undefined) return this.#footing.push;
      return await this.#beginPush(newRequestId(), this.#lastToPush(this.newest, pagesMax));
    });
  }

  /**
   * Takes back the push that was begun, of which the server has nothing, for a shorter one.
   *
   * @returns Whether there is one.
   */
  shrinkPush(newRequestId: () => Uint8Array, pagesMax: number): Promise<boolean> {
    return this.#turns.run(async () => {
      const { push } = this.#footing;
      assert(push !== undefined, "Only a push that was begun can be made shorter");
      const last = this.#lastToPush(push.last, pagesMax);
      if (last === push.last) return false;
      await this.#beginPush(newRequestId(), last);
      this.#pages.release(push.last);
      return true;
    });
  }

  /** The server has the push that was begun. */
  landPush(base: RemoteSnapshot): Promise<void> {
    return this.#turns.run(async () => {
      const { push } = this.#footing;
      assert(push !== undefined, "Only a push that was begun can land");
      const isOurs = base.vid === this.vid && base.cid === this.cid &&
        base.lsn === nextLsn(this.base?.lsn);
      if (!isOurs) throw strangeAnswer(this.vid, "a commit that is none of ours");
      const footing = { ...this.#footing, base, pushed: push.last, push: undefined };
      const batch = newBatch();
      this.#putFooting(batch, footing);
      for (const { state } of this.#line.upTo(push.last)) {
        batch.delete.add(commitKey(this.vid, state));
      }
      await this.#pages.write(batch);
      this.#line.drop(push.last);
      this.#stand(footing, PageSet.empty);
      this.#pages.release(push.last);
    });
  }

  /**
   * A page of the push under way.
   *
   * @throws {GraftError} `damaged` when a local commit wrote it and the storage has lost it.
   */
  async pushedPage(pageIdx: number): Promise<Uint8Array> {
    const { push, pushed } = this.#footing;
    assert(push !== undefined, "Only a push that was begun has pages");
    const newest = this.#pages.rows.get(pageIdx);
    const isIn = newest !== undefined && newest.state <= push.last;
    const row = isIn ? newest : this.#pages.versionAt(pageIdx, push.last);
    if (row === undefined || row.state <= pushed) {
      const writes = this.#line.upTo(push.last).filter(({ pages }) => pages.has(pageIdx));
      const lastWrite = writes.at(-1)?.state ?? 0;
      // a page that was written and then cut off has a row of zeros, so one without any was only cut off
      if (lastWrite === 0) return ZERO_PAGE;
      throw lostPage(pageKey(this.vid, pageIdx, lastWrite));
    }
    const page = await this.#pages.readChecked(row);
    if (page !== undefined) return page;
    throw new GraftError("aborted", `Cannot push volume "${this.vid}": its commits were replaced`);
  }

  #commit(
    point: SnapshotPoint,
    { pages, pageCount }: LocalChanges,
  ): SnapshotPoint | Promise<SnapshotPoint> {
    if (point.state !== this.newest) throw localConflict(this.vid);
    const state = this.newest + 1;
    const commit = { state, pageCount, pages: PageSet.from(pages.keys()) };
    const isShorter = pageCount < this.pageCount;
    const changed = isShorter
      ? commit.pages.union(pagesFrom(pageCount + 1, this.pageCount))
      : commit.pages;
    const batch = newBatch();
    const rows = this.#pages.put(batch, state, pages);
    if (isShorter) rows.push(...this.#putCut(batch, state, pageCount));
    this.#putCommit(batch, commit);
    if (!this.#isKnown) this.#putFooting(batch, this.#footing);
    const finish = () => this.#committed(point, { commit, changed, rows });
    const makingRoom = this.#room.make(batch, rows, this.#footing.pushed);
    const writing = makingRoom === undefined
      ? this.#pages.write(batch)
      : makingRoom.then(() => this.#pages.write(batch));
    return writing instanceof Promise ? writing.then(finish) : finish();
  }

  /** A commit was written. */
  #committed(
    point: SnapshotPoint,
    { commit, changed, rows }: {
      readonly commit: LocalCommit;
      readonly changed: PageSet;
      readonly rows: readonly PageRow[];
    },
  ): SnapshotPoint {
    this.#line.add(commit, this.#footing.pushed);
    this.#pages.release(point.state);
    this.#stand({ ...this.#footing, newest: commit.state }, changed);
    this.#pages.supersede(rows);
    const next = this.hold();
    this.#parts.onChange({ pages: changed, fromServer: false });
    return next;
  }

  async #beginPush(requestId: Uint8Array, last: State): Promise<PushUnderWay> {
    const footing = { ...this.#footing, push: { requestId, last } };
    const batch = newBatch();
    this.#putFooting(batch, footing);
    await this.#pages.write(batch);
    this.#footing = footing;
    this.#pages.points.hold({ state: last, pushed: footing.pushed });
    return footing.push;
  }

  #lastToPush(end: State, pagesMax: number): State {
    return this.#line.lastToPush(end, pagesMax, this.#footing.pushed);
  }

  /** Whether nothing can be read any more. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Finishes what is under way, and closes the storage. */
  close(): Promise<void> {
    this.#isClosed = true;
    return this.#turns.run(() => this.#parts.storage.close());
  }

  /** What the server has instead would be older. */
  #requireThere(pageIdx: number): void {
    if (this.#lost.has(pageIdx)) throw lostPage(pageKey(this.vid, pageIdx, this.newest));
  }

  #rowOf(point: SnapshotPoint, pageIdx: number): PageRow | undefined {
    return this.#hasChanged(point, pageIdx)
      ? this.#pages.versionAt(pageIdx, point.state)
      : this.#pages.rows.get(pageIdx);
  }

  /** Whether the server has a page that has no row. */
  #isOnServer(point: SnapshotPoint, pageIdx: number): boolean {
    const { base, lowest } = this.#hasChanged(point, pageIdx)
      ? point
      : { base: this.base, lowest: this.#line.lowest };
    return base !== undefined && pageIdx <= base.pageCount && pageIdx <= lowest;
  }

  #hasChanged(point: SnapshotPoint, pageIdx: number): boolean {
    return point.state !== this.newest && this.#pages.points.changedSince(point.state, pageIdx);
  }

  /** Puts zeros for the rows that a commit cuts off. */
  #putCut(batch: Batch, state: State, pageCount: number): PageRow[] {
    const cut = this.#pages.rows.above(pageCount).filter((row) => row.pageIdx <= this.pageCount);
    return this.#pages.put(batch, state, cut.map((row) => [row.pageIdx, ZERO_PAGE]));
  }

  #putFooting(batch: Batch, footing: Footing): void {
    if (this.#pages.isVolatile) return;
    batch.put.set(footingKey(this.vid), encodeFooting(this.vid, footing));
  }

  #putCommit(batch: Batch, commit: LocalCommit): void {
    if (this.#pages.isVolatile) return;
    batch.put.set(commitKey(this.vid, commit.state), encodeCommit(this.vid, commit));
  }

  /** What was written counts from now on. */
  #stand(footing: Footing, changed: PageSet): void {
    this.#isKnown = true;
    this.#footing = footing;
    this.#pages.points.changed(footing.newest, changed);
  }

  async #replaceLine(
    changes: RemoteChanges | undefined,
    commits: readonly LocalChanges[],
  ): Promise<void> {
    const { push } = this.#footing;
    const base = changes?.snapshot ?? this.base;
    const pushed = this.newest + 1;
    this.#line.uncut();
    const removed = rowsToRemove(this.#pages.rows, this.#footing.pushed, changes);
    const rescued = await this.#pages.rescue(removed, this.#footing.pushed, pushed);
    const batch = newBatch();
    this.#pages.putRemoval(batch, removed);
    for (const { state } of this.line) batch.delete.add(commitKey(this.vid, state));
    const { rows, line } = putLine(this.#pages, batch, { removed, base: pushed, commits });
    for (const commit of line) this.#putCommit(batch, commit);
    const newest = pushed + line.length;
    // the push may land yet: what comes from here on must not be taken for it
    const cid = push === undefined ? this.cid : this.#parts.newClientId();
    const footing = { cid, base, pushed, newest, push: undefined };
    this.#putFooting(batch, footing);
    await this.#pages.write(batch);
    const changed = changedBy(changes, this.base, [...this.line, ...line]);
    this.#pages.remove(removed, rescued);
    this.#stand(footing, changed);
    this.#lost = new Set();
    this.#pages.supersede(rows);
    if (push !== undefined) this.#pages.release(push.last);
    this.#line.replace(line, pushed);
    this.#parts.onChange({ pages: changed, fromServer: true });
  }
}

function lostPage(key: string): GraftError {
  return damagedRow(key, "a local commit's only copy is gone");
}

/** Tried again: it may have been somebody in between. */
function strangeAnswer(vid: VolumeId, what: string): GraftError {
  return new GraftError("internal", `Cannot follow volume "${vid}": the server answered ${what}`);
}

function localConflict(vid: VolumeId): GraftError {
  return new GraftError(
    "conflict",
    `Cannot commit to the replica of volume "${vid}": its state is another one now`,
    { hint: "Do the work again on a new snapshot; transaction() does so by itself" },
  );
}
