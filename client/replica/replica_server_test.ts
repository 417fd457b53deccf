// Replicas against a real server.

import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { until } from "../../tests/harness/poll.ts";
import { startServer } from "../../src/server/mod.ts";
import { WasmCodec } from "../../src/segment/codecs/wasm_codec.ts";
import type { Decompress } from "../../src/wire/v1/page_stream_decoder.ts";
import { GraftClient } from "../graft_client.ts";
import { openReplica, type OpenReplicaOptions } from "../open_replica.ts";
import type { Replica } from "./replica.ts";

/** What went over a connection. */
class Wire {
  readonly requests: string[] = [];
  bytes = 0;
  isOnline = true;
  /** Answers that are lost. */
  lose: (path: string) => boolean = () => false;
  hidesV1 = false;

  readonly fetch = async (url: string, init: RequestInit): Promise<Response> => {
    const path = new URL(url).pathname;
    this.requests.push(`${init.method ?? "GET"} ${path.replace(/[\w]{22}/, "VID")}`);
    if (!this.isOnline) throw new TypeError("The network is down");
    if (this.hidesV1 && path.startsWith("/v1/")) return new Response(null, { status: 404 });
    const response = await fetch(url, init);
    if (this.lose(path)) {
      await response.body?.cancel();
      throw new TypeError("The connection was reset");
    }
    if (path === "/v1/events") return response;
    const body = new Uint8Array(await response.arrayBuffer());
    this.bytes += body.length + (init.body as Uint8Array | undefined ?? "").length;
    for (const [name, value] of response.headers) this.bytes += name.length + value.length + 4;
    return new Response(body, response);
  };

  /** Requests but for events. */
  get calls(): string[] {
    return this.requests.filter((request) => request !== "GET /v1/events");
  }
}

interface Bench {
  readonly url: string;
  open(volume?: string, options?: OpenReplicaOptions): Promise<{ replica: Replica; wire: Wire }>;
}

function withServer(name: string, test: (bench: Bench) => Promise<void>): void {
  Deno.test(name, async () => {
    const server = await startServer({
      listen: ["127.0.0.1:0"],
      log: "memory:",
      objects: "memory:",
    });
    const [url] = server.urls;
    const replicas: Replica[] = [];
    const open = async (volume?: string, options: OpenReplicaOptions = {}) => {
      const wire = new Wire();
      const replica = await openReplica(url, volume, { fetch: wire.fetch, ...options });
      replicas.push(replica);
      return { replica, wire };
    };
    try {
      await test({ url, open });
    } finally {
      for (const replica of replicas) await replica.close();
      await server.close();
    }
  });
}

const page = (fill: number) => new Uint8Array(4096).fill(fill);

/** The first byte of a page that a replica shows now. */
async function first(replica: Replica, pageIdx: number): Promise<number> {
  using snapshot = replica.snapshot();
  return (await snapshot.read(pageIdx))[0];
}

withServer("a cold replica reads a page in two round trips", async ({ open }) => {
  const { replica: writer } = await open();
  await writer.transaction((tx) => {
    for (let i = 1; i <= 40; i++) tx.write(i, crypto.getRandomValues(page(0)));
  });
  await writer.sync();
  const { replica, wire } = await open(writer.vid);
  const expected = await writer.snapshot().read(7);
  assert.deepEqual(await replica.snapshot().read(7), expected);
  assert.deepEqual(wire.calls, ["GET /v1/volumes/VID/changes", "GET /v1/volumes/VID/pages/7"]);
  assert.ok(wire.bytes < 16 * 1024, `${wire.bytes} bytes`);
  // the second time it is here
  assert.deepEqual(replica.snapshot().peek(7), expected);
  assert.equal(wire.calls.length, 2);
});

