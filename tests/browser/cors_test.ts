// Web pages of other origins, in a browser that holds them to it.

import assert from "node:assert/strict";
import type { Request } from "playwright-core";
import { GraftClient } from "../../client/graft_client.ts";
import { systemRandom } from "../../src/core/random.ts";
import { startServer as startHere } from "../../src/server/mod.ts";
import { ALL_RIGHTS } from "../../src/server/auth/claims.ts";
import { parseAuthKey } from "../../src/server/auth/keys.ts";
import { signToken } from "../../src/server/auth/tokens.ts";
import { until } from "../harness/poll.ts";
import { startServer } from "../harness/server.ts";
import { newId, page as pageOf, PATH, writeRequest } from "../wire/_support/messages.ts";
import { ingestBytes } from "../wire/_support/metrics.ts";
import { Socket } from "../wire/_support/socket.ts";
import { startChromium } from "./harness/chromium.ts";
import { inBrowserTest, startOnce } from "./harness/run_in_browser.ts";
import { startSite } from "./harness/site.ts";
import { Tab } from "./harness/tab.ts";

const CLIENT = new URL("../../client/", import.meta.url);
const KEY = "11".repeat(32);
const TOKEN = signToken(parseAuthKey(KEY), ALL_RIGHTS, systemRandom);
const AUTHORIZATION = { authorization: `Bearer ${TOKEN}` };

const stage = startOnce(async () => {
  const stack = new AsyncDisposableStack();
  const [listed, stranger] = [stack.use(startSite()), stack.use(startSite())];
  const cors = ["--cors", listed.origin];
  const guarded = stack.use(await startServer({ args: ["--auth-key", KEY, ...cors] }));
  const open = stack.use(await startServer({ args: cors }));
  const { context } = stack.use(await startChromium("private"));
  return {
    /** Asks for a token. */
    guarded: guarded.url,
    /** Has no key, so that nothing but the origin stands between it and a page. */
    open: open.url,
    origin: listed.origin,
    listed: await Tab.open(context, listed, "cors", "page"),
    stranger: await Tab.open(context, stranger, "cors", "page"),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
});
Deno.test.afterAll(() => stage.end());

/** What a page may know of an answer. */
interface Seen {
  readonly type: string;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
}

async function ask(tab: Tab, url: string, init: RequestInit = {}): Promise<Seen> {
  return await tab.call("ask", url, init) as Seen;
}

/** The requests of a page while something is done; those that a browser makes by itself are not among them. */
async function requestsOf(tab: Tab, run: () => Promise<void>): Promise<Request[]> {
  const requests: Request[] = [];
  const note = (request: Request) => void requests.push(request);
  tab.page.on("request", note);
  try {
    await run();
  } finally {
    tab.page.off("request", note);
  }
  return requests;
}

/**
 * What the answers to events that were asked for said, undefined for those that were given up; without events a
 * replica polls, and goes on.
 */
async function eventStatuses(requests: readonly Request[], method: string): Promise<Set<unknown>> {
  const asked = requests.filter((request) =>
    request.method() === method && new URL(request.url()).pathname === "/v1/events"
  );
  const answers = await Promise.all(asked.map((request) => request.response()));
  return new Set(answers.map((answer) => answer?.status()));
}

/** Awaited later: until then a failure is not to end the whole file. */
function meanwhile<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {});
  return promise;
}

const newVid = () => new GraftClient("http://127.0.0.1:1").newVolumeId();
const first = new Uint8Array(4096).fill(7);

for (const protocol of ["v1", "v0.1"] as const) {
  inBrowserTest(`${protocol}: the lite client works from another origin`, async () => {
    const { guarded, listed } = await stage.get();
    const options = { token: TOKEN, protocol };
    assert.equal(await listed.call("pushAndRead", guarded, newVid(), options), 7);
  });
}

