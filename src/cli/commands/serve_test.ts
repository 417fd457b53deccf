import assert from "node:assert/strict";
import { graft, startServe } from "../_testing.ts";
import { VERSION } from "../support/version.ts";

const IN_MEMORY = ["--listen", "127.0.0.1:0", "--log", "memory:", "--objects", "memory:"];

async function inTemporary(work: (directory: string) => Promise<void>): Promise<void> {
  const directory = await Deno.makeTempDir();
  try {
    await work(directory);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

Deno.test("serve prints where it is, takes SIGTERM and ends with 0", async () => {
  await inTemporary(async (directory) => {
    // a separator before the flags comes from `deno task start -- …`
    const server = await startServe(
      ["--", "--listen", "127.0.0.1:0", "--data", `${directory}/d`],
      3,
    );
    const url = /^Graft \d+\.\d+\.\d+ is listening on (http:\S+)$/.exec(server.banner[0])?.[1];
    assert(url !== undefined && !url.endsWith(":0"), server.banner[0]);
    assert.equal(server.banner[1], `Data: ${directory}/d`);
    assert.equal(server.banner[2], "Auth: off (no tokens, loopback only)");
    assert.equal(await (await fetch(`${url}/health`)).text(), "OK\n");
    // deno task passes a signal on twice: the second is not to cut the shutdown short
    server.child.kill("SIGTERM");
    server.child.kill("SIGTERM");
    const { code, stderr } = await server.ended();
    assert.equal(code, 0);
    // with an empty cache, Deno writes there too what it downloads
    const line = stderr.split("\n").find((text) => text.startsWith("{"));
    const { level, message, requests } = JSON.parse(line ?? "{}");
    assert.deepEqual([level, message], ["INFO", "stopping with 0 requests under way"]);
    assert.equal(requests, 0);
  });
});

Deno.test("serve logs lines of JSON where stderr is no terminal", async () => {
  const server = await startServe([...IN_MEMORY, "--json", "--log-level", "debug"], 1);
  const { version, urls, data, role, auth } = JSON.parse(server.banner[0]);
  assert.equal(version, VERSION);
  assert.deepEqual([urls.length, data, role, auth], [1, null, "all", "off"]);
  const headers = { "x-request-id": "mine-1" };
  await (await fetch(`${urls[0]}/health`, { headers })).body?.cancel();
  server.child.kill("SIGINT");
  const { code, stderr } = await server.ended();
  assert.equal(code, 0);
  const line = JSON.parse(stderr.split("\n").find((text) => text.includes("mine-1")) ?? "{}");
  assert.deepEqual([line.route, line.status, line.requestId], ["health", 200, "mine-1"]);
});

Deno.test("serve names a port that is taken, ends with 1 and leaves nothing behind", async () => {
  await inTemporary(async (directory) => {
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const address = `127.0.0.1:${listener.addr.port}`;
    const data = `${directory}/data`;
    const { code, stdout, stderr } = await graft(["serve", "--listen", address, "--data", data]);
    listener.close();
    assert.deepEqual([code, stdout], [1, ""]);
    assert.match(stderr, new RegExp(`Cannot listen on ${address}: the port is taken`));
    assert.deepEqual([...Deno.readDirSync(directory)], []);
  });
});

Deno.test("serve takes settings from the file, variables beat it, flags beat both", async () => {
  await inTemporary(async (directory) => {
    const config = `${directory}/graft.toml`;
    await Deno.writeTextFile(
      config,
      'listen = ["127.0.0.1:0", "127.0.0.1:0"]\nlog = "memory:"\nobjects = "memory:"\n' +
        'role = "pagestore"\ngrace = "48h"\ncache-bytes = 1048576\ninsecure-no-auth = false\n',
    );
    const variables = { GRAFT_SERVE_ROLE: "metastore", GRAFT_SERVE_INSECURE_NO_AUTH: "false" };
    for (const [args, role] of [[[], "metastore"], [["--role", "all"], "all"]] as const) {
      const server = await startServe(["--config", config, "--json", ...args], 1, variables);
      const banner = JSON.parse(server.banner[0]);
      server.child.kill("SIGTERM");
      assert.equal((await server.ended()).code, 0);
      assert.deepEqual([banner.urls.length, banner.role], [2, role]);
    }
  });
});

Deno.test("serve takes the file's name and json from variables, and empty ones as unset", async () => {
  await inTemporary(async (directory) => {
    const config = `${directory}/graft.toml`;
    const memory = 'log = "memory:"\nobjects = "memory:"\nlisten = "127.0.0.1:0"\n';
    const cases: [string, Record<string, string>][] = [
      [memory, { GRAFT_SERVE_JSON: "true" }],
      [`${memory}json = true\n`, { GRAFT_SERVE_ROLE: "", GRAFT_SERVE_TYPO: "" }],
    ];
    for (const [text, variables] of cases) {
      await Deno.writeTextFile(config, text);
      const server = await startServe([], 1, { ...variables, GRAFT_SERVE_CONFIG: config });
      server.child.kill("SIGTERM");
      assert.equal((await server.ended()).code, 0);
      const { role, data } = JSON.parse(server.banner[0]);
      assert.deepEqual([role, data], ["all", null]);
    }
  });
});

Deno.test("serve refuses settings that it does not know or cannot use", async () => {
  await inTemporary(async (directory) => {
    const config = `${directory}/graft.toml`;
    const cases: [string, Record<string, string>, RegExp][] = [
      ['lissten = "x"', {}, /"lissten" is no setting\n.*Did you mean listen\?/],
      ["listen = [", {}, /Cannot read the configuration/],
      ['listen = "nowhere"', {}, /listen in .*"nowhere"/],
      ['role = "king"', {}, /role in .*choices are all, metastore, pagestore/],
      ["insecure-no-auth = 5", {}, /neither true nor false/],
      ["listen = { a = 1 }", {}, /neither text nor a number/],
      ["", { GRAFT_SERVE_GRACE: "1h" }, /GRAFT_SERVE_GRACE: .*at least 2h/],
      ["", { GRAFT_SERVE_INSECURE_NO_AUTH: "1" }, /NO_AUTH: "1" is neither true nor false/],
      ["", { GRAFT_SERVE_JSON: "yes" }, /GRAFT_SERVE_JSON: "yes" is neither true nor false/],
      ["", { GRAFT_SERVE_AUTH_KEY_FLE: "k" }, /_FLE: .*\n.*mean GRAFT_SERVE_AUTH_KEY_FILE\?/],
      ["", { GRAFT_SERVE_VERSION: "1" }, /GRAFT_SERVE_VERSION: it is no setting/],
      ['config = "other.toml"', {}, /"config" is no setting/],
    ];
    for (const [text, variables, message] of cases) {
      await Deno.writeTextFile(config, text);
      const { code, stderr } = await graft(
        ["serve", ...IN_MEMORY.slice(2), "--config", config],
        variables,
      );
      assert.equal(code, 2, stderr);
      assert.match(stderr, message);
    }
    const { code, stderr } = await graft(["serve", "--config", `${directory}/none.toml`]);
    assert.equal(code, 2);
    assert.match(stderr, /no such file/);
  });
});

Deno.test("serve refuses a data directory that is in use, and ends with 1", async () => {
  await inTemporary(async (directory) => {
    const args = ["--listen", "127.0.0.1:0", "--data", directory];
    const server = await startServe(args, 3);
    const { code, stderr } = await graft(["serve", ...args]);
    server.child.kill("SIGTERM");
    await server.ended();
    assert.equal(code, 1);
    assert.match(stderr, /Cannot open the data directory .* holds it/);
  });
});

Deno.test("a key in a variable that says false does not open the server", async () => {
  const { code, stderr } = await graft(
    ["serve", ...IN_MEMORY.with(1, "0.0.0.0:0")],
    { GRAFT_SERVE_INSECURE_NO_AUTH: "false" },
  );
  assert.equal(code, 2);
  assert.match(stderr, /without a key only loopback/);
});

Deno.test("a second signal, more than a second later, ends serve at once", async () => {
  const server = await startServe([...IN_MEMORY, "--json"], 1);
  const { hostname, port } = new URL(JSON.parse(server.banner[0]).urls[0]);
  const connection = await Deno.connect({ hostname, port: Number(port) });
  // a request that never ends holds the shutdown up
  await connection.write(new TextEncoder().encode(
    `POST /pagestore/v1/write_pages HTTP/1.1\r\nhost: ${hostname}:${port}\r\n` +
      "content-type: application/x-protobuf\r\ncontent-length: 100000\r\n\r\n",
  ));
  const url = `http://${hostname}:${port}/metrics`;
  while (!/requests_in_flight 2\n/.test(await (await fetch(url)).text())) {
    /* it has not arrived */
  }
  server.child.kill("SIGTERM");
  await new Promise((resolve) => setTimeout(resolve, 1200));
  server.child.kill("SIGTERM");
  assert.equal((await server.ended()).code, 130);
  connection.close();
});
