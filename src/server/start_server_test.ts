import assert from "node:assert/strict";
import { isGraftError } from "../core/errors.ts";
import { newGid, type VolumeId } from "../core/gid.ts";
import { systemClock } from "../core/clock.ts";
import { type Lsn, toLsn } from "../core/lsn.ts";
import { toPageCount } from "../core/page.ts";
import { PageSet } from "../core/page_set.ts";
import { systemRandom } from "../core/random.ts";
import {
  decodeCommitResponse,
  decodeReadPagesResponse,
  decodeWritePagesResponse,
  encodeCommitRequest,
  encodeReadPagesRequest,
  encodeSnapshotRequest,
  encodeWritePagesRequest,
} from "../wire/messages.ts";
import { MEDIA_TYPE, PATHS } from "../wire/protocol.ts";
import { CID, graftErr, ManualTimers } from "./_testing.ts";
import { KEY, tokenWith } from "./auth/_testing.ts";
import { type ServerOptions, startServer } from "./start_server.ts";

const IN_MEMORY = { listen: ["127.0.0.1:0"], log: "memory:", objects: "memory:" } as const;

function start(options: ServerOptions = {}) {
  return startServer({ ...IN_MEMORY, ...options });
}

async function post(url: string, body: BodyInit, token?: string): Promise<Response> {
  const authorization = token === undefined ? undefined : { authorization: `Bearer ${token}` };
  const headers = { "content-type": MEDIA_TYPE, ...authorization };
  return await fetch(url, { method: "POST", body, headers });
}

async function bytes(response: Response): Promise<Uint8Array> {
  const body = new Uint8Array(await response.arrayBuffer());
  assert.equal(response.status, 200, new TextDecoder().decode(body));
  return body;
}

function pagesOf(vid: VolumeId, count: number): Uint8Array<ArrayBuffer> {
  const indexes = Uint32Array.from({ length: count }, (_, at) => at + 1);
  return encodeWritePagesRequest(vid, {
    indexes,
    page: (at) => new Uint8Array(4096).fill(at % 251 + 1),
  });
}

/** Writes pages 1 to `count` and commits them; returns the LSN. */
async function transact(url: string, vid: VolumeId, count: number, base?: Lsn): Promise<Lsn> {
  const written = await bytes(await post(url + PATHS.writePages, pagesOf(vid, count)));
  const request = encodeCommitRequest({
    vid,
    cid: CID,
    snapshotLsn: base,
    pageCount: toPageCount(count),
    segments: decodeWritePagesResponse(written),
  });
  return decodeCommitResponse(await bytes(await post(url + PATHS.commit, request))).lsn;
}

const newVolume = () => newGid("volume", systemClock, systemRandom);

Deno.test("startServer() writes, commits and reads over real sockets", async () => {
  await using server = await start({ listen: ["127.0.0.1:0", "127.0.0.1:0"] });
  const [first, second] = server.urls;
  assert.notEqual(first, second);
  const vid = newVolume();
  const lsn = await transact(first, vid, 5000);
  assert.equal(lsn, 1);
  const request = encodeReadPagesRequest({
    vid,
    lsn,
    pageSet: PageSet.from([1, 4097, 5000, 5001]),
  });
  const found = decodeReadPagesResponse(await bytes(await post(second + PATHS.readPages, request)));
  assert.deepEqual([...found.indexes], [1, 4097, 5000]);
  assert.deepEqual(found.page(1), new Uint8Array(4096).fill(4096 % 251 + 1));
});

Deno.test("startServer() offers the engines for calls without HTTP", async () => {
  await using server = await start();
  const { vid } = await server.metastore.createVolume(CID);
  const shown = await (await fetch(`${server.urls[0]}/v1/volumes/${vid}`)).json();
  assert.deepEqual([shown.lsn, shown.cid], [1, CID]);
});

Deno.test("startServer() is ready when it returns", async () => {
  await using server = await start();
  const ready = await fetch(`${server.urls[0]}/ready`);
  assert.deepEqual([ready.status, (await ready.json()).ready], [200, true]);
  const metrics = await (await fetch(`${server.urls[0]}/metrics`)).text();
  for (
    const name of [
      "requests_total",
      "cache_hits_total",
      "object_requests_total",
      "log_commits_total",
    ]
  ) {
    assert(metrics.includes(`graft_${name}`), name);
  }
});

