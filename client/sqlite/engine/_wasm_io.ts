/**
 * Where the engine's WebAssembly comes from.
 *
 * @module
 */

import { GraftError } from "../../../src/core/errors.ts";

/** The engine's WebAssembly: where it lies, its bytes, or what was compiled of them. */
export type SqliteWasm = string | URL | BufferSource | WebAssembly.Module;

/** The two files. */
export type WasmFile = "wa-sqlite-jspi.wasm" | "wa-sqlite-async.wasm";

/** Compiles the engine's WebAssembly; `fileName` is looked for where nothing is given. */
export async function compileWasm(
  fileName: WasmFile,
  given: SqliteWasm | undefined,
): Promise<WebAssembly.Module> {
  if (given instanceof WebAssembly.Module) return given;
  const isPlace = given === undefined || typeof given === "string" || given instanceof URL;
  return await WebAssembly.compile(isPlace ? await load(given ?? locate(fileName)) : given);
}

/** Where Deno finds the package of a program that imports ours from a registry: it has none of our import map. */
const PACKAGE = "npm:@journeyapps/wa-sqlite@2.0.6/dist/";

/** Beside the package's own files, where the runtime can tell; else beside this module, as in a bundle. */
function locate(fileName: string): URL {
  return resolve(`@journeyapps/wa-sqlite/dist/${fileName}`) ?? resolve(`${PACKAGE}${fileName}`) ??
    new URL(fileName, import.meta.url);
}

function resolve(specifier: string): URL | undefined {
  try {
    const url = new URL(import.meta.resolve(specifier));
    // to browsers it is a URL like any other
    return url.protocol === "npm:" ? undefined : url;
  } catch {
    return undefined;
  }
}

async function load(place: string | URL): Promise<BufferSource> {
  try {
    const url = new URL(place, import.meta.url);
    return url.protocol === "file:" ? await readLocal(url) : await download(url);
  } catch (error) {
    throw new GraftError("unavailable", `Cannot load SQLite: "${place}" cannot be read`, {
      cause: error,
      hint: "Pass the option wasm: where the file lies, or its bytes",
    });
  }
}

// not a literal, so that no bundler for browsers looks for the module
const FILES = "node:fs/promises";

async function readLocal(url: URL): Promise<BufferSource> {
  const { readFile } = await import(FILES);
  return new Uint8Array(await readFile(url));
}

async function download(url: URL): Promise<BufferSource> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`HTTP status ${response.status}`);
  return await response.arrayBuffer();
}
