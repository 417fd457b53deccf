/**
 * Keeps a replica in step with its server.
 *
 * @module
 */

import { GraftError, isGraftError } from "../../src/core/errors.ts";
import type { Lsn } from "../../src/core/lsn.ts";
import type { Random } from "../../src/core/random.ts";
import type { Timers } from "../../src/core/timers.ts";
import { REQUEST_ID_BYTES } from "../../src/wire/v1/page_stream_header.ts";
import { retryDelayMs } from "../_retry.ts";
import { type Deferred, deferred } from "./deferred.ts";
import { describePush } from "./push.ts";
import { PUSH_PAGES_MAX } from "./local/push_bounds.ts";
import {
  type RemoteChanges,
  type RemoteNews,
  type ReplicaRemote,
  TooLargeError,
  VolumeDeletedError,
} from "./remote/remote.ts";
import type { ReplicaStore } from "./local/replica_store.ts";
import type { State } from "./local/rows.ts";
import { Turns } from "./turns.ts";
import type { ReplicaState } from "./status.ts";

/** What a {@linkcode Synchronizer} is made of. */
export interface SynchronizerParts {
  readonly store: ReplicaStore;
  readonly remote: ReplicaRemote;
  readonly random: Random;
  readonly timers: Timers;
  /** Called when what {@linkcode Synchronizer.state} and the like tell may be another. */
  readonly onStatus: () => void;
}

/** Somebody who waits for everything to be in step. */
interface Waiting extends Deferred<void> {
  /** How many requests had been begun by then. */
  readonly since: number;
  /** The newest state by then, or what it became since. */
  state: State;
  /** Whether the server has told since what it has. */
  hasHeard: boolean;
}

/** A push of so many commits is one of a stream: more come before it has landed. */
const STREAM_COMMITS = 16;
/** How long after it began the next one begins. What is written again meanwhile is sent, and paid for, once. */
const STREAM_PUSH_MS = 250;

interface Block {
  readonly state: "conflict" | "rejected" | "unknown" | "deleted";
  readonly error: GraftError;
}

/** Pushes and pulls in the background: one thing at a time. */
export class Synchronizer {
  readonly #parts: SynchronizerParts;
  /** Why nothing is pushed any more. */
  #block: Block | undefined;
  /** What was heard and not yet looked at. */
  #news: RemoteChanges | undefined;
  /** Whether the server is to be asked what changed. */
  #mustAsk = true;
  #isPushing = false;
  /** How many pages a push may have. */
  #pagesMax = PUSH_PAGES_MAX;
  // until it has answered once, a push is not begun: offline, all commits are to be one
  #isOnline = false;
  #error: unknown;
  #work: Promise<void> | undefined;
  #failures = 0;
  #cancelRetry: (() => void) | undefined;
  /** Ends the time in which a stream of commits is gathered. */
  #cancelGathering: (() => void) | undefined;
  /** Ends the request under way. */
  #current = new AbortController();
  #pauses = 0;
  /** What runs while the rest is paused, one after the other. */
  readonly #paused = new Turns();
  #isClosed = false;
  /** How many requests were begun. */
  #steps = 0;
  #waiting: Waiting[] = [];
  #unfollow: (() => void) | undefined;

  /** Nothing is sent yet. */
  constructor(parts: SynchronizerParts) {
    this.#parts = parts;
  }