inBrowserTest("a replica works from another origin, its pushes compressed", async () => {
  const { guarded, listed } = await stage.get();
  const vid = newVid();
  const client = new GraftClient(guarded, { token: TOKEN });
  await client.push(vid, undefined, [[1, new Uint8Array(4096)]], 1);
  const requests = await requestsOf(listed, async () => {
    const replicated = meanwhile(listed.call("replicate", guarded, vid, TOKEN));
    await until("the replica has pushed", async () => (await client.snapshot(vid)).lsn === 2);
    await client.push(vid, 2, [[1, first]], 2);
    assert.equal(await replicated, 7);
  });
  const commits = requests.filter((request) => request.url().endsWith("/commits"));
  assert.deepEqual(commits.map((request) => request.headers()["content-encoding"]), ["gzip"]);
  assert.ok((await eventStatuses(requests, "GET")).has(200));
});

inBrowserTest("more volumes than fit into a URL are followed from another origin", async () => {
  const { guarded, listed } = await stage.get();
  const vids = Array.from({ length: 70 }, newVid);
  const last = vids[vids.length - 1];
  const requests = await requestsOf(listed, async () => {
    const followed = meanwhile(listed.call("followMany", guarded, vids, TOKEN));
    const client = new GraftClient(guarded, { token: TOKEN });
    await client.push(last, undefined, [[1, first]], 1);
    for (let lsn = 1, isTold = false; !isTold; lsn++) {
      await client.push(last, lsn, [[1, first]], lsn + 1);
      isTold = await Promise.race([followed.then(() => true), wait(50)]);
    }
  });
  assert.ok((await eventStatuses(requests, "POST")).has(200));
});

inBrowserTest("events come from another origin, however they are asked for", async () => {
  const { guarded, open, listed } = await stage.get();
  for (const url of [guarded, open]) {
    const client = new GraftClient(url, { token: TOKEN });
    const vid = newVid();
    await client.push(vid, undefined, [[1, first]], 1);
    const get = { headers: { ...AUTHORIZATION, "last-event-id": "x" } };
    // what the server does not know it answers with a resync, which is empty
    assert.deepEqual(await listed.call("firstEvent", `${url}/v1/events?volumes=${vid}`, get), {});
    const body = JSON.stringify({ volumes: [vid] });
    const headers = { ...AUTHORIZATION, "content-type": "application/json" };
    const told = await listed.call("firstEvent", `${url}/v1/events`, {
      method: "POST",
      headers,
      body,
    });
    assert.equal((told as { lsn: number }).lsn, 1);
    if (url === guarded) continue;
    const event = await listed.call("firstOfSource", `${url}/v1/events?volumes=${vid}`);
    assert.equal((event as { lsn: number }).lsn, 1);
  }
});

inBrowserTest("a page of another origin makes, names and deletes a volume", async () => {
  const { guarded, listed } = await stage.get();
  const headers = { ...AUTHORIZATION, "x-request-id": "0123456789abcdef" };
  const made = await ask(listed, `${guarded}/v1/volumes`, { method: "POST", headers });
  assert.deepEqual([made.status, made.type], [201, "cors"]);
  const url = `${guarded}${made.headers.location}`;
  assert.equal((await ask(listed, url, { headers })).status, 200);
  assert.equal((await ask(listed, url, { method: "DELETE", headers })).status, 204);
  const gone = await ask(listed, url, { method: "DELETE", headers });
  assert.deepEqual([gone.status, gone.headers["x-request-id"]], [404, "0123456789abcdef"]);
  assert.equal(JSON.parse(gone.text).code, "missing");
  const refused = await ask(listed, url);
  assert.deepEqual([refused.status, refused.headers["www-authenticate"]], [401, "Bearer"]);
});

