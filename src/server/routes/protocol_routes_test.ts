import assert from "node:assert/strict";
import { GraftError } from "../../core/errors.ts";
import { toLsn } from "../../core/lsn.ts";
import { toPageCount } from "../../core/page.ts";
import { PageSet } from "../../core/page_set.ts";
import {
  decodeCommitResponse,
  decodePullCommitsResponse,
  decodePullGraftResponse,
  decodeReadPagesResponse,
  decodeSnapshotResponse,
  encodeCommitRequest,
  encodePullRequest,
  encodeReadPagesRequest,
  encodeSnapshotRequest,
} from "../../wire/messages.ts";
import { MEDIA_TYPE, PATHS } from "../../wire/protocol.ts";
import {
  call,
  CID,
  fakeMetastore,
  FakePagestore,
  get,
  graftErr,
  snapshotAt,
  testApp,
  VID,
} from "../_testing.ts";
import { FixedClock, KEY, tokenWith } from "../auth/_testing.ts";
import { Authenticator } from "../auth/authenticator.ts";

const SNAPSHOT_REQUEST = encodeSnapshotRequest({ vid: VID, lsn: undefined });
const COMMIT_REQUEST = encodeCommitRequest({
  vid: VID,
  cid: CID,
  snapshotLsn: toLsn(4),
  pageCount: toPageCount(10),
  segments: [],
});

async function bytes(response: Response): Promise<Uint8Array> {
  assert.equal(response.status, 200);
  assert.equal(response.headers.get("content-type"), MEDIA_TYPE);
  return new Uint8Array(await response.arrayBuffer());
}

Deno.test("snapshot answers the latest, or the one at an LSN", async () => {
  const metastore = fakeMetastore({
    snapshot: (vid, lsn) => Promise.resolve(snapshotAt(lsn ?? 9, vid)),
  });
  const app = testApp({ metastore });
  const latest = await bytes(await call(app, PATHS.snapshot, SNAPSHOT_REQUEST));
  const { digest: _, ...expected } = snapshotAt(9);
  assert.deepEqual(decodeSnapshotResponse(latest), expected);
  const request = encodeSnapshotRequest({ vid: VID, lsn: toLsn(5) });
  assert.equal(
    decodeSnapshotResponse(await bytes(await call(app, PATHS.snapshot, request))).lsn,
    5,
  );
});

Deno.test("commit passes the whole request on and answers the snapshot", async () => {
  const metastore = fakeMetastore({
    commit: (request) => {
      assert.deepEqual(request.vid, VID);
      assert.equal(request.pageCount, 10);
      return Promise.resolve(snapshotAt((request.snapshotLsn ?? 0) + 1));
    },
  });
  const answer = await call(testApp({ metastore }), PATHS.commit, COMMIT_REQUEST);
  assert.equal(decodeCommitResponse(await bytes(answer)).lsn, 5);
});

Deno.test("both pulls answer the range that was asked", async () => {
  const metastore = fakeMetastore({
    pullGraft: (_vid, range) =>
      Promise.resolve({
        snapshot: snapshotAt(9),
        range: { start: range?.start ?? toLsn(1), end: range?.end ?? toLsn(9) },
        graft: PageSet.from([1, 5]),
      }),
    pullCommits: (_vid, range) =>
      Promise.resolve([{ snapshot: snapshotAt(range?.start ?? 1), segments: [] }]),
  });
  const app = testApp({ metastore });
  const request = encodePullRequest({ vid: VID, range: { start: toLsn(3), end: undefined } });
  const pulled = decodePullGraftResponse(await bytes(await call(app, PATHS.pullGraft, request)));
  assert.deepEqual([pulled.range.start, pulled.range.end], [3, 9]);
  assert.deepEqual([...pulled.graft], [1, 5]);
  const commits = decodePullCommitsResponse(
    await bytes(await call(app, PATHS.pullCommits, request)),
  );
  assert.deepEqual(commits.map(({ snapshot }) => snapshot.lsn), [3]);
});

