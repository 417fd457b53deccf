/**
 * `deno task bundle`: makes the client one file, `dist/graft.js`, for browsers, Node, Bun and Deno
 * alike, with its types beside it. It proves that the file needs nothing else (it is imported in an
 * empty directory, with an empty cache and no permission), that the types are whole, and that the file
 * is no larger than it may be.
 *
 * `--check` proves it on temporary files and leaves none.
 *
 * @module
 */

import { runDeno } from "./gate/command.ts";

const ENTRY = new URL("../client/mod.ts", import.meta.url).pathname;
const OUTPUT = new URL("../dist/graft.js", import.meta.url).pathname;
/** What a page may have to load for the client, gzipped. A decoder of zstd alone would be too much. */
const GZIPPED_BYTES_MAX = 60_000;

/** How large a bundle is. */
export interface BundleSize {
  /** As it lies on the disk. */
  readonly bytes: number;
  /** As a server sends it. */
  readonly gzippedBytes: number;
}

/** Bundles `entry` into the file `output`, which ends in `.js`, and its types into one in `.d.ts`. */
export async function bundle(entry: string, output: string): Promise<void> {
  const args = ["--platform", "browser", "--minify", "--declaration", "--output", output, entry];
  await mustRun("bundle the client", ["bundle", ...args]);
}

/** Imports the module `file` where it has nothing but itself. */
export async function proveSelfContained(file: string): Promise<void> {
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

/** Checks the declarations `file` where they have nothing but themselves and a browser's types. */
export async function proveTyped(file: string): Promise<void> {
  await inEmptyDirectory(async (cwd) => {
    await Deno.copyFile(file, `${cwd}/bundle.d.ts`);
    const compilerOptions = { lib: ["esnext", "dom", "dom.iterable"] };
    await Deno.writeTextFile(`${cwd}/deno.json`, JSON.stringify({ compilerOptions }));
    await mustRun("check the bundle's types", ["check", "bundle.d.ts"], { cwd });
  });
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
): Promise<void> {
  const { code, output } = await runDeno(args, options);
  if (code !== 0) {
    throw new Error(`Cannot ${purpose}: deno ${args[0]} ended with ${code}\n${output}`);
  }
}

async function makeAndProve(output: string): Promise<void> {
  await bundle(ENTRY, output);
  await proveSelfContained(output);
  await proveTyped(output.replace(/\.js$/, ".d.ts"));
  console.log(`The client is one file: ${checkSize(await measure(output), GZIPPED_BYTES_MAX)}`);
}

if (import.meta.main) {
  if (Deno.args.includes("--check")) {
    await inEmptyDirectory((directory) => makeAndProve(`${directory}/graft.js`));
  } else {
    await makeAndProve(OUTPUT);
  }
}
