import assert from "node:assert/strict";
import { systemClock } from "../../../core/clock.ts";
import { newGid, type VolumeId } from "../../../core/gid.ts";
import { systemRandom } from "../../../core/random.ts";
import { fakeMetastore, get, snapshotAt, testApp, VID } from "../../_testing.ts";
import { FixedClock, KEY, tokenWith } from "../../auth/_testing.ts";
import { Authenticator } from "../../auth/authenticator.ts";
import { TestReader } from "../../subscriptions/_testing.ts";

const OTHER = newGid("volume", systemClock, systemRandom);

/** An app on which every volume is at LSN 3. */
function appAt3(authenticator?: Authenticator) {
  const metastore = fakeMetastore({ find: (vid) => Promise.resolve(snapshotAt(3, vid)) });
  return testApp({ metastore, authenticator });
}

function post(body: unknown, headers: Record<string, string> = {}): RequestInit {
  return { method: "POST", headers, body: typeof body === "string" ? body : JSON.stringify(body) };
}

/** The volumes that are told of first, and the id. */
async function firstOf(response: Response): Promise<{ vids: string[]; id: string | undefined }> {
  assert.equal(response.status, 200);
  assert.match(response.headers.get("content-type") ?? "", /^text\/event-stream/);
  const reader = new TestReader(response.body!);
  const events = await reader.events();
  await reader.cancel();
  return {
    vids: events.map((event) => event.type === "commit" ? event.vid : event.type),
    id: reader.id,
  };
}

Deno.test("POST /v1/events follows the volumes of the body, as GET those of the query", async () => {
  const app = appAt3();
  const asked = await firstOf(await get(app, `/v1/events?volumes=${VID},${OTHER}`));
  const posted = await firstOf(await get(app, "/v1/events", post({ volumes: [VID, OTHER] })));
  assert.deepEqual(posted, asked);
  assert.deepEqual(posted.vids.sort(), [VID, OTHER].sort());
});

Deno.test("POST /v1/events follows a thousand volumes", async () => {
  const volumes = Array.from(
    { length: 1000 },
    (): VolumeId => newGid("volume", systemClock, systemRandom),
  );
  const { vids } = await firstOf(await get(appAt3(), "/v1/events", post({ volumes })));
  assert.deepEqual(vids.sort(), volumes.sort());
});

Deno.test("POST /v1/events goes on after the id of the body, or else of the header", async () => {
  const app = appAt3();
  const volumes = [VID];
  const { id } = await firstOf(await get(app, "/v1/events", post({ volumes })));
  const behind = id!.replace(/\.3$/, ".2");
  const next = (body: unknown, header?: string) =>
    get(app, "/v1/events", post(body, header === undefined ? {} : { "last-event-id": header }));
  assert.deepEqual((await firstOf(await next({ volumes, lastEventId: "x" }))).vids[0], "resync");
  assert.deepEqual((await firstOf(await next({ volumes }, "x"))).vids[0], "resync");
  assert.deepEqual((await firstOf(await next({ volumes, lastEventId: behind }))).vids, [VID]);
  assert.deepEqual((await firstOf(await next({ volumes, lastEventId: behind }, "x"))).vids, [VID]);
});

Deno.test("POST /v1/events refuses what names no volumes, and says why", async () => {
  const bad: [unknown, RegExp][] = [
    ["", /none is named/],
    [{}, /none is named/],
    [{ volumes: [] }, /none is named/],
    ["[", /not JSON/],
    [{ volumes: VID }, /"volumes" is no array/],
    [{ volumes: [7] }, /"volumes" is no array/],
    [{ volumes: ["x"] }, /"x" as a volume id/],
    [{ volumes: Array(1001).fill(VID) }, /1001 volumes/],
    [{ volumes: [VID], lastEventId: 7 }, /"lastEventId" is no string/],
  ];
  for (const [body, detail] of bad) {
    const response = await get(appAt3(), "/v1/events", post(body));
    assert.equal(response.status, 400, JSON.stringify(body));
    assert.match((await response.json()).detail, detail);
  }
});

Deno.test("POST /v1/events needs a token that may read one of the volumes", async () => {
  const app = appAt3(new Authenticator([KEY], new FixedClock()));
  const ask = async (volumes: VolumeId[], claims: Parameters<typeof tokenWith>[0]) => {
    const headers = { authorization: `Bearer ${tokenWith(claims)}` };
    const response = await get(app, "/v1/events", post({ volumes }, headers));
    await response.body?.cancel();
    return response.status;
  };
  assert.equal((await get(app, "/v1/events", post({ volumes: [VID] }))).status, 401);
  assert.equal(await ask([VID], { can: new Set(["write"]) }), 403);
  assert.equal(await ask([OTHER], { volumes: new Set([VID]) }), 403);
  assert.equal(await ask([VID, OTHER], { volumes: new Set([VID, OTHER]) }), 200);
});

Deno.test("a volume that the token may not read is told of as forbidden, beside the others", async () => {
  const app = appAt3(new Authenticator([KEY], new FixedClock()));
  const headers = { authorization: `Bearer ${tokenWith({ volumes: new Set([VID]) })}` };
  const response = await get(app, `/v1/events?volumes=${VID},${OTHER}`, { headers });
  assert.equal(response.status, 200);
  const reader = new TestReader(response.body!);
  const events = await reader.events();
  await reader.cancel();
  assert.deepEqual(events.map((event) => [event.type, event.type !== "resync" && event.vid]), [
    ["forbidden", OTHER],
    ["commit", VID],
  ]);
});
