// The client over v1 against a real server; every request is seen, and some go wrong.

import assert from "node:assert/strict";
import { startServer } from "../src/server/mod.ts";
import { PATHS } from "../src/wire/protocol.ts";
import { errorOf } from "./_testing.ts";
import { GraftClient } from "./graft_client.ts";
import type { GraftClientOptions } from "./options.ts";

const page = (value: number) => new Uint8Array(4096).fill(value);

/** The requests of a client, and what becomes of them. */
class Wire {
  readonly requests: string[] = [];
  readonly sent: RequestInit[] = [];
  /** Answers that are made into others. */
  change: (answer: Response, path: string) => Response | Promise<Response> = (answer) => answer;
  hidesV1 = false;

  readonly fetch = async (url: string, init: RequestInit): Promise<Response> => {
    const { pathname, search } = new URL(url);
    this.requests.push(`${init.method} ${pathname.replace(/[\w]{22}/, "VID")}${search}`);
    this.sent.push(init);
    if (this.hidesV1 && pathname.startsWith("/v1/")) return new Response(null, { status: 404 });
    return await this.change(await fetch(url, init), pathname);
  };

  /** The requests since the last time. */
  take(): string[] {
    return this.requests.splice(0);
  }
}

interface Bench {
  open(options?: GraftClientOptions): { client: GraftClient; wire: Wire };
}

function withRealServer(name: string, test: (bench: Bench) => Promise<void>): void {
  Deno.test(name, async () => {
    const server = await startServer({
      listen: ["127.0.0.1:0"],
      log: "memory:",
      objects: "memory:",
    });
    const open = (options: GraftClientOptions = {}) => {
      const wire = new Wire();
      return { client: new GraftClient(server.urls[0], { ...options, fetch: wire.fetch }), wire };
    };
    try {
      await test({ open });
    } finally {
      await server.close();
    }
  });
}

withRealServer("push, snapshot and read are one request each", async ({ open }) => {
  const { client, wire } = open();
  const vid = client.newVolumeId();
  const pushed = await client.push(vid, undefined, [[1, page(1)], [9, page(9)]], 9);
  assert.deepEqual(wire.take(), ["POST /v1/volumes/VID/commits"]);
  assert.deepEqual([pushed.lsn, pushed.pageCount, pushed.cid], [1, 9, client.clientId]);

  assert.deepEqual(await client.snapshot(vid), pushed);
  assert.deepEqual(await client.snapshot(vid, { lsn: 1 }), pushed);
  assert.deepEqual(wire.take(), [
    "GET /v1/volumes/VID/snapshot",
    "GET /v1/volumes/VID/snapshot?at=1",
  ]);

  const read = await client.read(vid, 1, [9, 2]);
  assert.deepEqual(wire.take(), ["GET /v1/volumes/VID/pages/2,9?lsn=1"]);
  assert.deepEqual([...read], [[9, page(9)]]);
  assert.equal(read.lsn, 1);
});

withRealServer(
  "a read at the head is one request, and says which LSN that was",
  async ({ open }) => {
    const { client, wire } = open();
    const vid = client.newVolumeId();
    const first = await client.push(vid, undefined, [[1, page(1)]], 1);
    await client.push(vid, first.lsn, [[1, page(2)]], 1);
    wire.take();
    const read = await client.read(vid, undefined, [1]);
    assert.deepEqual(wire.take(), ["GET /v1/volumes/VID/pages/1"]);
    assert.deepEqual([read.lsn, read.page(1)], [2, page(2)]);
  },
);

withRealServer("a read of many pages at the head is of one LSN", async ({ open }) => {
  const { client, wire } = open();
  const vid = client.newVolumeId();
  await client.push(vid, undefined, [[1, page(1)], [2000, page(2)]], 2000);
  wire.take();
  const read = await client.read(vid, undefined, Array.from({ length: 2000 }, (_, i) => i + 1));
  assert.deepEqual(wire.take().sort(), [
    "GET /v1/volumes/VID/pages/1-1024?lsn=1",
    "GET /v1/volumes/VID/pages/1025-2000?lsn=1",
    "GET /v1/volumes/VID/snapshot",
  ]);
  assert.deepEqual([...read.indexes()], [1, 2000]);
});

