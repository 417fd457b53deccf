import assert from "node:assert/strict";
import { newGid } from "../../src/core/gid.ts";
import { systemClock } from "../../src/core/clock.ts";
import { toLsn } from "../../src/core/lsn.ts";
import type { PageCount } from "../../src/core/page.ts";
import { PageSet } from "../../src/core/page_set.ts";
import { systemRandom } from "../../src/core/random.ts";
import type { Commit } from "../../src/wire/messages.ts";
import { type Attempt, Ledger, pageDefects } from "./server_ledger.ts";
import { pageContent, pageDefect } from "./server_page_content.ts";

const VID = newGid("volume", systemClock, systemRandom);
const CID = newGid("client", systemClock, systemRandom);
const SID = newGid("segment", systemClock, systemRandom);

function attempt(id: number, base: number, pageIdxs: number[], pageCount = 100): Attempt {
  return { id, vid: VID, cid: CID, base, pageCount, pageIdxs, segments: [] };
}

/** The commit that a faithful server shows for an attempt. */
function commitOf(tried: Attempt, lsn = tried.base + 1): Commit {
  return {
    snapshot: {
      vid: VID,
      cid: tried.cid,
      lsn: toLsn(lsn),
      checkpointLsn: toLsn(1),
      pageCount: tried.pageCount as PageCount,
      timestampMs: 0,
    },
    segments: [{ sid: SID, pageSet: PageSet.from(tried.pageIdxs) }],
  };
}

function ledgerOf(...attempts: Attempt[]): Ledger {
  const ledger = new Ledger();
  for (const tried of attempts) {
    ledger.sending(tried);
    ledger.acknowledge(tried, tried.base + 1);
  }
  return ledger;
}

const FIRST = attempt(1, 0, [1, 2]);
const SECOND = attempt(2, 1, [2, 3]);
const THIRD = attempt(3, 2, [5]);

Deno.test("checkLine() accepts what was acknowledged", () => {
  assert.deepEqual(ledgerOf(FIRST, SECOND).checkLine([FIRST, SECOND].map((a) => commitOf(a))), []);
});

Deno.test("checkLine() reports an acknowledged commit that is gone", () => {
  assert.match(ledgerOf(FIRST, SECOND).checkLine([commitOf(FIRST)]).join(), /attempt 2.*is gone/);
});

Deno.test("checkLine() reports a gap", () => {
  const line = [commitOf(FIRST), commitOf(THIRD)];
  assert.match(ledgerOf(FIRST).checkLine(line).join(), /LSN 3 stands where 2 should/);
});

Deno.test("checkLine() reports a commit that nobody tried", () => {
  const line = [commitOf(FIRST), commitOf(SECOND)];
  assert.match(ledgerOf(FIRST).checkLine(line).join(), /LSN 2 was never tried/);
});

Deno.test("checkLine() reports other pages, another page count and another client", () => {
  const ledger = ledgerOf(FIRST);
  const defects = (changed: Partial<Attempt>) =>
    ledger.checkLine([commitOf({ ...FIRST, ...changed })]).join();
  assert.match(defects({ pageIdxs: [1] }), /has other pages/);
  assert.match(defects({ pageCount: 7 }), /another page count/);
  assert.match(defects({ cid: newGid("client", systemClock, systemRandom) }), /another client/);
});

Deno.test("checkLine() takes in a commit whose answer was lost, and lets one be absent", () => {
  const landed = ledgerOf(FIRST);
  landed.sending(SECOND);
  assert.deepEqual(landed.checkLine([commitOf(FIRST), commitOf(SECOND)]), []);
  assert.equal(landed.head, 2);
  assert.deepEqual(landed.inDoubt, []);

  const lost = ledgerOf(FIRST);
  lost.sending(SECOND);
  assert.deepEqual(lost.checkLine([commitOf(FIRST)]), []);
  assert.deepEqual(lost.inDoubt, [SECOND]);
});

Deno.test("checkLine() reports a refused commit that is there all the same", () => {
  const ledger = ledgerOf(FIRST);
  ledger.sending(SECOND);
  ledger.refuse(SECOND);
  const line = [commitOf(FIRST), commitOf(SECOND)];
  assert.match(ledger.checkLine(line).join(), /LSN 2 was never tried/);
});

Deno.test("acknowledge() refuses an LSN that was given twice or is not the base's next", () => {
  const ledger = ledgerOf(FIRST);
  assert.throws(() => ledger.acknowledge(attempt(9, 0, [1]), 1), /LSN 1 was given to attempt 1/);
  assert.throws(() => ledger.acknowledge(SECOND, 3), /on base 1 landed at LSN 3/);
});

Deno.test("head does not pass a commit whose answer is still on its way", () => {
  const ledger = ledgerOf(FIRST);
  ledger.sending(SECOND);
  ledger.sending(THIRD);
  ledger.acknowledge(THIRD, 3);
  assert.equal(ledger.head, 1);
  ledger.acknowledge(SECOND, 2);
  assert.equal(ledger.head, 3);
});

Deno.test("pagesAt() has the newest writer of each page, without what was cut off", () => {
  const cut = attempt(4, 2, [], 2);
  const grown = attempt(5, 3, [4], 100);
  const ledger = ledgerOf(FIRST, SECOND, cut, grown);
  assert.deepEqual([...ledger.pagesAt(2)], [[1, 1], [2, 2], [3, 2]]);
  assert.deepEqual([...ledger.pagesAt(4)], [[1, 1], [2, 2], [4, 5]]);
});

Deno.test("pageDefects() reports pages that are wrong, missing or too many", () => {
  const expected = new Map([[1, 7], [2, 7]]);
  const answer = (...pages: [number, number][]) => ({
    indexes: Uint32Array.from(pages.map(([pageIdx]) => pageIdx)),
    page: (i: number) => pageContent(pages[i][1], pages[i][0]),
  });
  assert.deepEqual(pageDefects(answer([1, 7], [2, 7]), expected, [1, 2, 3]), []);
  assert.match(pageDefects(answer([1, 7]), expected, [1, 2]).join(), /page 2 is missing/);
  assert.match(pageDefects(answer([3, 7]), expected, [3]).join(), /page 3 should not be/);
  assert.match(pageDefects(answer([1, 7], [1, 7]), expected, [1]).join(), /page 1 should not be/);
  assert.match(pageDefects(answer([1, 6]), expected, [1]).join(), /it says attempt 6, page 1/);
});

Deno.test("pageDefect() sees one changed byte anywhere, and a short page", () => {
  for (const at of [0, 5, 2047, 4095]) {
    const page = pageContent(3, 8);
    assert.equal(pageDefect(page, 3, 8), undefined);
    page[at] ^= 1;
    assert.match(pageDefect(page, 3, 8) ?? "", new RegExp(`differs at byte ${at} `));
  }
  assert.notEqual(pageDefect(pageContent(3, 8).subarray(0, 4000), 3, 8), undefined);
});
