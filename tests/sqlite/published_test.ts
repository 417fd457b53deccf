// The package as a registry serves it: its imports are written out, its import map is not there.

import assert from "node:assert/strict";
import config from "../../deno.json" with { type: "json" };
import { bundle, inEmptyDirectory } from "../../tools/bundle_file.ts";
import { runDeno } from "../../tools/gate/command.ts";

const ENTRY = new URL("../../client/sqlite/mod.ts", import.meta.url).pathname;
const PACKAGE = "@journeyapps/wa-sqlite";
const PROGRAM = `
import { openDatabase } from "./published.js";
const db = await openDatabase("http://127.0.0.1:9");
console.log(await db.values("select 6 * 7"));
await db.close();
`;

Deno.test("a program without our import map finds the engine", async () => {
  await inEmptyDirectory(async (cwd) => {
    const file = `${cwd}/published.js`;
    await bundle(ENTRY, file, `${PACKAGE}/*`);
    const code = await Deno.readTextFile(file);
    const rewritten = code.replaceAll(`import("${PACKAGE}/`, `import("${config.imports[PACKAGE]}/`);
    assert.notEqual(rewritten, code);
    await Deno.writeTextFile(file, rewritten);
    await Deno.writeTextFile(`${cwd}/main.js`, PROGRAM);
    const args = ["run", "--no-config", "--no-lock", "-A", "main.js"];
    const { code: ended, output } = await runDeno(args, { cwd, env: { NO_COLOR: "1" } });
    assert.match(output, /\[ \[ 42 \] \]/);
    assert.equal(ended, 0);
  });
});

Deno.test("the engine's version is written out as it is pinned", async () => {
  const source = new URL("../../client/sqlite/engine/_wasm_io.ts", import.meta.url);
  assert.ok((await Deno.readTextFile(source)).includes(`"${config.imports[PACKAGE]}/dist/"`));
});
