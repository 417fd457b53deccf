// Replicas where the browser gives less room than their volumes take, and then more.

import assert from "node:assert/strict";
import { GraftClient } from "../../client/graft_client.ts";
import { until } from "../harness/poll.ts";
import { startServer } from "../harness/server.ts";
import { startChromium } from "./harness/chromium.ts";
import {
  assertOnServer,
  commitsOnServer,
  newVolume,
  statusOf,
  untilSynced,
} from "./harness/replica_scene.ts";
import { inBrowserTest, limitQuota } from "./harness/run_in_browser.ts";
import { startSite } from "./harness/site.ts";
import { type Room, Tab } from "./harness/tab.ts";

const MEBIBYTE = 1024 * 1024;
const PAGES_A_MEBIBYTE = 256;

/** 8 MiB, of which the quota lets in about half. */
const PAGES = 2048;
const QUOTA_BYTES = 4 * MEBIBYTE;

const FULL = /"(?:idb|opfs):.*": the storage that the browser allows is full \(unavailable; Remove/;

type Place = readonly [scheme: string, room: Room];

const PLACES: readonly Place[] = [
  ["idb", "page"],
  ["opfs", "worker"],
];

/** How little room there is. */
interface Bounds {
  /** Pages of the volume. */
  readonly pages: number;
  readonly quotaBytes: number;
  readonly storageBytesMax?: number;
}

/** A replica in a tab whose origin has a small quota. */
async function withLittleRoom(
  [scheme, room]: Place,
  { pages, quotaBytes, storageBytesMax }: Bounds,
  check: (scene: Scene) => Promise<void>,
): Promise<void> {
  await using stack = new AsyncDisposableStack();
  const site = stack.use(startSite());
  const server = stack.use(await startServer({ args: ["--cors", site.origin] }));
  const { context } = stack.use(await startChromium("disk"));
  const vid = await newVolume(server.url, pages, 7);
  const tab = await Tab.open(context, site, "replica", room);
  const storage = `${scheme}:${crypto.randomUUID()}`;
  let quota: number | undefined;
  const setQuota = (bytes: number | undefined) => limitQuota(tab, site, quota = bytes);
  await setQuota(quotaBytes);
  await tab.call("open", server.url, vid, storage, false, storageBytesMax);
  await check({
    server,
    vid,
    tab,
    setOffline: (isOffline) => context.setOffline(isOffline),
    reopen: async () => {
      await tab.load();
      // it may have ended with the page
      await setQuota(quota);
      await tab.call("open", server.url, vid, storage, true);
    },
    takeRoom: async () => {
      // Chromium remembers for a while how much was left, so that is to be little
      await tab.call("fillOrigin");
      await setQuota(1);
    },
    liftQuota: () => setQuota(undefined),
  });
}

/** What a test is given: an open replica of a volume whose pages begin with a seven. */
interface Scene {
  readonly server: { readonly url: string };
  readonly vid: string;
  readonly tab: Tab;
  readonly setOffline: (isOffline: boolean) => Promise<void>;
  /** Loads the page anew, and opens the same storage. */
  readonly reopen: () => Promise<void>;
  /** Leaves no room at all. */
  readonly takeRoom: () => Promise<void>;
  readonly liftQuota: () => Promise<void>;
}

function inEachPlace(
  name: string,
  check: (scene: Scene) => Promise<void>,
  bounds: Bounds = { pages: PAGES, quotaBytes: QUOTA_BYTES },
): void {
  for (const place of PLACES) {
    const [scheme, room] = place;
    inBrowserTest(
      `${scheme}: in a ${room}: ${name}`,
      () => withLittleRoom(place, bounds, check),
    );
  }
}

/** Pages 1 to n all begin with a byte, but for some. */
function pagesOf(value: number, others: Readonly<Record<number, number>> = {}): number[] {
  return Array.from({ length: PAGES }, (_, i) => others[i + 1] ?? value);
}

inEachPlace("pages that find no room are served all the same", async (scene) => {
  const { tab } = scene;
  for (let round = 0; round < 2; round++) {
    assert.deepEqual(await tab.call("readMany", PAGES), pagesOf(7));
    const { localPages } = await statusOf(tab);
    assert.ok(localPages < PAGES, `${localPages} pages are kept`);
  }
  // waits for what is being kept; that there was no room is nobody's failure
  await tab.call("close");
  const { isOnline, error } = await statusOf(tab);
  assert.deepEqual([isOnline, error], [true, "undefined"]);
  await scene.reopen();
  assert.deepEqual(await tab.call("readMany", PAGES), pagesOf(7));
});

inEachPlace("a commit that finds no room is refused, and those before it stay", async (scene) => {
  const { tab } = scene;
  assert.equal(await tab.call("read", 1), 7);
  await scene.setOffline(true);
  try {
    await tab.call("write", 2, 8);
    await assert.rejects(tab.call("writeMany", PAGES, 9), FULL);
    assert.deepEqual(await tab.call("readMany", 2), [7, 8]);
    assert.equal((await statusOf(tab)).localCommits, 1);
  } finally {
    await scene.setOffline(false);
  }
  await untilSynced(tab);
  await assert.rejects(tab.call("writeMany", PAGES, 9), FULL);
  await tab.call("sync");
  await assertOnServer(scene, pagesOf(7, { 2: 8 }));
  assert.equal(await commitsOnServer(scene), 2);
  await scene.reopen();
  assert.deepEqual(await tab.call("readMany", PAGES), pagesOf(7, { 2: 8 }));
});

inEachPlace("with more room it keeps, commits and pushes again", async (scene) => {
  const { tab } = scene;
  await tab.call("readMany", PAGES);
  await assert.rejects(tab.call("writeMany", PAGES, 9), FULL);
  await scene.liftQuota();
  await until("all is kept", async () => {
    assert.deepEqual(await tab.call("readMany", PAGES), pagesOf(7));
    return (await statusOf(tab)).localPages === PAGES;
  });
  await tab.call("writeMany", PAGES, 9);
  await tab.call("sync");
  await assertOnServer(scene, pagesOf(9));
  assert.equal(await commitsOnServer(scene), 2);
  await scene.reopen();
  await scene.setOffline(true);
  // without the server, so all of it was kept
  assert.deepEqual(await tab.call("readMany", PAGES), pagesOf(9));
});

inEachPlace(
  "within a bound below the quota, commits find room however much was read",
  async ({ tab, ...scene }) => {
    await tab.call("readMany", 40 * PAGES_A_MEBIBYTE);
    for (let value = 8; value < 16; value++) {
      await tab.call("writeMany", PAGES_A_MEBIBYTE, value);
      await tab.call("sync");
    }
    await assertOnServer(scene, new Array(PAGES_A_MEBIBYTE).fill(15));
  },
  // files of OPFS may be 16 MiB, and as much as there is, larger than what is in them
  { pages: 40 * PAGES_A_MEBIBYTE, quotaBytes: 32 * MEBIBYTE, storageBytesMax: 2 * MEBIBYTE },
);

/** Where an origin has no room left; with OPFS, what is reserved for an open file takes small writes all the same. */
function withoutRoom(name: string, check: (scene: Scene) => Promise<void>): void {
  const bounds = { pages: PAGES, quotaBytes: QUOTA_BYTES };
  inBrowserTest(
    `idb: in a page: without any room ${name}`,
    () => withLittleRoom(PLACES[0], bounds, check),
  );
}

withoutRoom("what was committed waits to be pushed", async (scene) => {
  const { tab } = scene;
  await scene.setOffline(true);
  try {
    // from now on it begins no push before the server answers again
    await assert.rejects(tab.call("sync"), /the connection to .* failed/);
    await tab.call("write", 2, 8);
    await scene.takeRoom();
    await assert.rejects(tab.call("write", 3, 9), FULL);
  } finally {
    await scene.setOffline(false);
  }
  await assert.rejects(tab.call("sync"), FULL);
  for (let round = 0; round < 2; round++) {
    assert.deepEqual(await tab.call("readMany", PAGES), pagesOf(7, { 2: 8 }));
    assert.equal((await statusOf(tab)).localCommits, 1);
    await scene.reopen();
  }
  // a push that could not be noted here might be repeated as another
  assert.equal(await commitsOnServer(scene), 1);
  await scene.liftQuota();
  await untilSynced(tab);
  await assertOnServer(scene, pagesOf(7, { 2: 8 }));
  assert.equal(await commitsOnServer(scene), 2);
});

withoutRoom("a replica stays where it is while others commit", async (scene) => {
  const { tab, server, vid } = scene;
  await scene.takeRoom();
  const client = new GraftClient(server.url);
  await client.push(vid, 1, [[1, new Uint8Array(4096).fill(6)]], PAGES);
  await assert.rejects(tab.call("sync"), FULL);
  assert.deepEqual(await tab.call("readMany", PAGES), pagesOf(7));
  assert.equal((await statusOf(tab)).lsn, 1);
  await scene.liftQuota();
  await until("the replica has followed", async () => (await statusOf(tab)).lsn === 2);
  assert.deepEqual(await tab.call("readMany", PAGES), pagesOf(7, { 1: 6 }));
});
