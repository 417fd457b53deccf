// What the decoders of whole messages refuse, and that the error says which part is wrong.

import assert from "node:assert/strict";
import type { Gid } from "../core/gid.ts";
import { gidToBytes, parseGid } from "../core/gid.ts";
import type { Lsn } from "../core/lsn.ts";
import { PageSet } from "../core/page_set.ts";
import { MessageReader } from "./_message_reader.ts";
import { join, oracleEncode, type Plain, refusalOf } from "./_testing.ts";
import * as wire from "./messages.ts";

const VID: Gid = parseGid("volume", "GonwTRj2SohJzYLLjD9nSq");
const SID: Gid = parseGid("segment", "LkygN9v2agcHD6dztax1qe");
const CID: Gid = parseGid("client", "Qi81Dp4C52DFSHbKUUos7j");
const vid = gidToBytes(VID);
const sid = gidToBytes(SID);
const cid = gidToBytes(CID);
const graft = PageSet.from([1, 2]).bytes;
const snapshot = {
  vid,
  cid,
  lsn: 3,
  checkpoint_lsn: 1,
  page_count: 2,
  timestamp: { seconds: 9, nanos: 0 },
};

/** A case of the table: what is sent, and what the refusal says. */
type Case = readonly [plain: Plain, message: string];

/** A field of a later version: so that a body without its first field is not an empty one. */
const LATER_FIELD = Uint8Array.of(0xa0, 0x06, 1);

function testRefusals(
  name: string,
  decode: (bytes: Uint8Array) => unknown,
  subject: string,
  valid: Plain,
  cases: Record<string, Case>,
): void {
  Deno.test(`${name}: the message that the cases are made from is accepted`, () => {
    decode(oracleEncode(name, valid));
  });
  for (const [title, [change, state]] of Object.entries(cases)) {
    Deno.test(`${name} with ${title} is refused`, () => {
      const body = join(oracleEncode(name, { ...valid, ...change }), LATER_FIELD);
      assert.equal(refusalOf(() => decode(body)), `Cannot read the ${subject}: ${state}`);
    });
  }
}

const badIds = (field: string, kind: string, first: string): Record<string, Case> => ({
  [`no ${field}`]: [{ [field]: undefined }, `field "${field}" is missing`],
  [`a short ${field}`]: [
    { [field]: vid.subarray(1) },
    `field "${field}" is not a ${kind} id: it has 15 bytes instead of 16`,
  ],
  [`a ${field} of another kind`]: [
    { [field]: sid },
    `field "${field}" is not a ${kind} id: its first byte is 0xa0, not ${first}`,
  ],
});

const badRanges: Record<string, Case> = {
  "a range without a start": [{ range: {} }, 'field "range.inclusive_start" is missing'],
  "an end at LSN 0": [
    { range: { inclusive_start: 1, inclusive_end: 0 } },
    'field "range.inclusive_end" is 0, but LSNs start at 1',
  ],
};

testRefusals("SnapshotRequest", wire.decodeSnapshotRequest, "snapshot request", { vid }, {
  ...badIds("vid", "volume", "0x80"),
  "LSN 0": [{ vid, lsn: 0 }, 'field "lsn" is 0, but LSNs start at 1'],
});

for (const name of ["PullGraftRequest", "PullCommitsRequest"]) {
  testRefusals(name, wire.decodePullRequest, "pull request", { vid }, {
    ...badIds("vid", "volume", "0x80"),
    ...badRanges,
  });
}

const PAGES_1025 = PageSet.range(1, 1025).bytes;

testRefusals(
  "ReadPagesRequest",
  wire.decodeReadPagesRequest,
  "read pages request",
  { vid, lsn: 4, graft },
  {
    ...badIds("vid", "volume", "0x80"),
    "no LSN": [{ lsn: 0 }, 'field "lsn" is missing'],
    "no page set": [{ graft: undefined }, 'field "graft" is missing'],
    "the empty page set": [{ graft: PageSet.empty.bytes }, 'field "graft" is the empty page set'],
    "page 0": [
      { graft: PageSet.from([0, 1]).bytes },
      'field "graft" holds page 0, but pages start at 1',
    ],
    "1025 pages": [{ graft: PAGES_1025 }, 'field "graft" wants 1025 pages, more than 1024'],
  },
);

const commit = { vid, cid, snapshot_lsn: 3, page_count: 9, segments: [{ sid, graft }] };

