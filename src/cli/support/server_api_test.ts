import assert from "node:assert/strict";
import { isGraftError } from "../../core/errors.ts";
import { UsageError } from "./failure.ts";
import { ServerApi } from "./server_api.ts";

/** Answers one request and returns what was asked. */
async function exchange(
  answer: Response,
  ask: (api: ServerApi) => Promise<unknown>,
  path = "",
): Promise<{ url: URL; authorization: string | null; result: unknown }> {
  let asked: { url: URL; authorization: string | null } | undefined;
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, (request) => {
    asked = { url: new URL(request.url), authorization: request.headers.get("authorization") };
    return answer;
  });
  try {
    const url = `http://127.0.0.1:${server.addr.port}${path}`;
    const result = await ask(new ServerApi({ server: url, token: "secret" })).catch((error) =>
      error
    );
    assert(asked !== undefined);
    return { ...asked, result };
  } finally {
    await server.shutdown();
  }
}

Deno.test("ServerApi sends the token and the query, below the server's own path", async () => {
  const { url, authorization, result } = await exchange(
    Response.json({ lsn: 3 }),
    (api) => api.call("GET", "v1/volumes", { limit: 5, prefix: undefined, after: "a b" }),
    "/graft",
  );
  assert.deepEqual(result, { lsn: 3 });
  assert.equal(url.pathname, "/graft/v1/volumes");
  assert.equal(url.search, "?limit=5&after=a+b");
  assert.equal(authorization, "Bearer secret");
});

Deno.test("ServerApi passes on what the server says", async () => {
  const codes = [
    [400, "invalid"],
    [401, "unauthorized"],
    [403, "forbidden"],
    [404, "missing"],
    [
      409,
      "conflict",
    ],
    [503, "unavailable"],
    [500, "internal"],
  ] as const;
  for (const [status, code] of codes) {
    const problem = Response.json({ detail: "Cannot test", hint: "Try" }, { status });
    const { result } = await exchange(problem, (api) => api.call("GET", "v1/volumes"));
    assert(isGraftError(result, code), `${status}: ${result}`);
    assert.deepEqual([result.message, result.hint], ["Cannot test", "Try"]);
  }
});

Deno.test("ServerApi copes with something that is no Graft server", async () => {
  const page = new Response("<html>", { status: 502 });
  const bad = await exchange(page, (api) => api.call("GET", "v1/volumes"));
  assert(isGraftError(bad.result, "internal"));
  assert.match(bad.result.message, /answered 502/);
  const html = await exchange(new Response("<html>"), (api) => api.call("GET", "v1/volumes"));
  assert(isGraftError(html.result, "internal"));
  assert.match(html.result.message, /not JSON/);
});

Deno.test("ServerApi refuses URLs that cannot be called", () => {
  for (const server of ["", "nonsense", "ftp://x", "127.0.0.1:3000"]) {
    assert.throws(() => new ServerApi({ server }), UsageError, server);
  }
});
