// Records one after the other, as an object carries them.

import { assert } from "../../../core/assert.ts";
import { isGraftError } from "../../../core/errors.ts";
import type { VolumeId } from "../../../core/gid.ts";
import { type Lsn, toLsn } from "../../../core/lsn.ts";
import { ByteReader } from "../../codec/byte_reader.ts";
import { ByteWriter } from "../../codec/byte_writer.ts";
import { readRecord, writeRecord } from "../../codec/commit_record.ts";
import { damaged } from "../../codec/sealed_value.ts";
import type { CommitRecord } from "../../commit_log.ts";
import { recordKey } from "./keys.ts";

/** What a run may carry beside its newest record. */
export interface CarryBounds {
  /** No record below this LSN. */
  readonly from: Lsn;
  /** Bytes of all records but the newest. */
  readonly bytesMax: number;
}

/**
 * Records of one volume without a gap, newest first: `record (sized)…`. They stay encoded until they are
 * asked for, as most are only carried on.
 */
export class RecordRun {
  readonly vid: VolumeId;
  /** The LSN of the newest. */
  readonly top: Lsn;
  /** All records, encoded. */
  readonly bytes: Uint8Array;
  /** Where each record begins, and the end of the last. */
  readonly #offsets: Uint32Array;

  private constructor(vid: VolumeId, top: Lsn, bytes: Uint8Array, offsets: Uint32Array) {
    this.vid = vid;
    this.top = top;
    this.bytes = bytes;
    this.#offsets = offsets;
  }

  /** A new record with those before it, `older` newest first and without gaps, as far as the bounds allow. */
  static carrying(
    record: CommitRecord,
    older: readonly RecordRun[],
    bounds: CarryBounds,
  ): RecordRun {
    const own = new ByteWriter();
    writeRecord(own, record);
    const writer = new ByteWriter();
    writer.sized(own.finish());
    const offsets = [0, writer.length];
    let left = bounds.bytesMax;
    for (const run of older) {
      assert(run.top === record.lsn - offsets.length + 1, "Runs that are joined have a gap");
      const count = run.#fitting(bounds.from, left);
      const start = writer.length;
      writer.raw(run.bytes.subarray(0, run.#offsets[count]));
      left -= run.#offsets[count];
      for (let i = 1; i <= count; i++) offsets.push(start + run.#offsets[i]);
      if (count < run.count) break;
    }
    return new RecordRun(record.vid, record.lsn, writer.finish(), Uint32Array.from(offsets));
  }

  /** Takes a run of `count` records from the rest of `reader`. @throws {GraftError} `invalid` */
  static read(reader: ByteReader, vid: VolumeId, top: Lsn, count: number): RecordRun {
    const offsets = new Uint32Array(count + 1);
    const all = reader.left;
    const bytes = reader.rest();
    for (let i = 1; i <= count; i++) {
      reader.sizedView();
      offsets[i] = all - reader.left;
    }
    return new RecordRun(vid, top, bytes, offsets);
  }

  /** How many there are. */
  get count(): number {
    return this.#offsets.length - 1;
  }

  /** The LSN of the oldest. */
  get bottom(): Lsn {
    return toLsn(this.top - this.count + 1);
  }

  /** Whether the record at `lsn` is in it. */
  holds(lsn: number): boolean {
    return lsn <= this.top && lsn > this.top - this.count;
  }

  /** The record at an LSN that the run holds. @throws {GraftError} `damaged` when it is none. */
  record(lsn: Lsn): CommitRecord {
    assert(this.holds(lsn), "A run is asked for what it does not hold");
    const at = this.top - lsn;
    const reader = new ByteReader(
      this.bytes.subarray(this.#offsets[at], this.#offsets[at + 1]),
    );
    try {
      const entry = new ByteReader(reader.sizedView());
      const record = readRecord(entry, this.vid, lsn);
      entry.end();
      return record;
    } catch (error) {
      if (!isGraftError(error, "invalid")) throw error;
      throw damaged(recordKey(this.vid, this.top), `LSN ${lsn}: ${error.message}`, error);
    }
  }

  /** How many of its records, from the newest on, are within bounds. */
  #fitting(from: Lsn, bytesMax: number): number {
    let count = Math.max(0, Math.min(this.count, this.top - from + 1));
    while (this.#offsets[count] > bytesMax) count--;
    return count;
  }
}
