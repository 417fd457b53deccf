// The messages that occur inside others: snapshots, segments, ranges of LSNs, commits.

import { type BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import type { ClientId, Gid, SegmentId, VolumeId } from "../core/gid.ts";
import { gidToBytes } from "../core/gid.ts";
import type { Lsn, LsnRange } from "../core/lsn.ts";
import type { PageCount } from "../core/page.ts";
import type { PageSet } from "../core/page_set.ts";
import type { SegmentUse, Snapshot } from "../core/snapshot.ts";
import type { MessageReader } from "./_message_reader.ts";
import type { Commit, OpenLsnRange } from "./snapshot_messages.ts";

/** The largest time that a `Date` can hold, in seconds either side of 1970. */
const SECONDS_MAX = 8_640_000_000_000;
const NANOS_PER_MS = 1_000_000;

/** Writes an identifier. */
export function writeGid(writer: BinaryWriter, field: number, id: Gid): void {
  writer.tag(field, WireType.LengthDelimited).bytes(gidToBytes(id));
}

/** Writes a page set. */
export function writePageSet(writer: BinaryWriter, field: number, pageSet: PageSet): void {
  writer.tag(field, WireType.LengthDelimited).bytes(pageSet.bytes);
}

/** Writes a uint64 or uint32. Zero is left out, as proto3 has it: no optional field here can be zero. */
export function writeUint(writer: BinaryWriter, field: number, value: number): void {
  if (value !== 0) writeVarint(writer.tag(field, WireType.Varint), value);
}

/** Numbers of 64 bits go through BigInt in the library, which costs a microsecond. */
function writeVarint(writer: BinaryWriter, value: number): void {
  if (value >= 0 && value < 2 ** 32) writer.uint32(value);
  else writer.int64(value);
}

/** Writes a message within the message. */
export function writeMessage<T>(
  writer: BinaryWriter,
  field: number,
  value: T,
  write: (writer: BinaryWriter, value: T) => void,
): void {
  writer.tag(field, WireType.LengthDelimited).fork();
  write(writer, value);
  writer.join();
}

/** Writes the fields of a `SegmentInfo`. */
export function writeSegment(writer: BinaryWriter, segment: SegmentUse): void {
  writeGid(writer, 1, segment.sid);
  writePageSet(writer, 2, segment.pageSet);
}

/** Reads a `SegmentInfo`. */
export function readSegment(message: MessageReader): SegmentUse {
  let sid: SegmentId | undefined;
  let pageSet: PageSet | undefined;
  while (message.next()) {
    if (message.field === 1) sid = message.segmentId("sid");
    else if (message.field === 2) pageSet = message.pageSet("graft");
    else message.skip();
  }
  return { sid: message.required("sid", sid), pageSet: message.required("graft", pageSet) };
}

/** Writes the fields of a `Snapshot`. */
export function writeSnapshot(writer: BinaryWriter, snapshot: Snapshot): void {
  writeGid(writer, 1, snapshot.vid);
  writeGid(writer, 2, snapshot.cid);
  writeUint(writer, 3, snapshot.lsn);
  writeUint(writer, 4, snapshot.checkpointLsn);
  writeUint(writer, 5, snapshot.pageCount);
  writeMessage(writer, 6, snapshot.timestampMs, writeTimestamp);
}

/** Reads a `Snapshot`. */
export function readSnapshot(message: MessageReader): Snapshot {
  let vid: VolumeId | undefined;
  let cid: ClientId | undefined;
  let lsn: Lsn | undefined;
  let checkpointLsn: Lsn | undefined;
  let pageCount = 0 as PageCount;
  let timestampMs: number | undefined;
  while (message.next()) {
    if (message.field === 1) vid = message.volumeId("vid");
    else if (message.field === 2) cid = message.clientId("cid");
    else if (message.field === 3) lsn = message.lsn("lsn");
    else if (message.field === 4) checkpointLsn = message.lsn("checkpoint_lsn");
    else if (message.field === 5) pageCount = message.pageCount("page_count");
    else if (message.field === 6) timestampMs = readTimestamp(message.message("timestamp"));
    else message.skip();
  }
  return {
    vid: message.required("vid", vid),
    cid: message.required("cid", cid),
    lsn: message.required("lsn", lsn),
    checkpointLsn: message.required("checkpoint_lsn", checkpointLsn),
    pageCount,
    timestampMs: message.required("timestamp", timestampMs),
  };
}

/** Reads a message whose only field is a snapshot. */
export function readOnlySnapshot(message: MessageReader): Snapshot {
  let snapshot: Snapshot | undefined;
  while (message.next()) {
    if (message.field === 1) snapshot = readSnapshot(message.message("snapshot"));
    else message.skip();
  }
  return message.required("snapshot", snapshot);
}

function writeTimestamp(writer: BinaryWriter, timestampMs: number): void {
  const seconds = Math.floor(timestampMs / 1000);
  const nanos = (timestampMs - seconds * 1000) * NANOS_PER_MS;
  if (seconds !== 0) writeVarint(writer.tag(1, WireType.Varint), seconds);
  if (nanos !== 0) writer.tag(2, WireType.Varint).int32(nanos);
}

function readTimestamp(message: MessageReader): number {
  let seconds = 0;
  let nanos = 0;
  while (message.next()) {
    if (message.field === 1) seconds = message.int("seconds");
    else if (message.field === 2) nanos = message.int("nanos");
    else message.skip();
  }
  if (Math.abs(seconds) > SECONDS_MAX) throw message.refuse("seconds", "is beyond every date");
  if (nanos < 0 || nanos >= 1000 * NANOS_PER_MS) {
    throw message.refuse("nanos", "is outside 0 to 999999999");
  }
  return seconds * 1000 + Math.floor(nanos / NANOS_PER_MS);
}

/** Writes the fields of an `LsnRange`; without an end: to the head. */
export function writeLsnRange(writer: BinaryWriter, range: OpenLsnRange): void {
  writeUint(writer, 1, range.start);
  if (range.end !== undefined) writeUint(writer, 2, range.end);
}

/** Reads an `LsnRange` that may lack its end. */
export function readOpenLsnRange(message: MessageReader): OpenLsnRange {
  let start: Lsn | undefined;
  let end: Lsn | undefined;
  while (message.next()) {
    if (message.field === 1) start = message.lsn("inclusive_start");
    else if (message.field === 2) end = message.lsn("inclusive_end");
    else message.skip();
  }
  return { start: message.required("inclusive_start", start), end };
}

/** Reads an `LsnRange` that an answer states, so with both ends. */
export function readLsnRange(message: MessageReader): LsnRange {
  const { start, end } = readOpenLsnRange(message);
  return { start, end: message.required("inclusive_end", end) };
}

/** Writes the fields of a `Commit`. */
export function writeCommit(writer: BinaryWriter, commit: Commit): void {
  writeMessage(writer, 1, commit.snapshot, writeSnapshot);
  for (const segment of commit.segments) writeMessage(writer, 2, segment, writeSegment);
}

/** Reads a `Commit`. */
export function readCommit(message: MessageReader): Commit {
  let snapshot: Snapshot | undefined;
  const segments: SegmentUse[] = [];
  while (message.next()) {
    if (message.field === 1) snapshot = readSnapshot(message.message("snapshot"));
    else if (message.field === 2) {
      segments.push(readSegment(message.message(`segments[${segments.length}]`)));
    } else message.skip();
  }
  return { snapshot: message.required("snapshot", snapshot), segments };
}
