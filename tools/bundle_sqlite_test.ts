import assert from "node:assert/strict";
import { bundleSqlite } from "./bundle_sqlite.ts";
import { inEmptyDirectory } from "./bundle_file.ts";
import { runDeno } from "./gate/command.ts";

/** Both builds, from the files beside the bundle. */
const PROGRAM = `
import { openDatabase } from "./graft_sqlite.js";
for (const build of ["jspi", "asyncify"]) {
  const db = await openDatabase("http://127.0.0.1:9", undefined, { engine: { build } });
  console.log(await db.values("select 6 * 7"));
  await db.close();
}`;

Deno.test("the bundle finds the engine beside it, and nowhere else", async () => {
  await inEmptyDirectory(async (cwd) => {
    await bundleSqlite(cwd);
    await Deno.writeTextFile(`${cwd}/main.js`, PROGRAM);
    const args = [
      "run",
      "--cached-only",
      "--no-config",
      "--allow-net",
      "--allow-read=.",
      "main.js",
    ];
    const run = () => runDeno(args, { cwd, env: { DENO_DIR: `${cwd}/cache`, NO_COLOR: "1" } });
    assert.deepEqual(await run().then(({ code, output }) => [code, output.trim()]), [
      0,
      "[ [ 42 ] ]\n[ [ 42 ] ]",
    ]);
    await Deno.remove(`${cwd}/wa-sqlite-async.wasm`);
    assert.match(
      (await run()).output,
      /Cannot load SQLite: .*wa-sqlite-async\.wasm" cannot be read/,
    );
  });
});
