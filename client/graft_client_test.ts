// The client against servers of a few lines, over real connections.

import assert from "node:assert/strict";
import { clientIdFromName, type Gid, parseGid } from "../src/core/gid.ts";
import { toLsn } from "../src/core/lsn.ts";
import { toPageCount } from "../src/core/page.ts";
import { PageSet } from "../src/core/page_set.ts";
import type { SegmentUse, Snapshot } from "../src/core/snapshot.ts";
import * as wire from "../src/wire/messages.ts";
import { PATHS } from "../src/wire/protocol.ts";
import {
  answer,
  cutAnswer,
  errorOf,
  type Handler,
  refusal,
  script,
  type Seen,
  withServer,
} from "./_testing.ts";
import { GraftClient } from "./graft_client.ts";

const vid = parseGid("volume", "GonwTRj2SohJzYLLjD9nSq");
const sid = parseGid("segment", "LkygN9v2agcHD6dztax1qe");
const clientId = clientIdFromName("test");
const snapshot: Snapshot = {
  vid,
  cid: clientId,
  lsn: toLsn(7),
  checkpointLsn: toLsn(1),
  pageCount: toPageCount(9),
  timestampMs: 1_700_000_000_123,
};
const segment: SegmentUse = { sid, pageSet: PageSet.from([1, 2]) };
const page = (value: number) => new Uint8Array(4096).fill(value);

/** Answers reads with the pages wanted, each filled with the low byte of its index, but for `absent`. */
function answerRead(body: Uint8Array, absent: readonly number[] = []): Response {
  const wanted = wire.decodeReadPagesRequest(body).pageSet;
  const indexes = Uint32Array.from([...wanted].filter((pageIdx) => !absent.includes(pageIdx)));
  return answer(wire.encodeReadPagesResponse(indexes, (i) => page(indexes[i])));
}

/** Answers writes with one segment that holds all the pages sent. */
function answerWrite(body: Uint8Array): Response {
  const decoder = new wire.WritePagesDecoder(body.length);
  decoder.push(body);
  decoder.finish();
  const pageSet = PageSet.from(decoder.pages.indexes);
  return answer(wire.encodeWritePagesResponse([{ sid, pageSet }]));
}

/** A client that must not send anything: it would fail soon, as nothing listens there. */
function unreachable(): GraftClient {
  return new GraftClient("http://127.0.0.1:1", { deadlineMs: 100 });
}

const answerSnapshot = () => answer(wire.encodeSnapshotResponse(snapshot));

Deno.test("snapshot asks for the latest or for an LSN", async () => {
  const seen: Seen[] = [];
  await withServer(script(seen, answerSnapshot, answerSnapshot), async (url) => {
    const client = new GraftClient(url, { token: "v4.local.abc" });
    assert.deepEqual(await client.snapshot(vid), snapshot);
    assert.deepEqual(await client.snapshot(vid, { lsn: 3 }), snapshot);
  });
  assert.deepEqual(seen.map(({ path }) => path), [PATHS.snapshot, PATHS.snapshot]);
  const requests = seen.map(({ body }) => wire.decodeSnapshotRequest(body));
  assert.deepEqual(requests, [{ vid, lsn: undefined }, { vid, lsn: 3 }]);
  assert.equal(seen[0].headers.get("authorization"), "Bearer v4.local.abc");
  assert.equal(seen[0].headers.get("content-type"), "application/x-protobuf");
});

Deno.test("without a token there is no authorization header", async () => {
  const seen: Seen[] = [];
  await withServer(script(seen, answerSnapshot), async (url) => {
    await new GraftClient(url).snapshot(vid);
  });
  assert.equal(seen[0].headers.get("authorization"), null);
});

Deno.test("read answers the pages by index; absent ones stay absent", async () => {
  const seen: Seen[] = [];
  const handler: Handler = (request) => {
    seen.push(request);
    return answerRead(request.body, [4]);
  };
  await withServer(handler, async (url) => {
    const pages = await new GraftClient(url).read(vid, 7, [300, 4, 2, 300]);
    assert.deepEqual([...pages.indexes()], [2, 300]);
    assert.deepEqual(pages.page(300), page(300));
    assert.equal(pages.page(4), undefined);
    assert.equal(pages.lsn, 7);
  });
  assert.deepEqual(seen.map(({ path }) => path), [PATHS.readPages]);
  const request = wire.decodeReadPagesRequest(seen[0].body);
  assert.deepEqual([request.vid, request.lsn, ...request.pageSet], [vid, 7, 2, 4, 300]);
});

