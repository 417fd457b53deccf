import assert from "node:assert/strict";
import { type Fault, HttpProxy } from "./http_proxy.ts";
import { freePort } from "./programs/child.ts";

interface Seen {
  readonly method: string;
  readonly url: string;
  readonly host: string | null;
  readonly secret: string | null;
  readonly body: string;
}

/** A server that remembers what it was asked, behind a proxy. */
function open(answer: (request: Request) => BodyInit | null = () => "hello world") {
  const seen: Seen[] = [];
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    const { pathname, search } = new URL(request.url);
    const { method, headers } = request;
    const body = await request.text();
    const secret = headers.get("x-secret");
    seen.push({ method, url: pathname + search, host: headers.get("host"), secret, body });
    return new Response(answer(request), { headers: { "x-answer": "yes" } });
  });
  const proxy = new HttpProxy(`http://127.0.0.1:${server.addr.port}`);
  const client = Deno.createHttpClient({ poolMaxIdlePerHost: 1 });
  const owned = new AsyncDisposableStack();
  owned.defer(() => server.shutdown());
  owned.use(proxy);
  owned.defer(() => client.close());
  const ask = (path: string, init: RequestInit = {}) =>
    fetch(proxy.endpoint + path, { ...init, client });
  return { seen, proxy, ask, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

/** A proxy whose next request meets `fault`. */
function openWith(fault: Fault) {
  const opened = open();
  const faults: (Fault | undefined)[] = [fault];
  opened.proxy.fault = () => faults.shift();
  return opened;
}

Deno.test("a request passes with its method, path, query, headers and body, and the host that the client named", async () => {
  await using opened = open();
  const { proxy, seen } = opened;
  const response = await opened.ask("/bucket/a%20b?x=1&y=%2F", {
    method: "PUT",
    headers: { "x-secret": "42" },
    body: "the body",
  });
  assert.equal(response.headers.get("x-answer"), "yes");
  assert.equal(await response.text(), "hello world");
  assert.deepEqual(seen, [{
    method: "PUT",
    url: "/bucket/a%20b?x=1&y=%2F",
    host: new URL(proxy.endpoint).host,
    secret: "42",
    body: "the body",
  }]);
});

Deno.test("bodies in chunks pass both ways", async () => {
  const parts = ["one", "two".repeat(50_000), "three"];
  const stream = () => ReadableStream.from(parts.map((part) => new TextEncoder().encode(part)));
  await using opened = open(() => stream());
  const response = await opened.ask("/", { method: "POST", body: stream() });
  assert.equal(await response.text(), parts.join(""));
  assert.equal(opened.seen[0].body, parts.join(""));
  // the connection is still in step
  assert.equal((await (await opened.ask("/")).text()).length, parts.join("").length);
});

Deno.test("a large body passes", async () => {
  const body = new Uint8Array(5_000_000).fill(7);
  await using opened = open(() => body);
  const response = await opened.ask("/", { method: "PUT", body });
  assert.equal((await response.arrayBuffer()).byteLength, body.length);
  assert.equal(opened.seen[0].body.length, body.length);
});

Deno.test("an answer to HEAD has a length and no body", async () => {
  await using opened = open();
  for (let round = 0; round < 2; round++) {
    const response = await opened.ask("/", { method: "HEAD" });
    assert.equal(response.headers.get("content-length"), "11");
    await response.body?.cancel();
  }
});

Deno.test("requests that come before an answer are one round trip, and those after it another", async () => {
  await using opened = open();
  const { proxy, ask } = opened;
  const text = async (path: string) => await (await ask(path)).text();
  proxy.delayMs = 300;
  const chain = async () => {
    await text("/first");
    await text("/second");
  };
  await Promise.all([chain(), chain(), text("/first")]);
  await text("/third");
  const trips = proxy.requests.map(({ path, trip }) => `${path} ${trip}`).sort();
  assert.deepEqual(trips, [
    ...Array(3).fill("/first 1"),
    ...Array(2).fill("/second 2"),
    "/third 3",
  ]);
  proxy.reset();
  await text("/first");
  assert.equal(proxy.requests[0].trip, 1);
});

Deno.test("requests are counted by kind, with their bytes", async () => {
  await using opened = open();
  const { proxy, ask } = opened;
  await (await ask("/bucket/key", { method: "PUT", body: "12345" })).text();
  await (await ask("/bucket/key")).text();
  await (await ask("/bucket?list-type=2&prefix=a")).text();
  await (await ask("/bucket/key", { method: "DELETE" })).text();
  assert.deepEqual(proxy.traffic(), {
    requests: { PUT: 1, GET: 1, LIST: 1, DELETE: 1 },
    requestBytes: 5,
    responseBytes: 44,
  });
  assert.deepEqual([proxy.count(), proxy.count("LIST"), proxy.count("HEAD")], [4, 1, 0]);
  const { method, kind, path, status } = proxy.requests[2];
  assert.deepEqual({ method, kind, path, status }, {
    method: "GET",
    kind: "LIST",
    path: "/bucket",
    status: 200,
  });
  proxy.reset();
  assert.equal(proxy.count(), 0);
});

Deno.test("an injected error is S3's, and the server never sees the request", async () => {
  await using opened = openWith({ kind: "answer", status: 503 });
  const response = await opened.ask("/bucket/key", { method: "PUT", body: "12345" });
  assert.equal(response.status, 503);
  assert.match(await response.text(), /<Code>SlowDown<\/Code>/);
  assert.deepEqual(opened.seen, []);
  assert.equal(await (await opened.ask("/")).text(), "hello world");
  assert.deepEqual(opened.proxy.requests.map(({ status }) => status), [503, 200]);
});

Deno.test("a cut request never reaches the server", async () => {
  await using opened = openWith({ kind: "cut" });
  await assert.rejects(opened.ask("/", { method: "PUT", body: "x" }), TypeError);
  assert.deepEqual(opened.seen, []);
  assert.equal(opened.proxy.requests[0].status, 0);
});

Deno.test("a lost answer is one to a request that the server has handled", async () => {
  await using opened = openWith({ kind: "lose" });
  await assert.rejects(opened.ask("/", { method: "PUT", body: "x" }), TypeError);
  assert.equal(opened.seen.length, 1);
  assert.equal(opened.proxy.requests[0].status, 0);
});

Deno.test("the platform sends a request again whose answer is lost on a connection that was used before", async () => {
  await using opened = open();
  await (await opened.ask("/")).text();
  opened.proxy.reset();
  const faults: Fault[] = [{ kind: "lose" }];
  opened.proxy.fault = () => faults.shift();
  const response = await opened.ask("/key", { method: "PUT", body: "x" });
  assert.equal(await response.text(), "hello world");
  assert.deepEqual(opened.proxy.requests.map(({ status }) => status), [0, 200]);
});

Deno.test("a truncated answer announces more than it gives", async () => {
  await using opened = openWith({ kind: "truncate", bytes: 5 });
  const response = await opened.ask("/");
  assert.equal(response.headers.get("content-length"), "11");
  const got: number[] = [];
  await assert.rejects(async () => {
    for await (const bytes of response.body ?? []) got.push(...bytes);
  }, TypeError);
  assert.equal(new TextDecoder().decode(new Uint8Array(got)), "hello");
});

Deno.test("a flipped bit changes one byte", async () => {
  await using opened = openWith({ kind: "flip", at: 0 });
  assert.equal(await (await opened.ask("/")).text(), "iello world");
  assert.equal(await (await opened.ask("/")).text(), "hello world");
});

Deno.test("an answer that is held comes after one that is not", async () => {
  await using opened = openWith({ kind: "hold", delayMs: 200 });
  const order: string[] = [];
  const held = opened.ask("/held").then((response) => response.text()).then(() => {
    order.push("held");
  });
  while (opened.proxy.count() === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  await (await opened.ask("/free")).text();
  order.push("free");
  await held;
  assert.deepEqual(order, ["free", "held"]);
});

Deno.test("closing cuts what waits", async () => {
  const opened = openWith({ kind: "hold", delayMs: 3_600_000 });
  const held = assert.rejects(opened.ask("/"), TypeError);
  while (opened.seen.length === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  await opened[Symbol.asyncDispose]();
  await held;
});

Deno.test("a server that is gone is a connection that is cut", async () => {
  await using proxy = new HttpProxy(`http://127.0.0.1:${freePort()}`);
  await assert.rejects(fetch(proxy.endpoint), TypeError);
});
