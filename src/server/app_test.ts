import assert from "node:assert/strict";
import { PATHS } from "../wire/protocol.ts";
import { call, get, ManualTimers, testApp } from "./_testing.ts";
import { FixedClock, KEY, tokenWith } from "./auth/_testing.ts";
import { Authenticator } from "./auth/authenticator.ts";
import type { StoreHealth } from "./routes/status_routes.ts";

Deno.test("GET /health is the line that probes of the original look for", async () => {
  const response = await get(testApp(), "/health");
  assert.equal(response.status, 200);
  assert.equal(await response.text(), "OK\n");
});

Deno.test("GET /ready gives the outcome of the stores' last calls, and probes where it is bad", async () => {
  let probes = 0;
  const store = (name: string, healthy: boolean | undefined, answers: boolean): StoreHealth => ({
    name,
    healthy: () => healthy,
    probe: () => {
      probes++;
      return answers ? Promise.resolve() : Promise.reject(new Error("unreachable"));
    },
  });
  const ready = async (...stores: StoreHealth[]) => {
    const response = await get(testApp({ stores }), "/ready");
    return [response.status, await response.json()];
  };
  assert.deepEqual(await ready(store("log", true, false), store("objects", true, false)), [
    200,
    { ready: true, log: "ok", objects: "ok" },
  ]);
  assert.equal(probes, 0);
  assert.deepEqual(await ready(store("log", true, true), store("objects", false, false)), [
    503,
    { ready: false, log: "ok", objects: "failing" },
  ]);
  assert.deepEqual((await ready(store("log", false, true)))[0], 200);
  assert.deepEqual((await ready(store("log", undefined, true)))[0], 200);
  assert.equal(probes, 3);
});

Deno.test("GET /ready does not wait for a store that hangs, nor ask it twice", async () => {
  const timers = new ManualTimers();
  const answer = Promise.withResolvers<void>();
  let probes = 0;
  const hanging: StoreHealth = {
    name: "objects",
    healthy: () => false,
    probe: () => {
      probes++;
      return answer.promise;
    },
  };
  const app = testApp({ stores: [hanging], timers });
  for (let i = 0; i < 2; i++) {
    const ready = get(app, "/ready");
    for (let turn = 0; turn < 9; turn++) await Promise.resolve();
    timers.fire();
    assert.equal((await ready).status, 503);
  }
  assert.equal(probes, 1);
  answer.resolve();
  await answer.promise;
  assert.equal((await get(app, "/ready")).status, 200);
});

Deno.test("a path that is another role's says which role answers", async () => {
  const path = "/v1/volumes/GonwTRj2SohJzYLLjD9nSq/changes";
  const refused = await get(testApp({ role: "pagestore" }), path);
  assert.deepEqual([refused.status, (await refused.json()).detail], [
    404,
    `Cannot serve ${path}: there is no such route on a server with the role "pagestore"`,
  ]);
});

Deno.test("/metrics asks for a token once a key is set, /health and /ready do not", async () => {
  const app = testApp({ authenticator: new Authenticator([KEY], new FixedClock()) });
  assert.equal((await get(app, "/health")).status, 200);
  assert.equal((await get(app, "/ready")).status, 200);
  assert.equal((await get(app, "/metrics")).status, 401);
  const headers = { authorization: `Bearer ${tokenWith({ can: new Set(["read"]) })}` };
  const metrics = await get(app, "/metrics", { headers });
  assert.match(metrics.headers.get("content-type") ?? "", /^text\/plain/);
  assert.match(await metrics.text(), /graft_requests_total\{route="metrics",status="401"\} 1/);
});

Deno.test("origins that are allowed may call, preflight included", async () => {
  const app = testApp({ cors: ["https://app.example"] });
  const origin = "https://app.example";
  const preflight = await get(app, PATHS.commit, {
    method: "OPTIONS",
    headers: { origin, "access-control-request-method": "POST" },
  });
  assert.equal(preflight.status, 204);
  assert.equal(preflight.headers.get("access-control-allow-origin"), origin);
  assert.match(preflight.headers.get("access-control-allow-headers") ?? "", /authorization/);
  const refused = await call(app, PATHS.commit, undefined, { origin });
  assert.equal(refused.status, 400);
  assert.equal(refused.headers.get("access-control-allow-origin"), origin);
  const stranger = await call(app, PATHS.commit, undefined, { origin: "https://evil.example" });
  assert.equal(stranger.headers.get("access-control-allow-origin"), null);
});

Deno.test("without --cors no answer names an origin", async () => {
  const response = await get(testApp(), "/health", { headers: { origin: "https://app.example" } });
  assert.equal(response.headers.get("access-control-allow-origin"), null);
});
