// Every message both ways against docs/graft.proto, through an independent codec.

import assert from "node:assert/strict";
import fc from "fast-check";
import { gidToBytes, parseGid } from "../core/gid.ts";
import type { Lsn } from "../core/lsn.ts";
import type { PageCount } from "../core/page.ts";
import { PageSet } from "../core/page_set.ts";
import type { SegmentUse, Snapshot } from "../core/snapshot.ts";
import {
  clientIds,
  commits,
  lsns,
  oracleDecode,
  oracleEncode,
  pageCounts,
  pageSets,
  pagesOf,
  type Plain,
  segments,
  snapshots,
  volumeIds,
} from "./_testing.ts";
import * as wire from "./messages.ts";

/** One message: arbitrary values, our codecs, and the same value as the schema has it. */
interface Message<T> {
  readonly values: fc.Arbitrary<T>;
  encode(value: T): Uint8Array;
  decode(bytes: Uint8Array): T;
  plain(value: T): Plain;
}

const range = fc.record({ start: lsns, end: fc.option(lsns, { nil: undefined }) });
const closedRange = fc.record({ start: lsns, end: lsns });

function plainSnapshot(snapshot: Snapshot): Plain {
  const seconds = Math.floor(snapshot.timestampMs / 1000);
  return {
    vid: bytesOf(gidToBytes(snapshot.vid)),
    cid: bytesOf(gidToBytes(snapshot.cid)),
    lsn: snapshot.lsn,
    checkpoint_lsn: snapshot.checkpointLsn,
    page_count: snapshot.pageCount,
    timestamp: { seconds, nanos: (snapshot.timestampMs - seconds * 1000) * 1_000_000 },
  };
}

function plainSegment(segment: SegmentUse): Plain {
  return { sid: bytesOf(gidToBytes(segment.sid)), graft: bytesOf(segment.pageSet.bytes) };
}

function plainRange(value: wire.OpenLsnRange): Plain {
  return without({ inclusive_start: value.start, inclusive_end: value.end });
}

/** The oracle answers buffers of Node's kind, which strict equality tells from plain arrays. */
function bytesOf(bytes: Uint8Array): Uint8Array {
  return Uint8Array.from(bytes);
}

function without(plain: Plain): Plain {
  return Object.fromEntries(Object.entries(plain).filter(([, value]) => value !== undefined));
}

/** The value in a form that can be compared: byte arrays as text, and zeros left out, as proto3 does. */
function normal(value: unknown): unknown {
  if (value instanceof Uint8Array) return `bytes ${bytesOf(value).toHex()}`;
  if (value instanceof PageSet) return `set ${bytesOf(value.bytes).toHex()}`;
  if (Array.isArray(value)) return value.map(normal);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).filter(([, inner]) => inner !== 0);
  return Object.fromEntries(entries.map(([key, inner]) => [key, normal(inner)]));
}

function testMessage<T>(name: string, message: Message<T>, sameSchema: string[] = [name]): void {
  for (const schemaName of sameSchema) {
    Deno.test(`${schemaName}: what we encode is what the schema reads`, () => {
      fc.assert(fc.property(message.values, (value) => {
        const read = oracleDecode(schemaName, message.encode(value));
        assert.deepEqual(normal(read), normal(message.plain(value)));
      }));
    });
    Deno.test(`${schemaName}: what the schema encodes is what we read`, () => {
      fc.assert(fc.property(message.values, (value) => {
        const read = message.decode(oracleEncode(schemaName, message.plain(value)));
        assert.deepEqual(normal(read), normal(value));
      }));
    });
  }
}

testMessage<wire.SnapshotRequest>("SnapshotRequest", {
  values: fc.record({ vid: volumeIds, lsn: fc.option(lsns, { nil: undefined }) }),
  encode: wire.encodeSnapshotRequest,
  decode: wire.decodeSnapshotRequest,
  plain: ({ vid, lsn }) => without({ vid: gidToBytes(vid), lsn }),
});

testMessage<Snapshot>("SnapshotResponse", {
  values: snapshots,
  encode: wire.encodeSnapshotResponse,
  decode: wire.decodeSnapshotResponse,
  plain: (snapshot) => ({ snapshot: plainSnapshot(snapshot) }),
});

