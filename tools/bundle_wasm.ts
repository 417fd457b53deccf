/**
 * WebAssembly with no more in it than clients use.
 *
 * @module
 */

import binaryen from "binaryen";

/** A module without the exports whose names match, and without what only they need. */
export function withoutExports(wasm: Uint8Array, names: RegExp): Uint8Array {
  const module = binaryen.readBinary(wasm);
  try {
    const unused = exportNames(module).filter((name) => names.test(name));
    if (unused.length === 0) return wasm;
    for (const name of unused) module.removeExport(name);
    module.runPasses(["remove-unused-module-elements"]);
    return module.emitBinary();
  } finally {
    module.dispose();
  }
}

function exportNames(module: binaryen.Module): string[] {
  return Array.from(
    { length: module.getNumExports() },
    (_, i) => binaryen.getExportInfo(module.getExportByIndex(i)).name,
  );
}
