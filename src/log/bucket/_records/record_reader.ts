// Records, one or many.

import type { VolumeId } from "../../../core/gid.ts";
import { FIRST_LSN, type Lsn, toLsn } from "../../../core/lsn.ts";
import type { CommitRecord } from "../../commit_log.ts";
import { recordKey } from "../_format/keys.ts";
import { FOLD, highestCarrying } from "../_format/positions.ts";
import { requireChained } from "../_format/record_object.ts";
import type { RecordRun } from "../_format/record_run.ts";
import type { HeadReader } from "../_heads/head_reader.ts";
import type { HeadState } from "../_heads/head_state.ts";
import type { KnownHeads } from "../_heads/known_heads.ts";
import type { RecordObjects } from "./record_objects.ts";

/** What a {@linkcode RecordReader} is made of. */
export interface RecordReaderParts {
  readonly objects: RecordObjects;
  readonly heads: KnownHeads;
  readonly reader: HeadReader;
}

/** Reads records from what is in memory and from as few objects as carry the rest. */
export class RecordReader {
  readonly #parts: RecordReaderParts;

  constructor(parts: RecordReaderParts) {
    this.#parts = parts;
  }

  /** The record at an LSN; undefined where there is none. */
  async record(vid: VolumeId, lsn: Lsn): Promise<CommitRecord | undefined> {
    const { heads } = this.#parts;
    const runs = [heads.get(vid)?.newest?.run, heads.fold(vid)];
    const held = runs.find((run) => run?.holds(lsn));
    if (held !== undefined) return held.record(lsn);
    const object = await this.#parts.objects.get(vid, lsn);
    return object === undefined || object.deleted ? undefined : object.record;
  }

  /** The records from `start` to `end`, ascending, without a gap, as far as there are any. */
  async *records(vid: VolumeId, start: Lsn, end: Lsn): AsyncGenerator<CommitRecord> {
    const { newest } = await this.#reaching(vid, end);
    if (newest === undefined) return;
    const last = Math.min(end, newest.record.lsn);
    let older: CommitRecord | undefined;
    // the line ends in the head's own record, so all that is chained to it is chained to the head
    const held = [newest.run, this.#parts.heads.fold(vid)].filter((run) => run !== undefined);
    for await (const run of this.#runs(held, start, last)) {
      for (let lsn: number = older === undefined ? start : older.lsn + 1; run.holds(lsn); lsn++) {
        if (lsn > last) return;
        const record = run.record(toLsn(lsn));
        const key = recordKey(vid, run.top);
        if (older !== undefined || lsn === FIRST_LSN) requireChained(key, record, older);
        yield record;
        older = record;
      }
    }
  }

  /** Runs that hold all LSNs of a range, ascending; it ends early where an object is not there. */
  async *#runs(
    held: readonly RecordRun[],
    start: number,
    end: number,
  ): AsyncGenerator<RecordRun> {
    const { vid } = held[0];
    // how many records an object is expected to carry: all, until one had no room for them
    let reach = FOLD;
    let missed: RecordRun | undefined;
    for (let at = start; at <= end;) {
      const inMemory = missed?.holds(at) ? missed : held.find((run) => run.holds(at));
      const limit = Math.min(end, at + reach - 1, ...bottomsAbove(held, at));
      const run = inMemory ?? await this.#parts.objects.run(vid, highestCarrying(at, limit));
      if (run === undefined) return;
      if (run.holds(at)) {
        yield run;
        at = run.top + 1;
        reach = Math.min(reach * 2, FOLD);
      } else {
        missed = run;
        reach = Math.max(1, Math.min(Math.floor(reach / 2), run.count));
      }
    }
  }

  /** A head at or above `end`, from memory if there is one; else the newest. */
  async #reaching(vid: VolumeId, end: Lsn): Promise<HeadState> {
    const { heads, reader } = this.#parts;
    const known = heads.get(vid);
    return known?.newest !== undefined && known.newest.record.lsn >= end
      ? known
      : await reader.read(vid);
  }
}

/** The last LSNs before runs that begin above `lsn`. */
function bottomsAbove(runs: readonly RecordRun[], lsn: number): number[] {
  return runs.map(({ bottom }) => bottom - 1).filter((last) => last >= lsn);
}
