/**
 * The types of the bundle, as one file that names no other: `dist/graft.d.ts`.
 *
 * TypeScript emits a declaration for each module, and dts-bundle-generator rolls them up. It reads only
 * TypeScript 5: later ones have no API.
 *
 * @module
 */

// first: what rolls up takes whatever version it is that is there
import ts from "typescript";
import { generateDtsBundle } from "dts-bundle-generator";

const LIBRARIES = ["lib.esnext.d.ts", "lib.dom.d.ts", "lib.dom.asynciterable.d.ts"];
const OPTIONS: ts.CompilerOptions = {
  lib: LIBRARIES,
  module: ts.ModuleKind.ESNext,
  moduleResolution: ts.ModuleResolutionKind.Bundler,
  strict: true,
  target: ts.ScriptTarget.ESNext,
  types: [],
};
/** The modules that a declaration names, but not those of its examples. */
const IMPORTED = /^((?:import|export) .*from |\} from |.*import\()"(\.[^"]+)\.ts"/gm;
/** The modules that examples import. */
const IN_EXAMPLES = /^(\s*\* .*from )"\.[^"]+"/gm;
const ROOT = new URL("..", import.meta.url).pathname;

/** Writes the types of all that the module `entry` exports to `output`; `root` is a folder around its imports. */
export async function bundleTypes(entry: string, output: string, root = ROOT): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "graft-types-" });
  try {
    emitDeclarations(entry, root, folder);
    const config = `${folder}/tsconfig.json`;
    const compilerOptions = {
      lib: ["esnext", "dom", "dom.asynciterable"],
      module: "esnext",
      moduleResolution: "bundler",
      target: "esnext",
      types: [],
    };
    const declarations = entry.replace(root, `${folder}/`).replace(/\.ts$/, ".d.ts");
    await Deno.writeTextFile(config, JSON.stringify({ compilerOptions, files: [declarations] }));
    const [types] = generateDtsBundle(
      [{ filePath: declarations, output: { noBanner: true } }],
      { preferredConfigPath: config },
    );
    await Deno.writeTextFile(output, types.replace(IN_EXAMPLES, `$1"./${moduleOf(output)}"`));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** The module that a file of types is of: `graft.js` of `FOLDER/graft.d.ts`. */
function moduleOf(types: string): string {
  return types.replace(/.*\//, "").replace(/\.d\.ts$/, ".js");
}

/** Signatures are written out, so that what modules import from packages need not be there. */
function emitDeclarations(entry: string, root: string, folder: string): void {
  const program = ts.createProgram([entry], {
    ...OPTIONS,
    allowImportingTsExtensions: true,
    declaration: true,
    emitDeclarationOnly: true,
    noCheck: true,
    outDir: folder,
    rootDir: root,
  });
  const write = (name: string, text: string) =>
    ts.sys.writeFile(name, text.replace(IMPORTED, '$1"$2.js"'));
  const { diagnostics } = program.emit(undefined, write, undefined, true);
  refuse("emit the types", diagnostics);
}

/**
 * Type-checks a program that stands beside the bundle and imports it, as TypeScript does for a bundler.
 *
 * @param types The file of types: `FOLDER/graft.d.ts`.
 */
export function checkTypes(types: string, source: string): void {
  const name = types.replace(/[^/]*$/, "program.ts");
  const options = { ...OPTIONS, noEmit: true };
  const host = ts.createCompilerHost(options);
  const { fileExists, readFile } = host;
  host.fileExists = (file) => file === name || fileExists(file);
  host.readFile = (file) => file === name ? source : readFile(file);
  host.getSourceFile = (file, version) => {
    const text = host.readFile(file);
    return text === undefined ? undefined : ts.createSourceFile(file, text, version);
  };
  refuse("use the types", ts.getPreEmitDiagnostics(ts.createProgram([name], options, host)));
}

function refuse(purpose: string, diagnostics: readonly ts.Diagnostic[]): void {
  if (diagnostics.length === 0) return;
  const told = diagnostics.map(({ file, start = 0, messageText }) => {
    const line = (file?.getLineAndCharacterOfPosition(start).line ?? 0) + 1;
    return `${file?.fileName}:${line} ${ts.flattenDiagnosticMessageText(messageText, "\n")}`;
  });
  throw new Error(`Cannot ${purpose}:\n${told.join("\n")}`);
}
