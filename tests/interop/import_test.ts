import assert from "node:assert/strict";
import { graft } from "../../src/cli/_testing.ts";
import { inDirectory, makeDatabase } from "../../src/cli/import/_testing.ts";
import { pythonPath } from "../../tools/gate/needs.ts";
import { startServer } from "../harness/server.ts";
import { Device } from "./_official_client.ts";

const SUM = "select count(*), sum(id), sum(length(name)), sum(length(body)) from entries";

/** Reads a file with Python's own SQLite. */
async function readWithPython(path: string): Promise<unknown> {
  const script = "import json, sqlite3, sys\n" +
    "db = sqlite3.connect(sys.argv[1])\n" +
    "ask = lambda sql: [list(row) for row in db.execute(sql)]\n" +
    "print(json.dumps([ask('pragma integrity_check'), ask(sys.argv[2]), ask('pragma page_count')]))";
  const { code, stdout } = await new Deno.Command(pythonPath(), {
    args: ["-c", script, path, SUM],
    stderr: "inherit",
  }).output();
  assert.equal(code, 0);
  return JSON.parse(new TextDecoder().decode(stdout));
}

Deno.test("the official client reads and writes an imported database; Python reads what is exported", async () => {
  await using server = await startServer();
  await inDirectory(async (directory) => {
    const [path, out] = [`${directory}/a.db`, `${directory}/out.db`];
    makeDatabase(path, "PRAGMA page_size = 1024; PRAGMA journal_mode = WAL", 5000);
    const run = (...args: string[]) => graft([...args, "--server", server.url]);
    const imported = JSON.parse((await run("import", path, "--json")).stdout);
    const [, before] = await readWithPython(path) as unknown[][];
    await using device = await Device.start({ metastore: server.url, volume: imported.vid });
    await device.untilAt(imported.lsn);
    assert.deepEqual(await device.sql(SUM), before);
    await device.assertIntegrity();
    await device.sql("delete from entries where id > 4000");
    await device.untilPushed();
    const exported = await run("export", imported.vid, out);
    assert.equal(exported.code, 0, exported.stderr);
    const { size } = await Deno.stat(out);
    const expected = [[["ok"]], await device.sql(SUM), [[size / 4096]]];
    assert.deepEqual(await readWithPython(out), expected);
    const asBefore = await run("export", `${imported.vid}@${imported.lsn}`, `${directory}/old.db`);
    assert.equal(asBefore.code, 0, asBefore.stderr);
    const [, old] = await readWithPython(`${directory}/old.db`) as unknown[][];
    assert.deepEqual(old, before);
  });
});