testMessage<wire.PullRequest>("PullRequest", {
  values: fc.record({ vid: volumeIds, range: fc.option(range, { nil: undefined }) }),
  encode: wire.encodePullRequest,
  decode: wire.decodePullRequest,
  plain: ({ vid, range }) =>
    without({ vid: gidToBytes(vid), range: range === undefined ? undefined : plainRange(range) }),
}, ["PullGraftRequest", "PullCommitsRequest"]);

testMessage<wire.PulledGraft>("PullGraftResponse", {
  values: fc.record({ snapshot: snapshots, range: closedRange, graft: pageSets }),
  encode: wire.encodePullGraftResponse,
  decode: wire.decodePullGraftResponse,
  plain: ({ snapshot, range, graft }) => ({
    snapshot: plainSnapshot(snapshot),
    range: plainRange(range),
    graft: graft.bytes,
  }),
});

testMessage<wire.Commit[]>("PullCommitsResponse", {
  values: fc.array(commits, { maxLength: 4 }),
  encode: wire.encodePullCommitsResponse,
  decode: wire.decodePullCommitsResponse,
  plain: (all) => ({
    commits: all.map((commit) => ({
      snapshot: plainSnapshot(commit.snapshot),
      segments: commit.segments.map(plainSegment),
    })),
  }),
});

testMessage<wire.CommitRequest>("CommitRequest", {
  values: fc.record({
    vid: volumeIds,
    cid: clientIds,
    snapshotLsn: fc.option(lsns, { nil: undefined }),
    pageCount: pageCounts,
    segments: fc.array(segments, { maxLength: 4 }),
  }),
  encode: wire.encodeCommitRequest,
  decode: wire.decodeCommitRequest,
  plain: (request) =>
    without({
      vid: gidToBytes(request.vid),
      cid: gidToBytes(request.cid),
      snapshot_lsn: request.snapshotLsn,
      page_count: request.pageCount,
      segments: request.segments.map(plainSegment),
    }),
});

testMessage<Snapshot>("CommitResponse", {
  values: snapshots,
  encode: wire.encodeCommitResponse,
  decode: wire.decodeCommitResponse,
  plain: (snapshot) => ({ snapshot: plainSnapshot(snapshot) }),
});

testMessage<wire.ReadPagesRequest>("ReadPagesRequest", {
  values: fc.record({
    vid: volumeIds,
    lsn: lsns,
    pageSet: pageSets.filter((pageSet) => pageSet.size > 0),
  }),
  encode: wire.encodeReadPagesRequest,
  decode: wire.decodeReadPagesRequest,
  plain: ({ vid, lsn, pageSet }) => ({ vid: gidToBytes(vid), lsn, graft: pageSet.bytes }),
});

testMessage<SegmentUse[]>("WritePagesResponse", {
  values: fc.array(segments, { maxLength: 4 }),
  encode: wire.encodeWritePagesResponse,
  decode: wire.decodeWritePagesResponse,
  plain: (all) => ({ segments: all.map(plainSegment) }),
});

testMessage<wire.GraftErr>("GraftErr", {
  values: fc.record({
    code: fc.constantFrom(1, 2, 3, 4, 100, 101),
    message: fc.string({ unit: "grapheme", minLength: 1 }),
  }),
  encode: wire.encodeGraftErr,
  decode: wire.decodeGraftErr,
  plain: ({ code, message }) => ({ code, message }),
});

const VID = parseGid("volume", "GonwTRj2SohJzYLLjD9nSq");
const CID = parseGid("client", "Qi81Dp4C52DFSHbKUUos7j");

Deno.test("fields of later versions are skipped, whatever their wire type", () => {
  const body = wire.encodeSnapshotRequest({ vid: VID, lsn: 7 as Lsn });
  const later = Uint8Array.of(
    ...[0xa0, 0x06, 0x96, 0x01], // field 100, a varint
    ...[0xa1, 0x06, 1, 2, 3, 4, 5, 6, 7, 8], // field 100, 64 bits
    ...[0xa2, 0x06, 2, 0xff, 0xff], // field 100, bytes
    ...[0xa3, 0x06, 0x08, 0x01, 0xa4, 0x06], // field 100, a group
    ...[0xa5, 0x06, 1, 2, 3, 4], // field 100, 32 bits
  );
  for (const bytes of [[...later, ...body], [...body, ...later]]) {
    const request = wire.decodeSnapshotRequest(Uint8Array.from(bytes));
    assert.deepEqual(request, { vid: VID, lsn: 7 });
  }
});

