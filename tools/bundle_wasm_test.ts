import assert from "node:assert/strict";
import binaryen from "binaryen";
import { bundle, proveSelfContained } from "./bundle_file.ts";

function twoFunctions(): Uint8Array {
  const module = binaryen.parseText(`(module
    (func (export "wanted") (result i32) (i32.const 41))
    (func (export "spurned") (result i32) (i32.const 77)))`);
  try {
    return module.emitBinary();
  } finally {
    module.dispose();
  }
}

/** The exports of the WebAssembly in the bundle of a module that imports all of it as `two`. */
async function exportsFor(source: string): Promise<string[]> {
  const directory = await Deno.makeTempDir();
  try {
    await Deno.writeFile(`${directory}/two.wasm`, twoFunctions());
    await Deno.writeTextFile(
      `${directory}/entry.ts`,
      `import * as two from "./two.wasm"; ${source}`,
    );
    const output = `${directory}/bundle.js`;
    await bundle(`${directory}/entry.ts`, output);
    await proveSelfContained(output);
    const digits = /"(0061736d[0-9a-f]+)"/.exec(await Deno.readTextFile(output))![1];
    const module = new WebAssembly.Module(Uint8Array.fromHex(digits));
    return WebAssembly.Module.exports(module).map(({ name }) => name);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

Deno.test("a bundle has what it uses of its WebAssembly, and no more", async () => {
  assert.deepEqual(await exportsFor("export const answer = two.wanted() + 1;"), ["wanted"]);
});

Deno.test("what is only looked at stays, and so does what may be", async () => {
  const both = ["wanted", "spurned"];
  assert.deepEqual(await exportsFor("export const all = [two.wanted, two.spurned];"), both);
});
