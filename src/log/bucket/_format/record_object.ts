// What stands at a record's name; docs/formats/bucket_log.md draws it.
//
// body := flags (1 byte; bit 0: the volume is deleted, the others 0) · number of records (varint, at least 1) ·
//         record (sized)…, newest first

import { digestsEqual, EMPTY_DIGEST } from "../../../core/content_digest.ts";
import { GraftError } from "../../../core/errors.ts";
import type { VolumeId } from "../../../core/gid.ts";
import { FIRST_LSN, type Lsn, toLsn } from "../../../core/lsn.ts";
import type { ByteReader } from "../../codec/byte_reader.ts";
import { damaged, decodeValue, encodeValue } from "../../codec/sealed_value.ts";
import type { CommitRecord } from "../../commit_log.ts";
import { recordKey } from "./keys.ts";
import { RecordRun } from "./record_run.ts";

/** The object at one LSN: a commit, or the tombstone after the last one. */
export interface RecordObject {
  /** The LSN in its name. */
  readonly lsn: Lsn;
  /** Whether it is a tombstone; the newest record is then the one before it. */
  readonly deleted: boolean;
  /** The newest record that it carries. */
  readonly record: CommitRecord;
  /** All records that it carries. */
  readonly run: RecordRun;
}

const DELETED = 1;
/** No record takes less: ids, digests and four small numbers. */
const RECORD_BYTES_MIN = 53;

/** Encodes an object, to be stored at the name of its LSN. */
export function encodeRecordObject({ lsn, deleted, run }: RecordObject): Uint8Array<ArrayBuffer> {
  return encodeValue(recordKey(run.vid, lsn), (writer) => {
    writer.byte(deleted ? DELETED : 0);
    writer.varint(run.count);
    writer.raw(run.bytes);
  });
}

/** Decodes the object found at an LSN. @throws {GraftError} `damaged`, naming it, when it is none. */
export function decodeRecordObject(vid: VolumeId, lsn: Lsn, bytes: Uint8Array): RecordObject {
  const key = recordKey(vid, lsn);
  const { deleted, run } = decodeValue(key, bytes, (reader) => readBody(reader, vid, lsn));
  const record = run.record(run.top);
  const older = run.count > 1 ? run.record(toLsn(run.top - 1)) : undefined;
  if (older !== undefined || record.lsn === FIRST_LSN) requireChained(key, record, older);
  return { lsn, deleted, record, run };
}

/**
 * Checks that a record follows the one before it; undefined: there is none.
 *
 * @throws {GraftError} `damaged`, naming the object at `key`.
 */
export function requireChained(
  key: string,
  record: CommitRecord,
  older: CommitRecord | undefined,
): void {
  if (digestsEqual(record.parentDigest, older?.digest ?? EMPTY_DIGEST)) return;
  throw damaged(key, `its record at LSN ${record.lsn} is not chained to the one before it`);
}

function readBody(
  reader: ByteReader,
  vid: VolumeId,
  lsn: Lsn,
): { deleted: boolean; run: RecordRun } {
  const flags = reader.byte();
  if (flags > DELETED) throw malformed(`its flags are ${flags}`);
  const deleted = flags === DELETED;
  const top = deleted ? lsn - 1 : lsn;
  const count = reader.count(RECORD_BYTES_MIN);
  if (count < 1 || count > top) throw malformed(`it carries ${count} records up to LSN ${top}`);
  return { deleted, run: RecordRun.read(reader, vid, toLsn(top), count) };
}

function malformed(state: string): GraftError {
  return new GraftError("invalid", `Cannot read the record: ${state}`);
}
