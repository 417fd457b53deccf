// A server with keys: who may do what, on every route.

import assert from "node:assert/strict";
import { encrypt } from "paseto-ts/v4";
import { encodeBase58 } from "../../src/core/_base58.ts";
import { accepted, type Answer, answerOf, call, refused } from "./_support/calls.ts";
import {
  commitRequest,
  newId,
  page,
  PATH,
  pullRequest,
  readRequest,
  snapshotRequest,
  writeRequest,
} from "./_support/messages.ts";
import type { Bytes } from "./_support/protobuf.ts";
import { bounded, serverOfFile } from "./_support/server.ts";
import { Socket } from "./_support/socket.ts";
import { splinter } from "./_support/splinter.ts";
import { TestVolume } from "./_support/volume.ts";

const FIRST_KEY = "11".repeat(32);
const SECOND_KEY = "ab".repeat(32);
const FOREIGN_KEY = "12".repeat(32);
const server = serverOfFile({ authKeys: [FIRST_KEY, SECOND_KEY] });

const HOUR_MS = 3_600_000;
const inMs = (ms: number) => new Date(Date.now() + ms).toISOString();

/** A token made without any code of the server's: only the library of PASETO. */
function token(claims: Record<string, unknown>, key = FIRST_KEY): string {
  const bytes = Uint8Array.fromHex(key).toBase64({ alphabet: "base64url", omitPadding: true });
  const options = { addIat: false, addExp: false, validatePayload: false } as const;
  return encrypt(`k4.local.${bytes}`, JSON.stringify(claims), options);
}

const bearer = (claims: Record<string, unknown>, key?: string) => ({
  authorization: `Bearer ${token(claims, key)}`,
});

/** What the original's `graft-tool` makes: a subject and nothing more. */
const UPSTREAM = bearer({ sub: "device" });

/** A request on a volume. */
interface Route {
  readonly name: string;
  readonly verb: "read" | "write";
  /** What the answer is with every right, on a volume without commits. */
  readonly status: number;
  send(vid: Bytes, headers: Record<string, string>): Promise<Answer>;
}

function protocolRoute(
  path: string,
  verb: Route["verb"],
  status: number,
  body: (vid: Bytes) => Bytes,
): Route {
  const send: Route["send"] = (vid, headers) => call(server.to, path, body(vid), headers);
  return { name: path, verb, status, send };
}

function jsonRoute(name: string, verb: Route["verb"], status: number): Route {
  const [method, path] = name.split(" ");
  const send: Route["send"] = async (vid, headers) => {
    const url = server.to.metastore + path.replace("VID", encodeBase58(vid));
    return await answerOf(await fetch(url, { method, headers }));
  };
  return { name, verb, status, send };
}

const one = splinter([1]);
const PROTOCOL_ROUTES = [
  protocolRoute(PATH.snapshot, "read", 404, (vid) => snapshotRequest(vid)),
  protocolRoute(PATH.pullGraft, "read", 404, (vid) => pullRequest(vid, 1)),
  protocolRoute(PATH.pullCommits, "read", 404, (vid) => pullRequest(vid, 1)),
  protocolRoute(PATH.readPages, "read", 404, (vid) => readRequest(vid, 1, one)),
  protocolRoute(PATH.writePages, "write", 200, (vid) => writeRequest(vid, [[1, page("one")]])),
  protocolRoute(
    PATH.commit,
    "write",
    200,
    (vid) => commitRequest({ vid, cid: newId("client"), pageCount: 1 }),
  ),
];
const VOLUME_ROUTES = [
  jsonRoute("GET /v1/volumes/VID", "read", 404),
  jsonRoute("GET /v1/volumes/VID/snapshot", "read", 404),
  jsonRoute("GET /v1/volumes/VID/log", "read", 404),
];
const OTHER_ROUTES = [
  jsonRoute("GET /v1/volumes", "read", 200),
  jsonRoute("POST /v1/volumes", "write", 201),
  jsonRoute("GET /metrics", "read", 200),
];
const ALL_ROUTES = [...PROTOCOL_ROUTES, ...VOLUME_ROUTES, ...OTHER_ROUTES];

