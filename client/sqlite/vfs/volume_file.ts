/**
 * The database file: a volume.
 *
 * @module
 */

import { assert } from "../../../src/core/assert.ts";
import type { GraftError } from "../../../src/core/errors.ts";
import { PAGE_SIZE } from "../../../src/core/limits.ts";
import { OwnedPages, ownPage, ZERO_PAGE } from "../../replica/local/page_codec.ts";
import { LockLevel, ResultCode } from "../engine/result_codes.ts";
import type { Answer, Pointer } from "../engine/sqlite_module.ts";
import type { DatabaseSnapshot, DatabaseSource } from "../source.ts";
import {
  FIRST_COUNTER,
  isSameButCounters,
  readCounter,
  readPageSize,
  showPageOne,
} from "./page_one.ts";
import { busy, otherPageSize, readOnly, stale } from "./_refusals.ts";
import type { WriterLock } from "./writer_lock.ts";

/** Who hears of the pages that are read, and knows which to fetch along. */
export interface PageObserver {
  /** A page is read that is here. */
  hit(pageIdx: number, page: Uint8Array): void;
  /** A page is read that is not here: which others to fetch in the same request. */
  missed(pageIdx: number): Iterable<number>;
  /** Pages may be other ones now. */
  reset(): void;
}

/** What a {@linkcode VolumeFile} is made of. */
export interface VolumeFileParts {
  readonly source: DatabaseSource;
  /** Shared by all connections to the source. */
  readonly writers: WriterLock;
  readonly observer: PageObserver;
  /** The engine's memory. */
  readonly heap: () => Uint8Array;
  /** Hears why SQLite is told that something failed, and with which result code. */
  readonly onFailure: (cause: unknown, resultCode: number) => void;
}

/**
 * A database file on a snapshot of a volume. What a transaction writes stays here until it commits, as a whole;
 * whatever unlocks the file without that has rolled back.
 */
export class VolumeFile {
  readonly #parts: VolumeFileParts;
  #level: number = LockLevel.NONE;
  #snapshot: DatabaseSnapshot | undefined;
  /** The state that the counter stands for. */
  #shown: number | undefined;
  /** What the engine sees as change counter. */
  #counter = FIRST_COUNTER;
  /** The highest that it ever saw or wrote: no two states may look the same, nor one that failed to become a state. */
  #highest = FIRST_COUNTER;
  /** Whether the engine wrote that counter into the state that it stands for. */
  #isCounterWritten = false;
  /** Page 1 as it was read or written last. */
  #pageOne: Uint8Array | undefined;
  /** The counter that the engine wrote in this transaction. */
  #written: number | undefined;
  readonly #pages = new Map<number, Uint8Array>();
  #pageCount = 0;
  /** Pages of the snapshot above were cut off in this transaction. */
  #kept = 0;
  /** Ends the wait for a page. */
  #giveUp: (reason: GraftError) => void = () => {};
  #interruption: GraftError | undefined;

  /** Nothing is read yet. */
  constructor(parts: VolumeFileParts) {
    this.#parts = parts;
  }

  /** The snapshot that is read, or was last read. */
  get snapshot(): DatabaseSnapshot | undefined {
    return this.#snapshot;
  }

  /** How long the file is, in bytes. */
  get size(): number {
    this.#current();
    return this.#pageCount * PAGE_SIZE;
  }

  /** How it is locked. */
  get level(): number {
    return this.#level;
  }

