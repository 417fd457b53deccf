// The change feed: which volumes a batch moved, for processes that did not write it.
//
// entry := number of volumes (varint) · for each: id (16 bytes) · its new LSN (varint)
//
// Its key is not known before it is written, so the checksum covers the name "feed" in its stead.

import { GID_BYTES, gidFromBytes, gidToBytes, type VolumeId } from "../../../core/gid.ts";
import { type Lsn, toLsn } from "../../../core/lsn.ts";
import { decodeValue, encodeValue } from "../../codec/sealed_value.ts";

const NAME = "feed";

/** One volume of a batch. */
export interface FeedEntry {
  readonly vid: VolumeId;
  readonly lsn: Lsn;
}

/** The value of one batch in the feed. */
export function encodeFeed(entries: readonly FeedEntry[]): Uint8Array<ArrayBuffer> {
  return encodeValue(NAME, (writer) => {
    writer.varint(entries.length);
    for (const { vid, lsn } of entries) {
      writer.raw(gidToBytes(vid));
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
      Array.from({ length: reader.count(GID_BYTES + 1) }, () => ({
        vid: gidFromBytes("volume", reader.view(GID_BYTES)),
        lsn: toLsn(reader.varint()),
      })),
  );
}
