import assert from "node:assert/strict";
import { isGraftError } from "../../core/errors.ts";
import { get, testApp } from "../_testing.ts";
import { OriginGuard, type OriginGuardOptions } from "./origin_guard.ts";

function outcome(
  headers: Record<string, string>,
  options: Partial<OriginGuardOptions> = {},
): string {
  const guard = new OriginGuard({ origins: [], loopbackOnly: true, ...options });
  try {
    guard.check(new Request("http://127.0.0.1:3000/", { headers }));
    return "served";
  } catch (error) {
    assert(isGraftError(error, "forbidden"), String(error));
    return error.message;
  }
}

Deno.test("OriginGuard serves programs, which send no Origin", () => {
  for (const host of ["127.0.0.1:3000", "localhost:3000", "LOCALHOST", "[::1]:3000", "127.0.0.2"]) {
    assert.equal(outcome({ host }), "served", host);
  }
  assert.equal(outcome({}), "served");
});

Deno.test("OriginGuard refuses names that were rebound to loopback", () => {
  const evil = { host: "evil.example:3000", origin: "http://evil.example:3000" };
  assert.match(outcome(evil), /Host is "evil.example:3000"/);
  for (
    const host of ["localhost.evil.example", "127.0.0.1.evil.example", "1270.0.0.1", "10.0.0.1"]
  ) {
    assert.match(outcome({ host }), /only loopback names/, host);
  }
});

Deno.test("OriginGuard lets other names pass where the server listens for strangers", () => {
  const options = { loopbackOnly: false };
  assert.equal(outcome({ host: "db.example" }, options), "served");
  assert.match(outcome({ host: "db.example", origin: "https://evil.example" }, options), /evil/);
});

Deno.test("OriginGuard tells pages of other sites from its own", () => {
  const host = "localhost:3000";
  assert.equal(outcome({ host, origin: "http://localhost:3000" }), "served");
  assert.match(outcome({ host, origin: "http://localhost:8080" }), /localhost:8080/);
  assert.match(outcome({ host, origin: "https://evil.example" }), /not allowed/);
  assert.match(outcome({ host, origin: "null" }), /"null"/);
});

Deno.test("OriginGuard serves the origins that --cors names", () => {
  const host = "localhost:3000";
  const origins = ["https://app.example"];
  assert.equal(outcome({ host, origin: "https://app.example" }, { origins }), "served");
  assert.match(outcome({ host, origin: "https://other.example" }, { origins }), /not allowed/);
  assert.equal(outcome({ host, origin: "https://other.example" }, { origins: ["*"] }), "served");
});

Deno.test("the app answers a refused page with 403", async () => {
  const app = testApp({ guard: new OriginGuard({ origins: [], loopbackOnly: true }) });
  const headers = { host: "127.0.0.1:3000", origin: "https://evil.example" };
  const refused = await get(app, "/v1/volumes", { headers });
  assert.equal(refused.status, 403);
  const { title, detail } = await refused.json();
  assert(!/token/.test(title + detail), `${title}: ${detail}`);
});

Deno.test("the app tells everybody that it lives, and only that", async () => {
  const app = testApp({ guard: new OriginGuard({ origins: [], loopbackOnly: true }) });
  const headers = { host: "graft.internal:3000" };
  assert.equal((await get(app, "/health", { headers })).status, 200);
  assert.equal((await get(app, "/metrics", { headers })).status, 403);
});