  /** Reads into the engine's memory. */
  read(target: Pointer, length: number, offset: number): Answer {
    const snapshot = this.#current();
    const pageIdx = Math.floor(offset / PAGE_SIZE) + 1;
    const from = offset % PAGE_SIZE;
    if (from + length > PAGE_SIZE) return this.#fail(otherPageSize(), ResultCode.IOERR_READ);
    if (pageIdx > this.#pageCount) {
      this.#parts.heap().fill(0, target, target + length);
      return ResultCode.IOERR_SHORT_READ;
    }
    // who hears of a page may keep it, and what was written is the source's once it is committed
    const page = this.#pages.get(pageIdx)?.slice() ??
      (pageIdx > this.#kept ? ZERO_PAGE : snapshot.peek(pageIdx));
    if (page === undefined) return this.#readMissing(snapshot, pageIdx, target, from, length);
    return this.#copy(pageIdx, page, target, from, length);
  }

  /** Writes a page out of the engine's memory. */
  write(source: Pointer, length: number, offset: number): number {
    const pageIdx = offset / PAGE_SIZE + 1;
    const isPage = length === PAGE_SIZE && Number.isInteger(pageIdx);
    if (!isPage) return this.#fail(otherPageSize(), ResultCode.IOERR_WRITE);
    const page = this.#parts.heap().subarray(source, source + length);
    if (pageIdx === 1) return this.#putPageOne(page);
    this.#put(pageIdx, ownPage(page));
    return ResultCode.OK;
  }

  /** Cuts the file off, or makes it longer. */
  truncate(size: number): number {
    if (size % PAGE_SIZE !== 0) return this.#fail(otherPageSize(), ResultCode.IOERR_TRUNCATE);
    this.#pageCount = size / PAGE_SIZE;
    this.#kept = Math.min(this.#kept, this.#pageCount);
    // what is written there next is news, whatever it is
    if (this.#pageCount === 0) this.#pageOne = undefined;
    for (const pageIdx of this.#pages.keys()) {
      if (pageIdx > this.#pageCount) this.#pages.delete(pageIdx);
    }
    return ResultCode.OK;
  }

  /**
   * Takes a stronger lock. Only the step to RESERVED may fail: SQLite asks for more than that when it has changed
   * pages in its cache already, and takes "busy" for a reason to leave them as they are.
   */
  lock(level: number): number {
    if (level <= this.#level) return ResultCode.OK;
    if (this.#level === LockLevel.NONE) this.#takeSnapshot();
    const isReserving = level >= LockLevel.RESERVED && this.#level < LockLevel.RESERVED;
    const code = isReserving ? this.#reserve() : ResultCode.OK;
    if (code === ResultCode.OK) this.#level = level;
    return code;
  }

  /** Takes a weaker lock. What was written and not committed is gone. */
  unlock(level: number): number {
    if (level >= this.#level) return ResultCode.OK;
    if (this.#level >= LockLevel.RESERVED) {
      // what was rolled back may have been page 1
      if (this.#pages.has(1)) this.#pageOne = undefined;
      this.#forgetWrites();
      this.#parts.writers.release(this);
    }
    this.#level = level;
    if (level === LockLevel.NONE) this.dropStale();
    return ResultCode.OK;
  }

  /** Whether anybody is about to write. */
  get isReserved(): boolean {
    return this.#parts.writers.isHeld;
  }

  /** Commits what was written. Where that fails, the engine is told to forget what it has in its cache. */
  commit(): Answer {
    const snapshot = this.#snapshot;
    const hasChanges = this.#pages.size > 0 || this.#pageCount !== snapshot?.pageCount ||
      this.#kept < snapshot.pageCount;
    if (this.#level < LockLevel.RESERVED || snapshot === undefined) return ResultCode.OK;
    if (hasChanges) return this.#commit(snapshot);
    // the counter counts, even if nothing else was changed
    this.#keepCounter();
    this.#written = undefined;
    return ResultCode.OK;
  }

  /** Has reads fail that wait for pages, until {@linkcode VolumeFile.resume}; nothing else. */
  interrupt(reason: GraftError): void {
    this.#interruption = reason;
    this.#giveUp(reason);
  }

  /** Ends that. */
  resume(): void {
    this.#interruption = undefined;
  }

  /** Lets go of a snapshot that nobody reads and that is not the newest any more. */
  dropStale(): void {
    if (this.#level !== LockLevel.NONE || this.#snapshot === undefined) return;
    if (this.#snapshot.state !== this.#parts.source.newest) this.#drop();
  }

  /** Has the engine read every page anew in its next transaction. */
  forgetCache(): void {
    this.#shown = undefined;
  }

  /** Lets everything go. */
  close(): number {
    this.unlock(LockLevel.NONE);
    this.#drop();
    return ResultCode.OK;
  }

  #drop(): void {
    this.#snapshot?.close();
    this.#snapshot = undefined;
  }

  /** The snapshot that is read; the newest where the file is not locked. */
  #current(): DatabaseSnapshot {
    if (this.#snapshot === undefined) this.#takeSnapshot();
    assert(this.#snapshot !== undefined, "A file that is read has a snapshot");
    return this.#snapshot;
  }

  #takeSnapshot(): void {
    this.dropStale();
    this.#snapshot ??= this.#parts.source.snapshot();
    this.#pageCount = this.#kept = this.#snapshot.pageCount;
    const { state } = this.#snapshot;
    if (state === this.#shown) return;
    this.#shown = state;
    this.#pageOne = undefined;
    this.#counter = this.#highest = nextCounter(this.#highest);
    this.#isCounterWritten = false;
    this.#parts.observer.reset();
  }

  #reserve(): number {
    const { source, writers } = this.#parts;
    if (source.isReadOnly) return this.#fail(readOnly(source.vid), ResultCode.READONLY);
    if (!writers.tryAcquire(this)) return this.#fail(busy(), ResultCode.BUSY);
    if (this.#snapshot?.state === source.newest) return ResultCode.OK;
    writers.release(this);
    return this.#fail(stale(), ResultCode.BUSY_SNAPSHOT);
  }

  #copy(pageIdx: number, page: Uint8Array, target: Pointer, from: number, length: number): number {
    if (pageIdx === 1 && isOtherPageSize(page)) {
      return this.#fail(otherPageSize(), ResultCode.IOERR_READ);
    }
    const heap = this.#parts.heap();
    const isWhole = length === PAGE_SIZE;
    heap.set(isWhole ? page : page.subarray(from, from + length), target);
    if (pageIdx === 1) {
      this.#pageOne = page;
      const isWritten = this.#written !== undefined || this.#isCounterWritten;
      const counter = this.#written ?? this.#counter;
      showPageOne(heap.subarray(target, target + length), from, { counter, isWritten });
    }
    if (isWhole) this.#parts.observer.hit(pageIdx, page);
    return ResultCode.OK;
  }

  async #readMissing(
    snapshot: DatabaseSnapshot,
    pageIdx: number,
    target: Pointer,
    from: number,
    length: number,
  ): Promise<number> {
    try {
      const reading = this.#unlessInterrupted(snapshot.read(pageIdx));
      snapshot.prefetch(this.#parts.observer.missed(pageIdx));
      return this.#copy(pageIdx, await reading, target, from, length);
    } catch (error) {
      // what only reads leaves its transaction as it was then; what writes must not
      const isReading = this.#level < LockLevel.RESERVED;
      const isInterrupted = error === this.#interruption && isReading;
      return this.#fail(error, isInterrupted ? ResultCode.INTERRUPT : ResultCode.IOERR_READ);
    }
  }

  #unlessInterrupted(reading: Promise<Uint8Array>): Promise<Uint8Array> {
    const result = new Promise<Uint8Array>((resolve, reject) => {
      this.#giveUp = reject;
      if (this.#interruption !== undefined) reject(this.#interruption);
      reading.then(resolve, reject);
    });
    // what comes between this and the wait for it may fail, too
    result.catch(() => {});
    return result;
  }

  /** @param page In the engine's memory. */
  #putPageOne(page: Uint8Array): number {
    if (isOtherPageSize(page)) return this.#fail(otherPageSize(), ResultCode.IOERR_WRITE);
    this.#written = this.#highest = readCounter(page);
    // a counter alone is no reason for everybody to fetch page 1 again
    if (this.#pageOne !== undefined && isSameButCounters(this.#pageOne, page)) return ResultCode.OK;
    this.#pageOne = page.slice();
    this.#put(1, ownPage(page));
    return ResultCode.OK;
  }

  #put(pageIdx: number, page: Uint8Array): void {
    this.#pageCount = Math.max(this.#pageCount, pageIdx);
    this.#pages.set(pageIdx, page);
  }

  #keepCounter(): void {
    if (this.#written === undefined) return;
    this.#counter = this.#written;
    this.#isCounterWritten = true;
  }

  #commit(snapshot: DatabaseSnapshot): Answer {
    const pages = new OwnedPages(this.#pages);
    // what was cut off and lies below the page count again is zeros, which only a page can say
    const last = Math.min(this.#pageCount, snapshot.pageCount);
    for (let pageIdx = this.#kept + 1; pageIdx <= last; pageIdx++) {
      if (!pages.has(pageIdx)) pages.set(pageIdx, ZERO_PAGE);
    }
    const finish = (next: DatabaseSnapshot) => this.#committed(next);
    const fail = (error: unknown) => this.#fail(error, ResultCode.IOERR_COMMIT_ATOMIC);
    try {
      const changes = { pages, pageCount: this.#pageCount };
      const committing = this.#parts.source.commit(snapshot, changes);
      return committing instanceof Promise ? committing.then(finish, fail) : finish(committing);
    } catch (error) {
      return fail(error);
    }
  }

  #committed(snapshot: DatabaseSnapshot): number {
    this.#snapshot = snapshot;
    this.#shown = snapshot.state;
    this.#keepCounter();
    this.#forgetWrites();
    return ResultCode.OK;
  }

  #forgetWrites(): void {
    this.#pages.clear();
    this.#written = undefined;
    this.#pageCount = this.#kept = this.#snapshot?.pageCount ?? 0;
  }

  #fail(error: unknown, code: number): number {
    this.#parts.onFailure(error, code);
    return code;
  }
}

function nextCounter(counter: number): number {
  return (counter + 1) >>> 0;
}

function isOtherPageSize(pageOne: Uint8Array): boolean {
  return (readPageSize(pageOne) ?? PAGE_SIZE) !== PAGE_SIZE;
}
