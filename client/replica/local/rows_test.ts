import assert from "node:assert/strict";
import { digestOf } from "../../../src/core/content_digest.ts";
import { clientIdFromName, parseGid } from "../../../src/core/gid.ts";
import { toLsn } from "../../../src/core/lsn.ts";
import { toPageCount } from "../../../src/core/page.ts";
import { PageSet } from "../../../src/core/page_set.ts";
import {
  commitKey,
  decodeCommit,
  decodeFooting,
  encodeCommit,
  encodeFooting,
  pageKey,
  parsePageKey,
} from "./rows.ts";

const VID = parseGid("volume", "GonwTRj2SohJzYLLjD9nSq");
const BASE = {
  vid: VID,
  cid: clientIdFromName("base"),
  lsn: toLsn(7),
  pageCount: toPageCount(3),
  timestampMs: 1_795_375_314_234,
  digest: digestOf(Uint8Array.of(1)),
};
const EMPTY = {
  cid: clientIdFromName("me"),
  base: undefined,
  pushed: 0,
  newest: 0,
  push: undefined,
};
const FULL = {
  ...EMPTY,
  base: BASE,
  pushed: 5,
  newest: 2 ** 40,
  push: { requestId: new Uint8Array(16).fill(3), last: 8 },
};

Deno.test("the footing comes back as it was", () => {
  for (const footing of [EMPTY, FULL, { ...FULL, base: { ...BASE, digest: undefined } }]) {
    assert.deepEqual(decodeFooting(VID, encodeFooting(VID, footing)), footing);
  }
});

Deno.test("a footing that was changed, or is another volume's, is damage", () => {
  const value = encodeFooting(VID, FULL);
  for (let at = 0; at < value.length; at += 7) {
    const changed = value.slice();
    changed[at] ^= 1;
    assert.throws(() => decodeFooting(VID, changed), { code: "damaged" });
  }
  const other = parseGid("volume", "GonzADtPDgZVjaNCXH7YoQ");
  assert.throws(() => decodeFooting(other, value), { code: "damaged" });
  assert.throws(() => decodeFooting(VID, value.subarray(0, 5)), { code: "damaged" });
});

Deno.test("a local commit comes back as it was", () => {
  for (const pages of [PageSet.empty, PageSet.from([1, 5, 70_000]), PageSet.range(2, 70_001)]) {
    const commit = { state: 9, pageCount: 70_001, pages };
    const read = decodeCommit(commitKey(VID, 9), encodeCommit(VID, commit));
    assert.deepEqual([read.state, read.pageCount], [9, 70_001]);
    assert.ok(read.pages.equals(pages));
    assert.throws(() => decodeCommit(commitKey(VID, 10), encodeCommit(VID, commit)), {
      code: "damaged",
    });
  }
});

Deno.test("the keys of a page's rows sort by page, then by state", () => {
  const places = [[1, 2 ** 40], [2, 1], [2, 255], [2, 256], [255, 1], [2 ** 28, 0]] as const;
  const keys = places.map(([page, state]) => pageKey(VID, page, state));
  assert.deepEqual(keys.toSorted(), keys);
  assert.deepEqual(keys.map(parsePageKey).map(({ pageIdx, state }) => [pageIdx, state]), places);
});
