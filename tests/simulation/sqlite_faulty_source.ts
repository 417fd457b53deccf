// Pages that come late, or not at all, when a test says so.

import type { DatabaseSnapshot, DatabaseSource } from "../../client/sqlite/source.ts";
import type { LocalChanges } from "../../client/replica/local/replica_store.ts";
import type { VolumeId } from "../../src/core/gid.ts";

/** Says when. */
export interface PageFaults {
  /** Whether a page that is here has to be waited for all the same. */
  isMissed(): boolean;
  /** Goes before each page that is waited for; what it throws is what the reader hears. */
  onRead(): Promise<void>;
  /** Goes before each commit. */
  onCommit(): Promise<void>;
}

/** A source behind faults. */
export class FaultySource implements DatabaseSource {
  readonly vid: VolumeId;
  readonly isReadOnly = false;
  readonly #source: DatabaseSource;
  readonly #faults: PageFaults;

  constructor(source: DatabaseSource, faults: PageFaults) {
    this.vid = source.vid;
    this.#source = source;
    this.#faults = faults;
  }

  get newest(): number {
    return this.#source.newest;
  }

  snapshot(): DatabaseSnapshot {
    return new FaultySnapshot(this.#source.snapshot(), this.#faults);
  }

  async commit(snapshot: DatabaseSnapshot, changes: LocalChanges): Promise<DatabaseSnapshot> {
    await this.#faults.onCommit();
    const { inner } = snapshot as FaultySnapshot;
    return new FaultySnapshot(await this.#source.commit(inner, changes), this.#faults);
  }
}

class FaultySnapshot implements DatabaseSnapshot {
  readonly inner: DatabaseSnapshot;
  readonly #faults: PageFaults;

  constructor(inner: DatabaseSnapshot, faults: PageFaults) {
    this.inner = inner;
    this.#faults = faults;
  }

  get lsn() {
    return this.inner.lsn;
  }

  get state() {
    return this.inner.state;
  }

  get pageCount() {
    return this.inner.pageCount;
  }

  peek(pageIdx: number): Uint8Array | undefined {
    return this.#faults.isMissed() ? undefined : this.inner.peek(pageIdx);
  }

  async read(pageIdx: number): Promise<Uint8Array> {
    await this.#faults.onRead();
    return await this.inner.read(pageIdx);
  }

  prefetch(pages: Iterable<number>): void {
    this.inner.prefetch(pages);
  }

  close(): void {
    this.inner.close();
  }
}
