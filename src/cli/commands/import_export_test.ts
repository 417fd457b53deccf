import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { GraftClient } from "../../../client/mod.ts";
import { startServer } from "../../server/mod.ts";
import { graft } from "../_testing.ts";
import { dump, inDirectory, KINDS, makeDatabase } from "../import/_testing.ts";

const MAIN = new URL("../../../main.ts", import.meta.url).pathname;
const PAGE = 4096;
/** Exit codes. */
const [DONE, FAILED, REFUSED, MISSING, UNREACHABLE] = [0, 1, 3, 4, 5];

/** A server in memory, a directory, and the program on both. */
async function withServer(
  work: (at: { directory: string; url: string; run: typeof graft }) => Promise<void>,
): Promise<void> {
  await using server = await startServer({
    listen: ["127.0.0.1:0"],
    log: "memory:",
    objects: "memory:",
  });
  const url = server.urls[0];
  await inDirectory(async (directory) => {
    await work({ directory, url, run: (args) => graft(args, { GRAFT_SERVER: url }) });
  });
}

Deno.test("databases go into volumes and come out byte for byte, or with the same content", async () => {
  await withServer(async ({ directory, run }) => {
    for (const kind of ["pages of 4096", "pages of 1024", "a WAL", "UTF-16", "auto_vacuum"]) {
      const [path, out] = [`${directory}/${kind}.db`, `${directory}/${kind}.out.db`];
      makeDatabase(path, KINDS[kind]);
      const { code, stdout, stderr } = await run(["import", path]);
      assert.equal(code, DONE, stderr);
      const ended = await run(["export", stdout.trim(), out]);
      assert.equal(ended.code, DONE, ended.stderr);
      assert.deepEqual(dump(out), dump(path), kind);
      const isSame = ["pages of 4096", "UTF-16", "auto_vacuum"].includes(kind);
      if (isSame) assert.deepEqual(await Deno.readFile(out), await Deno.readFile(path), kind);
    }
  });
});

Deno.test("import and export print one JSON value each, and nothing else", async () => {
  await withServer(async ({ directory, run }) => {
    makeDatabase(`${directory}/a.db`, KINDS["pages of 1024"]);
    const imported = await run(["import", `${directory}/a.db`, "--json"]);
    const { vid, lsn, pagesFound, originalPageSize, pageCount } = JSON.parse(imported.stdout);
    assert.deepEqual([lsn, pagesFound, originalPageSize], [1, 0, 1024]);
    const exported = await run(["export", vid, `${directory}/b.db`, "--json"]);
    const { timestamp, ...rest } = JSON.parse(exported.stdout);
    assert(Date.parse(timestamp) > 0, timestamp);
    assert.deepEqual(rest, { vid, lsn, pageCount, file: `${directory}/b.db` });
    assert.equal((await Deno.stat(`${directory}/b.db`)).size, pageCount * PAGE);
  });
});

Deno.test("a volume with content is replaced only when asked to, and stays readable as it was", async () => {
  await withServer(async ({ directory, run }) => {
    const [old, next, out] = [`${directory}/old.db`, `${directory}/new.db`, `${directory}/o.db`];
    makeDatabase(old, "", 2000);
    makeDatabase(next, "PRAGMA encoding = 'UTF-16le'", 100);
    const vid = (await run(["import", old])).stdout.trim();
    const refused = await run(["import", next, "--volume", vid]);
    assert.equal(refused.code, REFUSED);
    assert.match(refused.stderr, /it has other content.*\n.*--replace/);
    assert.equal((await run(["import", next, "--volume", vid, "--replace"])).code, DONE);
    assert.equal((await run(["export", vid, out])).code, DONE);
    assert.deepEqual(await Deno.readFile(out), await Deno.readFile(next));
    assert.equal((await run(["export", `${vid}@1`, out])).code, REFUSED);
    assert.equal((await run(["export", `${vid}@1`, out, "--force"])).code, DONE);
    assert.deepEqual(await Deno.readFile(out), await Deno.readFile(old));
    assert.equal((await run(["export", `${vid}@9`, `${directory}/x.db`])).code, MISSING);
    assert.equal((await run(["export", `${vid}@2h`, `${directory}/x.db`])).code, MISSING);
  });
});