  /** Where the replica is. */
  get state(): ReplicaState {
    if (this.#block !== undefined) return this.#block.state;
    if (this.#isPushing) return "pushing";
    return this.#parts.store.line.length > 0 ? "ahead" : "synced";
  }

  /** Whether the server answers, as far as is known. */
  get isOnline(): boolean {
    return this.#isOnline;
  }

  /** What went wrong last. */
  get error(): unknown {
    return this.#block?.error ?? this.#error;
  }

  /**
   * Begins to follow the volume, and to push what is there.
   *
   * @param isFresh Whether the server has just told what it has.
   */
  start(isFresh: boolean): void {
    const { store, remote } = this.#parts;
    this.#isOnline = isFresh;
    this.#mustAsk = !isFresh;
    this.#unfollow = remote.follow(store.vid, (news) => this.#hear(news));
    this.#kick();
  }

  /** There are new local commits. */
  pushSoon(): void {
    // while more are gathered the first of them is news, and the rest costs nothing
    const isGathering = this.#cancelGathering !== undefined && this.#parts.store.line.length > 1;
    if (!isGathering) this.#kickInTime();
  }

  /**
   * Resolves when all that was committed here is on the server, and all that was committed there is known
   * here.
   *
   * @throws {GraftError} What hinders it.
   */
  sync(): Promise<void> {
    const state = this.#parts.store.newest;
    const waiting = { ...deferred<void>(), since: this.#steps, state, hasHeard: false };
    this.#waiting.push(waiting);
    this.#mustAsk = true;
    if (this.#isClosed) this.#settle(closedError());
    else this.#kick();
    return waiting.promise;
  }

  /** Runs something while nothing is pushed or pulled. What is under way is given up. */
  async pause<T>(run: (signal: AbortSignal) => Promise<T>): Promise<T> {
    this.#pauses++;
    try {
      return await this.#paused.run(async () => {
        this.#current.abort();
        await this.#work;
        if (this.#isClosed) throw closedError();
        this.#current = new AbortController();
        return await run(this.#current.signal);
      });
    } finally {
      this.#pauses--;
      this.#kick();
    }
  }

  /** The local commits were given up, and with them what hindered them. */
  unblock(): void {
    for (const waiting of this.#waiting) waiting.state = this.#parts.store.newest;
    if (this.#block?.state !== "deleted") this.#block = undefined;
    this.#error = undefined;
    this.#mustAsk = true;
    this.#parts.onStatus();
  }

  /** How a request of somebody else ended. */
  heard(error: unknown): void {
    if (isGraftError(error, "aborted")) return;
    const isOnline = !isGraftError(error, "unavailable");
    if (isOnline === this.#isOnline && error === this.#error) return;
    this.#error = error;
    const isBack = isOnline && !this.#isOnline;
    this.#isOnline = isOnline;
    this.#parts.onStatus();
    if (isBack) this.#kick();
  }

  /** Stops. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#unfollow?.();
    this.#cancelRetry?.();
    this.#cancelGathering?.();
    this.#current.abort();
    await this.#work;
    this.#settle(closedError());
  }

  #hear(news: RemoteNews): void {
    if (this.#isClosed) return;
    if (news.kind === "offline") return this.heard(news.error);
    if (news.kind === "unheard") {
      this.#mustAsk = true;
      return this.#kickInTime();
    }
    this.#isOnline = true;
    if (news.kind === "deleted") this.#stop("deleted", deletedError(this.#parts.store));
    else if (news.kind === "behind") this.#mustAsk ||= this.#isBehind(news.lsn);
    else if (news.kind === "changes") this.#news = this.#join(news.changes);
    this.#parts.onStatus();
    this.#kick();
  }

  #isBehind(lsn: Lsn | undefined): boolean {
    return lsn === undefined || lsn > (this.#parts.store.base?.lsn ?? 0);
  }

  /** What waits, and what came, as one. */
  #join(changes: RemoteChanges): RemoteChanges {
    const waiting = this.#news;
    if (waiting === undefined || changes.since === undefined) return changes;
    if (changes.snapshot.lsn <= waiting.snapshot.lsn) return waiting;
    if (changes.since > waiting.snapshot.lsn) {
      this.#mustAsk = true;
      return waiting;
    }
    const pages = changes.pages && waiting.pages?.union(changes.pages);
    return { snapshot: changes.snapshot, since: pages && waiting.since, pages };
  }

  /** Does what there is to do, unless it failed just now. */
  #kickInTime(): void {
    if (this.#cancelRetry === undefined) this.#kick();
  }

  /** Does what there is to do, unless that is being done. */
  #kick(): void {
    if (this.#isClosed || this.#pauses > 0 || this.#work !== undefined) return;
    this.#cancelRetry?.();
    this.#cancelRetry = undefined;
    this.#work = this.#run();
  }

  async #run(): Promise<void> {
    // whoever kicks may be in the middle of something
    await Promise.resolve();
    try {
      while (!this.#isClosed && this.#pauses === 0) {
        const step = this.#nextStep();
        if (step === undefined) break;
        this.#steps++;
        const waiting = [...this.#waiting];
        const hasHeard = await step();
        this.#succeeded();
        if (hasHeard) { for (const each of waiting) each.hasHeard = true; }
        this.#settleEarly();
      }
      this.#work = undefined;
      if (this.#pauses === 0 && !this.#isClosed) this.#settle(this.#block?.error);
    } catch (error) {
      this.#work = undefined;
      this.#failed(error);
    }
    this.#parts.onStatus();
  }

  /** What to do next; it answers whether the server has told what it has, and all of that is known here now. */
  #nextStep(): (() => Promise<boolean>) | undefined {
    const { store } = this.#parts;
    const news = this.#news;
    if (news !== undefined) {
      return async () => {
        this.#news = undefined;
        await this.#pull(news);
        return false;
      };
    }
    const mayPush = store.line.length > 0 && this.#block === undefined;
    const isBegun = store.push !== undefined;
    const isGathering = this.#cancelGathering !== undefined && this.#waiting.length === 0;
    const mustWait = isGathering && !isBegun;
    // offline, what is committed until the server answers is to be one push
    if (mayPush && !mustWait && (this.#isOnline || isBegun)) return () => this.#push();
    if (this.#mustAsk || mayPush && !mustWait) return () => this.#ask();
    return undefined;
  }

  async #ask(): Promise<boolean> {
    const { store, remote } = this.#parts;
    this.#mustAsk = false;
    try {
      const asking = remote.changes(store.vid, store.base, this.#current.signal);
      const changes = await this.#heed(asking);
      if (this.#block?.state === "unknown") this.#block = undefined;
      return await this.#pull(changes);
    } catch (error) {
      if (isGraftError(error, "missing")) return await this.#isMissing(error);
      this.#mustAsk = true;
      throw error;
    }
  }

  /** Notes whether the server answers. Where the storage fails that says nothing of the server. */
  async #heed<T>(request: Promise<T>): Promise<T> {
    try {
      const answer = await request;
      this.#isOnline = true;
      return answer;
    } catch (error) {
      if (isGraftError(error, "unavailable")) this.#isOnline = false;
      throw error;
    }
  }

  async #isMissing(error: GraftError): Promise<boolean> {
    const { store, remote } = this.#parts;
    this.#isOnline = true;
    if (error instanceof VolumeDeletedError) {
      this.#stop("deleted", deletedError(store, error));
      return false;
    }
    if (store.base === undefined) {
      await store.startEmpty();
      return true;
    }
    // a wrong server, or one that lost its data: the right one may answer the next time
    this.#mustAsk = true;
    const unknown = unknownVolume(store, remote, error);
    this.#stop("unknown", unknown);
    throw unknown;
  }

  /** Whether all of it is known here now. */
  async #pull(changes: RemoteChanges): Promise<boolean> {
    const { store } = this.#parts;
    const outcome = await store.pull(changes);
    if (outcome === "gap") this.#mustAsk = true;
    if (outcome !== "line" || this.#block !== undefined) return outcome === "done";
    // a push whose answer was lost may be what others saw: only when it is repeated that is known
    if (store.push !== undefined) this.#mustAsk = true;
    else this.#stop("conflict", conflictError(store));
    return false;
  }

  async #push(): Promise<boolean> {
    const { store, onStatus } = this.#parts;
    const isRepeat = store.push !== undefined;
    // a first push that lands shows that nothing else has changed
    if (!isRepeat) this.#mustAsk = false;
    this.#isPushing = true;
    onStatus();
    let hasLanded = false;
    try {
      hasLanded = await this.#pushOnce();
    } catch (error) {
      this.#mustAsk = true;
      if (!isGraftError(error) || !this.#isFinal(error)) throw error;
    } finally {
      this.#isPushing = false;
    }
    if (isRepeat) this.#mustAsk = true;
    return hasLanded && !isRepeat;
  }

  /** Pushes what may go at once; answers whether it has landed, or is to be less, as it turned out to be too much. */
  async #pushOnce(): Promise<boolean> {
    const { store, remote, random } = this.#parts;
    const newRequestId = () => random.fill(new Uint8Array(REQUEST_ID_BYTES));
    const push = await store.beginPush(newRequestId, this.#pagesMax);
    const commit = describePush(store, push);
    this.#gather(store.line.filter(({ state }) => state <= push.last).length);
    try {
      await store.landPush(await this.#heed(remote.commit(commit, this.#current.signal)));
      return true;
    } catch (error) {
      if (!(error instanceof TooLargeError)) throw error;
      this.#pagesMax = Math.floor(Math.min(this.#pagesMax, commit.pageSet.size) / 2);
      if (!await store.shrinkPush(newRequestId, this.#pagesMax)) throw error;
      return false;
    }
  }

  /** Notes how many commits a push has that begins. */
  #gather(commits: number): void {
    this.#cancelGathering?.();
    this.#cancelGathering = commits < STREAM_COMMITS || this.#isClosed
      ? undefined
      : this.#parts.timers.after(STREAM_PUSH_MS, () => {
        this.#cancelGathering = undefined;
        this.#kickInTime();
      });
  }

  /** Whether it is useless to push again; then nothing is pushed any more. */
  #isFinal(error: GraftError): boolean {
    const { store } = this.#parts;
    if (error.code === "conflict") this.#stop("conflict", conflictError(store, error));
    else if (error.code === "missing") this.#stop("conflict", unknownError(store, error));
    else if (["invalid", "forbidden", "damaged"].includes(error.code)) {
      this.#stop("rejected", error);
    } else return false;
    return true;
  }

  #stop(state: Block["state"], error: GraftError): void {
    this.#block = { state, error };
    this.#parts.onStatus();
  }

  #succeeded(): void {
    this.#failures = 0;
    this.#error = undefined;
  }

  #failed(error: unknown): void {
    if (this.#isClosed) return;
    // a pause or the end gave it up
    if (isGraftError(error, "aborted")) return this.#kick();
    this.#error = error;
    this.#failures++;
    const { random, timers } = this.#parts;
    const delayMs = retryDelayMs(this.#failures, 0, random);
    this.#cancelRetry = timers.after(delayMs, () => {
      this.#cancelRetry = undefined;
      this.#kick();
    });
    // what failed was begun before these came: they are owed a try of their own
    const late = this.#waiting.filter(({ since }) => since === this.#steps);
    this.#waiting = this.#waiting.filter(({ since }) => since < this.#steps);
    this.#settle(error);
    this.#waiting = late;
    if (late.length > 0) this.#kick();
  }

  /** Those whose commits have landed need not wait for what was committed since. */
  #settleEarly(): void {
    if (this.#block !== undefined) return;
    const first = this.#parts.store.line[0]?.state ?? Infinity;
    const isDone = ({ state, hasHeard }: Waiting) => hasHeard && state < first;
    for (const { resolve } of this.#waiting.filter(isDone)) resolve();
    this.#waiting = this.#waiting.filter((waiting) => !isDone(waiting));
  }

  #settle(error: unknown): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const { resolve, reject } of waiting) {
      if (error === undefined) resolve();
      else reject(error);
    }
  }
}

/** The server no longer has the record that would tell. */
function unknownError({ vid }: ReplicaStore, cause: GraftError): GraftError {
  return new GraftError(
    "conflict",
    `Cannot tell whether the push to volume "${vid}" landed: the server has no record of its base any more`,
    {
      cause,
      hint:
        "Look at what the server has now; then call the replica's reset(), replay() or keepBoth()",
    },
  );
}

function conflictError({ vid }: ReplicaStore, cause?: unknown): GraftError {
  return new GraftError(
    "conflict",
    `Cannot push to volume "${vid}": others have committed on its base`,
    { cause, hint: "Call the replica's reset(), replay() or keepBoth()" },
  );
}

function unknownVolume(
  { vid, base }: ReplicaStore,
  { name }: ReplicaRemote,
  cause: unknown,
): GraftError {
  return new GraftError(
    "missing",
    `Cannot follow volume "${vid}": ${name} does not know it, which was at LSN ${base?.lsn} here`,
    { cause, hint: "Check the URL, and whether the server has lost data; what is here stays" },
  );
}

function deletedError({ vid }: ReplicaStore, cause?: unknown): GraftError {
  return new GraftError("missing", `Cannot follow volume "${vid}": it was deleted`, {
    cause,
    hint: "The replica's keepBoth() makes a new volume of what is here",
  });
}

function closedError(): GraftError {
  return new GraftError("aborted", "Cannot go on with the replica: it is closed");
}
