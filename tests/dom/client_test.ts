// The client must run where there is nothing but the web's own interfaces: it is type-checked against the
// DOM library alone, and the modules that it loads are looked at one by one.

import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";

const ROOT = new URL("../../", import.meta.url);
const CLIENT = fileURLToPath(new URL("client/mod.ts", ROOT));

interface Configuration {
  readonly imports: Record<string, string>;
}

/** The modules of a program, as far as `deno info --json` tells and this test needs. */
interface ModuleGraph {
  readonly modules: readonly { readonly specifier: string }[];
}

async function deno(...args: string[]): Promise<{ success: boolean; output: string }> {
  const command = new Deno.Command(Deno.execPath(), {
    args,
    cwd: ROOT,
    env: { NO_COLOR: "1" },
    stdout: "piped",
    stderr: "piped",
  });
  const { success, stdout, stderr } = await command.output();
  const decoder = new TextDecoder();
  return {
    success,
    output: decoder.decode(stdout) + decoder.decode(success ? new Uint8Array(0) : stderr),
  };
}

/** Type-checks a file against the DOM alone, with the imports of our own configuration. */
async function checkAgainstDom(path: string): Promise<{ success: boolean; output: string }> {
  const directory = await Deno.makeTempDir({ prefix: "graft-dom-" });
  try {
    const own: Configuration = JSON.parse(await Deno.readTextFile(new URL("deno.json", ROOT)));
    const config = `${directory}/deno.json`;
    await Deno.writeTextFile(
      config,
      JSON.stringify({
        nodeModulesDir: "none",
        imports: own.imports,
        compilerOptions: { lib: ["dom", "dom.iterable", "esnext"] },
      }),
    );
    return await deno("check", "--no-lock", "--config", config, path);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

Deno.test("the client type-checks against the DOM library alone", async () => {
  const { success, output } = await checkAgainstDom(CLIENT);
  assert.ok(success, output);
});

Deno.test("the same check refuses what only Deno has", async () => {
  const path = await Deno.makeTempFile({ prefix: "graft-dom-", suffix: ".ts" });
  try {
    await Deno.writeTextFile(path, "export const directory: string = Deno.cwd();\n");
    const { success, output } = await checkAgainstDom(path);
    assert.ok(!success);
    assert.match(output, /Cannot find name 'Deno'/);
  } finally {
    await Deno.remove(path);
  }
});

Deno.test("the client loads its own rooms, the module and three packages, nothing of Node's", async () => {
  const { success, output } = await deno("info", "--json", "--no-lock", CLIENT);
  assert.ok(success, output);
  const graph: ModuleGraph = JSON.parse(output);
  const specifiers = graph.modules.map(({ specifier }) => specifier);
  assert.ok(specifiers.length > 10, "the graph of the client is not whole");
  const ours = /^(client|src\/core|src\/wire|src\/segment|wasm)\//;
  const packages = /^npm:\/?(@bufbuild\/protobuf|@noble\/hashes|@scure\/base)@/;
  for (const specifier of specifiers) {
    const isOurs = specifier.startsWith(ROOT.href) && ours.test(specifier.slice(ROOT.href.length));
    assert.ok(isOurs || packages.test(specifier), `The client loads ${specifier}`);
  }
});
