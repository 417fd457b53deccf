/**
 * One module with all that it imports as one file, for whatever runs JavaScript.
 *
 * @module
 */

import { gzipSync } from "node:zlib";
import { withoutExports } from "./bundle_wasm.ts";
import { runDeno } from "./gate/command.ts";

/** How large a bundle is. */
export interface BundleSize {
  /** As it lies on the disk. */
  readonly bytes: number;
  /** As a server sends it. */
  readonly gzippedBytes: number;
}

/** Bundles `entry` into the file `output`; what `without` names (a pattern with `*`) is imported from where it is. */
export async function bundle(entry: string, output: string, without?: string): Promise<void> {
  // no `--declaration`: of types that only others' signatures name it leaves the imports (deno 2.9.6); and no
  // source map, which would be four times the bundle: who debugs the client imports its sources
  const args = ["--platform", "browser", "--minify", "--output", output, entry];
  if (without !== undefined) args.unshift("--external", without);
  await mustRun("bundle the client", ["bundle", ...args]);
  await Deno.writeTextFile(output, withHex(await Deno.readTextFile(output)));
}

/** How the bundler has WebAssembly in a bundle. */
const BASE64 = /Uint8Array\.from\(atob\("([\w+/=]+)"\),(\w+)=>\2\.charCodeAt\(0\)\)/g;

/** What clients never call: they neither make nor open segments. */
const UNUSED = /^segment/;

/** WebAssembly without what is not used, in hexadecimal digits: they are more, but gzip finds bytes again in them, and makes them a fifth less. */
function withHex(code: string): string {
  return code.replace(BASE64, (_, base64) => {
    const digits = withoutExports(Uint8Array.fromBase64(base64), UNUSED).toHex();
    return `Uint8Array.from("${digits}".match(/../g),n=>parseInt(n,16))`;
  });
}

/** Imports the module `file` where it has nothing but itself, and what it may import later: files `beside` it. */
export async function proveSelfContained(
  file: string,
  beside: readonly string[] = [],
): Promise<void> {
  await proveImportsOnly(file, beside);
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
async function proveImportsOnly(file: string, beside: readonly string[]): Promise<void> {
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
  const imported = modules.flatMap(({ dependencies = [] }) => dependencies)
    .filter(({ specifier }) => !beside.some((name) => specifier === `./${name}`));
  if (imported.length > 0) {
    const names = imported.map(({ specifier }) => specifier).join(", ");
    throw new Error(`Cannot accept the bundle: it imports ${names}`);
  }
}

/** How large the module `file` is. */
export async function measure(file: string): Promise<BundleSize> {
  const bytes = await Deno.readFile(file);
  // files that do not change are compressed once, and well
  return { bytes: bytes.length, gzippedBytes: gzipSync(bytes, { level: 9 }).length };
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

/** Lets `use` have a directory that is gone afterwards. */
export async function inEmptyDirectory(use: (directory: string) => Promise<void>): Promise<void> {
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
