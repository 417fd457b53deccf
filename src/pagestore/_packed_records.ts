// The records of a volume's line as the log writes them: an object of a record takes ten times as much.

import { assert } from "../core/assert.ts";
import type { VolumeId } from "../core/gid.ts";
import { type Lsn, toLsn } from "../core/lsn.ts";
import { ByteReader } from "../log/codec/byte_reader.ts";
import { ByteWriter } from "../log/codec/byte_writer.ts";
import { readRecord, writeRecord } from "../log/codec/commit_record.ts";
import type { CommitRecord } from "../log/commit_log.ts";
import { U32List } from "./_u32_list.ts";

/** Room for records is taken in pieces that double, so that a volume of one commit takes little. */
const FIRST_PIECE_BYTES = 256;
const PIECE_BYTES_MAX = 64 * 1024;
/** The newest records, which are asked for most, are kept as they came. */
const RECENT_MAX = 8;
/** About what such a record takes, beside its page sets. */
const RECENT_BYTES = 1000;

/** Records by LSN, from 1 on without a gap. */
export class PackedRecords {
  readonly #vid: VolumeId;
  readonly #recent: CommitRecord[] = [];
  readonly #pieces: Uint8Array[] = [];
  /** Where each record lies: the number of its piece, and where it begins there. */
  readonly #piece = new U32List();
  readonly #offset = new U32List();
  #used = 0;
  #pieceBytes = 0;

  /** None yet. */
  constructor(vid: VolumeId) {
    this.#vid = vid;
  }

  /** How many there are, which is the newest one's LSN. */
  get count(): number {
    return this.#piece.length;
  }

  /** The newest one. */
  get newest(): CommitRecord | undefined {
    return this.#recent.at(-1);
  }

  /** About how many bytes they take. */
  get memoryBytes(): number {
    return this.#pieceBytes + this.#piece.memoryBytes + this.#offset.memoryBytes +
      this.#recent.length * RECENT_BYTES;
  }

  /** Adds the record after the newest. */
  push(record: CommitRecord): void {
    assert(record.lsn === this.count + 1, "A record does not follow the newest one");
    const writer = new ByteWriter();
    writeRecord(writer, record);
    this.#put(writer.finish());
    this.#recent.push(record);
    if (this.#recent.length > RECENT_MAX) this.#recent.shift();
  }

  /** The record at an LSN. */
  at(lsn: Lsn): CommitRecord {
    const recent = this.#recent[lsn - 1 - (this.count - this.#recent.length)];
    if (recent !== undefined) return recent;
    const piece = this.#pieces[this.#piece.at(lsn - 1)];
    return readRecord(
      new ByteReader(piece.subarray(this.#offset.at(lsn - 1))),
      this.#vid,
      toLsn(lsn),
    );
  }

  #put(bytes: Uint8Array): void {
    const last = this.#pieces.at(-1);
    if (last === undefined || this.#used + bytes.length > last.length) {
      const doubled = Math.min(2 * (last?.length ?? FIRST_PIECE_BYTES / 2), PIECE_BYTES_MAX);
      const piece = new Uint8Array(Math.max(doubled, bytes.length));
      this.#pieces.push(piece);
      this.#pieceBytes += piece.length;
      this.#used = 0;
    }
    this.#pieces.at(-1)!.set(bytes, this.#used);
    this.#piece.push(this.#pieces.length - 1);
    this.#offset.push(this.#used);
    this.#used += bytes.length;
  }
}