Deno.test("an LSN above 2^53 - 1 becomes 2^53 - 1", () => {
  const vid = gidToBytes(VID);
  for (const lsn of [2n ** 53n, 2n ** 63n, 2n ** 64n - 1n]) {
    const body = new Uint8Array([0x0a, 16, ...vid, 0x10, ...varint(lsn)]);
    assert.equal(wire.decodeSnapshotRequest(body).lsn, Number.MAX_SAFE_INTEGER);
  }
  const exact = new Uint8Array([0x0a, 16, ...vid, 0x10, ...varint(2n ** 53n - 2n)]);
  assert.equal(wire.decodeSnapshotRequest(exact).lsn, Number.MAX_SAFE_INTEGER - 1);
});

Deno.test("of a field that occurs twice the last one counts", () => {
  const first = wire.encodeSnapshotRequest({ vid: VID, lsn: 3 as Lsn });
  const second = Uint8Array.of(0x10, 9);
  const request = wire.decodeSnapshotRequest(Uint8Array.of(...first, ...second));
  assert.equal(request.lsn, 9);
});

Deno.test("a commit without segments and a page count of 0 goes both ways", () => {
  const request = {
    vid: VID,
    cid: CID,
    snapshotLsn: undefined,
    pageCount: 0 as PageCount,
    segments: [],
  };
  assert.deepEqual(wire.decodeCommitRequest(wire.encodeCommitRequest(request)), request);
  const bare = oracleEncode("CommitRequest", { vid: gidToBytes(VID), cid: gidToBytes(CID) });
  assert.deepEqual(wire.decodeCommitRequest(bare), request);
});

Deno.test("a timestamp's fraction below a millisecond is cut off", () => {
  const plain = {
    vid: gidToBytes(VID),
    cid: gidToBytes(CID),
    lsn: 1,
    checkpoint_lsn: 1,
    page_count: 1,
    timestamp: { seconds: 12, nanos: 345_999_999 },
  };
  const snapshot = wire.decodeSnapshotResponse(
    oracleEncode("SnapshotResponse", { snapshot: plain }),
  );
  assert.equal(snapshot.timestampMs, 12_345);
});

Deno.test("a decoded page set does not change with the body it came from", () => {
  const body = wire.encodeReadPagesRequest({
    vid: VID,
    lsn: 1 as Lsn,
    pageSet: PageSet.from([4, 9]),
  });
  const request = wire.decodeReadPagesRequest(body);
  body.fill(0);
  assert.deepEqual([...request.pageSet], [4, 9]);
  assert.equal(request.vid, VID);
});

Deno.test("pages go both ways through the schema", () => {
  const pages = pagesOf([1, 127, 128, 16_384, 2 ** 21, 2 ** 28]);
  const plain = {
    pages: [...pages.indexes].map((pageidx, i) => ({ pageidx, data: pages.page(i) })),
  };
  const response = wire.encodeReadPagesResponse(pages.indexes, pages.page);
  assert.deepEqual(normal(oracleDecode("ReadPagesResponse", response)), normal(plain));
  const request = wire.encodeWritePagesRequest(VID, pages);
  const withVid = { vid: gidToBytes(VID), ...plain };
  assert.deepEqual(normal(oracleDecode("WritePagesRequest", request)), normal(withVid));
  const read = wire.decodeReadPagesResponse(oracleEncode("ReadPagesResponse", plain));
  assert.deepEqual([...read.indexes], [...pages.indexes]);
  for (let i = 0; i < pages.indexes.length; i++) {
    assert.deepEqual(bytesOf(read.page(i)), bytesOf(pages.page(i)));
  }
});

function varint(value: bigint): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 0x7fn; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  return [...bytes, Number(rest)];
}
