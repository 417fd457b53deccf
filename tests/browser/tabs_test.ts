// Tabs that share a storage, and tabs that end in the middle of a write.

import assert from "node:assert/strict";
import { until } from "../harness/poll.ts";
import { startChromium } from "./harness/chromium.ts";
import { inBrowserTest, startOnce } from "./harness/run_in_browser.ts";
import { startSite } from "./harness/site.ts";
import { type Room, Tab } from "./harness/tab.ts";

const stage = startOnce(async () => {
  const site = startSite();
  const browser = await startChromium("disk");
  return {
    open: (room: Room) => Tab.open(browser.context, site, "writer", room),
    origin: site.origin,
    async [Symbol.asyncDispose]() {
      await browser[Symbol.asyncDispose]();
      await site[Symbol.asyncDispose]();
    },
  };
});
Deno.test.afterAll(() => stage.end());

async function openTab(room: Room): Promise<Tab> {
  return await (await stage.get()).open(room);
}

const STORAGES: readonly (readonly [scheme: string, room: Room])[] = [
  ["opfs", "worker"],
  ["idb", "worker"],
  ["idb", "page"],
];

function inEachStorage(name: string, check: (url: string, room: Room) => Promise<void>): void {
  for (const [scheme, room] of STORAGES) {
    inBrowserTest(
      `${scheme}: in a ${room}: ${name}`,
      () => check(`${scheme}:${crypto.randomUUID()}`, room),
    );
  }
}

/** Writes until some batches were told done; returns how many at least. */
async function writeSome(tab: Tab): Promise<number> {
  await tab.call("startWriting");
  await until("batches are told done", async () => Number(await tab.call("told")) > 20);
  return Number(await tab.call("told"));
}

async function assertCount(tab: Tab, told: number): Promise<void> {
  const found = Number(await tab.call("count"));
  assert.ok(found >= told, `${told} batches were told done, ${found} are there`);
}

inEachStorage(
  "a second tab is refused, and takes over once the first has closed",
  async (url, room) => {
    await using first = await openTab(room);
    await using second = await openTab(room);
    await first.call("open", url, false);
    await assert.rejects(second.call("open", url, false), /another tab or worker has it open/);
    const opening = second.call("open", url, true);
    const told = await writeSome(first);
    await first.call("close");
    await opening;
    await assertCount(second, told);
  },
);

inEachStorage(
  "a tab that is closed leaves whole batches to the one that waits",
  async (url, room) => {
    const first = await openTab(room);
    await using second = await openTab(room);
    await first.call("open", url, false);
    const opening = second.call("open", url, true);
    const told = await writeSome(first);
    await first.page.close();
    await opening;
    await assertCount(second, told);
  },
);

inEachStorage("a reload in the middle of a write leaves whole batches", async (url, room) => {
  await using tab = await openTab(room);
  let told = 0;
  for (let round = 0; round < 3; round++) {
    await tab.call("open", url, true);
    await assertCount(tab, told);
    told += await writeSome(tab);
    await tab.load();
  }
  await tab.call("open", url, true);
  await assertCount(tab, told);
});

inEachStorage(
  "a tab that crashes in the middle of a write leaves whole batches",
  async (url, room) => {
    await using second = await openTab(room);
    await using first = await openTab(room);
    await first.call("open", url, false);
    const told = await writeSome(first);
    await first.crash();
    await second.call("open", url, true);
    await assertCount(second, told);
  },
);

inEachStorage(
  "a storage whose site was cleared says so, and can be opened anew",
  async (url, room) => {
    await using tab = await openTab(room);
    await tab.call("open", url, false);
    assert.equal(await tab.call("write"), "");
    const session = await tab.page.context().newCDPSession(tab.page);
    const { origin } = await stage.get();
    await session.send("Storage.clearDataForOrigin", { origin, storageTypes: "all" });
    await tab.load();
    await tab.call("open", url, true);
    assert.equal(await tab.call("count"), 0);
    assert.equal(await tab.call("write"), "");
  },
);
