// Web pages of other origins: what a browser would let them send, and read.

import assert from "node:assert/strict";
import { encrypt } from "paseto-ts/v4";
import { until } from "../harness/poll.ts";
import type { Endpoints } from "./_support/calls.ts";
import { EventReader } from "./_support/event_reader.ts";
import { newId, page, PATH, writeRequest } from "./_support/messages.ts";
import { ingestBytes } from "./_support/metrics.ts";
import { bounded, openServer, serverOfFile } from "./_support/server.ts";
import { Socket } from "./_support/socket.ts";
import { V1Volume } from "./_support/v1.ts";

const KEY = "11".repeat(32);
const APP = "https://app.example";
const OTHER_APP = "http://localhost:8080";

/** None of these is one of the two above, and none may pass for one. */
const STRANGERS = [
  "https://evil.example",
  "http://app.example",
  "https://app.example:8443",
  "https://www.app.example",
  "https://app.example.evil.example",
  "https://APP.example",
  "http://localhost",
  "null",
];

/** What our clients may send, and what others send beside it: an `EventSource`, programs that name their requests. */
const REQUEST_HEADERS = [
  "accept",
  "authorization",
  "content-encoding",
  "content-type",
  "last-event-id",
  "x-request-id",
];

/** What a page may read in any case (https://fetch.spec.whatwg.org/#cors-safelisted-response-header-name). */
const READABLE = ["cache-control", "content-language", "content-length", "content-type"];

/** What is for the browser, or for what stands between: nothing that a page would ask for. */
const NOT_FOR_PAGES = ["connection", "date", "transfer-encoding", "vary", "x-accel-buffering"];

const server = serverOfFile({ authKeys: [KEY], cors: [APP, OTHER_APP] });

function bearer(): { authorization: string } {
  const bytes = Uint8Array.fromHex(KEY).toBase64({ alphabet: "base64url", omitPadding: true });
  const options = { addIat: false, addExp: false, validatePayload: false } as const;
  return { authorization: `Bearer ${encrypt(`k4.local.${bytes}`, "{}", options)}` };
}

interface Asked {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: BodyInit;
}

/** Asks as a page of an origin does, and lets the body go. */
async function ask(
  to: Endpoints,
  origin: string,
  path: string,
  { headers, ...asked }: Asked = {},
): Promise<Response> {
  const response = await fetch(to.metastore + path, { ...asked, headers: { origin, ...headers } });
  await response.body?.cancel();
  return response;
}

/** Asks whether a page of an origin may send a request. No browser sends a token along. */
function preflight(
  to: Endpoints,
  origin: string,
  path: string,
  method: string,
  headers: readonly string[] = REQUEST_HEADERS,
): Promise<Response> {
  const names = headers.join(",");
  return ask(to, origin, path, {
    method: "OPTIONS",
    headers: {
      "access-control-request-method": method,
      ...(names === "" ? {} : { "access-control-request-headers": names }),
    },
  });
}

const listOf = (response: Response, header: string) =>
  (response.headers.get(header) ?? "").toLowerCase().split(",").map((name) => name.trim());

/** Whether a browser takes an answer for a page of an origin. */
function isReadable(response: Response, origin: string): boolean {
  const allowed = response.headers.get("access-control-allow-origin");
  return allowed === origin || allowed === "*";
}

/** Whether a browser would go on to send the request that was asked for. */
function isPermitted(
  response: Response,
  origin: string,
  method: string,
  headers: readonly string[] = REQUEST_HEADERS,
): boolean {
  const methods = [...listOf(response, "access-control-allow-methods"), "get", "head", "post"];
  // a star in this list would not stand for authorization
  const names = listOf(response, "access-control-allow-headers");
  return response.ok && isReadable(response, origin) && methods.includes(method.toLowerCase()) &&
    headers.every((name) => names.includes(name));
}

const accessHeaders = ({ headers }: Response) =>
  [...headers.keys()].filter((name) => name.startsWith("access-control-"));