/** Asserts a refusal, in the words of the route's interface. */
function refusedBy(route: Route, answer: Answer, status: 401 | 403, message: RegExp): void {
  if (PROTOCOL_ROUTES.includes(route)) {
    refused(answer, status === 401 ? "unauthorized" : "forbidden", message);
  } else {
    assert.equal(answer.status, status, route.name);
    assert.equal(answer.headers.get("content-type"), "application/problem+json", route.name);
    const problem = JSON.parse(new TextDecoder().decode(answer.body));
    assert.equal(problem.status, status);
    assert.match(problem.detail, message);
  }
  if (status === 401) assert.equal(answer.headers.get("www-authenticate"), "Bearer", route.name);
}

bounded("without a token nothing is answered but health", async () => {
  for (const route of ALL_ROUTES) {
    refusedBy(route, await route.send(newId("volume"), {}), 401, /token/);
  }
  for (const path of ["/health", "/ready"]) {
    const response = await fetch(server.to.metastore + path);
    await response.body?.cancel();
    assert.equal(response.status, 200, path);
  }
});

bounded("a token of a foreign key is refused", async () => {
  for (const route of ALL_ROUTES) {
    const foreign = bearer({ sub: "device" }, FOREIGN_KEY);
    refusedBy(route, await route.send(newId("volume"), foreign), 401, /key/);
  }
});

bounded("an expired token is refused, and one that is not valid yet", async () => {
  const expired = bearer({ sub: "device", exp: inMs(-1000) });
  const early = bearer({ sub: "device", nbf: inMs(HOUR_MS) });
  for (const route of ALL_ROUTES) {
    refusedBy(route, await route.send(newId("volume"), expired), 401, /expired/);
    refusedBy(route, await route.send(newId("volume"), early), 401, /not valid before/);
  }
});

