/**
 * `deno task bundle`: makes the client one file, `dist/graft.js`, for browsers, Node, Bun and Deno
 * alike, and its types, `dist/graft.d.ts`. It proves that the file needs nothing else (it is imported in an empty directory, with an empty
 * cache and no permission), and that it is no larger than it may be.
 *
 * `--check` proves it on a temporary file and leaves none.
 *
 * @module
 */

import { bundleTypes, checkTypes } from "./bundle_types.ts";
import { runDeno } from "./gate/command.ts";

const ENTRY = new URL("../client/mod.ts", import.meta.url).pathname;
const OUTPUT = new URL("../dist/graft.js", import.meta.url).pathname;
/** What a page may have to load for the client, gzipped. */
const GZIPPED_BYTES_MAX = 60_000;

/** How large a bundle is. */
export interface BundleSize {
  /** As it lies on the disk. */
  readonly bytes: number;
  /** As a server sends it. */
  readonly gzippedBytes: number;
}

/** Bundles `entry` into the file `output`. */
export async function bundle(entry: string, output: string): Promise<void> {
  // no `--declaration`: of types that only others' signatures name it leaves the imports (deno 2.9.6); and no
  // source map, which would be four times the bundle: who debugs the client imports its sources
  const args = ["--platform", "browser", "--minify", "--output", output, entry];
  await mustRun("bundle the client", ["bundle", ...args]);
}

/** Imports the module `file` where it has nothing but itself. */
export async function proveSelfContained(file: string): Promise<void> {
  await proveImportsNothing(file);
  await inEmptyDirectory(async (cwd) => {
    await Deno.copyFile(file, `${cwd}/bundle.js`);
    await Deno.writeTextFile(
      `${cwd}/main.js`,
      `const exports = Object.keys(await import("./bundle.js"));
       if (exports.length === 0) throw new Error("The bundle exports nothing");`,
    );
    const args = ["run", "--cached-only", "--no-config", "main.js"];
    await mustRun("import the bundle", args, { cwd, env: { DENO_DIR: `${cwd}/cache` } });
  });
}

/** What is built into Deno and Node (`node:…`) can be imported anywhere but in a browser. */
async function proveImportsNothing(file: string): Promise<void> {
  const graph = await mustRun("read the bundle", [
    "info",
    "--quiet",
    "--no-config",
    "--json",
    file,
  ]);
  const { modules } = JSON.parse(graph) as {
    modules: { dependencies?: { specifier: string }[] }[];
  };
  const imported = modules.flatMap(({ dependencies = [] }) => dependencies);
  if (imported.length > 0) {
    const names = imported.map(({ specifier }) => specifier).join(", ");
    throw new Error(`Cannot accept the bundle: it imports ${names}`);
  }
}

/** How large the module `file` is. */
export async function measure(file: string): Promise<BundleSize> {
  const bytes = await Deno.readFile(file);
  const gzipped = new Blob([bytes]).stream().pipeThrough(new CompressionStream("gzip"));
  return { bytes: bytes.length, gzippedBytes: (await new Response(gzipped).bytes()).length };
}

/** Throws for a bundle of more than `maximum` bytes gzipped; answers its size in words. */
export function checkSize(size: BundleSize, maximum: number): string {
  const kilobytes = (bytes: number) => `${(bytes / 1000).toFixed(1)} kB`;
  const words = `${kilobytes(size.bytes)}, gzipped ${kilobytes(size.gzippedBytes)}`;
  if (size.gzippedBytes > maximum) {
    throw new Error(`Cannot accept the bundle: ${words}, of ${kilobytes(maximum)} allowed`);
  }
  return `${words} of ${kilobytes(maximum)} allowed`;
}

async function inEmptyDirectory(use: (directory: string) => Promise<void>): Promise<void> {
  const directory = await Deno.makeTempDir({ prefix: "graft-bundle-" });
  try {
    await use(directory);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

async function mustRun(
  purpose: string,
  args: readonly string[],
  options: Parameters<typeof runDeno>[1] = {},
): Promise<string> {
  const { code, output } = await runDeno(args, options);
  if (code !== 0) {
    throw new Error(`Cannot ${purpose}: deno ${args[0]} ended with ${code}\n${output}`);
  }
  return output;
}

async function makeAndProve(output: string): Promise<void> {
  await bundle(ENTRY, output);
  await proveSelfContained(output);
  const types = output.replace(/\.js$/, ".d.ts");
  await bundleTypes(ENTRY, types);
  checkTypes(types, `export { GraftClient, openReplica, type Replica } from "./graft.js";`);
  console.log(`The client is one file: ${checkSize(await measure(output), GZIPPED_BYTES_MAX)}`);
}

if (import.meta.main) {
  if (Deno.args.includes("--check")) {
    await inEmptyDirectory((directory) => makeAndProve(`${directory}/graft.js`));
  } else {
    await makeAndProve(OUTPUT);
  }
}