Deno.test("a read of many pages is several requests of at most 1024, at most four at once", async () => {
  const wanted: PageSet[] = [];
  let [atOnce, atOnceMax] = [0, 0];
  const handler: Handler = async ({ body }) => {
    atOnceMax = Math.max(atOnceMax, ++atOnce);
    wanted.push(wire.decodeReadPagesRequest(body).pageSet);
    await new Promise((resolve) => setTimeout(resolve, 5));
    atOnce--;
    return answerRead(body);
  };
  await withServer(handler, async (url) => {
    const descending = Array.from({ length: 6000 }, (_, i) => 6000 - i);
    const pages = await new GraftClient(url).read(vid, 7, descending);
    assert.equal(pages.size, 6000);
    assert.deepEqual([...pages.indexes()], Array.from({ length: 6000 }, (_, i) => i + 1));
    assert.deepEqual(pages.page(5999), page(5999));
  });
  const ranges = wanted.sort((a, b) => a.first! - b.first!).map(({ first, last }) => [first, last]);
  assert.deepEqual(ranges, [
    [1, 1024],
    [1025, 2048],
    [2049, 3072],
    [3073, 4096],
    [4097, 5120],
    [5121, 6000],
  ]);
  assert.ok(atOnceMax > 1 && atOnceMax <= 4, `${atOnceMax} at once`);
});

Deno.test("a read of no pages asks nothing", async () => {
  const client = unreachable();
  assert.equal((await client.read(vid, 7, [])).size, 0);
});

for (
  const [title, indexes] of [
    ["a page that was not asked for", [1, 2]],
    ["a page twice", [1, 1]],
  ] as const
) {
  Deno.test(`an answer with ${title} is not believed`, async () => {
    const body = wire.encodeReadPagesResponse(Uint32Array.from(indexes), () => page(1));
    await withServer(() => answer(body), async (url) => {
      const error = await errorOf(new GraftClient(url).read(vid, 7, [1]));
      assert.equal(error.code, "internal");
      assert.match((error.cause as Error).message, /page \d (was not asked for|came twice)$/);
    });
  });
}

Deno.test("write sends the pages and answers the segments", async () => {
  const seen: Seen[] = [];
  const response = () => answer(wire.encodeWritePagesResponse([segment]));
  await withServer(script(seen, response), async (url) => {
    const segments = await new GraftClient(url).write(vid, new Map([[1, page(1)], [2, page(2)]]));
    assert.equal(segments.length, 1);
    assert.equal(segments[0].sid, sid);
    assert.ok(segments[0].pageSet.equals(segment.pageSet));
  });
  assert.deepEqual(seen.map(({ path }) => path), [PATHS.writePages]);
});

Deno.test("a write of many pages is several requests, and the segments keep their order", async () => {
  await withServer(({ body }) => answerWrite(body), async (url) => {
    const shared = page(0);
    function* pages(): Generator<[number, Uint8Array]> {
      for (let pageIdx = 1; pageIdx <= 9000; pageIdx++) yield [pageIdx, shared];
    }
    const segments = await new GraftClient(url).write(vid, pages());
    assert.deepEqual(segments.map(({ pageSet }) => [pageSet.first, pageSet.last]), [
      [1, 4096],
      [4097, 8192],
      [8193, 9000],
    ]);
  });
});

Deno.test("a write of no pages sends nothing; a bad page is refused before anything is sent", async () => {
  const client = unreachable();
  assert.deepEqual(await client.write(vid, []), []);
  const error = await errorOf(client.write(vid, [[1, page(1)], [1, page(1)]]));
  assert.equal(error.code, "invalid");
  assert.equal(error.message, "Cannot write page 1: it occurs twice");
});