testRefusals("CommitRequest", wire.decodeCommitRequest, "commit request", commit, {
  ...badIds("vid", "volume", "0x80"),
  ...badIds("cid", "client", "0xc0"),
  "base 0": [{ snapshot_lsn: 0 }, 'field "snapshot_lsn" is 0, but LSNs start at 1'],
  "too many pages": [
    { page_count: 2 ** 28 + 1 },
    'field "page_count" is not a page count: page counts run from 0 to 268435456',
  ],
  "a segment without an id": [
    { segments: [{ sid, graft }, { graft }] },
    'field "segments[1].sid" is missing',
  ],
  "a segment without a page set": [{ segments: [{ sid }] }, 'field "segments[0].graft" is missing'],
  "page 0 in a segment": [
    { segments: [{ sid, graft: PageSet.from([0]).bytes }] },
    'field "segments[0].graft" holds page 0, but pages start at 1',
  ],
  "65 segments": [
    { segments: Array.from({ length: 65 }, () => ({ sid, graft })) },
    'field "segments" holds more than 64 segments',
  ],
});

for (
  const [name, decode, subject] of [
    ["SnapshotResponse", wire.decodeSnapshotResponse, "snapshot response"],
    ["CommitResponse", wire.decodeCommitResponse, "commit response"],
  ] as const
) {
  const within = (change: Plain) => ({ snapshot: { ...snapshot, ...change } });
  testRefusals(name, decode, subject, { snapshot }, {
    "no snapshot": [{ snapshot: undefined }, 'field "snapshot" is missing'],
    "no LSN": [within({ lsn: 0 }), 'field "snapshot.lsn" is missing'],
    "no checkpoint": [within({ checkpoint_lsn: 0 }), 'field "snapshot.checkpoint_lsn" is missing'],
    "no time": [within({ timestamp: undefined }), 'field "snapshot.timestamp" is missing'],
    "a time beyond every date": [
      within({ timestamp: { seconds: 8_640_000_000_001, nanos: 0 } }),
      'field "snapshot.timestamp.seconds" is beyond every date',
    ],
    "negative nanoseconds": [
      within({ timestamp: { seconds: 1, nanos: -1 } }),
      'field "snapshot.timestamp.nanos" is outside 0 to 999999999',
    ],
    "too many nanoseconds": [
      within({ timestamp: { seconds: 1, nanos: 1_000_000_000 } }),
      'field "snapshot.timestamp.nanos" is outside 0 to 999999999',
    ],
  });
}

testRefusals(
  "PullGraftResponse",
  wire.decodePullGraftResponse,
  "pull graft response",
  { snapshot, range: { inclusive_start: 1, inclusive_end: 3 }, graft },
  {
    "no snapshot": [{ snapshot: undefined }, 'field "snapshot" is missing'],
    "no range": [{ range: undefined }, 'field "range" is missing'],
    "an open range": [
      { range: { inclusive_start: 1 } },
      'field "range.inclusive_end" is missing',
    ],
    "no page set": [{ graft: undefined }, 'field "graft" is missing'],
  },
);

testRefusals(
  "PullCommitsResponse",
  wire.decodePullCommitsResponse,
  "pull commits response",
  { commits: [{ snapshot, segments: [{ sid, graft }] }] },
  {
    "a commit without a snapshot": [
      { commits: [{ snapshot }, {}] },
      'field "commits[1].snapshot" is missing',
    ],
    "a segment without an id": [
      { commits: [{ snapshot, segments: [{ graft }] }] },
      'field "commits[0].segments[0].sid" is missing',
    ],
  },
);

testRefusals(
  "ReadPagesResponse",
  wire.decodeReadPagesResponse,
  "read pages response",
  { pages: [{ pageidx: 1, data: new Uint8Array(4096) }] },
  {
    "page 0": [
      { pages: [{ data: new Uint8Array(4096) }] },
      'field "pages[0].pageidx" is 0, but pages run from 1 to 268435456',
    ],
    "a page without data": [{ pages: [{ pageidx: 3 }] }, 'field "pages[0].data" is missing'],
    "a page of 4095 bytes": [
      { pages: [{ pageidx: 3, data: new Uint8Array(4095) }] },
      'field "pages[0].data" has 4095 bytes instead of 4096',
    ],
  },
);

const REQUESTS = {
  "snapshot request": wire.decodeSnapshotRequest,
  "pull request": wire.decodePullRequest,
  "commit request": wire.decodeCommitRequest,
  "read pages request": wire.decodeReadPagesRequest,
};

