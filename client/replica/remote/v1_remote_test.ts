import assert from "node:assert/strict";
import { digestOf } from "../../../src/core/content_digest.ts";
import { clientIdFromName, parseGid } from "../../../src/core/gid.ts";
import { toLsn } from "../../../src/core/lsn.ts";
import { toPageCount } from "../../../src/core/page.ts";
import { PageSet } from "../../../src/core/page_set.ts";
import { systemRandom } from "../../../src/core/random.ts";
import { changesToJson } from "../../../src/wire/v1/changes_json.ts";
import { CommitStreamDecoder } from "../../../src/wire/v1/page_stream_decoder.ts";
import { PageStreamEncoder } from "../../../src/wire/v1/page_stream_encoder.ts";
import { encodeStreamHeader } from "../../../src/wire/v1/page_stream_header.ts";
import { snapshotToJson } from "../../../src/wire/v1/snapshot_json.ts";
import { FakeTime } from "../../_testing.ts";
import { VID } from "../_testing.ts";
import { V1Remote } from "./v1_remote.ts";
import { NoV1Error } from "./v1_transport.ts";

const CID = clientIdFromName("test");
const SNAPSHOT = {
  vid: VID,
  cid: CID,
  lsn: toLsn(7),
  checkpointLsn: toLsn(1),
  pageCount: toPageCount(9),
  timestampMs: 1_795_375_314_234,
  digest: digestOf(Uint8Array.of(7)),
};
const KNOWN = { ...SNAPSHOT, lsn: toLsn(5), digest: digestOf(Uint8Array.of(5)) };

type Answer = (request: Request) => Response | Promise<Response>;

/** A remote whose requests are answered one after the other, and what it asked. */
function remoteWith(...answers: Answer[]) {
  const asked: Request[] = [];
  const time = new FakeTime();
  const remote = new V1Remote({
    url: "http://test/base",
    metastoreUrl: "http://test/base",
    token: "secret",
    clock: time,
    timers: time,
    random: systemRandom,
    attemptMs: 1000,
    deadlineMs: 5000,
    decompress: undefined,
    fetch: async (url, init) => {
      const request = new Request(url, init);
      asked.push(request);
      const answer = answers.shift();
      if (answer === undefined) throw new TypeError("The network is down");
      return await answer(request);
    },
  });
  return { remote, asked, time };
}

function problem(status: number, code: string): Answer {
  return () =>
    Response.json({ code, detail: `Cannot do it: ${code}`, hint: "So be it" }, {
      status,
      headers: { "content-type": "application/problem+json" },
    });
}

function pages(indexes: readonly number[], header = { vid: VID, lsn: toLsn(7) }): Uint8Array {
  const encoder = new PageStreamEncoder(encodeStreamHeader(header));
  const page = (i: number) => new Uint8Array(4096).fill(indexes[i]);
  if (indexes.length > 0) encoder.addPages({ indexes: Uint32Array.from(indexes), page });
  encoder.end();
  return encoder.take();
}

function streamOf(bytes: Uint8Array): Answer {
  const headers = { "content-type": "application/vnd.graft.pages" };
  return () => new Response(bytes.slice(), { headers });
}

async function read(remote: V1Remote, wanted: PageSet): Promise<[number, number][]> {
  const found: [number, number][] = [];
  await remote.readPages(VID, toLsn(7), wanted, (index, page) => found.push([index, page[0]]));
  return found;
}

function snapshotChanges() {
  return changesToJson({
    snapshot: SNAPSHOT,
    range: undefined,
    graft: undefined,
    sinceDigest: KNOWN.digest,
  });
}

const pathOf = ({ url }: Request) => url.slice("http://test".length);

Deno.test("changes() asks what changed since a snapshot", async () => {
  const graft = PageSet.from([2, 3]);
  const changes = {
    snapshot: SNAPSHOT,
    range: { start: toLsn(6), end: toLsn(7) },
    graft,
    sinceDigest: KNOWN.digest,
  };
  const { remote, asked } = remoteWith(() => Response.json(changesToJson(changes)));
  const told = await remote.changes(VID, KNOWN);
  assert.equal(pathOf(asked[0]), `/base/v1/volumes/${VID}/changes?since=5`);
  assert.equal(asked[0].headers.get("authorization"), "Bearer secret");
  assert.deepEqual([told.snapshot.lsn, told.since, [...told.pages!]], [7, 5, [2, 3]]);
});

Deno.test("changes() finds out that the line is another one", async () => {
  const none = { snapshot: SNAPSHOT, range: undefined, graft: undefined };
  const other = { ...none, sinceDigest: digestOf(Uint8Array.of(99)) };
  const replaced = remoteWith(() => Response.json(changesToJson(other)));
  assert.equal((await replaced.remote.changes(VID, KNOWN)).since, undefined);
  const shorter = remoteWith(
    problem(404, "missing"),
    () => Response.json(changesToJson({ ...none, sinceDigest: undefined })),
  );
  assert.equal((await shorter.remote.changes(VID, KNOWN)).since, undefined);
  assert.equal(pathOf(shorter.asked[1]), `/base/v1/volumes/${VID}/changes`);
  const deleted = remoteWith(problem(404, "missing"), problem(404, "missing"));
  await assert.rejects(deleted.remote.changes(VID, KNOWN), { code: "missing" });
});