withRealServer(
  "a list of pages that is too long for a URL goes as a page set",
  async ({ open }) => {
    const { client, wire } = open();
    const vid = client.newVolumeId();
    const odd = Array.from({ length: 900 }, (_, i) => i * 2 + 1);
    await client.push(vid, undefined, odd.map((pageIdx) => [pageIdx, page(pageIdx)]), 1800);
    wire.take();
    const read = await client.read(vid, 1, odd);
    assert.deepEqual(wire.take(), ["POST /v1/volumes/VID/pages?lsn=1"]);
    assert.deepEqual([...read.indexes()], odd);
    assert.deepEqual(read.page(1799), page(1799));
  },
);

withRealServer("a read has no header for which a browser would ask first", async ({ open }) => {
  const { client, wire } = open();
  const vid = client.newVolumeId();
  await client.push(vid, undefined, [[1, page(1)]], 1);
  await client.read(vid, 1, [1]);
  const headers = new Headers(wire.sent.at(-1)!.headers);
  // `;` and `=` may be in what a browser sends without asking
  assert.deepEqual([...headers], [["accept", "application/vnd.graft.pages;codec=zstd"]]);
});

withRealServer(
  "a push whose answer is lost is sent again, byte for byte, and lands once",
  async ({ open }) => {
    const { client, wire } = open();
    const vid = client.newVolumeId();
    let answers = 0;
    wire.change = async (answer) => {
      if (++answers > 1) return answer;
      await answer.body?.cancel();
      throw new TypeError("The connection was reset");
    };
    const pushed = await client.push(vid, undefined, [[1, page(1)]], 1);
    const [first, second] = wire.sent.splice(0);
    assert.deepEqual(first.body, second.body);
    assert.equal(pushed.lsn, 1);
    // others have landed since, and it is still the same push
    const other = open().client;
    await other.push(vid, 1, [[1, page(2)]], 1);
    assert.deepEqual(await client.push(vid, undefined, [[1, page(1)]], 1), pushed);
    assert.equal((await client.snapshot(vid)).lsn, 2);
    const conflict = await errorOf(client.push(vid, undefined, [[1, page(3)]], 1));
    assert.equal(conflict.code, "conflict");
  },
);

withRealServer(
  "a long first push asks first whether v1 is there; later ones do not",
  async ({ open }) => {
    const { client, wire } = open();
    const vid = client.newVolumeId();
    const pages = Array.from({ length: 20 }, (_, i): [number, Uint8Array] => [i + 1, page(i)]);
    await client.push(vid, undefined, pages, 20);
    await client.push(vid, 1, pages, 20);
    const commit = "POST /v1/volumes/VID/commits";
    assert.deepEqual(wire.take(), ["HEAD /v1/openapi.json", commit, commit]);
  },
);

withRealServer("a push of more than 16 MiB goes in parts", async ({ open }) => {
  const { client, wire } = open();
  const vid = client.newVolumeId();
  const shared = page(7);
  function* pages(count: number): Generator<[number, Uint8Array]> {
    for (let pageIdx = 1; pageIdx <= count; pageIdx++) yield [pageIdx, shared];
  }
  await client.push(vid, undefined, pages(4095), 5000);
  await client.push(vid, 1, pages(4097), 5000);
  assert.deepEqual(wire.take(), [
    "HEAD /v1/openapi.json",
    "POST /v1/volumes/VID/commits",
    `POST ${PATHS.writePages}`,
    `POST ${PATHS.writePages}`,
    `POST ${PATHS.commit}`,
  ]);
  assert.deepEqual([...await client.read(vid, 2, [4097, 4098])], [[4097, shared]]);
});

