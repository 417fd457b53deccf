/**
 * Test modules as the one file that a browser loads.
 *
 * @module
 */

import { runDeno } from "../../../tools/gate/command.ts";

const ROOT = new URL("../../../", import.meta.url);
const MODULES = new URL("../modules/", import.meta.url);
const ASSERT = new URL("../page/assert.ts", import.meta.url);

interface Configuration {
  readonly imports: Record<string, string>;
}

/** The JavaScript of `tests/browser/modules/NAME.ts` with all that it imports, WebAssembly included. */
export async function bundleModule(name: string): Promise<string> {
  const folder = await Deno.makeTempDir({ prefix: "graft-bundle-" });
  try {
    const config = `${folder}/deno.json`;
    await Deno.writeTextFile(config, JSON.stringify(await configuration()));
    const output = `${folder}/bundle.js`;
    const entry = new URL(`${name}.ts`, MODULES).pathname;
    const { code, output: log } = await runDeno(
      ["bundle", "--no-lock", "--platform=browser", "--config", config, "--output", output, entry],
    );
    if (code !== 0) {
      throw new Error(`Cannot bundle "${name}": deno bundle ended with ${code}\n${log}`);
    }
    return await Deno.readTextFile(output);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Our own imports; what conformance suites take from Node comes from a few lines of ours. */
async function configuration(): Promise<object> {
  const own: Configuration = JSON.parse(await Deno.readTextFile(new URL("deno.json", ROOT)));
  return {
    nodeModulesDir: "none",
    imports: { ...own.imports, "node:assert/strict": ASSERT.pathname },
  };
}