Deno.test("readPages() takes pages as they come, also those that were not wanted", async () => {
  const { remote, asked } = remoteWith(streamOf(pages([3, 4])));
  assert.deepEqual(await read(remote, PageSet.from([3])), [[3, 3], [4, 4]]);
  assert.equal(pathOf(asked[0]), `/base/v1/volumes/${VID}/pages/3?lsn=7`);
  assert.equal(asked[0].headers.get("accept"), "application/vnd.graft.pages");
});

Deno.test("readPages() sends a set that is long as bytes, and one that is too long in parts", async () => {
  const odd = PageSet.from(Array.from({ length: 1000 }, (_, i) => i * 2 + 1));
  const long = remoteWith(streamOf(pages([])));
  await read(long.remote, odd);
  assert.equal(long.asked[0].method, "POST");
  assert.ok(PageSet.decode(new Uint8Array(await long.asked[0].arrayBuffer())).equals(odd));
  const huge = remoteWith(streamOf(pages([])), streamOf(pages([])));
  await read(huge.remote, PageSet.range(1, 16_385));
  assert.deepEqual(huge.asked.map(pathOf).map((path) => path.split("/pages/")[1]), [
    "1-16384?lsn=7",
    "16385?lsn=7",
  ]);
});

Deno.test("readPages() asks again when an answer breaks off, and tells no page twice", async () => {
  const bytes = pages([3]);
  const broken = () =>
    new Response(
      new ReadableStream({
        pull(controller) {
          controller.enqueue(bytes.slice(0, -16));
          controller.error(new TypeError("The connection was reset"));
        },
      }, { highWaterMark: 0 }),
      { headers: { "content-type": "application/vnd.graft.pages" } },
    );
  const { remote, asked } = remoteWith(broken, problem(503, "unavailable"), streamOf(bytes));
  assert.deepEqual(await read(remote, PageSet.from([3])), [[3, 3]]);
  assert.equal(asked.length, 3);
});

Deno.test("readPages() gives up after the deadline", async () => {
  const { remote, time } = remoteWith();
  await assert.rejects(read(remote, PageSet.from([3])), { code: "unavailable" });
  assert.ok(time.slept.length > 3);
});

Deno.test("readPages() refuses what is damaged, cut short, or of another snapshot", async () => {
  const bytes = pages([3]);
  const flipped = bytes.slice();
  flipped[200] ^= 1;
  const other = pages([3], { vid: VID, lsn: toLsn(8) });
  const stranger = { vid: parseGid("volume", "GonzADtPDgZVjaNCXH7YoQ"), lsn: toLsn(7) };
  for (const wrong of [flipped, bytes.slice(0, -16), other, pages([3], stranger)]) {
    const { remote } = remoteWith(streamOf(wrong));
    const take = (index: number, page: Uint8Array) => {
      assert.ok(wrong.length < bytes.length && index === 3 && page[0] === 3, "it was checked");
    };
    const reading = remote.readPages(VID, toLsn(7), PageSet.from([3]), take);
    await assert.rejects(reading, { code: "damaged" });
  }
});

Deno.test("commit() sends a whole transaction once, compressed where that pays", async () => {
  const noise = crypto.getRandomValues(new Uint8Array(16 * 4096));
  for (const isNoise of [false, true]) {
    const pageAt = (index: number) =>
      isNoise ? noise.subarray((index - 1) * 4096, index * 4096) : new Uint8Array(4096).fill(7);
    const { remote, asked } = remoteWith(() => Response.json(snapshotToJson(SNAPSHOT)));
    const indexes = Array.from({ length: 16 }, (_, i) => i + 1);
    const requestId = new Uint8Array(16).fill(3);
    const snapshot = await remote.commit({
      vid: VID,
      cid: CID,
      requestId,
      base: KNOWN,
      pageCount: toPageCount(30),
      pageSet: PageSet.from(indexes),
      async *pages() {
        for (const index of indexes) yield [index, await pageAt(index)];
      },
    });
    assert.deepEqual(snapshot, SNAPSHOT);
    const isPacked = asked[0].headers.get("content-encoding") === "gzip";
    assert.equal(isPacked, !isNoise);
    const body = isPacked
      ? asked[0].body!.pipeThrough(new DecompressionStream("gzip"))
      : asked[0].body!;
    const found: number[] = [];
    const decoder = new CommitStreamDecoder({
      take: (index, bytes) => {
        assert.deepEqual(bytes, pageAt(index));
        found.push(index);
      },
    });
    for await (const chunk of body) decoder.push(chunk);
    decoder.finish();
    assert.deepEqual(found, indexes);
    assert.deepEqual(decoder.header, {
      vid: VID,
      cid: CID,
      requestId,
      baseLsn: 5,
      baseDigest: KNOWN.digest,
      pageCount: 30,
    });
  }
});

