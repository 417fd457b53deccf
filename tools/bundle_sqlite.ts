/**
 * The part of `deno task bundle` that makes the client with SQLite: `dist/graft_sqlite.js`, its types, and
 * beside it the two builds of the engine, of which a program loads the one that its runtime can run.
 *
 * @module
 */

import { bundle, checkSize, measure, proveSelfContained } from "./bundle_file.ts";
import { bundleTypes, checkTypes } from "./bundle_types.ts";

const ENTRY = new URL("../client/with_sqlite.ts", import.meta.url).pathname;
/** Where the engine is in a package, and where beside the bundle. */
const IN_PACKAGE = "@journeyapps/wa-sqlite/dist/";
const BESIDE = "./";
/** Some servers do not know what a file is whose name ends otherwise. */
const GLUE = /(\.\/wa-sqlite-(?:jspi|async))\.mjs/g;
/** What a page may have to load for the client with SQLite, gzipped. */
const GZIPPED_BYTES_MAX = 85_000;
/** What it loads of a build in addition, gzipped: JavaScript and WebAssembly. */
const BUILDS = [
  { name: "wa-sqlite-jspi", glueBytesMax: 25_000, wasmBytesMax: 530_000 },
  { name: "wa-sqlite-async", glueBytesMax: 25_000, wasmBytesMax: 800_000 },
] as const;

/** Bundles the client with SQLite into `folder`, the engine beside it. */
export async function bundleSqlite(folder: string): Promise<void> {
  const output = `${folder}/graft_sqlite.js`;
  await bundle(ENTRY, output, `${IN_PACKAGE}*`);
  const code = await Deno.readTextFile(output);
  // the package may be there in another version: what was bundled together stays together
  await Deno.writeTextFile(output, code.replaceAll(IN_PACKAGE, BESIDE).replace(GLUE, "$1.js"));
  for (const { name } of BUILDS) {
    await bundle(import.meta.resolve(`${IN_PACKAGE}${name}.mjs`), `${folder}/${name}.js`);
    const wasm = await fetch(import.meta.resolve(`${IN_PACKAGE}${name}.wasm`));
    await Deno.writeFile(`${folder}/${name}.wasm`, await wasm.bytes());
  }
}

/** Makes the bundle with its types in `folder`, and proves that it needs nothing else and is not too large. */
export async function makeAndProveSqlite(folder: string): Promise<void> {
  await bundleSqlite(folder);
  const types = `${folder}/graft_sqlite.d.ts`;
  await bundleTypes(ENTRY, types);
  checkTypes(
    types,
    `export { openDatabase, type Database, isGraftError } from "./graft_sqlite.js";`,
  );
  const output = `${folder}/graft_sqlite.js`;
  await proveSelfContained(output, BUILDS.map(({ name }) => `${name}.js`));
  const size = checkSize(await measure(output), GZIPPED_BYTES_MAX);
  console.log(`The client with SQLite is one file: ${size}`);
  for (const { name, glueBytesMax, wasmBytesMax } of BUILDS) {
    const glue = checkSize(await measure(`${folder}/${name}.js`), glueBytesMax);
    const wasm = checkSize(await measure(`${folder}/${name}.wasm`), wasmBytesMax);
    console.log(`  ${name}.js: ${glue}\n  ${name}.wasm: ${wasm}`);
  }
}