Deno.test("commit sends its parts under the client's id", async () => {
  const seen: Seen[] = [];
  await withServer(script(seen, answerSnapshot, answerSnapshot), async (url) => {
    const client = new GraftClient(url, { clientId });
    const parts = { vid, base: 6, pageCount: 9, segments: [segment] };
    assert.deepEqual(await client.commit(parts), snapshot);
    await client.commit({ vid, base: undefined, pageCount: 0, segments: [] });
  });
  assert.deepEqual(seen.map(({ path }) => path), [PATHS.commit, PATHS.commit]);
  const [first, second] = seen.map(({ body }) => wire.decodeCommitRequest(body));
  assert.deepEqual([first.vid, first.cid, first.snapshotLsn, first.pageCount], [
    vid,
    clientId,
    6,
    9,
  ]);
  assert.equal(first.segments[0].sid, sid);
  assert.ok(first.segments[0].pageSet.equals(segment.pageSet));
  assert.deepEqual(second, {
    vid,
    cid: clientId,
    snapshotLsn: undefined,
    pageCount: 0,
    segments: [],
  });
});

Deno.test("a commit whose answer is lost is sent again, byte for byte", async () => {
  const seen: Seen[] = [];
  await withServer(script(seen, cutAnswer, answerSnapshot), async (url) => {
    const client = new GraftClient(url);
    const landed = await client.commit({ vid, base: 6, pageCount: 9, segments: [segment] });
    assert.equal(landed.lsn, 7);
  });
  assert.equal(seen.length, 2);
  assert.deepEqual(seen[0].body, seen[1].body);
});

Deno.test("push writes, then commits what was written", async () => {
  const seen: Seen[] = [];
  const handler: Handler = (request) => {
    seen.push(request);
    return request.path === PATHS.commit ? answerSnapshot() : answerWrite(request.body);
  };
  await withServer(handler, async (url) => {
    const client = new GraftClient(url);
    const pages = new Map([[5, page(5)], [3, page(3)]]);
    assert.deepEqual(await client.push(vid, 6, pages, 9), snapshot);
    assert.deepEqual(await client.push(vid, undefined, [], 0), snapshot);
  });
  assert.deepEqual(seen.map(({ path }) => path), [PATHS.writePages, PATHS.commit, PATHS.commit]);
  const [full, bare] = seen.slice(1).map(({ body }) => wire.decodeCommitRequest(body));
  assert.deepEqual([full.snapshotLsn, full.pageCount], [6, 9]);
  assert.deepEqual(full.segments.map(({ pageSet }) => [...pageSet]), [[3, 5]]);
  assert.deepEqual([bare.snapshotLsn, bare.pageCount, bare.segments], [undefined, 0, []]);
});

Deno.test("push refuses a bad base or page count before it writes", async () => {
  const client = unreachable();
  assert.equal((await errorOf(client.push(vid, 0, [[1, page(1)]], 1))).code, "invalid");
  assert.equal((await errorOf(client.push(vid, 1, [[1, page(1)]], -1))).code, "invalid");
});

Deno.test("a push that comes too late is a conflict", async () => {
  const message = "Cannot commit: LSN 7 is taken";
  const handler: Handler = ({ path, body }) =>
    path === PATHS.commit ? refusal("conflict", message) : answerWrite(body);
  await withServer(handler, async (url) => {
    const error = await errorOf(new GraftClient(url).push(vid, 6, [[1, page(1)]], 9));
    assert.deepEqual([error.code, error.message], ["conflict", message]);
  });
});

