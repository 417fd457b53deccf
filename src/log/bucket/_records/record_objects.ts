// Objects of records, by volume and LSN.

import type { VolumeId } from "../../../core/gid.ts";
import type { Lsn } from "../../../core/lsn.ts";
import type { BucketCalls } from "../_bucket_calls.ts";
import { recordKey } from "../_format/keys.ts";
import { decodeRecordObject, type RecordObject } from "../_format/record_object.ts";
import type { RecordRun } from "../_format/record_run.ts";

/** Reads one object. */
export class RecordObjects {
  readonly #calls: BucketCalls;

  constructor(calls: BucketCalls) {
    this.#calls = calls;
  }

  /** The object at an LSN; undefined where there is none. @throws {GraftError} `damaged` */
  async get(vid: VolumeId, lsn: Lsn): Promise<RecordObject | undefined> {
    const bytes = await this.#calls.get(recordKey(vid, lsn));
    return bytes && decodeRecordObject(vid, lsn, bytes);
  }

  /** The records up to an LSN that its object carries; undefined where there is none, or a tombstone. */
  async run(vid: VolumeId, lsn: Lsn): Promise<RecordRun | undefined> {
    const object = await this.get(vid, lsn);
    return object?.deleted ? undefined : object?.run;
  }
}
