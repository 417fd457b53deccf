// The bundle itself, as a page loads it: nothing of the sources is there, and no harness.

import assert from "node:assert/strict";
import { GraftClient } from "../../client/graft_client.ts";
import { bundle } from "../../tools/bundle_file.ts";
import { startServer } from "../harness/server.ts";
import { startChromium } from "./harness/chromium.ts";
import { inBrowserTest } from "./harness/run_in_browser.ts";

const CLIENT = new URL("../../client/mod.ts", import.meta.url).pathname;

/** A server must be told to let this page in; WebAssembly, too, is only there because the page says so. */
const POLICY = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src http:";

/** The bundle, made fresh. */
async function freshBundle(): Promise<string> {
  const folder = await Deno.makeTempDir({ prefix: "graft-bundle-" });
  try {
    await bundle(CLIENT, `${folder}/graft.js`);
    return await Deno.readTextFile(`${folder}/graft.js`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** An empty page, and beside it the bundle. */
function serve(code: string): Deno.HttpServer<Deno.NetAddr> {
  return Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, ({ url }) => {
    if (new URL(url).pathname === "/graft.js") {
      return new Response(code, { headers: { "content-type": "text/javascript" } });
    }
    const headers = { "content-type": "text/html", "content-security-policy": POLICY };
    return new Response("<!doctype html><title>Test</title>", { headers });
  });
}

/** Runs in the page, and sees nothing of this file. */
async function useBundle({ url, vid }: { url: string; vid: string }): Promise<unknown> {
  const path = "/graft.js";
  const { openReplica }: typeof import("../../client/mod.ts") = await import(path);
  const replica = await openReplica(url, vid, { storage: "idb:bundle" });
  const snapshot = replica.snapshot();
  const pages = await snapshot.readMany(Array.from({ length: 40 }, (_, i) => i + 1));
  snapshot.close();
  await replica.transaction(async (tx) => {
    const page = (await tx.read(1)).slice();
    page[0]++;
    tx.write(41, page);
  });
  await replica.sync();
  const { state, lsn } = replica.status();
  await replica.close();
  return { state, lsn, first: [...pages].map(([, page]) => page[0]) };
}

inBrowserTest("the bundle opens a replica, reads, commits and syncs", async () => {
  const site = serve(await freshBundle());
  await using _site = { [Symbol.asyncDispose]: () => site.shutdown() };
  const origin = `http://127.0.0.1:${site.addr.port}`;
  await using server = await startServer({ args: ["--cors", origin] });
  const client = new GraftClient(server.url);
  const vid = client.newVolumeId();
  const indexes = Array.from({ length: 40 }, (_, i) => i + 1);
  await client.push(vid, undefined, indexes.map((i) => [i, new Uint8Array(4096).fill(i)]), 40);
  await using browser = await startChromium("private");
  const page = await browser.context.newPage();
  await page.goto(origin, { timeout: 60_000 });
  const accepted: (string | undefined)[] = [];
  page.on("request", (request) => accepted.push(request.headers()["accept"]));
  const found = await page.evaluate(useBundle, { url: server.url, vid });
  assert.deepEqual(found, { state: "synced", lsn: 2, first: indexes });
  assert.ok(accepted.includes("application/vnd.graft.pages;codec=zstd"), accepted.join("\n"));
  const seen = await client.read(vid, 2, [41]);
  assert.equal(seen.page(41)?.[0], 2);
});
