// The change feed: which volumes a batch moved, for processes that did not write it.
//
// entry := number of volumes (varint) · for each: id (16 bytes) · flags (1 byte) · its new LSN (varint)
// flags := bit 0: the volume was deleted; the others 0
//
// Its key is not known before it is written, so the checksum covers the name "feed" in its stead.

import { GID_BYTES, gidFromBytes, gidToBytes, type VolumeId } from "../../../core/gid.ts";
import { type Lsn, toLsn } from "../../../core/lsn.ts";
import { GraftError } from "../../../core/errors.ts";
import type { ByteReader } from "../../codec/byte_reader.ts";
import { decodeValue, encodeValue } from "../../codec/sealed_value.ts";

const NAME = "feed";
const DELETED = 1;

/** One volume of a batch. */
export interface FeedEntry {
  readonly vid: VolumeId;
  readonly lsn: Lsn;
  readonly deleted: boolean;
}

/** The value of one batch in the feed. */
export function encodeFeed(entries: readonly FeedEntry[]): Uint8Array<ArrayBuffer> {
  return encodeValue(NAME, (writer) => {
    writer.varint(entries.length);
    for (const { vid, lsn, deleted } of entries) {
      writer.raw(gidToBytes(vid));
      writer.byte(deleted ? DELETED : 0);
      writer.varint(lsn);
    }
  });
}

/** Reads what {@linkcode encodeFeed} wrote. @throws {GraftError} `damaged` for anything else. */
export function decodeFeed(value: unknown): FeedEntry[] {
  return decodeValue(
    NAME,
    value,
    (reader) =>
      Array.from({ length: reader.count(GID_BYTES + 2) }, () => ({
        vid: gidFromBytes("volume", reader.view(GID_BYTES)),
        deleted: readFlags(reader),
        lsn: toLsn(reader.varint()),
      })),
  );
}

function readFlags(reader: ByteReader): boolean {
  const flags = reader.byte();
  if (flags > DELETED) {
    throw new GraftError("invalid", `Cannot read the value: its flags are ${flags}`);
  }
  return flags === DELETED;
}