bounded("a token expires while it is in use", async () => {
  const volume = new TestVolume(server.to, undefined, bearer({ exp: inMs(1500) }));
  await volume.commit();
  while ((await volume.trySnapshot()).status === 200) {
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  refused(await volume.trySnapshot(), "unauthorized", /expired/);
});

bounded("a malformed token is refused, and its text is not repeated", async () => {
  const good = token({ sub: "device" });
  const changed = `${good.slice(0, 40)}${good[40] === "A" ? "B" : "A"}${good.slice(41)}`;
  const headers = [
    "Bearer",
    "Bearer ",
    "Bearer x",
    `Basic ${good}`,
    good,
    `Bearer ${good} ${good}`,
    `Bearer ${good.slice(0, -10)}`,
    `Bearer ${changed}`,
    `Bearer ${good.replace("v4.local", "v4.public")}`,
    `Bearer ${good.replace("v4.local", "v3.local")}`,
    `Bearer ${good.slice(9)}`,
    `Bearer v4.local.${"A".repeat(100_000)}`.slice(0, 30_000),
    "Bearer v4.local.",
    `Bearer ${token({ volumes: "some" })}`,
    `Bearer ${token({ volumes: ["not a volume"] })}`,
    `Bearer ${token({ can: "read" })}`,
    `Bearer ${token({ can: ["read", "fly"] })}`,
    `Bearer ${token({ exp: "tomorrow" })}`,
    `Bearer ${token({ exp: 4_000_000_000 })}`,
  ];
  for (const authorization of headers) {
    for (const route of [PROTOCOL_ROUTES[0], PROTOCOL_ROUTES[4], VOLUME_ROUTES[0]]) {
      const answer = await route.send(newId("volume"), { authorization });
      refusedBy(route, answer, 401, /token|Authorization/);
      const text = new TextDecoder().decode(answer.body);
      const secret = authorization.slice(-24);
      assert.ok(secret.length < 24 || !text.includes(secret), text);
    }
  }
});

bounded("a token with a subject only may do everything, with any of the keys", async () => {
  for (const headers of [UPSTREAM, bearer({ sub: "device" }, SECOND_KEY), bearer({})]) {
    for (const route of ALL_ROUTES) {
      const { status } = await route.send(newId("volume"), headers);
      assert.equal(status, route.status, route.name);
    }
    const volume = new TestVolume(server.to, undefined, headers);
    await volume.push(undefined, { 1: "one" });
    assert.deepEqual(await volume.read(1, [1]), { 1: "one" });
  }
});

bounded("a token for one volume is good for no other", async () => {
  const [own, other] = [newId("volume"), newId("volume")];
  const headers = bearer({ sub: "device", volumes: [encodeBase58(own)] });
  for (const route of [...PROTOCOL_ROUTES, ...VOLUME_ROUTES]) {
    refusedBy(route, await route.send(other, headers), 403, /volume/);
    // the commit of one route makes the volume that others then find
    const { status } = await route.send(own, headers);
    assert.ok(status === route.status || status === 200, `${route.name}: ${status}`);
  }
  refusedBy(OTHER_ROUTES[1], await OTHER_ROUTES[1].send(own, headers), 403, /all volumes/);
});

bounded("a list of volumes shows only those of the token", async () => {
  const [shown, hidden] = [new TestVolume(server.to, undefined, UPSTREAM), newId("volume")];
  await shown.commit();
  await new TestVolume(server.to, hidden, UPSTREAM).commit();
  const headers = bearer({ volumes: [encodeBase58(shown.vid)] });
  const response = await fetch(`${server.to.metastore}/v1/volumes`, { headers });
  const { volumes } = await response.json();
  assert.deepEqual(volumes.map(({ vid }: { vid: string }) => vid), [encodeBase58(shown.vid)]);
});

bounded("a token for one verb is good for no other", async () => {
  for (const verb of ["read", "write"] as const) {
    const headers = bearer({ sub: "device", can: [verb] });
    for (const route of [...PROTOCOL_ROUTES, ...VOLUME_ROUTES, ...OTHER_ROUTES.slice(0, 2)]) {
      const answer = await route.send(newId("volume"), headers);
      if (route.verb === verb) assert.equal(answer.status, route.status, route.name);
      else refusedBy(route, answer, 403, new RegExp(route.verb));
    }
  }
  const nothing = bearer({ can: [] });
  for (const route of [...PROTOCOL_ROUTES, ...VOLUME_ROUTES]) {
    refusedBy(route, await route.send(newId("volume"), nothing), 403, /./);
  }
});

bounded("what a token may not do changes nothing", async () => {
  const volume = new TestVolume(server.to, undefined, UPSTREAM);
  const before = await volume.push(undefined, { 1: "one" });
  const reader = new TestVolume(server.to, volume.vid, bearer({ can: ["read"] }));
  refused(await reader.tryWrite({ 1: "two" }), "forbidden");
  refused(await reader.tryCommit({ base: 1, pageCount: 5 }), "forbidden");
  assert.deepEqual(await reader.snapshot(), before);
  assert.deepEqual(await reader.read(1, [1]), { 1: "one" });
});

bounded("the token is looked at before the body", async () => {
  for (const path of [PATH.commit, PATH.writePages]) {
    using socket = await Socket.open(server.to);
    await socket.sendHead(path, { "content-length": 1_000_000 });
    const answer = await socket.answer();
    assert.ok(answer !== undefined);
    refused(answer, "unauthorized");
  }
  refused(await call(server.to, PATH.commit, new Uint8Array(3)), "unauthorized");
  accepted(await PROTOCOL_ROUTES[5].send(newId("volume"), UPSTREAM));
});
