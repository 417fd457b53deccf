import { deepEqual, equal, throws } from "node:assert/strict";
import { AssertionError } from "../core/assert.ts";
import { digestOf, EMPTY_DIGEST } from "../core/content_digest.ts";
import { clientIdFromName, gidToBytes, parseGid } from "../core/gid.ts";
import { toLsn } from "../core/lsn.ts";
import { toPageCount } from "../core/page.ts";
import { commitDigest, type CommitDigestParts } from "./digest.ts";
import { newVolume } from "./_testing.ts";

const VID = parseGid("volume", "GonwTRj2SohJzYLLjD9nSq");
const CID = clientIdFromName("example");
const CONTENT = new Uint8Array(16).fill(0xc0);
const PARENT = new Uint8Array(16).fill(0x0a);
const PARTS: CommitDigestParts = {
  vid: VID,
  cid: CID,
  baseLsn: toLsn(0x0102030405),
  pageCount: toPageCount(0x0a0b0c),
  contentDigest: CONTENT,
  parentDigest: PARENT,
};

Deno.test("a commit's digest covers exactly these bytes", () => {
  const bytes = Uint8Array.of(
    1,
    ...gidToBytes(VID),
    ...gidToBytes(CID),
    ...[5, 4, 3, 2, 1, 0, 0, 0],
    ...[0x0c, 0x0b, 0x0a, 0],
    ...CONTENT,
    ...PARENT,
  );
  deepEqual(commitDigest(PARTS), digestOf(bytes));
});

Deno.test("a first commit has the base 0", () => {
  const bytes = Uint8Array.of(1, ...gidToBytes(VID), ...gidToBytes(CID), ...new Uint8Array(44));
  const first = { ...PARTS, baseLsn: undefined, pageCount: toPageCount(0) };
  const digest = commitDigest({
    ...first,
    contentDigest: EMPTY_DIGEST,
    parentDigest: EMPTY_DIGEST,
  });
  deepEqual(digest, digestOf(bytes));
});

Deno.test("every part makes a difference, and equal parts none", () => {
  const others: Partial<CommitDigestParts>[] = [
    { vid: newVolume() },
    { cid: clientIdFromName("other") },
    { baseLsn: toLsn(2) },
    { baseLsn: undefined },
    { baseLsn: toLsn(2 ** 52) },
    { pageCount: toPageCount(0) },
    { contentDigest: EMPTY_DIGEST },
    { parentDigest: EMPTY_DIGEST },
    { contentDigest: PARENT, parentDigest: CONTENT },
  ];
  const digests = [PARTS, ...others.map((other) => ({ ...PARTS, ...other }))].map(commitDigest);
  equal(new Set(digests.map(String)).size, digests.length);
  deepEqual(commitDigest({ ...PARTS }), digests[0]);
});

Deno.test("a digest of another length is a bug of the caller", () => {
  const short = new Uint8Array(15);
  throws(() => commitDigest({ ...PARTS, contentDigest: short }), AssertionError);
  throws(() => commitDigest({ ...PARTS, parentDigest: short }), AssertionError);
});
