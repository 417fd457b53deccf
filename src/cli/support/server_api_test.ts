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

function problem(fields: object, status: number): Response {
  const headers = { "content-type": "application/problem+json" };
  return new Response(JSON.stringify(fields), { status, headers });
}

Deno.test("ServerApi passes on what the server says", async () => {
  const codes = [
    [400, "invalid"],
    [401, "unauthorized"],
    [403, "forbidden"],
    [404, "missing"],
    [409, "conflict"],
    [503, "unavailable"],
    [503, "aborted"],
    [500, "damaged"],
    [500, "internal"],
  ] as const;
  for (const [status, code] of codes) {
    const answer = problem({ code, detail: "Cannot test", hint: "Try" }, status);
    const { result } = await exchange(answer, (api) => api.call("GET", "v1/volumes"));
    assert(isGraftError(result, code), `${status}: ${result}`);
    assert.deepEqual([result.message, result.hint], ["Cannot test", "Try"]);
  }
});

Deno.test("ServerApi takes what is no Graft server for one out of reach, never for missing", async () => {
  const html = { "content-type": "text/html" };
  const answers = [
    new Response("<html>", { status: 502, headers: html }),
    new Response("<html>", { status: 404, headers: html }),
    new Response("<html>", { headers: html }),
    new Response("{}", { headers: html }),
    new Response("<", { headers: { "content-type": "application/json" } }),
    Response.json({ code: "missing", detail: "Cannot" }, { status: 404 }),
    problem({ detail: "Another's" }, 404),
    problem({ code: "constructor", detail: "Another's" }, 404),
    problem({ code: "missing" }, 404),
    // a Graft server, called at a path that leads nowhere
    problem({ code: "invalid", detail: "Cannot serve /x/v1/volumes" }, 404),
  ];
  for (const [at, answer] of answers.entries()) {
    const { result } = await exchange(answer, (api) => api.call("GET", "v1/volumes"), "/x");
    assert(isGraftError(result, "unavailable"), `answer ${at}: ${result}`);
    assert.match(result.message, /"http:\/\/127\S+\/x" does not answer like a Graft server$/);
  }
});

Deno.test("ServerApi refuses URLs that cannot be called", () => {
  for (const server of ["", "nonsense", "ftp://x", "127.0.0.1:3000"]) {
    assert.throws(() => new ServerApi({ server }), UsageError, server);
  }
});