for (const [subject, decode] of Object.entries(REQUESTS)) {
  Deno.test(`an empty ${subject} is refused`, () => {
    const message = refusalOf(() => decode(new Uint8Array(0)));
    assert.equal(message, `Cannot read the ${subject}: the body is empty`);
  });

  Deno.test(`a ${subject} with a varint for the volume is refused`, () => {
    const message = refusalOf(() => decode(Uint8Array.of(0x08, 1)));
    const state = 'field "vid" has wire type varint instead of bytes';
    assert.equal(message, `Cannot read the ${subject}: ${state}`);
  });

  Deno.test(`a ${subject} cut off after any byte is refused`, () => {
    // the segment and the range end the message, so no prefix of it is a whole one
    const body = join(
      Uint8Array.of(0x0a, 16),
      vid,
      Uint8Array.of(0xa2, 0x06, 0x84, 0x01),
      new Uint8Array(132),
    );
    for (let length = 1; length < body.length; length++) {
      if (length === 2 + vid.length) continue;
      const message = refusalOf(() => decode(body.slice(0, length)));
      assert.match(message, /^Cannot read the .* request: .* reaches beyond the end$/);
    }
  });

  Deno.test(`a ${subject} with a huge length prefix is refused`, () => {
    const body = Uint8Array.of(0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f, ...vid);
    const message = refusalOf(() => decode(body));
    assert.equal(message, `Cannot read the ${subject}: field "vid" reaches beyond the end`);
  });

  Deno.test(`a ${subject} with a tag that is none is refused`, () => {
    for (const tag of [0x00, 0x07, 0x0e, 0x0f]) {
      const message = refusalOf(() => decode(Uint8Array.of(tag, 1)));
      assert.equal(message, `Cannot read the ${subject}: a field's tag is malformed`);
    }
  });
}

Deno.test("wire types are checked for numbers too", () => {
  const body = join(Uint8Array.of(0x0a, 16), vid, Uint8Array.of(0x12, 1, 5));
  assert.equal(
    refusalOf(() => wire.decodeSnapshotRequest(body)),
    'Cannot read the snapshot request: field "lsn" has wire type bytes instead of varint',
  );
});

Deno.test("an unknown field that ends early is refused by its number", () => {
  const body = join(Uint8Array.of(0x0a, 16), vid, Uint8Array.of(0xa2, 0x06, 9, 1));
  assert.equal(
    refusalOf(() => wire.decodeSnapshotRequest(body)),
    "Cannot read the snapshot request: unknown field 100 reaches beyond the end",
  );
});

Deno.test("groups nested too deep are refused, not followed", () => {
  const body = join(Uint8Array.of(0x0a, 16), vid, new Uint8Array(100_000).fill(0x1b));
  assert.equal(
    refusalOf(() => wire.decodeSnapshotRequest(body)),
    "Cannot read the snapshot request: unknown field 3 is malformed",
  );
});

Deno.test("a varint of eleven bytes is refused", () => {
  const endless = [...new Uint8Array(10).fill(0xff), 1];
  const body = join(Uint8Array.of(0x0a, 16), vid, Uint8Array.of(0x10, ...endless));
  assert.equal(
    refusalOf(() => wire.decodeSnapshotRequest(body)),
    'Cannot read the snapshot request: field "lsn" is malformed',
  );
});

Deno.test("the error of core is kept as the cause", () => {
  const body = oracleEncode("SnapshotRequest", { vid: sid });
  try {
    wire.decodeSnapshotRequest(body);
    assert.fail("The volume id was accepted");
  } catch (error) {
    assert.match((error as { cause: Error }).cause.message, /^Cannot read the volume id: /);
  }
});

Deno.test("a signed number keeps its sign", () => {
  const minusTwo = [0xfe, ...new Uint8Array(8).fill(0xff), 1];
  const message = new MessageReader(Uint8Array.of(0x08, ...minusTwo), "the test");
  assert.ok(message.next());
  assert.equal(message.int("seconds"), -2);
  assert.equal(message.next(), false);
});

Deno.test("an error of the server may have no message, and a code of a later version", () => {
  assert.deepEqual(wire.decodeGraftErr(Uint8Array.of(0x08, 77)), { code: 77, message: "" });
  assert.deepEqual(wire.decodeGraftErr(new Uint8Array(0)), { code: 0, message: "" });
});

Deno.test("a pull may start beyond every head", () => {
  const range = { start: Number.MAX_SAFE_INTEGER as Lsn, end: 1 as Lsn };
  const body = wire.encodePullRequest({ vid: parseGid("volume", VID), range });
  assert.deepEqual(wire.decodePullRequest(body).range, range);
});