Deno.test("read_pages answers the pages that were found", async () => {
  const request = encodeReadPagesRequest({
    vid: VID,
    lsn: toLsn(2),
    pageSet: PageSet.from([3, 4]),
  });
  const found = decodeReadPagesResponse(
    await bytes(await call(testApp(), PATHS.readPages, request)),
  );
  assert.deepEqual([...found.indexes], [3]);
  assert.deepEqual(found.page(0), new Uint8Array(4096).fill(7));
});

Deno.test("errors of the engines become the protocol's codes and statuses", async () => {
  const cases = [
    ["invalid", 400, 1],
    ["unauthorized", 401, 4],
    ["forbidden", 403, 4],
    ["missing", 404, 2],
    ["conflict", 409, 3],
    ["damaged", 500, 100],
    ["unavailable", 503, 101],
  ] as const;
  for (const [code, status, number] of cases) {
    const fail = () =>
      Promise.reject(new GraftError(code, "Cannot test: it fails", { hint: "Wait" }));
    const app = testApp({ metastore: fakeMetastore({ commit: fail }) });
    const response = await call(app, PATHS.commit, COMMIT_REQUEST);
    const retryAfter = response.headers.get("retry-after");
    assert.deepEqual(await graftErr(response), {
      status,
      mediaType: MEDIA_TYPE,
      code: number,
      message: "Cannot test: it fails (Wait)",
    });
    assert.equal(retryAfter, status === 503 ? "1" : null);
  }
});

Deno.test("a bug is a 500 with a request id and nothing of its cause", async () => {
  const fail = () => Promise.reject(new TypeError("secret is undefined"));
  const app = testApp({ metastore: fakeMetastore({ commit: fail }) });
  const response = await call(app, PATHS.commit, COMMIT_REQUEST, { "x-request-id": "abc-1" });
  assert.equal(response.headers.get("x-request-id"), "abc-1");
  const { status, code, message } = await graftErr(response);
  assert.deepEqual([status, code], [500, 100]);
  assert.match(message, /request abc-1/);
  assert.doesNotMatch(message, /secret/);
});

Deno.test("a request id that could break a log is replaced", async () => {
  const response = await call(testApp(), PATHS.snapshot, SNAPSHOT_REQUEST, {
    "x-request-id": "a b\u00e9",
  });
  assert.match(response.headers.get("x-request-id") ?? "", /^[0-9a-f]{16}$/);
});

Deno.test("bodies that are no request are a 400 that says which", async () => {
  const app = testApp();
  const bad: [BodyInit | undefined, Record<string, string>, RegExp][] = [
    [undefined, {}, /snapshot request.*empty/],
    [SNAPSHOT_REQUEST.slice(0, -3), {}, /snapshot request/],
    [new Uint8Array(20).fill(0xff), {}, /snapshot request/],
    [
      SNAPSHOT_REQUEST,
      { "content-type": "application/json" },
      /"application\/json"; "application\/x-protobuf" is needed/,
    ],
  ];
  for (const [body, headers, message] of bad) {
    const answer = await graftErr(await call(app, PATHS.snapshot, body, headers));
    assert.deepEqual([answer.status, answer.code, answer.mediaType], [400, 1, MEDIA_TYPE]);
    assert.match(answer.message, message);
  }
});

Deno.test("a content type may be in capitals and carry parameters", async () => {
  const metastore = fakeMetastore({ snapshot: () => Promise.resolve(snapshotAt(1)) });
  const headers = { "content-type": "Application/X-Protobuf; charset=utf-8" };
  await bytes(await call(testApp({ metastore }), PATHS.snapshot, SNAPSHOT_REQUEST, headers));
});

Deno.test("a missing content type is named", async () => {
  const request = new Request(`http://127.0.0.1${PATHS.snapshot}`, {
    method: "POST",
    body: SNAPSHOT_REQUEST,
  });
  request.headers.delete("content-type");
  assert.match((await graftErr(await testApp().fetch(request))).message, /has no content type/);
});

