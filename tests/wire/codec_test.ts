// The hand-written codecs of these tests against the official encodings and against ours.

import assert from "node:assert/strict";
import { encodeBase58 } from "../../src/core/_base58.ts";
import type { ClientId, SegmentId, VolumeId } from "../../src/core/gid.ts";
import { toLsn } from "../../src/core/lsn.ts";
import { toPageCount } from "../../src/core/page.ts";
import { PageBuffer } from "../../src/core/page_buffer.ts";
import { PageSet } from "../../src/core/page_set.ts";
import * as wire from "../../src/wire/messages.ts";
import * as hand from "./_support/messages.ts";
import { members, range, splinter } from "./_support/splinter.ts";

/** Made with the official library. */
const OFFICIAL: readonly [readonly number[], string][] = [
  [[], "daae12df00000000"],
  [[1], "daae12df010000000000000000000000000000000001000000"],
  [[0xffffffff], "daae12dfffff000000ff0000000000ff000000000001000000"],
  [
    range(1, 32),
    "daae12dffeffffff01000000000000000000000000000000000000000000000000000000001f000000000000000000000000000001000000",
  ],
  [range(0, 255), "daae12df00ff000000000000000000000000000001000000"],
  [
    range(1, 1024),
    "daae12dffeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff000001020304feffffff000100010001000100000000040000000000000000000001000000",
  ],
];

Deno.test("the hand-written page sets are the official ones", () => {
  for (const [set, encoded] of OFFICIAL) {
    assert.equal(splinter(set).toHex(), encoded);
    assert.deepEqual(members(splinter(set)), set);
  }
});

Deno.test("the hand-written page sets survive a round trip across all levels", () => {
  const far = [0, 1, 255, 256, 65_535, 65_536, 2 ** 24 - 1, 2 ** 24, 2 ** 28, 2 ** 32 - 1];
  for (const set of [far, range(200, 70_000), range(0, 300).map((i) => i * 65_537)]) {
    assert.deepEqual(members(splinter(set)), set);
  }
});

const rawVid = hand.newId("volume");
const rawCid = hand.newId("client");
const rawSid = hand.newId("segment");
const vid = encodeBase58(rawVid) as VolumeId;
const cid = encodeBase58(rawCid) as ClientId;
const sid = encodeBase58(rawSid) as SegmentId;
const SET = [1, 5, 300, 70_000, 2 ** 28];

Deno.test("our requests are the hand-written ones, byte for byte", () => {
  const at = (lsn: number) => toLsn(lsn);
  const big = Number.MAX_SAFE_INTEGER;
  const pageSet = PageSet.from(SET);
  const graft = splinter(SET);
  const pages = new PageBuffer();
  for (const idx of [7, 2 ** 28]) pages.add(idx).set(hand.page(`page ${idx}`));
  const pageCount = toPageCount(300);
  const pairs: [Uint8Array, Uint8Array][] = [
    [wire.encodeSnapshotRequest({ vid, lsn: undefined }), hand.snapshotRequest(rawVid)],
    [wire.encodeSnapshotRequest({ vid, lsn: at(big) }), hand.snapshotRequest(rawVid, big)],
    [wire.encodePullRequest({ vid, range: undefined }), hand.pullRequest(rawVid)],
    [
      wire.encodePullRequest({ vid, range: { start: at(3), end: undefined } }),
      hand.pullRequest(rawVid, 3),
    ],
    [
      wire.encodePullRequest({ vid, range: { start: at(3), end: at(200) } }),
      hand.pullRequest(rawVid, 3, 200),
    ],
    [
      wire.encodeCommitRequest({
        vid,
        cid,
        snapshotLsn: at(128),
        pageCount,
        segments: [{ sid, pageSet }, { sid, pageSet }],
      }),
      hand.commitRequest({
        vid: rawVid,
        cid: rawCid,
        base: 128,
        pageCount: 300,
        segments: [{ sid: rawSid, graft }, { sid: rawSid, graft }],
      }),
    ],
    [
      wire.encodeCommitRequest({ vid, cid, snapshotLsn: undefined, pageCount, segments: [] }),
      hand.commitRequest({ vid: rawVid, cid: rawCid, pageCount: 300 }),
    ],
    [
      wire.encodeReadPagesRequest({ vid, lsn: at(9), pageSet }),
      hand.readRequest(rawVid, 9, graft),
    ],
    [
      wire.encodeWritePagesRequest(vid, pages),
      hand.writeRequest(rawVid, [[7, hand.page("page 7")], [
        2 ** 28,
        hand.page(`page ${2 ** 28}`),
      ]]),
    ],
  ];
  for (const [ours, byHand] of pairs) assert.equal(ours.toHex(), byHand.toHex());
});

Deno.test("our answers are read by hand as what they were made of", () => {
  const timestampMs = 1_750_000_000_123;
  const snapshot = {
    vid,
    cid,
    lsn: toLsn(300),
    checkpointLsn: toLsn(7),
    pageCount: toPageCount(70_000),
    timestampMs,
  };
  const expected = {
    vid: rawVid.toHex(),
    cid: rawCid.toHex(),
    lsn: 300,
    checkpointLsn: 7,
    pageCount: 70_000,
    timestampMs,
  };
  const pageSet = PageSet.from(SET);
  const segments = [{ sid, pageSet }];
  const expectedSegments = [{ sid: rawSid, graft: splinter(SET) }];
  const lsns = { start: toLsn(7), end: toLsn(300) };
  assert.deepEqual(hand.readSnapshotResponse(wire.encodeSnapshotResponse(snapshot)), expected);
  assert.deepEqual(hand.readSnapshotResponse(wire.encodeCommitResponse(snapshot)), expected);
  assert.deepEqual(
    hand.readPullGraftResponse(
      wire.encodePullGraftResponse({ snapshot, range: lsns, graft: pageSet }),
    ),
    { snapshot: expected, start: 7, end: 300, graft: SET },
  );
  assert.deepEqual(
    hand.readPullCommitsResponse(wire.encodePullCommitsResponse([{ snapshot, segments }])),
    [{ snapshot: expected, segments: expectedSegments }],
  );
  assert.deepEqual(
    hand.readWriteResponse(wire.encodeWritePagesResponse(segments)),
    expectedSegments,
  );
  const indexes = Uint32Array.of(3, 2 ** 28);
  const answer = wire.encodeReadPagesResponse(indexes, (i) => hand.page(`at ${i}`));
  assert.deepEqual(
    hand.readPagesResponse(answer),
    new Map([[3, hand.page("at 0")], [2 ** 28, hand.page("at 1")]]),
  );
  const error = { code: 3, message: "Cannot commit: it is taken" };
  assert.deepEqual(hand.readError(wire.encodeGraftErr(error)), error);
});
