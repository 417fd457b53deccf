/**
 * `deno task bundle`: makes the client one file, `dist/graft.js`, and proves that the file needs
 * nothing else: it is imported in an empty directory, with an empty cache and no permission.
 *
 * `--check` proves it on a temporary file and writes nothing.
 *
 * @module
 */

import { runDeno } from "./gate/command.ts";

const ENTRY = new URL("../client/mod.ts", import.meta.url).pathname;
const OUTPUT = new URL("../dist/graft.js", import.meta.url).pathname;

/** Bundles `entry` into the file `output`. */
export async function bundle(entry: string, output: string): Promise<void> {
  await mustRun("bundle the client", ["bundle", "--minify", "--output", output, entry]);
}

/** Imports the module `file` where it has nothing but itself. */
export async function proveSelfContained(file: string): Promise<void> {
  const directory = await Deno.makeTempDir({ prefix: "graft-bundle-" });
  try {
    await Deno.copyFile(file, `${directory}/bundle.js`);
    await Deno.writeTextFile(
      `${directory}/main.js`,
      `const exports = Object.keys(await import("./bundle.js"));
       if (exports.length === 0) throw new Error("The bundle exports nothing");`,
    );
    await mustRun("import the bundle", ["run", "--cached-only", "--no-config", "main.js"], {
      cwd: directory,
      env: { DENO_DIR: `${directory}/cache` },
    });
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

async function mustRun(
  purpose: string,
  args: readonly string[],
  options: Parameters<typeof runDeno>[1] = {},
): Promise<void> {
  const { code, output } = await runDeno(args, options);
  if (code !== 0) {
    throw new Error(`Cannot ${purpose}: deno ${args[0]} ended with ${code}\n${output}`);
  }
}

if (import.meta.main) {
  const output = Deno.args.includes("--check")
    ? await Deno.makeTempFile({ suffix: ".js" })
    : OUTPUT;
  await bundle(ENTRY, output);
  await proveSelfContained(output);
  const { size } = await Deno.stat(output);
  if (output !== OUTPUT) await Deno.remove(output);
  console.log(`The client is one file of ${Math.ceil(size / 1024)} KiB`);
}