withServer("pages come compressed, unless nothing is to decompress them", async ({ open }) => {
  const { replica: writer } = await open();
  await writer.transaction((tx) => {
    for (let i = 1; i <= 64; i++) tx.write(i, page(i));
  });
  await writer.sync();
  let frames = 0;
  const codec = new WasmCodec();
  const own: Decompress = (stored, length) => {
    frames++;
    return codec.decompress(stored, length);
  };
  for (
    const [decompress, isCompressed] of [[undefined, true], [own, true], [false, false]] as const
  ) {
    const { replica, wire } = await open(writer.vid, { decompress });
    const pages = await replica.snapshot().readMany(Array.from({ length: 64 }, (_, i) => i + 1));
    for (const [pageIdx, bytes] of pages) assert.deepEqual(bytes, page(pageIdx));
    assert.equal(wire.bytes < 16 * 1024, isCompressed, `${wire.bytes} bytes`);
  }
  assert.equal(frames, 4);
});

withServer("commits made offline are one push", async ({ open }) => {
  const { replica, wire } = await open();
  await replica.transaction((tx) => tx.write(1, page(1)));
  await replica.sync();
  wire.isOnline = false;
  await assert.rejects(replica.sync(), { code: "unavailable" });
  for (let i = 0; i < 1000; i++) {
    await replica.transaction((tx) => tx.write(2 + i % 10, page(i % 251)));
  }
  assert.equal(replica.status().localCommits, 1000);
  assert.equal(replica.status().state, "ahead");
  wire.requests.length = 0;
  wire.isOnline = true;
  await replica.sync();
  assert.deepEqual(wire.calls.filter((call) => call.startsWith("POST")), [
    "POST /v1/volumes/VID/commits",
  ]);
  assert.deepEqual([replica.status().state, replica.status().lsn], ["synced", 2]);
});

withServer(
  "a push whose answer was lost lands once, others' commits or not",
  async ({ open, url }) => {
    const { replica, wire } = await open();
    const lite = new GraftClient(url);
    await replica.transaction((tx) => tx.write(1, page(1)));
    await replica.sync();
    wire.lose = (path) => path.endsWith("/commits");
    await replica.transaction((tx) => tx.write(1, page(2)));
    await assert.rejects(replica.sync(), { code: "unavailable" });
    await lite.push(replica.vid, 2, [[3, page(3)]], 3);
    wire.lose = () => false;
    await replica.sync();
    assert.deepEqual([replica.status().state, replica.status().lsn], ["synced", 3]);
    assert.deepEqual([await first(replica, 1), await first(replica, 3)], [2, 3]);
  },
);

withServer("a commit is told to other replicas at once", async ({ open }) => {
  const { replica: writer } = await open();
  await writer.transaction((tx) => tx.write(1, page(1)));
  await writer.sync();
  const { replica: reader, wire } = await open(writer.vid);
  const statuses = reader.statuses();
  while (!reader.status().isOnline) await statuses.next();
  const changes = reader.changes();
  // until its events flow, what it hears of may come by asking
  await writer.transaction((tx) => tx.write(1, page(1)));
  await changes.next();
  const before = wire.calls.length;
  for (let i = 2; i < 30; i++) {
    await writer.transaction((tx) => tx.write(i, page(i)));
    const { value } = await changes.next();
    assert.ok(value.pages.has(i));
    assert.ok(value.fromServer);
    assert.equal(value.pageCount, i);
  }
  assert.equal(wire.calls.length, before, "nothing is fetched");
  assert.equal(await first(reader, 20), 20);
});

withServer("replicas of one server share one connection for events", async ({ url }) => {
  const connections: { readonly volumes: string; readonly signal?: AbortSignal | null }[] = [];
  const platformFetch = globalThis.fetch;
  globalThis.fetch = (input, init) => {
    const { pathname, searchParams } = new URL(String(input));
    const volumes = searchParams.get("volumes") ?? "";
    if (pathname === "/v1/events") connections.push({ volumes, signal: init?.signal });
    return platformFetch(input, init);
  };
  try {
    const replicas = await Promise.all([openReplica(url), openReplica(url), openReplica(url)]);
    const all = replicas.map(({ vid }) => vid).sort().join();
    await replicas[2].transaction((tx) => tx.write(1, page(1)));
    await replicas[2].sync();
    // one that was opened before all were there is given up for the next
    const open = () => connections.filter(({ signal }) => signal?.aborted !== true);
    const followed = () => open().map(({ volumes }) => volumes.split(",").sort().join());
    for (let i = 0; followed().at(-1) !== all && i < 1000; i++) await delay(5);
    assert.deepEqual(followed(), [all]);
    for (const replica of replicas) await replica.close();
  } finally {
    globalThis.fetch = platformFetch;
  }
});