/** The names of the headers that our clients look at in answers, from their sources. */
async function headersThatClientsRead(folder: URL): Promise<Set<string>> {
  const names = new Set<string>();
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    const url = new URL(`${name}${isDirectory ? "/" : ""}`, folder);
    if (isDirectory) {
      for (const found of await headersThatClientsRead(url)) names.add(found);
    } else if (name.endsWith(".ts") && !name.endsWith("_test.ts")) {
      const source = await Deno.readTextFile(url);
      for (const [, found] of source.matchAll(/headers\.(?:get|has)\("([^"]+)"\)/g)) {
        names.add(found);
      }
    }
  }
  return names;
}

inBrowserTest("a page of another origin reads every header that our clients look at", async () => {
  const { listed, origin } = await stage.get();
  const memory = { log: "memory:", objects: "memory:" };
  const server = await startHere({ listen: ["127.0.0.1:0"], cors: [origin], ...memory });
  const [url] = server.urls;
  const to = { metastore: url, pagestore: url };
  using socket = await Socket.open(to);
  const body = writeRequest(newId("volume"), [[1, pageOf("a")]]);
  await socket.sendHead(PATH.writePages, { "content-length": body.length });
  await socket.send(body.subarray(0, 1000));
  await until("the body is waited for", async () => await ingestBytes(to) > 0);
  // with that body under way it stops, and answers all others with 503
  const closing = server.close();
  const answer = await ask(listed, `${url}/v1/volumes`);
  assert.equal(answer.status, 503);
  const read = await headersThatClientsRead(CLIENT);
  assert.ok(read.has("retry-after") && read.has("content-type"), `${[...read]}`);
  for (const name of read) assert.ok(name in answer.headers, `a page cannot read ${name}`);
  await assert.rejects(
    listed.call("pushAndRead", url, newVid(), { deadlineMs: 1, protocol: "v1" }),
    /The server asked to wait 1 s/,
  );
  await socket.send(body.subarray(1000));
  assert.equal((await socket.answer())?.status, 200);
  socket.hangUp();
  await closing;
});

inBrowserTest("a page whose origin is not listed gets nothing, and changes nothing", async () => {
  const { guarded, open, stranger } = await stage.get();
  const vid = newVid();
  for (const url of [guarded, open]) {
    const client = new GraftClient(url, { token: TOKEN });
    await client.push(vid, undefined, [[1, first]], 1);
    const path = `${url}/v1/volumes/${vid}`;
    const init = { headers: AUTHORIZATION };
    for (const method of ["GET", "DELETE", "POST"]) {
      await assert.rejects(ask(stranger, path, { ...init, method }), /Failed to fetch/, method);
    }
    await assert.rejects(ask(stranger, `${url}/health`), /Failed to fetch/);
    const events = `${url}/v1/events?volumes=${vid}`;
    await assert.rejects(stranger.call("firstEvent", events, init), /Failed to fetch/);
    await assert.rejects(stranger.call("firstOfSource", events), /no events/);
    assert.equal((await client.snapshot(vid)).lsn, 1);
  }
});

inBrowserTest("a page that asks for no answer changes nothing without a key either", async () => {
  const { open, stranger, listed } = await stage.get();
  const volumes = async () =>
    JSON.parse((await ask(listed, `${open}/v1/volumes?limit=1000`)).text).volumes.length;
  const before = await volumes();
  // a browser sends this without asking, and hides the answer
  const sent = await ask(stranger, `${open}/v1/volumes`, { method: "POST", mode: "no-cors" });
  assert.equal(sent.type, "opaque");
  assert.equal(await volumes(), before);
});

inBrowserTest("the client of a page that is refused says what may be the reason", async () => {
  const { guarded, stranger } = await stage.get();
  await assert.rejects(
    stranger.call("pushAndRead", guarded, newVid(), { token: TOKEN, deadlineMs: 1 }),
    /the connection to .* failed .*\(unavailable; .*web pages of another origin need its --cors\)/,
  );
});

function wait(ms: number): Promise<false> {
  return new Promise((resolve) => setTimeout(() => resolve(false), ms));
}
