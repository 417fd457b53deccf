import assert from "node:assert/strict";
import { setImmediate } from "node:timers/promises";
import { systemClock } from "../../../src/core/clock.ts";
import { newGid, parseGid } from "../../../src/core/gid.ts";
import { systemRandom } from "../../../src/core/random.ts";
import { FakeTime } from "../../_testing.ts";
import { EventConnections } from "./event_connections.ts";
import type { RemoteNews } from "./remote.ts";

const [A, B] = ["GonwTRj2SohJzYLLjD9nSq", "GonzADtPDgZVjaNCXH7YoQ"].map((vid) =>
  parseGid("volume", vid)
);

/** A server of events that a test holds the other end of. */
class Events {
  readonly time = new FakeTime();
  readonly requests: {
    url: string;
    lastId: string | null;
    signal: AbortSignal;
    method: string;
    body: unknown;
  }[] = [];
  answer: () => Response = () => this.#open();
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined;

  readonly connections = new EventConnections({
    url: "http://test",
    token: "secret",
    clock: this.time,
    timers: this.time,
    random: { fraction: () => 1, fill: (target) => target },
    attemptMs: 1000,
    deadlineMs: 1000,
    // deno-lint-ignore require-await -- what it throws is a rejection, as fetch's
    fetch: async (url, init) => {
      const headers = new Headers(init.headers);
      assert.equal(headers.get("authorization"), "Bearer secret");
      this.requests.push({
        url,
        lastId: headers.get("last-event-id"),
        signal: init.signal!,
        method: init.method ?? "GET",
        body: init.body === undefined ? undefined : JSON.parse(String(init.body)),
      });
      return this.answer();
    },
  });

  async send(text: string): Promise<void> {
    this.#controller?.enqueue(new TextEncoder().encode(text));
    for (let i = 0; i < 3; i++) await setImmediate();
  }

  async end(): Promise<void> {
    this.#controller?.close();
    for (let i = 0; i < 3; i++) await setImmediate();
  }

  async pass(ms: number): Promise<void> {
    this.time.pass(ms);
    for (let i = 0; i < 3; i++) await setImmediate();
  }

  #open(): Response {
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        this.#controller = controller;
      },
    });
    this.requests.at(-1)?.signal.addEventListener("abort", () => {
      try {
        this.#controller?.error(new DOMException("aborted", "AbortError"));
      } catch {
        // it has ended
      }
    });
    return new Response(body, { headers: { "content-type": "text/event-stream" } });
  }
}

function listen(events: Events, vid: typeof A) {
  const news: RemoteNews[] = [];
  const unfollow = events.connections.follow(vid, (told) => news.push(told));
  return { news, unfollow, kinds: () => news.splice(0).map(({ kind }) => kind) };
}

function commit(vid: string, lsn: number, since: number | null): string {
  const event = {
    vid,
    cid: "Qi81Dp4C52GLoBknSJtPzw",
    lsn,
    digest: "00112233445566778899aabbccddeeff",
    pageCount: 1,
    timestamp: "2026-11-22T21:26:57.034Z",
    since,
    graft: since === null ? null : "2q4S3wEAAAA",
  };
  return `id: x.${lsn}\nevent: commit\ndata: ${JSON.stringify(event)}\n\n`;
}

Deno.test("volumes that are followed share one connection", async () => {
  const events = new Events();
  const [a, b] = [listen(events, A), listen(events, B)];
  await events.pass(5);
  assert.deepEqual(events.requests.map(({ url }) => url), [
    `http://test/v1/events?volumes=${[A, B].sort()}`,
  ]);
  await events.send(commit(B, 4, null));
  assert.deepEqual(a.kinds(), ["online"]);
  assert.deepEqual(b.news, [{ kind: "online" }, { kind: "behind", lsn: 4 }]);
  await events.send("event: resync\ndata: {}\n\n");
  assert.deepEqual(a.kinds(), ["behind"]);
  await events.send(`event: deleted\ndata: {"vid":"${A}"}\n\n`);
  assert.deepEqual(a.kinds(), ["deleted"]);
  b.kinds();
  await events.send(`event: forbidden\ndata: {"vid":"${B}"}\n\n`);
  assert.deepEqual([a.kinds(), b.kinds()], [[], ["offline"]]);
  events.connections.close();
  assert.ok(events.requests[0].signal.aborted);
});

Deno.test("a list of volumes that is long is a body, and so is the id that goes with it", async () => {
  const events = new Events();
  const vids = Array.from({ length: 65 }, () => newGid("volume", systemClock, systemRandom)).sort();
  const news = vids.map((vid) => listen(events, vid));
  await events.pass(5);
  await events.send(commit(vids[64], 4, null));
  assert.deepEqual(news[64].kinds(), ["online", "behind"]);
  await events.end();
  await events.pass(1000);
  const posted = { url: "http://test/v1/events", method: "POST" };
  assert.deepEqual(events.requests.map(({ signal: _, ...request }) => request), [
    { ...posted, lastId: null, body: { volumes: vids } },
    { ...posted, lastId: null, body: { volumes: vids, lastEventId: "x.4" } },
  ]);
  events.connections.close();
});