Deno.test("both pulls ask for their range and answer what changed", async () => {
  const seen: Seen[] = [];
  const pulled = {
    snapshot,
    range: { start: toLsn(2), end: toLsn(7) },
    graft: PageSet.from([1, 9]),
  };
  const answerGraft = () => answer(wire.encodePullGraftResponse(pulled));
  const commit = { snapshot, segments: [segment] };
  const answerCommits = () => answer(wire.encodePullCommitsResponse([commit]));
  const answers = [answerGraft, answerGraft, answerCommits, answerCommits];
  await withServer(script(seen, ...answers), async (url) => {
    const client = new GraftClient(url);
    const graft = await client.pullGraft(vid, { range: { start: 2 } });
    assert.deepEqual([graft.snapshot, graft.range], [snapshot, pulled.range]);
    assert.deepEqual([...graft.graft], [1, 9]);
    await client.pullGraft(vid);
    const commits = await client.pullCommits(vid, { range: { start: 2, end: 7 } });
    assert.deepEqual(commits.map((commit) => commit.snapshot), [snapshot]);
    assert.deepEqual([...commits[0].segments[0].pageSet], [1, 2]);
    await client.pullCommits(vid);
  });
  const paths = [PATHS.pullGraft, PATHS.pullGraft, PATHS.pullCommits, PATHS.pullCommits];
  assert.deepEqual(seen.map(({ path }) => path), paths);
  assert.deepEqual(seen.map(({ body }) => wire.decodePullRequest(body).range), [
    { start: 2, end: undefined },
    undefined,
    { start: 2, end: 7 },
    undefined,
  ]);
});

Deno.test("metastore and pagestore may be apart, each below a path", async () => {
  const paths: string[] = [];
  const metastore: Handler = ({ path }) => {
    paths.push(`metastore ${path}`);
    return answerSnapshot();
  };
  const pagestore: Handler = ({ path, body }) => {
    paths.push(`pagestore ${path}`);
    return answerRead(body);
  };
  await withServer(metastore, async (metastoreUrl) => {
    await withServer(pagestore, async (url) => {
      const client = new GraftClient(new URL(`${url}/deep/pages/`), {
        metastoreUrl: `${metastoreUrl}/meta?x=1#y`,
      });
      await client.snapshot(vid);
      await client.read(vid, 7, PageSet.from([1]));
    });
  });
  assert.deepEqual(paths, [
    `metastore /meta${PATHS.snapshot}`,
    `pagestore /deep/pages${PATHS.readPages}`,
  ]);
});

Deno.test("numbers and ids are checked before anything is sent", async () => {
  const client = unreachable();
  const calls = [
    client.snapshot("nonsense"),
    client.snapshot(sid as Gid),
    client.snapshot(vid, { lsn: 0 }),
    client.read(vid, 1.5, [1]),
    client.read(vid, 1, [0]),
    client.read(vid, 1, [2 ** 28 + 1]),
    client.write("nonsense", [[1, page(1)]]),
    client.commit({ vid, base: 1, pageCount: 2 ** 28 + 1, segments: [] }),
    client.pullGraft(vid, { range: { start: 0 } }),
    client.pullCommits(vid, { range: { start: 1, end: -1 } }),
  ];
  for (const call of calls) assert.equal((await errorOf(call)).code, "invalid");
});

Deno.test("a client cannot be made with what cannot work", () => {
  const bad: [string, ConstructorParameters<typeof GraftClient>][] = [
    ["no URL", ["127.0.0.1:3000"]],
    ["another scheme", ["ftp://127.0.0.1"]],
    ["a bad metastore", ["http://127.0.0.1", { metastoreUrl: "metastore" }]],
    ["a token of two lines", ["http://127.0.0.1", { token: "a\nb" }]],
    ["an empty token", ["http://127.0.0.1", { token: "" }]],
    ["a volume for a client", ["http://127.0.0.1", { clientId: vid }]],
    ["an option that is none", ["http://127.0.0.1", { tokens: "t" } as object]],
  ];
  for (const [title, parameters] of bad) {
    assert.throws(
      () => new GraftClient(...parameters),
      { name: "GraftError", code: "invalid" },
      title,
    );
  }
});

Deno.test("each client has an id of its own unless it is given one", () => {
  const url = "http://127.0.0.1:3000";
  assert.notEqual(new GraftClient(url).clientId, new GraftClient(url).clientId);
  assert.equal(new GraftClient(url, { clientId }).clientId, clientId);
  assert.equal(parseGid("client", new GraftClient(url).clientId).length, 22);
});

Deno.test("volume ids are new each time", () => {
  const client = new GraftClient("http://127.0.0.1:3000");
  const first = client.newVolumeId();
  assert.equal(parseGid("volume", first), first);
  assert.notEqual(client.newVolumeId(), first);
});
