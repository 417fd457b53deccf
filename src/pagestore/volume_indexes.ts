/**
 * The volume indexes of a process: loaded when asked for, kept up with the log, bounded in bytes.
 *
 * @module
 */

import { GraftError, isGraftError } from "../core/errors.ts";
import type { VolumeId } from "../core/gid.ts";
import { FIRST_LSN, type Lsn, toLsn } from "../core/lsn.ts";
import type { Counter, Metrics } from "../core/metrics.ts";
import type { CommitLog, CommitRecord, Head, LogChange } from "../log/commit_log.ts";
import { SingleFlight } from "../objects/single_flight.ts";
import { VolumeIndex } from "./volume_index.ts";

/** What {@linkcode VolumeIndexes} is made of. */
export interface VolumeIndexesParts {
  /** Where the records are. */
  readonly log: CommitLog;
  /** Counts loads and bytes. */
  readonly metrics: Metrics;
  /** Bytes that all indexes together may take; the one in use is never evicted. */
  readonly bytesMax: number;
}

/** A list over several batches is not a snapshot of the log: a reader that meets a gap reads again. */
const LOAD_ATTEMPTS = 3;

interface Entry {
  readonly index: VolumeIndex;
  /** What the sum of all bytes holds for it. */
  readonly countedBytes: number;
}

/** Indexes by volume; the least recently used go first. */
export class VolumeIndexes {
  readonly #log: CommitLog;
  readonly #bytesMax: number;
  readonly #loads: Counter;
  /** In the order of their last use. */
  readonly #indexes = new Map<VolumeId, Entry>();
  readonly #flights = new SingleFlight<VolumeId, VolumeIndex | undefined>();
  /** Volumes whose index was dropped while it was being read. */
  readonly #droppedMeanwhile = new Set<VolumeId>();
  readonly #unsubscribe: () => void;
  /** How often changes may have been missed. */
  #resyncs = 0;
  #newest: Entry | undefined;
  #bytes = 0;

