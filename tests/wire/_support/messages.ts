/**
 * The messages of the v0.1 protocol, written and read by hand from the field numbers of its
 * description.
 *
 * @module
 */

import {
  allAt,
  type Bytes,
  bytes,
  bytesAt,
  type Fields,
  join,
  numberAt,
  parse,
  uint,
} from "./protobuf.ts";
import { members, splinter } from "./splinter.ts";

/** The first byte of each kind of id. */
export const KIND = { volume: 0x80, segment: 0xa0, client: 0xc0 } as const;

/** Paths of the six calls. */
export const PATH = {
  snapshot: "/metastore/v1/snapshot",
  pullGraft: "/metastore/v1/pull_graft",
  pullCommits: "/metastore/v1/pull_commits",
  commit: "/metastore/v1/commit",
  readPages: "/pagestore/v1/read_pages",
  writePages: "/pagestore/v1/write_pages",
} as const;

/** A segment as the wire names it. */
export interface Segment {
  readonly sid: Bytes;
  readonly graft: Bytes;
}

/** A snapshot as the wire has it; ids are hex. */
export interface Snapshot {
  readonly vid: string;
  readonly cid: string;
  readonly lsn: number;
  readonly checkpointLsn: number;
  readonly pageCount: number;
  readonly timestampMs: number;
}

/** Sixteen bytes that name something new, made now or at another time. */
export function newId(kind: keyof typeof KIND, timeMs = Date.now()): Bytes {
  const id = crypto.getRandomValues(new Uint8Array(16));
  id[0] = KIND[kind];
  for (let i = 0; i < 6; i++) id[6 - i] = Math.floor(timeMs / 256 ** i) % 256;
  return id;
}

/** A page that begins with a text; the rest is zero. */
export function page(text: string): Bytes {
  const content = new Uint8Array(4096);
  new TextEncoder().encodeInto(text, content);
  return content;
}

/** The text that {@linkcode page} was made of; other bytes in the page are an error. */
export function textOf(content: Uint8Array): string {
  const end = content.indexOf(0);
  if (content.length !== 4096 || content.subarray(end).some((byte) => byte !== 0)) {
    throw new Error("A page is not one of this test's");
  }
  return new TextDecoder().decode(content.subarray(0, end));
}

/** A `SnapshotRequest`. */
export function snapshotRequest(vid: Uint8Array, lsn?: number | bigint): Bytes {
  return join(bytes(1, vid), ...optional(2, lsn));
}

/** A request of both pulls; without a start it has no range. */
export function pullRequest(
  vid: Uint8Array,
  start?: number | bigint,
  end?: number | bigint,
): Bytes {
  if (start === undefined) return bytes(1, vid);
  return join(bytes(1, vid), bytes(2, join(uint(1, start), ...optional(2, end))));
}

/** A `SegmentInfo`. */
export function segmentInfo({ sid, graft }: Segment): Bytes {
  return join(bytes(1, sid), bytes(2, graft));
}

/** A `CommitRequest`. */
export function commitRequest(commit: {
  readonly vid: Uint8Array;
  readonly cid: Uint8Array;
  readonly base?: number | bigint;
  readonly pageCount: number;
  readonly segments?: readonly Segment[];
}): Bytes {
  return join(
    bytes(1, commit.vid),
    bytes(2, commit.cid),
    ...optional(3, commit.base),
    uint(4, commit.pageCount),
    ...(commit.segments ?? []).map((segment) => bytes(5, segmentInfo(segment))),
  );
}

/** A `ReadPagesRequest`. */
export function readRequest(vid: Uint8Array, lsn: number | bigint, wanted: Uint8Array): Bytes {
  return join(bytes(1, vid), uint(2, lsn), bytes(3, wanted));
}

/** A `PageAtIdx` as the field of a `WritePagesRequest`. */
export function pageField(pageIdx: number | bigint, content: Uint8Array): Bytes {
  return bytes(2, join(uint(1, pageIdx), bytes(2, content)));
}

/** A `WritePagesRequest`. */
export function writeRequest(
  vid: Uint8Array,
  pages: Iterable<readonly [number, Uint8Array]>,
): Bytes {
  return join(bytes(1, vid), ...Array.from(pages, ([idx, content]) => pageField(idx, content)));
}

/** The snapshot of a `SnapshotResponse` or a `CommitResponse`. */
export function readSnapshotResponse(body: Uint8Array): Snapshot {
  return readSnapshot(bytesAt(parse(body), 1));
}

/** A `PullGraftResponse`. */
export function readPullGraftResponse(
  body: Uint8Array,
): { snapshot: Snapshot; start: number; end: number; graft: number[] } {
  const fields = parse(body);
  const answered = parse(bytesAt(fields, 2));
  return {
    snapshot: readSnapshot(bytesAt(fields, 1)),
    start: numberAt(answered, 1),
    end: numberAt(answered, 2),
    graft: members(bytesAt(fields, 3)),
  };
}

/** A `PullCommitsResponse`. */
export function readPullCommitsResponse(
  body: Uint8Array,
): { snapshot: Snapshot; segments: Segment[] }[] {
  return allAt(parse(body), 1).map((commit) => {
    const fields = parse(commit);
    return {
      snapshot: readSnapshot(bytesAt(fields, 1)),
      segments: allAt(fields, 2).map(readSegment),
    };
  });
}

/** The pages of a `ReadPagesResponse`. */
export function readPagesResponse(body: Uint8Array): Map<number, Bytes> {
  return new Map(
    allAt(parse(body), 1).map((entry) => {
      const fields = parse(entry);
      return [numberAt(fields, 1), bytesAt(fields, 2)];
    }),
  );
}

/** The segments of a `WritePagesResponse`. */
export function readWriteResponse(body: Uint8Array): Segment[] {
  return allAt(parse(body), 1).map(readSegment);
}

/** The code and the message of a `GraftErr`. */
export function readError(body: Uint8Array): { code: number; message: string } {
  const fields = parse(body);
  return { code: numberAt(fields, 1), message: new TextDecoder().decode(bytesAt(fields, 2)) };
}

/** A segment that nobody wrote, or one under the wrong set. */
export function segmentOf(sid: Bytes, pages: Iterable<number>): Segment {
  return { sid, graft: splinter(pages) };
}

function readSegment(encoded: Uint8Array): Segment {
  const fields = parse(encoded);
  return { sid: bytesAt(fields, 1), graft: bytesAt(fields, 2) };
}

function readSnapshot(encoded: Uint8Array): Snapshot {
  const fields: Fields = parse(encoded);
  const time = parse(bytesAt(fields, 6));
  return {
    vid: bytesAt(fields, 1).toHex(),
    cid: bytesAt(fields, 2).toHex(),
    lsn: numberAt(fields, 3),
    checkpointLsn: numberAt(fields, 4),
    pageCount: numberAt(fields, 5),
    timestampMs: numberAt(time, 1) * 1000 + Math.floor(numberAt(time, 2) / 1_000_000),
  };
}

function optional(field: number, value: number | bigint | undefined): Bytes[] {
  return value === undefined ? [] : [uint(field, value)];
}