Deno.test("a connection that breaks is made again, and goes on where it was", async () => {
  const events = new Events();
  const a = listen(events, A);
  await events.pass(5);
  await events.send(commit(A, 4, null));
  events.answer = () => {
    throw new TypeError("The network is down");
  };
  await events.end();
  await events.pass(100);
  assert.deepEqual(a.kinds(), ["online", "behind", "unheard"]);
  assert.equal(events.requests.length, 2);
  assert.equal(events.requests[1].lastId, "x.4");
  // the wait doubles
  await events.pass(150);
  assert.equal(events.requests.length, 2);
  await events.pass(200);
  assert.equal(events.requests.length, 3);
  events.connections.close();
  await events.pass(60_000);
  assert.equal(events.requests.length, 3);
});

Deno.test("a connection over which nothing comes is dead; a comment is something", async () => {
  const events = new Events();
  const a = listen(events, A);
  await events.pass(5);
  const watch = () => [...events.time.pending].find(({ delayMs }) => delayMs === 40_000);
  await events.send(":\n\n");
  const first = watch();
  await events.send(":\n\n");
  assert.notEqual(watch(), first);
  assert.equal(events.time.pending.size, 1);
  assert.deepEqual(a.kinds(), ["online"]);
  await events.pass(40_000);
  assert.deepEqual(a.kinds(), ["offline", "unheard"]);
  await events.pass(100);
  assert.equal(events.requests.length, 2);
  events.connections.close();
});

Deno.test("only the server itself can refuse to tell of volumes", async () => {
  for (const type of ["application/problem+json", "text/html"]) {
    const events = new Events();
    events.answer = () => new Response("{}", { status: 403, headers: { "content-type": type } });
    const a = listen(events, A);
    await events.pass(5);
    assert.deepEqual(a.kinds(), [type === "text/html" ? "unheard" : "offline"]);
    events.connections.close();
  }
});

Deno.test("the last follower ends the connection", async () => {
  const events = new Events();
  const [first, second] = [listen(events, A), listen(events, A)];
  await events.pass(5);
  assert.deepEqual(second.kinds(), ["behind"]);
  first.unfollow();
  assert.ok(!events.requests[0].signal.aborted);
  second.unfollow();
  second.unfollow();
  assert.ok(events.requests[0].signal.aborted);
});

Deno.test("a connection that was given up is not listened to any more, even where its body does not end", async () => {
  const events = new Events();
  let cancelled = 0;
  const deaf: ReadableStreamDefaultController<Uint8Array>[] = [];
  // as Deno 2.9 has it once the response was collected as garbage: the signal does nothing
  events.answer = () =>
    new Response(
      new ReadableStream({ start: (it) => void deaf.push(it), cancel: () => void cancelled++ }),
      { headers: { "content-type": "text/event-stream" } },
    );
  const a = listen(events, A);
  await events.pass(5);
  deaf[0].enqueue(new TextEncoder().encode(commit(A, 4, null)));
  await events.pass(0);
  assert.deepEqual(a.kinds(), ["online", "behind"]);
  const b = listen(events, B);
  await events.pass(5);
  assert.deepEqual([events.requests.length, cancelled], [2, 1]);
  deaf[1].enqueue(new TextEncoder().encode(":\n\n"));
  await events.pass(0);
  await events.pass(40_000);
  assert.deepEqual([a.kinds(), cancelled], [["offline", "unheard"], 2]);
  await events.pass(100);
  b.unfollow();
  a.unfollow();
  assert.deepEqual([events.requests.length, cancelled], [3, 3]);
});

Deno.test("without events those who follow are asked to look, less often each time", async () => {
  const events = new Events();
  events.answer = () => new Response(null, { status: 502 });
  const a = listen(events, A);
  await events.pass(5);
  assert.deepEqual(a.kinds(), ["unheard"]);
  const polls = () =>
    [...events.time.pending].map(({ delayMs }) => delayMs).filter((ms) => ms > 100);
  for (const ms of [1000, 2000, 4000, 8000, 10_000, 10_000]) {
    assert.ok(polls().includes(ms));
    await events.pass(ms);
    assert.deepEqual(a.kinds(), ["unheard"]);
  }
  events.connections.close();
  await events.pass(10_000);
  assert.deepEqual(a.kinds(), []);
});

Deno.test("while a connection brings nothing those who follow look; then no more", async () => {
  const events = new Events();
  const a = listen(events, A);
  await events.pass(5);
  await events.pass(5000);
  assert.deepEqual(a.kinds(), ["unheard"]);
  await events.send(":\n\n");
  await events.pass(10_000);
  assert.deepEqual(a.kinds(), ["online"]);
  events.connections.close();
});

Deno.test("a connection for other volumes is told where they are, not to ask for all", async () => {
  const events = new Events();
  listen(events, A);
  await events.pass(5);
  await events.send(commit(A, 4, null));
  listen(events, B);
  await events.pass(5);
  assert.deepEqual(events.requests.map(({ lastId }) => lastId), [null, null]);
  events.connections.close();
});