Deno.test("errors have the code, the message and the hint that the server gave", async () => {
  for (const [status, code] of [[401, "unauthorized"], [403, "forbidden"], [500, "internal"]]) {
    const { remote } = remoteWith(problem(Number(status), String(code)));
    await assert.rejects(remote.changes(VID, KNOWN), {
      code,
      message: `Cannot do it: ${code}`,
      hint: "So be it",
    });
  }
  for (const status of [400, 403, 409, 413, 429, 500, 502]) {
    const { remote } = remoteWith(() => new Response("proxy", { status }));
    await assert.rejects(remote.changes(VID, KNOWN), {
      code: "unavailable",
      message: new RegExp(`: http://test/base answered ${status}$`),
    });
  }
  const garbled = remoteWith(() => Response.json({ snapshot: 7 }));
  await assert.rejects(garbled.remote.changes(VID, KNOWN), { code: "internal" });
});

const NOT_THERE: Answer[] = [
  () => new Response(null, { status: 404 }),
  () => new Response(null, { status: 405 }),
  () => new Response("<h1>hello</h1>", { headers: { "content-type": "text/html" } }),
  problem(404, "invalid"),
];

Deno.test("a server without v1 is told from a volume that is missing", async () => {
  for (const answer of NOT_THERE) {
    const { remote } = remoteWith(answer);
    await assert.rejects(remote.changes(VID, KNOWN), NoV1Error);
  }
});

Deno.test("a server that has answered over v1 is only away when something else answers", async () => {
  for (const first of [() => Response.json(snapshotChanges()), problem(409, "conflict")]) {
    const { remote } = remoteWith(first, ...NOT_THERE);
    await remote.changes(VID, KNOWN).catch(() => {});
    for (const _ of NOT_THERE) {
      await assert.rejects(remote.changes(VID, KNOWN), { code: "unavailable" });
    }
  }
});

Deno.test("a problem that breaks off says nothing about the server", async () => {
  const { remote } = remoteWith(() =>
    new Response('{"code": "mis', {
      status: 404,
      headers: { "content-type": "application/problem+json" },
    })
  );
  await assert.rejects(remote.changes(VID, KNOWN), { code: "unavailable" });
});

Deno.test("volumes are asked for at the metastore, pages at the pagestore", async () => {
  const asked: string[] = [];
  const time = new FakeTime();
  const remote = new V1Remote({
    url: "http://pages",
    metastoreUrl: "http://meta",
    token: undefined,
    clock: time,
    timers: time,
    random: systemRandom,
    attemptMs: 1000,
    deadlineMs: 1,
    decompress: undefined,
    fetch: (url) => {
      asked.push(new URL(url).host + new URL(url).pathname.replace(VID, "VID"));
      return Promise.resolve(new Response(null, { status: 503 }));
    },
  });
  const commit = {
    vid: VID,
    cid: CID,
    requestId: new Uint8Array(16),
    base: undefined,
    pageCount: toPageCount(0),
    pageSet: PageSet.empty,
    async *pages() {},
  };
  remote.follow(VID, () => {});
  time.pass(5);
  const calls = [
    remote.changes(VID, KNOWN),
    remote.commit(commit),
    read(remote, PageSet.from([3])),
  ];
  for (const call of calls) await assert.rejects(call, { code: "unavailable" });
  remote.close();
  assert.deepEqual(asked.sort(), [
    "meta/v1/events",
    "meta/v1/volumes/VID/changes",
    "meta/v1/volumes/VID/commits",
    "pages/v1/volumes/VID/pages/3",
  ]);
});

Deno.test("a long upload has more time, and one that took too long has more the next time", async () => {
  const never: Answer = ({ signal }) =>
    new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
  const { remote, time } = remoteWith(never, never, never);
  const noise = crypto.getRandomValues(new Uint8Array(4096));
  for (const limitMs of [1254, 2254, 4254]) {
    const pushed = remote.commit({
      vid: VID,
      cid: CID,
      requestId: new Uint8Array(16),
      base: KNOWN,
      pageCount: toPageCount(1),
      pageSet: PageSet.from([1]),
      async *pages() {
        yield [1, await noise];
      },
    });
    while (time.pending.size === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    time.pass(limitMs + 10);
    await assert.rejects(pushed, { code: "unavailable", message: /within (1|2|4)2\d\d ms/ });
  }
});

Deno.test("a call ends with its signal, and an attempt with its time", async () => {
  const never: Answer = ({ signal }) =>
    new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
  const end = new AbortController();
  const given = remoteWith(never);
  const call = given.remote.changes(VID, KNOWN, end.signal);
  end.abort();
  await assert.rejects(call, { code: "aborted" });
  const slow = remoteWith(never);
  const late = slow.remote.changes(VID, KNOWN);
  await Promise.resolve();
  slow.time.pass(1000);
  await assert.rejects(late, { code: "unavailable", message: /not answered within 1000 ms/ });
});
