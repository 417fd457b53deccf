/**
 * Loads SQLite, once for all connections.
 *
 * @module
 */

import { GraftError } from "../../../src/core/errors.ts";
import { compileWasm, type SqliteWasm } from "./_wasm_io.ts";
import { instantiateAsyncify } from "./asyncify_instance.ts";
import { hasPromiseIntegration, instantiateJspi } from "./jspi_instance.ts";
import type { SqliteInstance, SqliteModuleFactory } from "./sqlite_module.ts";

/**
 * The two builds of the engine: `jspi` needs JavaScript promise integration (Deno 2.9, Chromium, Firefox, Node
 * 24.21, Bun 1.4); `asyncify` runs everywhere, at half to two thirds of the speed.
 */
export type EngineBuild = "jspi" | "asyncify";

/** How the engine is loaded. */
export interface EngineOptions {
  /** Which build; default: `jspi` where the runtime has it. */
  readonly build?: EngineBuild;
  /**
   * The engine's WebAssembly: where it lies, its bytes, or what was compiled of them. Default: the file of
   * `@journeyapps/wa-sqlite`, where the runtime finds that package, else a file of its name beside this module.
   */
  readonly wasm?: SqliteWasm;
}

/** An engine that is compiled; every connection needs an instance of its own. */
export interface LoadedEngine {
  /** Which build it is. */
  readonly build: EngineBuild;
  /** Makes an instance. */
  instantiate(): Promise<SqliteInstance>;
}

const loaded = new Map<EngineBuild, Promise<LoadedEngine>>();

/**
 * Loads an engine: the one that is loaded already, unless other WebAssembly is given.
 *
 * @throws {GraftError} `unavailable` when its WebAssembly cannot be had; `invalid` for a build that this runtime cannot
 * run.
 */
export function loadEngine(options: EngineOptions = {}): Promise<LoadedEngine> {
  if (options.build === "jspi" && !hasPromiseIntegration()) return Promise.reject(cannotRun());
  const build = options.build ?? (hasPromiseIntegration() ? "jspi" : "asyncify");
  if (options.wasm !== undefined) return load(build, options.wasm);
  const known = loaded.get(build);
  if (known !== undefined) return known;
  const loading = load(build, undefined);
  loaded.set(build, loading);
  // whoever waits hears of it; the next one tries anew
  loading.catch(() => loaded.delete(build));
  return loading;
}

async function load(build: EngineBuild, wasm: SqliteWasm | undefined): Promise<LoadedEngine> {
  if (build === "jspi") {
    const { default: factory } = await import("@journeyapps/wa-sqlite/dist/wa-sqlite-jspi.mjs");
    const compiled = await compileWasm("wa-sqlite-jspi.wasm", wasm);
    return { build, instantiate: () => instantiateJspi(factory as SqliteModuleFactory, compiled) };
  }
  const { default: factory } = await import("@journeyapps/wa-sqlite/dist/wa-sqlite-async.mjs");
  const compiled = await compileWasm("wa-sqlite-async.wasm", wasm);
  return {
    build,
    instantiate: () => instantiateAsyncify(factory as SqliteModuleFactory, compiled),
  };
}

function cannotRun(): GraftError {
  const state = "this runtime has no JavaScript promise integration";
  return new GraftError("invalid", `Cannot run SQLite's build "jspi": ${state}`, {
    hint: "Leave the option build out, or use asyncify",
  });
}