Deno.test("every failure has its exit code", async () => {
  await withServer(async ({ directory, url, run }) => {
    const codeOf = async (...args: string[]) => (await run(args)).code;
    const client = new GraftClient(url);
    const empty = (await client.push(client.newVolumeId(), undefined, [], 0)).vid;
    await Deno.writeTextFile(
      `${directory}/text.db`,
      "no database at all, but long enough".repeat(9),
    );
    assert.equal(await codeOf("import", `${directory}/text.db`), FAILED);
    assert.equal(await codeOf("import", directory), FAILED);
    assert.equal(await codeOf("import", `${directory}/none.db`), MISSING);
    assert.equal(await codeOf("import"), 2);
    assert.equal(await codeOf("import", "a.db", "--volume", "short"), 2);
    assert.equal(await codeOf("export", client.newVolumeId(), `${directory}/a.db`), MISSING);
    assert.equal(await codeOf("export", empty, `${directory}/a.db`), FAILED);
    assert.equal(await codeOf("export", `${empty}@soon`, `${directory}/a.db`), 2);
    const nobody = ["--server", "http://127.0.0.1:1"];
    assert.equal(await codeOf("import", `${directory}/text.db`, ...nobody), UNREACHABLE);
    assert.equal(await codeOf("export", empty, `${directory}/a.db`, ...nobody), UNREACHABLE);
  });
});

/** Starts an import of a file of some 25 MB, and waits until its first commit has landed. */
async function startImport(
  directory: string,
  url: string,
): Promise<{ child: Deno.ChildProcess; vid: string; path: string; pageCount: number }> {
  const path = `${directory}/big.db`;
  const database = new DatabaseSync(path);
  database.exec("PRAGMA page_size = 4096; CREATE TABLE t (a); BEGIN");
  const insert = database.prepare("INSERT INTO t VALUES (randomblob(1000000))");
  for (let i = 0; i < 60; i++) insert.run();
  database.exec("COMMIT");
  database.close();
  const client = new GraftClient(url);
  const vid = client.newVolumeId();
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-lock", MAIN, "import", path, "--volume", vid, "--server", url],
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  while ((await client.snapshot(vid).catch(() => undefined)) === undefined) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return { child, vid, path, pageCount: (await Deno.stat(path)).size / PAGE };
}

/** Goes on with an import, and makes sure that it did not begin anew. */
async function assertGoesOn(
  { vid, path, pageCount }: { vid: string; path: string; pageCount: number },
  directory: string,
  run: typeof graft,
): Promise<void> {
  const half = await run(["export", vid, `${directory}/half.db`]);
  assert.equal(half.code, FAILED);
  assert.match(half.stderr, /its first page is missing/);
  const again = await run(["import", path, "--volume", vid, "--json"]);
  assert.equal(again.code, DONE, again.stderr);
  const { pagesFound } = JSON.parse(again.stdout);
  assert(pagesFound > 0 && pagesFound < pageCount, String(pagesFound));
  assert.equal((await run(["export", vid, `${directory}/out.db`])).code, DONE);
  assert.deepEqual(await Deno.readFile(`${directory}/out.db`), await Deno.readFile(path));
  const once = JSON.parse((await run(["import", path, "--volume", vid, "--json"])).stdout);
  assert.equal(once.pagesFound, pageCount);
}

Deno.test("an import that was killed goes on where it was", async () => {
  await withServer(async ({ directory, url, run }) => {
    const { child, ...started } = await startImport(directory, url);
    child.kill("SIGKILL");
    await child.output();
    await assertGoesOn(started, directory, run);
  });
});

Deno.test("Ctrl-C ends an import and says how to go on", async () => {
  await withServer(async ({ directory, url, run }) => {
    const { child, ...started } = await startImport(directory, url);
    child.kill("SIGINT");
    const { code, stderr } = await child.output();
    assert.equal(code, FAILED);
    const text = new TextDecoder().decode(stderr);
    assert(
      text.includes(`graft import ${started.path} --volume ${started.vid} --server ${url}`),
      text,
    );
    await assertGoesOn(started, directory, run);
  });
});