Deno.test("startServer() keeps a connection usable after it refused a body early", async () => {
  await using server = await start({ bodyLimitBytes: 1_000_000 });
  const [url] = server.urls;
  const vid = newVolume();
  for (let round = 0; round < 3; round++) {
    const refused = await graftErr(await post(url + PATHS.writePages, pagesOf(vid, 2000)));
    assert.deepEqual([refused.status, refused.code], [400, 1]);
    assert.match(refused.message, /limit is 1000000 bytes/);
    const wrong = await graftErr(await post(url + PATHS.writePages, new Uint8Array(900_000)));
    assert.deepEqual([wrong.status, wrong.code], [400, 1]);
    await bytes(await post(url + PATHS.writePages, pagesOf(vid, 10)));
  }
});

/** Sends the head of a request and part of its body, and returns the connection. */
async function halfRequest(url: string, body: Uint8Array, sentBytes: number): Promise<Deno.Conn> {
  const { hostname, port } = new URL(url);
  const connection = await Deno.connect({ hostname, port: Number(port) });
  const head = `POST ${PATHS.writePages} HTTP/1.1\r\nhost: ${hostname}:${port}\r\n` +
    `content-type: ${MEDIA_TYPE}\r\ncontent-length: ${body.length}\r\n\r\n`;
  let rest = new Uint8Array([...new TextEncoder().encode(head), ...body.subarray(0, sentBytes)]);
  while (rest.length > 0) rest = rest.subarray(await connection.write(rest));
  return connection;
}

async function gauge(url: string, name: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return Number(new RegExp(`^graft_${name} (\\S+)$`, "m").exec(text)?.[1]);
}

/** Waits until what the test did has arrived. */
async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!await condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}

Deno.test("startServer() lets go of what a client sent that hung up", async () => {
  await using server = await start();
  const [url] = server.urls;
  const connection = await halfRequest(url, pagesOf(newVolume(), 500), 1_000_000);
  await until(async () => await gauge(url, "ingest_bytes") > 0);
  connection.close();
  await until(async () => await gauge(url, "ingest_bytes") === 0);
  // the request that asks is the only one under way
  assert.equal(await gauge(url, "requests_in_flight"), 1);
});

Deno.test("startServer() finishes what it accepted before it closes", async () => {
  const server = await start();
  const [url] = server.urls;
  const body = pagesOf(newVolume(), 500);
  const connection = await halfRequest(url, body, 1_000_000);
  await until(async () => await gauge(url, "ingest_bytes") > 0);
  const closed = server.close();
  const refused = await graftErr(await post(url + PATHS.snapshot, new Uint8Array(1)));
  assert.deepEqual([refused.status, refused.code], [503, 101]);
  assert.match(refused.message, /shutting down/);
  let rest = body.subarray(1_000_000);
  while (rest.length > 0) rest = rest.subarray(await connection.write(rest));
  const answer = new Uint8Array(4096);
  const length = await connection.read(answer);
  assert.match(new TextDecoder().decode(answer.subarray(0, length ?? 0)), /^HTTP\/1.1 200 OK/);
  connection.close();
  await closed;
  await server.finished;
  await server.close();
  await assert.rejects(fetch(`${url}/health`));
});

Deno.test("startServer() gives up on a request that does not end, and closes", async () => {
  const timers = new ManualTimers();
  const server = await start({ timers });
  const connection = await halfRequest(server.urls[0], pagesOf(newVolume(), 500), 1_000_000);
  await until(async () => await gauge(server.urls[0], "ingest_bytes") > 0);
  const closed = server.close();
  timers.fire();
  await closed;
  connection.close();
});

Deno.test("startServer() checks tokens where it has a key", async () => {
  await using server = await start({ authKeys: [KEY] });
  const [url] = server.urls;
  const vid = newVolume();
  const body = encodeSnapshotRequest({ vid, lsn: undefined });
  assert.equal((await graftErr(await post(url + PATHS.snapshot, body))).status, 401);
  const allowed = await graftErr(await post(url + PATHS.snapshot, body, tokenWith({})));
  assert.deepEqual([allowed.status, allowed.code], [404, 2]);
  const strange = tokenWith({ volumes: new Set([newVolume()]) });
  assert.equal((await graftErr(await post(url + PATHS.snapshot, body, strange))).status, 403);
});

Deno.test("startServer() listens beyond loopback only with a key, or when told that it may", async () => {
  const listen = ["0.0.0.0:0"];
  await assert.rejects(
    start({ listen }),
    (error) => isGraftError(error, "invalid") && /without a key only loopback/.test(error.message),
  );
  await (await start({ listen, authKeys: [KEY] })).close();
  await using open = await start({ listen, insecureNoAuth: true });
  const url = open.urls[0].replace("0.0.0.0", "127.0.0.1");
  assert.equal(await (await fetch(`${url}/health`)).text(), "OK\n");
});

