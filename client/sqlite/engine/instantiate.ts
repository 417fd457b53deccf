/**
 * Makes instances of wa-sqlite from a module that is compiled once.
 *
 * @module
 */

import type { SqliteModule, SqliteModuleFactory } from "./sqlite_module.ts";

/** A module of wa-sqlite, and what its WebAssembly exports. */
export interface Instantiated {
  readonly module: SqliteModule;
  readonly exports: WebAssembly.Exports;
}

/**
 * Makes an instance.
 *
 * @param adapt Answers imports that replace the glue's.
 */
export function instantiate(
  factory: SqliteModuleFactory,
  compiled: WebAssembly.Module,
  adapt: (env: WebAssembly.ModuleImports) => WebAssembly.ModuleImports = () => ({}),
): Promise<Instantiated> {
  return new Promise((resolve, reject) => {
    let exports: WebAssembly.Exports;
    factory({
      instantiateWasm(imports, done) {
        const env = { ...imports.env, ...adapt(imports.env) };
        WebAssembly.instantiate(compiled, { ...imports, env }).then((instance) => {
          exports = instance.exports;
          done(instance, compiled);
        }).catch(reject);
        return {};
      },
    }).then((module) => resolve({ module, exports }), reject);
  });
}
