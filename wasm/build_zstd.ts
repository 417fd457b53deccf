/**
 * Makes wasm/build/zstd.wasm from the module in `@bokuweb/zstd-wasm`.
 *
 * ```sh
 * deno run -A wasm/build_zstd.ts           # make and write
 * deno run -A wasm/build_zstd.ts --check   # make in memory; fail if the committed file differs
 * ```
 *
 * The package's own loader fetches the module at run time, which breaks in a bundle, and the module
 * imports five functions from its JavaScript. Here those are replaced by WebAssembly, the exports get
 * names, and what is then unreachable is dropped. The result imports nothing, so that it can be imported
 * like any module and bundlers inline it. The compressor's code itself is untouched.
 *
 * @module
 */

import binaryen from "assemblyscript/binaryen";

const PACKAGE = "npm:@bokuweb/zstd-wasm@0.0.27";
const target = new URL("./build/zstd.wasm", import.meta.url);

/** Their minified name → ours. What is not named here is dropped. (From the package's dist/web/zstd.js.) */
const EXPORTS = {
  f: "memory",
  h: "isError",
  i: "compressBound",
  j: "createCompressor",
  l: "compress",
  n: "createDecompressor",
  q: "decompress",
  s: "malloc",
} as const;
const CONSTRUCTORS_EXPORT = "g";
const RESIZE_HEAP_IMPORT = "e";
const MEMORY_PAGE_BITS = 16;

/** Gives every imported function a body: the heap grows by itself, and all else (abort, exit) traps. */
function replaceImports(module: binaryen.Module): void {
  const functions = Array.from(
    { length: module.getNumFunctions() },
    (_, i) => binaryen.getFunctionInfo(module.getFunctionByIndex(i)),
  );
  for (const { name, base, params, results } of functions) {
    if (!base) continue;
    module.removeFunction(name);
    const body = base === RESIZE_HEAP_IMPORT ? growHeap(module) : module.unreachable();
    module.addFunction(name, params, results, [], body);
  }
}

/** `emscripten_resize_heap(bytes)`: 1 when the memory reaches to `bytes`, 0 when it cannot. */
function growHeap(module: binaryen.Module): binaryen.ExpressionRef {
  const { i32, memory, local } = module;
  const pagesWanted = i32.shr_u(
    i32.add(local.get(0, binaryen.i32), i32.const((1 << MEMORY_PAGE_BITS) - 1)),
    i32.const(MEMORY_PAGE_BITS),
  );
  return i32.ne(memory.grow(i32.sub(pagesWanted, memory.size())), i32.const(-1));
}

function renameExports(module: binaryen.Module): void {
  for (let i = module.getNumExports() - 1; i >= 0; i--) {
    const { name, value, kind } = binaryen.getExportInfo(module.getExportByIndex(i));
    if (name === CONSTRUCTORS_EXPORT) module.setStart(module.getFunction(value));
    const ours: string | undefined = EXPORTS[name as keyof typeof EXPORTS];
    module.removeExport(name);
    if (ours === undefined) continue;
    if (kind === binaryen.ExternalMemory) module.addMemoryExport(value, ours);
    else module.addFunctionExport(value, ours);
  }
}

async function packagedModule(): Promise<Uint8Array> {
  await runDeno("cache", PACKAGE);
  const { npmPackages } = JSON.parse(await runDeno("info", "--json", PACKAGE));
  const { localPath } = npmPackages[PACKAGE.slice("npm:".length)];
  return await Deno.readFile(`${localPath}/dist/web/zstd.wasm`);
}

async function runDeno(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), { args }).output();
  if (code !== 0) throw new Error(`Cannot find ${PACKAGE}: ${new TextDecoder().decode(stderr)}`);
  return new TextDecoder().decode(stdout);
}

async function build(): Promise<Uint8Array> {
  const module = binaryen.readBinary(await packagedModule());
  module.setFeatures(
    binaryen.Features.SignExt | binaryen.Features.BulkMemory | binaryen.Features.MutableGlobals,
  );
  replaceImports(module);
  renameExports(module);
  module.runPasses(["remove-unused-module-elements"]);
  if (!module.validate()) throw new Error("Cannot make zstd.wasm: the module does not validate");
  return module.emitBinary();
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

const built = await build();
if (!Deno.args.includes("--check")) {
  Deno.writeFileSync(target, built);
  console.log(`wasm/build/zstd.wasm: ${built.length} bytes`);
} else if (!sameBytes(built, Deno.readFileSync(target))) {
  console.error("Cannot accept wasm/build/zstd.wasm: it is not what wasm/build_zstd.ts makes");
  console.error("Run `deno run -A wasm/build_zstd.ts` and commit the result.");
  Deno.exit(1);
}
