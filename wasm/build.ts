/**
 * Builds wasm/build/graft.wasm from wasm/assembly.
 *
 * ```sh
 * deno run -A wasm/build.ts           # build and write
 * deno run -A wasm/build.ts --check   # build to memory; fail if the committed file differs
 * ```
 *
 * The same sources give the same bytes on every machine, so the result is committed and neither a
 * checkout nor a published package needs a build step.
 */

import asc from "assemblyscript/asc";

const sources = new URL("./assembly/", import.meta.url);
const target = new URL("./build/graft.wasm", import.meta.url);

const FLAGS = [
  "index.ts",
  "-O3",
  "--runtime",
  "stub",
  "--enable",
  "simd",
  // Without an abort function the module imports nothing: a broken invariant traps.
  "--use",
  "abort=",
  "--outFile",
  "graft.wasm",
];

/** The module's bytes. */
async function build(): Promise<Uint8Array> {
  let output: Uint8Array | undefined;
  const { error, stderr } = await asc.main(FLAGS, {
    readFile: (name: string) => readSource(name),
    writeFile: (_name: string, contents: string | Uint8Array) => {
      if (contents instanceof Uint8Array) output = contents;
    },
    listFiles: () => [],
  });
  if (error !== null || output === undefined) {
    throw new Error(`Cannot build graft.wasm: ${stderr.toString().trim() || error?.message}`);
  }
  return output;
}

function readSource(name: string): string | null {
  try {
    return Deno.readTextFileSync(new URL(name, sources));
  } catch (error) {
    // The compiler tries several spellings of a path and takes null for "not there".
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

const built = await build();
if (!Deno.args.includes("--check")) {
  Deno.writeFileSync(target, built);
  console.log(`wasm/build/graft.wasm: ${built.length} bytes`);
} else if (!sameBytes(built, Deno.readFileSync(target))) {
  console.error("Cannot accept wasm/build/graft.wasm: it is not what wasm/assembly builds to");
  console.error("Run `deno run -A wasm/build.ts` and commit the result.");
  Deno.exit(1);
}
