// Replicas in a private window, and where the browser allows no storage at all.

import assert from "node:assert/strict";
import { startServer } from "../harness/server.ts";
import { startChromium } from "./harness/chromium.ts";
import {
  assertOnServer,
  commitsOnServer,
  newVolume,
  statusOf,
  untilOffline,
  untilSynced,
} from "./harness/replica_scene.ts";
import { inBrowserTest, startOnce } from "./harness/run_in_browser.ts";
import { startSite } from "./harness/site.ts";
import { type Room, Tab } from "./harness/tab.ts";

const stage = startOnce(async () => {
  const stack = new AsyncDisposableStack();
  const site = stack.use(startSite());
  const server = stack.use(await startServer({ args: ["--cors", site.origin] }));
  return { site, server, [Symbol.asyncDispose]: () => stack.disposeAsync() };
});
Deno.test.afterAll(() => stage.end());

const PLACES: readonly (readonly [scheme: string, room: Room])[] = [
  ["idb", "page"],
  ["opfs", "worker"],
];

for (const [scheme, room] of PLACES) {
  inBrowserTest(
    `${scheme}: in a ${room}: a private window keeps a replica until it is closed`,
    async () => {
      const { site, server } = await stage.get();
      await using browser = await startChromium("private");
      const volume = { server, vid: await newVolume(server.url, 3, 7) };
      const place = [server.url, volume.vid, `${scheme}:notes`];
      const { context } = browser;
      const tab = await Tab.open(context, site, "replica", room);
      await tab.call("open", ...place, false);
      assert.deepEqual(await tab.call("readMany", 3), [7, 7, 7]);
      await tab.call("write", 1, 8);
      await untilSynced(tab);
      await assertOnServer(volume, [8, 7, 7]);

      await tab.load();
      await context.setOffline(true);
      await tab.call("open", ...place, true);
      assert.deepEqual(await tab.call("readMany", 3), [8, 7, 7]);
      await tab.call("write", 2, 9);
      await untilOffline(tab);
      assert.equal((await statusOf(tab)).localCommits, 1);
      await context.close();

      const later = await browser.newWindow();
      const again = await Tab.open(later, site, "replica", room);
      await again.call("open", ...place, false);
      const { localCommits, localPages } = await statusOf(again);
      assert.deepEqual([localCommits, localPages], [0, 0]);
      assert.deepEqual(await again.call("readMany", 3), [8, 7, 7]);
      assert.equal(await commitsOnServer(volume), 2);
    },
  );

  inBrowserTest(
    `${scheme}: in a ${room}: where nothing may be stored, the error names memory:`,
    async () => {
      const { site, server } = await stage.get();
      await using browser = await startChromium("blocked");
      const volume = { server, vid: await newVolume(server.url, 1, 7) };
      const tab = await Tab.open(browser.context, site, "replica", room);
      await assert.rejects(
        tab.call("open", server.url, volume.vid, `${scheme}:notes`, false),
        /GraftError: Cannot open ".+:notes": the browser does not allow it here \(unavailable; .*memory: always works\)/,
      );
      await tab.call("open", server.url, volume.vid, "memory:", false);
      assert.equal(await tab.call("read", 1), 7);
      await tab.call("write", 2, 8);
      await tab.call("sync");
      await assertOnServer(volume, [7, 8]);
    },
  );
}