for (const hidesV1 of [false, true]) {
  const over = hidesV1 ? "v0.1" : "v1";
  withServer(`a replica over ${over} and a lite client write in turns`, async ({ open, url }) => {
    const lite = new GraftClient(url);
    const vid = lite.newVolumeId();
    await lite.push(vid, undefined, [[1, page(1)]], 1);
    const wire = new Wire();
    wire.hidesV1 = hidesV1;
    const { replica } = await open(vid, { fetch: wire.fetch });
    for (let turn = 1; turn < 6; turn++) {
      await replica.sync();
      assert.equal(await first(replica, 1), turn);
      await replica.transaction((tx) => tx.write(2, page(turn)));
      await replica.sync();
      const { lsn } = await lite.snapshot(vid);
      assert.equal((await lite.read(vid, lsn, [2])).page(2)?.[0], turn);
      await lite.push(vid, lsn, [[1, page(turn + 1)]], 2);
    }
  });
}

withServer("over v0.1, too, a push whose answer was lost lands once", async ({ open }) => {
  const wire = new Wire();
  wire.hidesV1 = true;
  const { replica } = await open(undefined, { fetch: wire.fetch, deadlineMs: 300 });
  await replica.transaction((tx) => tx.write(1, page(1)));
  wire.lose = (path) => path.endsWith("/commit");
  await assert.rejects(replica.sync(), { code: "unavailable" });
  wire.lose = () => false;
  await until("the push has landed", () => replica.sync().then(() => true, () => false));
  assert.deepEqual([replica.status().state, replica.status().lsn], ["synced", 1]);
});

withServer("a conflict has three ways out", async ({ open, url }) => {
  const lite = new GraftClient(url);
  const conflict = async (replica: Replica, wire: Wire) => {
    wire.isOnline = false;
    await assert.rejects(replica.sync(), { code: "unavailable" });
    await replica.transaction(async (tx) => {
      tx.write(2, page((await tx.read(1))[0] + 100));
    });
    const { lsn } = await lite.snapshot(replica.vid);
    await lite.push(replica.vid, lsn, [[1, page(lsn + 1)]], 2);
    wire.isOnline = true;
    await assert.rejects(replica.sync(), { code: "conflict" });
    assert.equal(replica.status().state, "conflict");
  };
  const { replica, wire } = await open();
  await replica.transaction((tx) => {
    tx.write(1, page(1));
    tx.write(2, page(9));
  });
  await replica.sync();

  await conflict(replica, wire);
  await replica.reset();
  assert.deepEqual([await first(replica, 1), await first(replica, 2)], [2, 9]);

  await conflict(replica, wire);
  await replica.replay();
  await replica.sync();
  assert.deepEqual([await first(replica, 1), await first(replica, 2)], [3, 103]);
  assert.equal(replica.status().state, "synced");

  await conflict(replica, wire);
  const other = await replica.keepBoth();
  assert.deepEqual([await first(replica, 1), await first(replica, 2)], [5, 103]);
  const { replica: copy } = await open(other);
  assert.deepEqual([await first(copy, 1), await first(copy, 2)], [3, 103]);
});

withServer("a volume that is deleted is told of", async ({ open, url }) => {
  const { replica } = await open();
  await replica.transaction((tx) => tx.write(1, page(1)));
  await replica.sync();
  const response = await fetch(`${url}/v1/volumes/${replica.vid}`, { method: "DELETE" });
  assert.equal(response.status, 204);
  await assert.rejects(replica.sync(), { code: "missing" });
  assert.equal(replica.status().state, "deleted");
  assert.equal(await first(replica, 1), 1);
});
