/**
 * Builds wasm/build/graft.wasm and client/sqlite/engine/_sqlite_rows_wasm.ts from wasm/assembly.
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

/** A module, and the file below the root that it goes to. */
interface Target {
  readonly file: string;
  readonly entry: string;
  readonly flags: readonly string[];
  /** What is written of the module's bytes. */
  readonly toFile: (module: Uint8Array) => Uint8Array;
}

const TARGETS: readonly Target[] = [
  {
    file: "wasm/build/graft.wasm",
    entry: "index.ts",
    flags: ["--enable", "simd"],
    toFile: (module) => module,
  },
  {
    // it is given memory and functions when it is instantiated, which an import of it could not say
    file: "client/sqlite/engine/_sqlite_rows_wasm.ts",
    entry: "sqlite_rows/index.ts",
    flags: ["--importMemory"],
    toFile: (module) => new TextEncoder().encode(toSource(module)),
  },
];

/** The module's bytes. */
async function build({ entry, flags, file }: Target): Promise<Uint8Array> {
  let output: Uint8Array | undefined;
  // Without an abort function the module imports nothing for it: a broken invariant traps.
  const common = ["-O3", "--runtime", "stub", "--use", "abort=", "--outFile", "module.wasm"];
  const { error, stderr } = await asc.main([entry, ...common, ...flags], {
    readFile: (name: string) => readSource(name),
    writeFile: (_name: string, contents: string | Uint8Array) => {
      if (contents instanceof Uint8Array) output = contents;
    },
    listFiles: () => [],
  });
  if (error !== null || output === undefined) {
    throw new Error(`Cannot build ${file}: ${stderr.toString().trim() || error?.message}`);
  }
  return output;
}

function toSource(module: Uint8Array): string {
  return `/**
 * Made by wasm/build.ts.
 *
 * @module
 */

/** wasm/assembly/sqlite_rows as base64. */
export const SQLITE_ROWS =
  "${btoa(String.fromCharCode(...module))}";
`;
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

for (const target of TARGETS) {
  const built = target.toFile(await build(target));
  const file = new URL(`../${target.file}`, import.meta.url);
  if (!Deno.args.includes("--check")) {
    Deno.writeFileSync(file, built);
    console.log(`${target.file}: ${built.length} bytes`);
  } else if (!sameBytes(built, Deno.readFileSync(file))) {
    console.error(
      `Cannot accept ${target.file}: it is not what wasm/assembly builds to`,
    );
    console.error("Run `deno run -A wasm/build.ts` and commit the result.");
    Deno.exit(1);
  }
}