Deno.test("another method and another path are answered in protobuf too", async () => {
  const app = testApp();
  const wrongMethod = await get(app, PATHS.commit);
  assert.equal(wrongMethod.headers.get("allow"), "POST");
  assert.deepEqual(await graftErr(wrongMethod), {
    status: 405,
    mediaType: MEDIA_TYPE,
    code: 1,
    message: "Cannot GET /metastore/v1/commit: only POST is served here",
  });
  for (const path of ["/metastore/v1/nothing", "/pagestore/v2/read_pages", "/pagestore/"]) {
    const { status, mediaType, code, message } = await graftErr(await get(app, path));
    assert.deepEqual([status, mediaType, code], [404, MEDIA_TYPE, 1]);
    assert.match(message, /no such call/);
  }
});

Deno.test("a role answers its own calls and names itself on the other's", async () => {
  const metastore = fakeMetastore({ snapshot: () => Promise.resolve(snapshotAt(1)) });
  const read = encodeReadPagesRequest({ vid: VID, lsn: toLsn(2), pageSet: PageSet.from([3]) });
  const asMetastore = testApp({ role: "metastore", metastore });
  await bytes(await call(asMetastore, PATHS.snapshot, SNAPSHOT_REQUEST));
  const refused = await graftErr(await call(asMetastore, PATHS.readPages, read));
  assert.equal(refused.status, 404);
  assert.match(refused.message, /calls of the metastore only/);
  const asPagestore = testApp({ role: "pagestore", metastore });
  await bytes(await call(asPagestore, PATHS.readPages, read));
  const other = await graftErr(await call(asPagestore, PATHS.snapshot, SNAPSHOT_REQUEST));
  assert.match(other.message, /calls of the pagestore only/);
});

Deno.test("every call needs a token that allows it where a key is set", async () => {
  const authenticator = new Authenticator([KEY], new FixedClock());
  const metastore = fakeMetastore({
    snapshot: () => Promise.resolve(snapshotAt(1)),
    commit: () => Promise.resolve(snapshotAt(5)),
  });
  const app = testApp({ authenticator, metastore });
  const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

  const none = await call(app, PATHS.snapshot, SNAPSHOT_REQUEST);
  assert.equal(none.headers.get("www-authenticate"), "Bearer");
  const refused = await graftErr(none);
  assert.deepEqual([refused.status, refused.code, refused.mediaType], [401, 4, MEDIA_TYPE]);

  const reader = bearer(tokenWith({ can: new Set(["read"]), volumes: new Set([VID]) }));
  await bytes(await call(app, PATHS.snapshot, SNAPSHOT_REQUEST, reader));
  const forbidden = await graftErr(await call(app, PATHS.commit, COMMIT_REQUEST, reader));
  assert.deepEqual([forbidden.status, forbidden.code], [403, 4]);
  assert.match(forbidden.message, /does not allow to write/);

  const writer = bearer(tokenWith({ can: new Set(["write"]) }));
  await bytes(await call(app, PATHS.commit, COMMIT_REQUEST, writer));
  const read = encodeReadPagesRequest({ vid: VID, lsn: toLsn(2), pageSet: PageSet.from([3]) });
  for (
    const [path, body] of [
      [PATHS.snapshot, SNAPSHOT_REQUEST],
      [PATHS.pullGraft, encodePullRequest({ vid: VID, range: undefined })],
      [PATHS.pullCommits, encodePullRequest({ vid: VID, range: undefined })],
      [PATHS.readPages, read],
    ] as const
  ) {
    assert.equal((await call(app, path, body, writer)).status, 403, path);
  }
  const upstream = bearer(tokenWith({}));
  await bytes(await call(app, PATHS.commit, COMMIT_REQUEST, upstream));
});

Deno.test("a small call's body has a limit of its own", async () => {
  const app = testApp({ pagestore: new FakePagestore() });
  const answer = await graftErr(
    await call(app, PATHS.snapshot, new Uint8Array(9 * 1024 * 1024), {
      "content-length": String(9 * 1024 * 1024),
    }),
  );
  assert.deepEqual([answer.status, answer.code], [400, 1]);
  assert.match(answer.message, /limit is 8388608 bytes/);
});
