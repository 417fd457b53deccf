import assert from "node:assert/strict";
import { PageSet } from "../../../src/core/page_set.ts";
import { GraftError } from "../../../src/core/errors.ts";
import { Bench, page, show, VID } from "../_testing.ts";
import { unreachable } from "../remote/_testing_remote.ts";
import { lastToPush, LineCuts } from "./push_bounds.ts";
import { type RemoteCommit, TooLargeError } from "../remote/remote.ts";
import type { Replica } from "../replica.ts";
import { pagesFrom } from "../pages_from.ts";

/** Commits from state 1 on, each of these pages. */
function lineOf(...commits: PageSet[]) {
  return commits.map((pages, i) => ({ state: i + 1, pageCount: 9999, pages }));
}

/** The versions of a line of which only the newest are kept. */
function newestOf(line: ReturnType<typeof lineOf>) {
  const newest = (pageIdx: number) => line.findLast(({ pages }) => pages.has(pageIdx))?.state;
  return { newest, isKept: () => false };
}

Deno.test("a push takes as much of a line as it may, but a whole commit at least", () => {
  const line = lineOf(pagesFrom(1, 10), pagesFrom(11, 20), pagesFrom(21, 30), pagesFrom(31, 99));
  const last = (pagesMax: number) => lastToPush(line, pagesMax, new LineCuts([]), newestOf(line));
  assert.deepEqual([1, 10, 19, 20, 29, 98, 99].map(last), [1, 1, 1, 2, 2, 3, 4]);
});

Deno.test("pages that were written again are one page of a push", () => {
  const line = lineOf(...Array.from({ length: 1000 }, () => PageSet.from([1, 2])));
  assert.equal(lastToPush(line, 2, new LineCuts([]), newestOf(line)), 1000);
});

Deno.test("a push ends where all versions that it needs are there", () => {
  const line = lineOf(
    PageSet.from([1, 2]),
    PageSet.from([3]),
    PageSet.from([1, 4]),
    PageSet.from([5]),
  );
  const facts = newestOf(line);
  // what page 1 was before the third commit is gone
  assert.equal(lastToPush(line, 2, new LineCuts([]), facts), 3);
  const cut = new LineCuts([{ state: 2, pageCount: 3, pages: pagesFrom(1, 1024) }]);
  assert.equal(lastToPush(line, 3, cut, facts), 3);
  assert.equal(lastToPush(line, 3, cut, { ...facts, isKept: (_, state) => state === 2 }), 2);
});

/** Lets a server refuse what has more pages. */
function limit(bench: Bench, pagesMax: number): PageSet[] {
  const landed: PageSet[] = [];
  const { commit } = bench.remote;
  bench.remote.commit = async function (asked: RemoteCommit, signal) {
    if (asked.pageSet.size > pagesMax) throw new TooLargeError("invalid", "Cannot take so much");
    const snapshot = await commit.call(bench.remote, asked, signal);
    landed.push(asked.pageSet);
    return snapshot;
  };
  return landed;
}

/** Commits of one page each, and page 1 in every one. */
async function commitOffline(bench: Bench, replica: Replica, pages: PageSet): Promise<void> {
  bench.remote.trip = () => Promise.reject(unreachable());
  for (const pageIdx of pages) {
    await replica.transaction((tx) => {
      tx.write(pageIdx, page(pageIdx % 251));
      tx.write(1, page(pageIdx % 250 + 1));
    });
  }
}

Deno.test("a line that a server does not take whole leaves in parts", async () => {
  const bench = new Bench();
  const replica = await bench.open();
  bench.remote.trip = () => Promise.reject(unreachable());
  for (let first = 1; first <= 30; first += 10) {
    await replica.transaction((tx) => {
      for (let i = first; i < first + 10; i++) tx.write(i, page(i));
    });
  }
  const landed = limit(bench, 12);
  bench.remote.trip = () => Promise.resolve();
  await replica.sync();
  assert.deepEqual(landed.map(({ size }) => size), [10, 10, 10]);
  assert.deepEqual(await show(replica), Array.from({ length: 30 }, (_, i) => i + 1));
  const vid = await replica.keepBoth();
  assert.equal(bench.server.head(vid).snapshot.pageCount, 30);
  assert.equal(bench.server.page(vid, bench.server.line(vid).length, 30)?.[0], 30);
  await replica.close();
});

Deno.test("a long line leaves in parts although each commit writes a page again, also after a crash", async () => {
  for (const isReopened of [false, true]) {
    let bench = new Bench();
    let replica = await bench.open();
    await commitOffline(bench, replica, PageSet.range(2, 2600));
    if (isReopened) {
      bench = new Bench(bench.server, bench.storage.crash((pending) => pending));
      replica = await bench.open();
    }
    const landed = limit(bench, 1100);
    bench.remote.trip = () => Promise.resolve();
    await replica.sync();
    assert.ok(landed.length >= 3 && landed.every(({ size }) => size <= 1100), `${landed.length}`);
    // each part is a state that was there
    bench.server.line(VID).forEach(({ snapshot: { lsn, pageCount } }) => {
      assert.equal(bench.server.page(VID, lsn, pageCount)?.[0], pageCount % 251);
      assert.equal(bench.server.page(VID, lsn, 1)?.[0], pageCount % 250 + 1);
    });
    assert.equal(replica.status().localCommits, 0);
    await replica.close();
  }
});

Deno.test("a commit that is too large by itself is rejected", async () => {
  const bench = new Bench();
  const replica = await bench.open();
  limit(bench, 1);
  await replica.transaction((tx) => {
    for (const i of [1, 2]) tx.write(i, page(i));
  });
  await assert.rejects(replica.sync(), GraftError);
  assert.equal(replica.status().state, "rejected");
  await replica.close();
});
