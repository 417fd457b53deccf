import assert from "node:assert/strict";
import { graft, startServe } from "./_testing.ts";

const IN_MEMORY = ["--listen", "127.0.0.1:0", "--log", "memory:", "--objects", "memory:"];
const UNKNOWN_VID = "GonwTRj2SohJzYLLjD9nSq";

Deno.test("every command has help that ends in examples", async () => {
  const commands = [
    [],
    ["serve"],
    ["key"],
    ["key", "new"],
    ["token"],
    ["token", "new"],
    ["token", "show"],
    ["volume"],
    ["volume", "ls"],
    ["volume", "create"],
    ["volume", "show"],
    ["volume", "log"],
  ];
  await Promise.all(commands.map(async (command) => {
    const { code, stdout } = await graft([...command, "--help"]);
    assert.equal(code, 0, command.join(" "));
    assert.match(stdout, new RegExp(`Usage: ${["graft", ...command].join(" ")}`));
    const examples = stdout.slice(stdout.lastIndexOf("Examples:\n")).trim().split("\n");
    assert(examples.length >= 2, `${command.join(" ")} has no examples`);
    for (const line of examples.slice(1)) assert.match(line, /^ {2}(graft|vid=\$\(graft) /);
  }));
});

Deno.test("--version prints the version of deno.json and nothing else", async () => {
  const { version } = JSON.parse(
    await Deno.readTextFile(new URL("../../deno.json", import.meta.url)),
  );
  assert.deepEqual(await graft(["--version"]), { code: 0, stdout: `${version}\n`, stderr: "" });
});

Deno.test({
  name: "output that cannot be written ends with 1 and no stack",
  ignore: Deno.build.os !== "linux",
  async fn() {
    const line = '"$0" run -A --no-lock "$1" key new > /dev/full';
    const main = new URL("../../main.ts", import.meta.url).pathname;
    const shell = new Deno.Command("sh", { args: ["-c", line, Deno.execPath(), main] });
    const { code, stderr } = await shell.output();
    const text = new TextDecoder().decode(stderr);
    assert.equal(code, 1);
    assert.match(text, /^error: Cannot write the output: .*\n$/);
  },
});

Deno.test("wrong usage ends with 2 and names the nearest", async () => {
  const cases: [string[], RegExp][] = [
    [["serve", "--lisen", "x"], /--lisen.*\n?.*--listen/],
    [["volum", "ls"], /volum.*\n?.*volume/],
    [["volume", "lst"], /lst.*\n?.*ls/],
    [["serve", "--listen", "nowhere"], /"nowhere": it is not HOST:PORT/],
    [["serve", "--role", "king"], /all, metastore, pagestore/],
    [["serve", "--grace", "1h"], /at least 2h/],
    [["serve", "--retain", "week"], /"week" as a duration/],
    [["serve", "--cache-bytes", "1MB"], /"1MB" as a size/],
    [["serve", "--listen", "0.0.0.0:0"], /without a key only loopback/],
    [["token", "new", "--sub", "x", "--can", "reed"], /reed.*none of read/],
    [["token", "new", "--sub", ""], /--sub.*it is empty/],
    [["token", "new", "--sub", "x"], /no key is given/],
    [["volume", "show", "nonsense"], /"nonsense" as a volume id/],
    [["volume", "show", `${UNKNOWN_VID}@soon`], /"soon" as a point/],
    [["volume", "ls", "--server", "ftp://x"], /no http or https URL/],
    [["volume"], /Usage: graft volume/],
  ];
  await Promise.all(cases.map(async ([args, message]) => {
    const { code, stdout, stderr } = await graft(args);
    assert.equal(code, 2, `${args.join(" ")}: ${stderr}`);
    assert.match(stderr, message);
    assert.equal(stdout, "");
  }));
});

Deno.test("a value that is refused is told as any other failure, with its flag", async () => {
  const cases: [string[], string][] = [
    [["sql", "it's", "select 1"], `error: Cannot read "it's" as a volume id: `],
    [
      ["volume", "show", `${UNKNOWN_VID}@soon`],
      'error: Cannot read "soon" as a point in history: ',
    ],
    [
      ["serve", "--cache-bytes", "1. Cannot"],
      'error: --cache-bytes: Cannot read "1. Cannot" as a size: ',
    ],
    [
      ["serve", "--role", "king"],
      "error: option '--role <role>' argument 'king' is invalid. Allowed",
    ],
  ];
  await Promise.all(cases.map(async ([args, begin]) => {
    const { code, stderr } = await graft(args);
    assert.deepEqual([code, stderr.slice(0, begin.length)], [2, begin]);
  }));
});

Deno.test("keys and tokens fit together", async () => {
  const { key } = JSON.parse((await graft(["key", "new", "--json"])).stdout);
  const env = { GRAFT_SERVE_AUTH_KEY: key };
  const made = await graft(
    [
      "token",
      "new",
      "--sub",
      "laptop",
      "--volumes",
      UNKNOWN_VID,
      "--can",
      "read,write",
      "--expires",
      "30d",
    ],
    env,
  );
  assert.match(made.stdout, /^v4\.local\.[\w-]+\n$/);
  const token = made.stdout.trim();
  const shown = JSON.parse(
    (await graft(["token", "show", token, "--json", "--auth-key", key])).stdout,
  );
  assert.deepEqual([shown.subject, shown.volumes, shown.can, shown.valid], [
    "laptop",
    [UNKNOWN_VID],
    ["read", "write"],
    true,
  ]);
  assert.equal(Date.parse(shown.expiresAt) - Date.parse(shown.issuedAt), 30 * 86_400_000);

  const forEver = (await graft(["token", "new", "--sub", "server"], env)).stdout.trim();
  const text = (await graft(["token", "show", forEver], env)).stdout;
  assert.match(text, /^subject\s+server\nvolumes\s+all\ncan\s+read, write, fork, admin\n/);
  assert.match(text, /\nexpiresAt\s+never\nvalid\s+true\n$/);

  const asJson = (await graft(["token", "show", forEver, "--json"], env)).stdout;
  assert.equal(JSON.parse(asJson).expiresAt, null);

  const foreign = await graft(["token", "show", token, "--auth-key", "ab".repeat(32)]);
  assert.equal(foreign.code, 3);
  assert.match(foreign.stderr, /made with a key that is not among those given/);
  assert.doesNotMatch(foreign.stderr, /server/);
  assert(!foreign.stderr.includes(token) && !foreign.stderr.includes(key));
});

Deno.test("volumes are made, listed, shown and logged", async () => {
  const server = await startServe([...IN_MEMORY, "--json"], 1);
  try {
    const env = { GRAFT_SERVER: JSON.parse(server.banner[0]).urls[0] };
    assert.equal((await graft(["volume", "ls", "--json"], env)).stdout, "");
    const created = await graft(["volume", "create"], env);
    const vid = created.stdout.trim();
    assert.match(vid, /^[1-9A-HJ-NP-Za-km-z]{22}$/);
    const rows = (await graft(["volume", "ls", "--json"], env)).stdout.trim().split("\n");
    assert.deepEqual(rows.map((row) => JSON.parse(row).vid), [vid]);
    const table = (await graft(["volume", "ls"], env)).stdout.split("\n");
    assert.match(table[0], /^VOLUME\s+LSN\s+PAGES\s+COMMITTED\s+CLIENT$/);
    assert(table[1].startsWith(`${vid}    1      0  `), table[1]);
    const shown = JSON.parse((await graft(["volume", "show", `${vid}@1`, "--json"], env)).stdout);
    assert.deepEqual([shown.vid, shown.lsn, shown.pageCount], [vid, 1, 0]);
    const log = JSON.parse((await graft(["volume", "log", vid, "--json"], env)).stdout);
    assert.deepEqual([log.lsn, log.pagesChanged, log.pageCount], [1, 0, 0]);
    const header = (await graft(["volume", "log", vid], env)).stdout.split("\n")[0];
    assert.equal(header, "LSN  COMMITTED                 CLIENT                  CHANGED  PAGES");
    const missing = await graft(["volume", "show", `${vid}@2`], env);
    assert.equal(missing.code, 4);
    assert.match(missing.stderr, /^error: Cannot read volume/);
    assert.equal((await graft(["volume", "log", UNKNOWN_VID], env)).code, 4);
    const elsewhere = ["volume", "show", vid, "--server", `${env.GRAFT_SERVER}/nowhere`];
    const { code, stderr } = await graft(elsewhere);
    assert.equal(code, 5);
    assert.match(stderr, /nowhere" does not answer like a Graft server/);
  } finally {
    server.child.kill("SIGTERM");
    assert.equal((await server.ended()).code, 0);
  }
});

Deno.test("a token that is refused ends with 3", async () => {
  const { key } = JSON.parse((await graft(["key", "new", "--json"])).stdout);
  const server = await startServe([...IN_MEMORY, "--json", "--auth-key", key], 1);
  try {
    const banner = JSON.parse(server.banner[0]);
    assert.equal(banner.auth, "on");
    const env = { GRAFT_SERVER: banner.urls[0], GRAFT_SERVE_AUTH_KEY: key };
    assert.equal((await graft(["volume", "ls"], env)).code, 3);
    const reader = await graft(["token", "new", "--sub", "r", "--can", "read"], env);
    const withToken = { ...env, GRAFT_TOKEN: reader.stdout.trim() };
    assert.equal((await graft(["volume", "ls"], withToken)).code, 0);
    const refused = await graft(["volume", "create"], withToken);
    assert.equal(refused.code, 3);
    assert.match(refused.stderr, /does not allow to write/);
  } finally {
    server.child.kill("SIGTERM");
    await server.ended();
  }
});

Deno.test("a server that is not there ends with 5", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  const { code, stderr } = await graft(
    ["volume", "ls", "--server", `http://127.0.0.1:${port}`],
    { GRAFT_SERVER: "", GRAFT_TOKEN: "" },
  );
  assert.equal(code, 5);
  assert.match(stderr, /Cannot reach the server.*\n.*graft serve/);
});