/** The calls of v1, from the server's own description, on a volume; then those of v0.1. */
async function allCalls(to: Endpoints, vid: string): Promise<[method: string, path: string][]> {
  const description = await (await fetch(`${to.metastore}/v1/openapi.json`)).json();
  const paths: Record<string, object> = description.paths;
  const calls = Object.entries(paths).flatMap(([path, item]) =>
    Object.keys(item).filter((key) => ["get", "post", "delete"].includes(key)).map((method) => {
      const filled = path.replace("{vid}", vid).replace("{set}", "1");
      return [method.toUpperCase(), filled] as [string, string];
    })
  );
  assert.ok(calls.length > 10, `${calls.length} calls are described`);
  return [...calls, ...Object.values(PATH).map((path) => ["POST", path] as [string, string])];
}

bounded("without --cors a page of another origin can neither send nor read anything", async () => {
  for (const authKeys of [[], [KEY]]) {
    await using own = await openServer({ authKeys });
    const volume = new V1Volume(own.to, undefined, authKeys.length > 0 ? bearer() : {});
    await volume.commit({ pages: { 1: "a" } });
    for (const [method, path] of await allCalls(own.to, volume.vid)) {
      const answers = [
        await preflight(own.to, APP, path, method),
        await ask(own.to, APP, path, { method, headers: authKeys.length > 0 ? bearer() : {} }),
      ];
      for (const answer of answers) {
        assert.deepEqual(accessHeaders(answer), [], `${method} ${path}`);
        if (authKeys.length === 0) assert.equal(answer.status, 403, `${method} ${path}`);
      }
      assert.ok(!isPermitted(answers[0], APP, method, []));
    }
  }
});

bounded("a page that may not call a server without a key changes nothing there", async () => {
  await using own = await openServer({ cors: [OTHER_APP] });
  const volumes = async () =>
    (await (await fetch(`${own.to.metastore}/v1/volumes`)).json()).volumes;
  // browsers send these without asking first
  assert.equal((await ask(own.to, APP, "/v1/volumes", { method: "POST" })).status, 403);
  const headers = { "content-type": "text/plain" };
  const plain = await ask(own.to, APP, "/v1/volumes", { method: "POST", headers, body: "{}" });
  assert.equal(plain.status, 403);
  assert.deepEqual(await volumes(), []);
  assert.equal((await ask(own.to, OTHER_APP, "/v1/volumes", { method: "POST" })).status, 201);
  assert.equal((await volumes()).length, 1);
});

bounded("a page of a listed origin may send every call, with every header", async () => {
  const calls = await allCalls(server.to, new V1Volume(server.to).vid);
  for (const origin of [APP, OTHER_APP]) {
    for (const [method, path] of calls) {
      const answer = await preflight(server.to, origin, path, method);
      assert.equal(answer.status, 204, `${method} ${path}`);
      assert.ok(isPermitted(answer, origin, method), `${method} ${path}: ${[...answer.headers]}`);
      assert.ok(listOf(answer, "vary").includes("origin"), `${method} ${path}`);
      assert.ok(Number(answer.headers.get("access-control-max-age")) >= 600);
    }
  }
});

bounded("an origin that is not listed is refused, however much it looks like one", async () => {
  const volume = new V1Volume(server.to, undefined, bearer());
  await volume.commit({ pages: { 1: "a" } });
  const path = `/v1/volumes/${volume.vid}`;
  for (const origin of STRANGERS) {
    assert.ok(!isPermitted(await preflight(server.to, origin, path, "DELETE"), origin, "DELETE"));
    const answer = await ask(server.to, origin, path, { headers: bearer() });
    assert.equal(answer.status, 200);
    assert.ok(!isReadable(answer, origin), origin);
    // else a cache might give it to a page that is listed
    assert.ok(listOf(answer, "vary").includes("origin"), origin);
  }
});