withRealServer("both protocols give the same", async ({ open }) => {
  const over = { v1: open({ protocol: "v1" }), protocol: open({ protocol: "v0.1" }) };
  const vid = over.v1.client.newVolumeId();
  const first = await over.v1.client.push(vid, undefined, [[1, page(1)], [4, page(4)]], 4);
  const second = await over.protocol.client.push(vid, first.lsn, [[1, page(2)]], 3);
  for (const { client } of Object.values(over)) {
    assert.deepEqual(await client.snapshot(vid, { lsn: 1 }), first);
    assert.deepEqual(await client.snapshot(vid), second);
    const read = await client.read(vid, undefined, [1, 2, 4]);
    assert.deepEqual([read.lsn, [...read]], [2, [[1, page(2)]]]);
    assert.equal((await errorOf(client.read(vid, 3, [1]))).code, "missing");
    assert.equal((await errorOf(client.push(vid, 1, [], 1))).code, "conflict");
    assert.equal((await errorOf(client.snapshot(client.newVolumeId()))).code, "missing");
  }
  assert.ok(over.v1.wire.requests.every((request) => request.includes(" /v1/")));
  assert.ok(over.protocol.wire.requests.every((request) => !request.includes(" /v1/")));
});

withRealServer(
  "where v1 is not there, v0.1 is spoken, and that is found out once",
  async ({ open }) => {
    const { client, wire } = open();
    wire.hidesV1 = true;
    const vid = client.newVolumeId();
    await client.push(vid, undefined, [[1, page(1)]], 1);
    assert.deepEqual(wire.take(), [
      "POST /v1/volumes/VID/commits",
      `POST ${PATHS.writePages}`,
      `POST ${PATHS.commit}`,
    ]);
    await client.push(vid, 1, [[1, page(2)]], 1);
    assert.deepEqual((await client.read(vid, undefined, [1])).page(1), page(2));
    assert.deepEqual(wire.take(), [
      `POST ${PATHS.writePages}`,
      `POST ${PATHS.commit}`,
      `POST ${PATHS.snapshot}`,
      `POST ${PATHS.readPages}`,
    ]);
  },
);

withRealServer("a long push is not sent to find out that v1 is not there", async ({ open }) => {
  const { client, wire } = open();
  wire.hidesV1 = true;
  const pages = Array.from({ length: 20 }, (_, i): [number, Uint8Array] => [i + 1, page(i)]);
  await client.push(client.newVolumeId(), undefined, pages, 20);
  assert.deepEqual(wire.take(), [
    "HEAD /v1/openapi.json",
    `POST ${PATHS.writePages}`,
    `POST ${PATHS.commit}`,
  ]);
});

withRealServer("who asks for v1 gets that or an error", async ({ open }) => {
  const { client, wire } = open({ protocol: "v1" });
  wire.hidesV1 = true;
  const error = await errorOf(client.snapshot(client.newVolumeId()));
  assert.equal(error.code, "invalid");
  assert.match(
    error.message,
    /^Cannot read the snapshot of volume "Gon.*: the server answered 404$/,
  );
  assert.match(error.hint!, /^Check the URL/);
});

withRealServer(
  "a server that has spoken v1 is not taken for another because of one answer",
  async ({ open }) => {
    const { client, wire } = open();
    const vid = client.newVolumeId();
    await client.push(vid, undefined, [[1, page(1)]], 1);
    wire.hidesV1 = true;
    assert.equal((await errorOf(client.read(vid, 1, [1]))).code, "unavailable");
    wire.hidesV1 = false;
    assert.deepEqual((await client.read(vid, 1, [1])).page(1), page(1));
  },
);

const DAMAGE: [string, (bytes: Uint8Array<ArrayBuffer>) => Uint8Array<ArrayBuffer>][] = [
  // sixteen bytes of the end follow the page
  ["with a bit flipped in a page", (bytes) => bytes.with(-17, bytes.at(-17)! ^ 1)],
  ["that is cut short", (bytes) => bytes.slice(0, -16)],
  ["of another LSN", (bytes) => bytes.with(32, 9)],
  ["that is empty", () => new Uint8Array(0)],
];

for (const [title, damage] of DAMAGE) {
  withRealServer(`an answer ${title} is damaged`, async ({ open }) => {
    const { client, wire } = open();
    const vid = client.newVolumeId();
    await client.push(vid, undefined, [[1, page(1)]], 1);
    wire.change = async (answer) => {
      const bytes = damage(new Uint8Array(await answer.arrayBuffer()));
      return new Response(bytes, { headers: answer.headers });
    };
    const error = await errorOf(client.read(vid, 1, [1]));
    assert.equal(error.code, "damaged");
    assert.match(error.message, /^Cannot read pages of volume "Gon.*": the answer is damaged$/);
  });
}