  /** Subscribes to the log until {@linkcode VolumeIndexes.close}. */
  constructor(parts: VolumeIndexesParts) {
    this.#log = parts.log;
    this.#bytesMax = parts.bytesMax;
    this.#loads = parts.metrics.counter("index_loads", "Volume indexes read from the log");
    parts.metrics.gauge("index_bytes", "Bytes held by volume indexes", () => this.#bytes);
    parts.metrics.gauge("index_volumes", "Volumes indexed in memory", () => this.#indexes.size);
    this.#unsubscribe = parts.log.subscribe(
      (changes) => this.#follow(changes),
      () => this.#startOver(),
    );
  }

  /** The index, if it is in memory and reaches to `lsn`. */
  peek(vid: VolumeId, lsn: Lsn): VolumeIndex | undefined {
    const entry = this.#indexes.get(vid);
    if (entry === undefined || entry.index.headLsn < lsn) return undefined;
    this.#touch(vid, entry);
    return entry.index;
  }

  /**
   * The index, reaching at least to `lsn`.
   *
   * @throws {GraftError} `missing` when the volume has no such LSN; `damaged` when its line has a gap.
   */
  async at(vid: VolumeId, lsn: Lsn): Promise<VolumeIndex> {
    for (;;) {
      const index = this.peek(vid, lsn);
      if (index !== undefined) return index;
      // others share this flight, so what it does must not depend on the LSN that one of them wants
      const caughtUp = await this.#flights.run(vid, () => this.#catchUp(vid));
      const isCurrent = caughtUp !== undefined && !this.#droppedMeanwhile.has(vid);
      if (isCurrent && caughtUp.headLsn >= lsn) return caughtUp;
      // it may have looked before this caller asked: what is missing takes a look of its own
      const { head } = await this.#log.head(vid);
      requireReadable(vid, lsn, head);
    }
  }

  /** Forgets a volume's index, so that the next use reads it anew; what is being read counts as old, too. */
  drop(vid: VolumeId): void {
    if (this.#flights.has(vid)) this.#droppedMeanwhile.add(vid);
    this.#forget(vid);
  }

  /** Stops following the log. */
  close(): void {
    this.#unsubscribe();
  }

  /** The index, up to the head; undefined where nothing can be read. */
  async #catchUp(vid: VolumeId): Promise<VolumeIndex | undefined> {
    for (let attempt = 1;; attempt++) {
      const resyncs = this.#resyncs;
      const { head } = await this.#log.head(vid);
      if (head === undefined || head.deleted) return undefined;
      const index = this.#indexes.get(vid)?.index ?? new VolumeIndex(vid);
      this.#droppedMeanwhile.delete(vid);
      try {
        await this.#applyTo(index, head.lsn);
        if (this.#droppedMeanwhile.has(vid) || this.#resyncs !== resyncs) continue;
        this.#keep(index);
        return index;
      } catch (error) {
        this.#forget(vid);
        if (attempt >= LOAD_ATTEMPTS || !isGraftError(error, "damaged")) throw error;
      }
    }
  }

  async #applyTo(index: VolumeIndex, headLsn: Lsn): Promise<void> {
    if (index.headLsn === 0) this.#loads.add();
    if (index.headLsn < headLsn) {
      const records = this.#log.records(index.vid, toLsn(index.headLsn + 1), headLsn);
      for await (const record of records) {
        // the commit path may have brought it while this list was under way
        if (record.lsn > index.headLsn) index.apply(record);
      }
    }
    if (index.headLsn < headLsn) {
      throw new GraftError(
        "damaged",
        `Cannot read volume "${index.vid}": its log ends at LSN ${index.headLsn} below the head ${headLsn}`,
      );
    }
  }

  /** Lets go of everything: a volume may have been deleted without a word. */
  #startOver(): void {
    this.#resyncs++;
    for (const vid of [...this.#indexes.keys()]) this.#forget(vid);
  }

  #follow(changes: readonly LogChange[]): void {
    for (const { vid, lsn, record, deleted } of changes) {
      if (deleted) {
        this.drop(vid);
        continue;
      }
      // where another process went on, the next read catches up
      if (record === undefined) continue;
      const index = this.#indexes.get(vid)?.index;
      if (index === undefined) {
        if (lsn === FIRST_LSN) this.#extend(new VolumeIndex(vid), record);
      } else if (index.headLsn + 1 === lsn) {
        this.#extend(index, record);
      }
    }
  }

  #extend(index: VolumeIndex, record: CommitRecord): void {
    try {
      index.apply(record);
      this.#keep(index);
    } catch {
      // the commit has landed, so its writer is not to blame: the next read of the volume meets the same
      // damage in the log and reports it
      this.#forget(index.vid);
    }
  }

  #keep(index: VolumeIndex): void {
    const countedBytes = index.memoryBytes;
    this.#bytes += countedBytes - (this.#indexes.get(index.vid)?.countedBytes ?? 0);
    this.#touch(index.vid, { index, countedBytes });
    for (const vid of this.#indexes.keys()) {
      if (this.#bytes <= this.#bytesMax || vid === index.vid) break;
      this.#forget(vid);
    }
  }

  #forget(vid: VolumeId): void {
    const entry = this.#indexes.get(vid);
    if (entry === undefined) return;
    this.#bytes -= entry.countedBytes;
    this.#indexes.delete(vid);
    if (this.#newest === entry) this.#newest = undefined;
  }

  #touch(vid: VolumeId, entry: Entry): void {
    if (this.#newest === entry) return;
    this.#newest = entry;
    this.#indexes.delete(vid);
    this.#indexes.set(vid, entry);
  }
}

/**
 * Checks that `lsn` of a volume can be read, given a strong read of its head.
 *
 * @throws {GraftError} `missing` when the volume is not there or deleted, or the LSN is above the head or
 * below the floor.
 */
export function requireReadable(vid: VolumeId, lsn: Lsn, head: Head | undefined): Head {
  const refuse = (state: string): never => {
    throw new GraftError("missing", `Cannot read volume "${vid}": ${state}`);
  };
  if (head === undefined) return refuse("it has no commits");
  if (head.deleted) return refuse("it was deleted");
  if (lsn > head.lsn) return refuse(`LSN ${lsn} is above its head ${head.lsn}`);
  if (lsn < head.floorLsn) return refuse(`LSN ${lsn} is below its floor ${head.floorLsn}`);
  return head;
}
