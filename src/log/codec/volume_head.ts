/**
 * How a volume's head is written down.
 *
 * ```text
 * head := flags (1 byte; bit 0: deleted, the others 0) · LSN (varint) · page count (varint) ·
 *         client (16 bytes) · digest (16) · time in ms (varint)
 * ```
 *
 * @module
 */

import { GraftError } from "../../core/errors.ts";
import { DIGEST_BYTES } from "../../core/content_digest.ts";
import { GID_BYTES, gidFromBytes, gidToBytes } from "../../core/gid.ts";
import { toLsn } from "../../core/lsn.ts";
import { toPageCount } from "../../core/page.ts";
import type { Head } from "../commit_log.ts";
import type { ByteReader } from "./byte_reader.ts";
import type { ByteWriter } from "./byte_writer.ts";

/** A head without the floor, which has a key of its own so that moving it never touches the head. */
export type StoredHead = Omit<Head, "floorLsn">;

const DELETED = 1;

/** Writes a head. */
export function writeHead(writer: ByteWriter, head: StoredHead): void {
  writer.byte(head.deleted ? DELETED : 0);
  writer.varint(head.lsn);
  writer.varint(head.pageCount);
  writer.raw(gidToBytes(head.cid));
  writer.raw(head.digest);
  writer.varint(head.timestampMs);
}

/** Reads what {@linkcode writeHead} wrote. @throws {GraftError} `invalid` when it is anything else. */
export function readHead(reader: ByteReader): StoredHead {
  const flags = reader.byte();
  if (flags > DELETED) {
    throw new GraftError("invalid", `Cannot read the head: its flags are ${flags}`);
  }
  return {
    deleted: flags === DELETED,
    lsn: toLsn(reader.varint()),
    pageCount: toPageCount(reader.varint()),
    cid: gidFromBytes("client", reader.view(GID_BYTES)),
    digest: reader.copy(DIGEST_BYTES),
    timestampMs: reader.varint(),
  };
}
