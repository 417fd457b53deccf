import assert from "node:assert/strict";
import { GraftError } from "../../../core/errors.ts";
import { newGid, type VolumeId } from "../../../core/gid.ts";
import { systemClock } from "../../../core/clock.ts";
import { toLsn } from "../../../core/lsn.ts";
import { PageSet } from "../../../core/page_set.ts";
import { systemRandom } from "../../../core/random.ts";
import { CID, fakeMetastore, get, snapshotAt, testApp, VID } from "../../_testing.ts";
import { FixedClock, KEY, tokenWith } from "../../auth/_testing.ts";
import { Authenticator } from "../../auth/authenticator.ts";
import type { MetastoreApi } from "../../engines.ts";

const SNAPSHOT_JSON = {
  vid: VID,
  cid: CID,
  lsn: 7,
  checkpointLsn: 1,
  pageCount: 10,
  timestamp: "2025-06-15T15:06:40.000Z",
  digest: "00000000000000000000000000000000",
};

function appWith(calls: Partial<MetastoreApi>) {
  return testApp({ metastore: fakeMetastore(calls), clock: new FixedClock() });
}

async function json(response: Response, status = 200) {
  assert.equal(response.status, status);
  assert.equal(response.headers.get("content-type"), "application/json");
  return await response.json();
}

async function problem(response: Response) {
  assert.equal(response.headers.get("content-type"), "application/problem+json");
  const body = await response.json();
  assert.equal(body.status, response.status);
  assert.equal(body.requestId, response.headers.get("x-request-id"));
  return body;
}

Deno.test("GET /v1/volumes/{vid} shows the newest snapshot", async () => {
  const app = appWith({ snapshot: (vid) => Promise.resolve(snapshotAt(7, vid)) });
  assert.deepEqual(await json(await get(app, `/v1/volumes/${VID}`)), SNAPSHOT_JSON);
});

Deno.test("GET snapshot?at= takes an LSN, a time, and a time ago", async () => {
  const asked: unknown[] = [];
  const app = appWith({
    snapshot: (_vid, lsn) => {
      asked.push(lsn);
      return Promise.resolve(snapshotAt(7));
    },
    snapshotAt: (_vid, timestampMs) => {
      asked.push(new Date(timestampMs).toISOString());
      return Promise.resolve(snapshotAt(7));
    },
  });
  for (const at of ["", "?at=5", "?at=2026-05-01T10:00:00%2B02:00", "?at=2h"]) {
    assert.deepEqual(await json(await get(app, `/v1/volumes/${VID}/snapshot${at}`)), SNAPSHOT_JSON);
  }
  assert.deepEqual(asked, [undefined, 5, "2026-05-01T08:00:00.000Z", "2026-05-01T10:00:00.000Z"]);
});

Deno.test("GET log shows commits and where to go on", async () => {
  const app = appWith({
    snapshot: () => Promise.resolve(snapshotAt(9)),
    log: (_vid, { from = 1, limit }) => {
      const sid = newGid("segment", systemClock, systemRandom);
      const lsns = Array.from({ length: limit }, (_, at) => from + at).filter((lsn) => lsn <= 9);
      const segments = [{ sid, pageSet: PageSet.from([1, 2, 900]) }];
      return Promise.resolve(lsns.map((lsn) => ({ snapshot: snapshotAt(lsn), segments })));
    },
  });
  const first = await json(await get(app, `/v1/volumes/${VID}/log?limit=4`));
  assert.deepEqual(first.commits.map(({ lsn }: { lsn: number }) => lsn), [1, 2, 3, 4]);
  assert.equal(first.commits[0].pagesChanged, 3);
  assert.equal(first.commits[0].segments[0].pages, 3);
  assert.equal(first.next, 5);
  const last = await json(await get(app, `/v1/volumes/${VID}/log?from=5&limit=100`));
  assert.deepEqual([last.commits.length, last.next], [5, null]);
});

Deno.test("GET /v1/volumes lists page by page", async () => {
  const vids = Array.from({ length: 5 }, () => newGid("volume", systemClock, systemRandom)).sort();
  const app = appWith({
    volumes: ({ prefix = "", after, limit }) =>
      Promise.resolve(
        vids.filter((vid) => vid.startsWith(prefix) && (after === undefined || vid > after))
          .slice(0, limit).map((vid) => snapshotAt(1, vid)),
      ),
  });
  const seen: string[] = [];
  let query = "?limit=2";
  for (;;) {
    const { volumes, next } = await json(await get(app, `/v1/volumes${query}`));
    seen.push(...volumes.map(({ vid }: { vid: string }) => vid));
    if (next === null) break;
    query = `?limit=2&after=${next}`;
  }
  assert.deepEqual(seen, vids);
  const some = await json(await get(app, `/v1/volumes?prefix=${vids[3]}`));
  assert.deepEqual(some.volumes.length, 1);
});

