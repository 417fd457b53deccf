import assert from "node:assert/strict";
import { PageLog } from "./page_log.ts";

Deno.test("pages fetched along are of one state: in the next they are others", () => {
  const log = new PageLog({ hit: () => {}, missed: (pageIdx) => [pageIdx + 1], reset: () => {} });
  const bytes = new Uint8Array();
  const read = (pageIdx: number) => {
    const wanted = [...log.missed(pageIdx)];
    log.hit(pageIdx, bytes);
    return wanted;
  };
  assert.deepEqual(read(1), [2]);
  log.hit(2, bytes);
  assert.equal(log.statistics.prefetchedUnused, 0);
  read(2);
  assert.equal(log.statistics.prefetchedUnused, 1);
  log.reset();
  read(2);
  assert.deepEqual(log.statistics, { read: 4, fetched: 3, prefetched: 3, prefetchedUnused: 2 });
  log.hit(3, bytes);
  assert.equal(log.statistics.prefetchedUnused, 1);
});
