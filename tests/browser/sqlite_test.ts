// SQLite in a browser: the behaviours that hold everywhere, in a page and in a worker, each with the storage that
// belongs there.

import assert from "node:assert/strict";
import type { EngineBuild } from "../../client/sqlite/engine/load_engine.ts";
import { bundleSqlite } from "../../tools/bundle_sqlite.ts";
import { startServer } from "../harness/server.ts";
import { KEPT_CASES, SQLITE_CASES } from "../sqlite/_suite.ts";
import { startChromium } from "./harness/chromium.ts";
import { inBrowserTest, startOnce } from "./harness/run_in_browser.ts";
import { startSite } from "./harness/site.ts";
import { type Room, Tab } from "./harness/tab.ts";

const stage = startOnce(async () => {
  const stack = new AsyncDisposableStack();
  const folder = await Deno.makeTempDir({ prefix: "graft-bundle-" });
  stack.defer(() => Deno.remove(folder, { recursive: true }));
  await bundleSqlite(folder);
  const site = stack.use(startSite(folder));
  const server = stack.use(await startServer({ args: ["--cors", site.origin] }));
  const { context } = stack.use(await startChromium("disk"));
  const open = (room: Room) => Tab.open(context, site, "sqlite", room);
  return {
    url: server.url,
    open,
    page: await open("page"),
    worker: await open("worker"),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
});
Deno.test.afterAll(() => stage.end());

interface Place {
  readonly room: Room;
  readonly scheme: string;
  readonly build: EngineBuild;
}

const PLACES: readonly Place[] = [
  { room: "page", scheme: "idb", build: "jspi" },
  { room: "worker", scheme: "opfs", build: "jspi" },
  // as in Safari
  { room: "worker", scheme: "idb", build: "asyncify" },
];

for (const { room, scheme, build } of PLACES) {
  for (const name of Object.keys({ ...SQLITE_CASES, ...KEPT_CASES })) {
    inBrowserTest(`in a ${room}, ${scheme}:, ${build}: ${name}`, async () => {
      const { url, [room]: tab } = await stage.get();
      await tab.call(name, url, `${scheme}:${crypto.randomUUID()}`, build);
    });
  }
}

for (const room of ["page", "worker"] as const) {
  inBrowserTest(`in a ${room}: one build of the engine is loaded`, async () => {
    const { url, open } = await stage.get();
    await using tab = await open(room);
    await tab.call("tables are made, filled and read", url, "memory:");
    assert.deepEqual(await tab.call("loaded"), [
      "/files/graft_sqlite.js",
      "/files/wa-sqlite-jspi.js",
      "/files/wa-sqlite-jspi.wasm",
    ]);
  });
}
