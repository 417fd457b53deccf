/**
 * WebAssembly with no more in it than a bundle uses.
 *
 * @module
 */

import binaryen from "binaryen";

/** Where a bundle declares the variable of an export, takes it from the instance, and shows it to who wants all. */
const MENTIONS_OF_VARIABLE = 3;
/** Where it takes it, and where it shows it. */
const MENTIONS_OF_NAME = 2;

/**
 * A module without the exports that a bundle never uses, and without what only they need.
 *
 * @param wasm The module, as the bundler has put it into `code`.
 * @param code The bundle, minified.
 */
export function withoutUnused(wasm: Uint8Array, code: string): Uint8Array {
  const module = binaryen.readBinary(wasm);
  try {
    const unused = exportNames(module).filter((name) => isUnused(code, name));
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

/** Whether an export is only taken from the instance: neither its name nor its variable occurs anywhere else. */
function isUnused(code: string, name: string): boolean {
  const taken = [
    ...code.matchAll(new RegExp(`([\\w$]+)=[\\w$]+\\.${RegExp.escape(name)}\\b`, "g")),
  ];
  // anywhere else the name would be one of a member
  if (taken.length !== 1 || mentions(code, name) > MENTIONS_OF_NAME) return false;
  return mentions(code, taken[0][1]) <= MENTIONS_OF_VARIABLE;
}

function mentions(code: string, text: string): number {
  return code.match(new RegExp(`(?<![\\w$])${RegExp.escape(text)}(?![\\w$])`, "g"))?.length ?? 0;
}