Deno.test("POST /v1/volumes makes a volume, for a client where one is named", async () => {
  const made: string[] = [];
  const app = appWith({
    createVolume: (cid) => {
      made.push(cid);
      return Promise.resolve(snapshotAt(7));
    },
  });
  const created = await get(app, "/v1/volumes", { method: "POST" });
  assert.equal(created.headers.get("location"), `/v1/volumes/${VID}`);
  assert.deepEqual(await json(created, 201), SNAPSHOT_JSON);
  const body = JSON.stringify({ cid: CID });
  await json(await get(app, "/v1/volumes", { method: "POST", body }), 201);
  assert.equal(made[1], CID);
  assert.notEqual(made[0], CID);
  for (const bad of ["[", "7", '{"cid":7}', '{"cid":"x"}']) {
    const refused = await get(app, "/v1/volumes", { method: "POST", body: bad });
    assert.equal((await problem(refused)).code, "invalid", bad);
  }
});

Deno.test("errors are problem details", async () => {
  const app = appWith({
    snapshot: () =>
      Promise.reject(new GraftError("missing", "Cannot read: gone", { hint: "Look again" })),
    volumes: () => Promise.reject(new RangeError("secret")),
  });
  const missing = await problem(await get(app, `/v1/volumes/${VID}`));
  assert.deepEqual({ ...missing, requestId: undefined }, {
    type: "urn:graft:error:missing",
    title: "It is not there",
    status: 404,
    detail: "Cannot read: gone",
    hint: "Look again",
    code: "missing",
    requestId: undefined,
  });
  const bug = await problem(await get(app, "/v1/volumes"));
  assert.equal(bug.status, 500);
  assert(!JSON.stringify(bug).includes("secret"));
});

Deno.test("what cannot be is refused with a message that names it", async () => {
  const app = appWith({ snapshot: () => Promise.resolve(snapshotAt(1)) });
  const bad: [string, RegExp][] = [
    ["/v1/volumes?limit=0", /limit "0": limits run from 1 to 1000/],
    ["/v1/volumes?limit=1001", /"1001"/],
    ["/v1/volumes?limit=ten", /"ten"/],
    ["/v1/volumes?prefix=0OIl", /"0OIl" is not base58/],
    ["/v1/volumes?after=x", /"x" as a volume id/],
    ["/v1/volumes/nonsense", /"nonsense"/],
    [`/v1/volumes/${VID}/snapshot?at=soon`, /"soon"/],
    [`/v1/volumes/${VID}/snapshot?at=0`, /0 as an LSN/],
    [`/v1/volumes/${VID}/log?from=-1`, /"-1" as "from"/],
    [`/v1/volumes/${CID}`, /first byte/],
  ];
  for (const [path, detail] of bad) {
    const { status, detail: found } = await problem(await get(app, path));
    assert.equal(status, 400, path);
    assert.match(found, detail);
  }
});

Deno.test("other methods and routes are told apart", async () => {
  const wrongMethod = await get(testApp(), "/v1/volumes", { method: "PUT" });
  assert.equal(wrongMethod.headers.get("allow"), "GET, POST");
  assert.equal((await problem(wrongMethod)).status, 405);
  const onVolume = await problem(await get(testApp(), `/v1/volumes/${VID}`, { method: "PATCH" }));
  assert.equal(
    onVolume.detail,
    `Cannot PATCH /v1/volumes/${VID}: only GET, DELETE is served here`,
  );
  const noRoute = await problem(await get(testApp(), "/v1/nothing"));
  assert.equal(noRoute.status, 404);
  assert.match(noRoute.detail, /\/v1\/nothing/);
  const ofRole = await get(testApp({ role: "pagestore" }), "/v1/volumes");
  assert.equal((await problem(ofRole)).status, 404);
});

Deno.test("a token sees its own volumes only", async () => {
  const vids = Array.from({ length: 3 }, () => newGid("volume", systemClock, systemRandom)).sort();
  const deleted = vids[1];
  const metastore = fakeMetastore({
    snapshot: (vid: VolumeId) =>
      vid === deleted
        ? Promise.reject(new GraftError("missing", "Cannot read: deleted"))
        : Promise.resolve(snapshotAt(toLsn(1), vid)),
    createVolume: () => Promise.resolve(snapshotAt(1)),
  });
  const app = testApp({ metastore, authenticator: new Authenticator([KEY], new FixedClock()) });
  const as = (token: string, method = "GET") => ({
    method,
    headers: { authorization: `Bearer ${token}` },
  });
  const mine = tokenWith({ volumes: new Set([vids[2], vids[0], deleted]) });
  const { volumes } = await json(await get(app, "/v1/volumes", as(mine)));
  assert.deepEqual(volumes.map(({ vid }: { vid: string }) => vid), [vids[0], vids[2]]);
  const page = await json(await get(app, "/v1/volumes?limit=1", as(mine)));
  assert.deepEqual([page.volumes.length, page.next], [1, vids[0]]);
  const rest = await json(await get(app, `/v1/volumes?after=${page.next}`, as(mine)));
  assert.deepEqual(rest.volumes.map(({ vid }: { vid: string }) => vid), [vids[2]]);

  assert.equal((await get(app, `/v1/volumes/${VID}`, as(mine))).status, 403);
  const refused = await problem(await get(app, "/v1/volumes", as(mine, "POST")));
  assert.equal(refused.code, "forbidden");
  assert.match(refused.detail, /creating a volume needs a token for all volumes/);
  assert.equal((await get(app, "/v1/volumes")).status, 401);
  const writer = tokenWith({ can: new Set(["write"]) });
  assert.equal((await get(app, "/v1/volumes", as(writer))).status, 403);
  assert.equal((await get(app, "/v1/volumes", as(writer, "POST"))).status, 201);
});