Deno.test("startServer() keeps pages of other sites away from a server without a key", async () => {
  await using server = await start({ cors: ["https://app.example"] });
  const from = (origin: string) => fetch(`${server.urls[0]}/v1/volumes`, { headers: { origin } });
  const allowed = await from("https://app.example");
  assert.deepEqual([allowed.status, (await allowed.json()).volumes], [200, []]);
  const refused = await from("https://evil.example");
  assert.deepEqual([refused.status, (await refused.json()).code], [403, "forbidden"]);
});

Deno.test("startServer() refuses an origin that no browser sends", async () => {
  await assert.rejects(
    start({ cors: ["https://app.example", "https://app.example/"] }),
    (error) => isGraftError(error, "invalid") && /"https:\/\/app.example\/"/.test(error.message),
  );
});

Deno.test("startServer() names a port that is taken, and lets everything go", async () => {
  const directory = await Deno.makeTempDir();
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const taken = `127.0.0.1:${listener.addr.port}`;
  try {
    const options = { data: directory, log: undefined, objects: undefined };
    await assert.rejects(
      start({ ...options, listen: ["127.0.0.1:0", taken] }),
      (error) =>
        isGraftError(error, "unavailable") && error.message.includes(`${taken}: the port is taken`),
    );
    // the data directory is free again
    const server = await start(options);
    await assert.rejects(
      start(options),
      (error) => isGraftError(error, "unavailable") && /holds it/.test(error.message),
    );
    await server.close();
  } finally {
    listener.close();
    await Deno.remove(directory, { recursive: true });
  }
});

Deno.test("startServer() keeps what was committed in its data directory", async () => {
  const data = await Deno.makeTempDir();
  try {
    const options = { data, log: undefined, objects: undefined };
    const vid = newVolume();
    const first = await start(options);
    assert.equal(first.dataPath, data);
    const lsn = await transact(first.urls[0], vid, 20);
    await first.close();
    await using second = await start(options);
    assert.equal((await second.metastore.snapshot(vid)).lsn, lsn);
    const found = await second.pagestore.read(vid, lsn, PageSet.range(1, 20));
    assert.equal(found.indexes.length, 20);
    assert.equal(found.page(19)[0], 20);
  } finally {
    await Deno.remove(data, { recursive: true });
  }
});

Deno.test("startServer() refuses options that make no sense", async () => {
  const bad: [ServerOptions, RegExp][] = [
    [{ listen: [] }, /no address/],
    [{ listen: ["nowhere"] }, /"nowhere"/],
    [{ authKeys: ["abc"] }, /auth key/],
    [{ graceMs: 3_600_000 }, /2h or more/],
    [{ retainMs: 0 }, /retain/],
    [{ log: "file:x" }, /"file:x"/],
    [{ objects: "nfs:x" }, /"nfs:x"/],
  ];
  for (const [options, message] of bad) {
    await assert.rejects(
      start(options),
      (error) => isGraftError(error, "invalid") && message.test(error.message),
      String(message),
    );
  }
});

Deno.test("a commit takes segments of half the grace and no older ones", async () => {
  let nowMs = systemClock.now();
  const clock = { now: () => nowMs, monotonic: () => systemClock.monotonic() };
  await using server = await start({ clock, graceMs: 2 * 3_600_000 });
  const [url] = server.urls;
  const vid = newVolume();
  const written = await bytes(await post(url + PATHS.writePages, pagesOf(vid, 1)));
  nowMs += 3_600_000 + 1000;
  const request = encodeCommitRequest({
    vid,
    cid: CID,
    snapshotLsn: undefined,
    pageCount: toPageCount(1),
    segments: decodeWritePagesResponse(written),
  });
  const late = await graftErr(await post(url + PATHS.commit, request));
  assert.deepEqual([late.status, late.code], [400, 1]);
  assert.equal(toLsn(1), await transact(url, vid, 1));
});

Deno.test("startServer() does not keep the log in S3 and segments on the disk", async () => {
  const listen = ["127.0.0.1:0"];
  await assert.rejects(startServer({ listen, log: "s3://bucket/graft" }), {
    code: "invalid",
    message: 'Cannot keep the log at "s3://bucket/graft" and segments on this disk',
    hint: /--objects/,
  });
});
