import assert from "node:assert/strict";
import { GraftError } from "../../src/core/errors.ts";
import { newGid, parseGid } from "../../src/core/gid.ts";
import { toLsn } from "../../src/core/lsn.ts";
import { toPageCount } from "../../src/core/page.ts";
import { PageFetcher } from "./page_fetcher.ts";
import { TestRemote, TestServer } from "./remote/_testing_remote.ts";
import { PageSet } from "../../src/core/page_set.ts";

const VID = parseGid("volume", "GonwTRj2SohJzYLLjD9nSq");
const CLOCK = { now: () => 0, monotonic: () => 0 };
const CID = newGid("client", CLOCK, { fraction: () => 0.5, fill: (target) => target.fill(5) });

/** How a request ends whose page cannot be kept. */
async function endOf(failure: Error): Promise<unknown> {
  const server = new TestServer();
  const snapshot = await server.commit({
    vid: VID,
    cid: CID,
    base: undefined,
    pageCount: toPageCount(1),
    requestId: new Uint8Array(16),
    pageSet: PageSet.from([1]),
    pages: async function* () {
      yield [1, new Uint8Array(4096).fill(7)] as const;
    },
  });
  const ended = Promise.withResolvers<unknown>();
  const fetcher = new PageFetcher({
    vid: VID,
    remote: new TestRemote(server),
    hold: () => ({ state: 0, base: snapshot, pushed: 0, pageCount: 1, lowest: 1 }),
    release: () => {},
    keep: () => Promise.reject(failure),
    prefetch: () => [],
    onEnd: ended.resolve,
  });
  assert.equal((await fetcher.fetch(toLsn(1), 1))[0], 7, "whoever waits has the page");
  return await ended.promise;
}

Deno.test("that there is no room for a page is no failure", async () => {
  const full = new GraftError("unavailable", "Cannot write to the storage: it is full");
  assert.equal(await endOf(full), undefined);
});

Deno.test("what else hinders keeping a page is told", async () => {
  const failure = new Error("An invariant does not hold");
  assert.equal(await endOf(failure), failure);
});

Deno.test("when it is closed nothing is under way, though much had waited for its turn", async () => {
  const server = new TestServer();
  const remote = new TestRemote(server);
  remote.trip = () => new Promise(() => {});
  let underWay = 0;
  const fetcher = new PageFetcher({
    vid: VID,
    remote,
    hold: () => {
      underWay++;
      return { state: 0, base: undefined, pushed: 0, pageCount: 1, lowest: 1 };
    },
    release: () => void underWay--,
    keep: () => Promise.resolve(),
    prefetch: () => [],
    onEnd: () => {},
  });
  // of each LSN one request
  const reads = Array.from({ length: 12 }, (_, i) => fetcher.fetch(toLsn(i + 1), 1));
  const ended = Promise.allSettled(reads);
  await Promise.resolve();
  assert.equal(underWay, 4);
  await fetcher.close();
  assert.equal(underWay, 0);
  assert.ok((await ended).every(({ status }) => status === "rejected"));
  assert.equal(underWay, 0);
});