/** One answer of each kind, by its status. */
async function allAnswers(to: Endpoints): Promise<Record<number, Response>> {
  const volume = new V1Volume(to, undefined, bearer());
  await volume.commit({ pages: { 1: "a" } });
  const deleted = new V1Volume(to, undefined, bearer());
  await deleted.commit({});
  const path = `/v1/volumes/${volume.vid}`;
  const authorized = (to: string, asked: Asked = {}) =>
    ask(server.to, APP, to, { ...asked, headers: { ...bearer(), ...asked.headers } });
  const headers = { "content-type": "application/vnd.graft.commit" };
  const again = { method: "POST", headers, body: await volume.body({}) };
  return {
    200: await authorized(`${path}/pages/1?lsn=1`),
    201: await authorized("/v1/volumes", { method: "POST" }),
    204: await authorized(`/v1/volumes/${deleted.vid}`, { method: "DELETE" }),
    400: await authorized(`${path}/pages/x`),
    401: await ask(server.to, APP, path),
    404: await authorized(`${path}/snapshot?at=9`),
    405: await authorized(path, { method: "PUT" }),
    409: await authorized(`${path}/commits`, again),
    410: await authorized(`/v1/volumes/${deleted.vid}/changes`),
    415: await authorized(`${path}/commits`, { method: "POST", body: "x" }),
  };
}

bounded("a page of a listed origin can read every answer, and each header of it", async () => {
  for (const [status, answer] of Object.entries(await allAnswers(server.to))) {
    assert.equal(answer.status, Number(status));
    assert.equal(answer.headers.get("access-control-allow-origin"), APP, status);
    assert.ok(listOf(answer, "vary").includes("origin"), status);
    const exposed = listOf(answer, "access-control-expose-headers");
    const hidden = [...answer.headers.keys()].filter((name) =>
      !name.startsWith("access-control-") &&
      ![...READABLE, ...NOT_FOR_PAGES, ...exposed].includes(name)
    );
    assert.deepEqual(hidden, [], status);
  }
});

bounded("a page can read how long to wait for a server that stops", async () => {
  const own = await openServer({ cors: [APP] });
  using socket = await Socket.open(own.to);
  const body = writeRequest(newId("volume"), [[1, page("a")]]);
  await socket.sendHead(PATH.writePages, { "content-length": body.length });
  await socket.send(body.subarray(0, 1000));
  await until("the body is waited for", async () => await ingestBytes(own.to) > 0);
  const closing = own[Symbol.asyncDispose]();
  const answer = await ask(own.to, APP, "/v1/volumes");
  assert.deepEqual([answer.status, answer.headers.get("retry-after")], [503, "1"]);
  assert.ok(isReadable(answer, APP));
  assert.ok(listOf(answer, "access-control-expose-headers").includes("retry-after"));
  await socket.send(body.subarray(1000));
  assert.equal((await socket.answer())?.status, 200);
  socket.hangUp();
  await closing;
});

bounded("a page of a listed origin follows events, asked for either way", async () => {
  const volume = new V1Volume(server.to, undefined, bearer());
  await volume.commit({});
  const headers = { origin: APP, ...bearer() };
  await using reader = await EventReader.open(server.to, [volume.vid], { headers });
  const first = await reader.next();
  assert.equal(first.data.lsn, 1);
  await volume.commit({ base: 1 });
  assert.equal((await reader.next()).data.lsn, 2);

  const url = `/v1/events?volumes=${volume.vid}`;
  const lastEventId = { ...bearer(), "last-event-id": first.id ?? "" };
  const json = { ...bearer(), "content-type": "application/json" };
  const body = JSON.stringify({ volumes: [volume.vid] });
  const answers = [
    await ask(server.to, APP, url, { headers: lastEventId }),
    await ask(server.to, APP, "/v1/events", { method: "POST", headers: json, body }),
  ];
  for (const answer of answers) {
    assert.equal(answer.status, 200);
    assert.equal(answer.headers.get("access-control-allow-origin"), APP);
    assert.ok(listOf(answer, "vary").includes("origin"));
  }
});

bounded("with a star every origin may call, but none with what its browser keeps", async () => {
  await using own = await openServer({ authKeys: [KEY], cors: ["*"] });
  const volume = new V1Volume(own.to, undefined, bearer());
  await volume.commit({ pages: { 1: "a" } });
  for (const origin of [APP, ...STRANGERS]) {
    const asked = await preflight(own.to, origin, `/v1/volumes/${volume.vid}`, "DELETE");
    assert.ok(isPermitted(asked, origin, "DELETE"), origin);
    const answer = await ask(own.to, origin, `/v1/volumes/${volume.vid}`, { headers: bearer() });
    assert.equal(answer.headers.get("access-control-allow-origin"), "*");
    for (const { headers } of [asked, answer]) {
      assert.equal(headers.get("access-control-allow-credentials"), null);
    }
  }
});
