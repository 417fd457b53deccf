import assert from "node:assert/strict";

/** The rooms from the bottom up. Those that share a number do not know each other. */
const HEIGHT: Readonly<Record<string, number>> = {
  "deno.json": -1,
  wasm: 0,
  core: 1,
  wire: 2,
  segment: 3,
  objects: 4,
  log: 5,
  pagestore: 6,
  metastore: 7,
  maintenance: 8,
  server: 9,
  console: 10,
  cli: 10,
  main: 11,
};
const CLIENT_MAY_IMPORT = ["core", "wire", "segment"];
const CLIENT_MAY_BE_IMPORTED_BY = ["cli", "console", "main"];
const FILE_LINES_MAX = 600;

const ROOT = new URL("../", import.meta.url);
const IMPORT = /(?:\bfrom\s*|\bimport\s*\(?\s*|\bnew URL\(\s*)"(\.{1,2}\/[^"]+)"/g;

interface SourceFile {
  /** Its path below the root. */
  readonly path: string;
  readonly text: string;
}

/** The room that a file belongs to: `src/log/x.ts` → log, `client/x.ts` → client, `main.ts` → main. */
function roomOf(path: string): string {
  const parts = path.split("/");
  if (parts.length === 1) return path.replace(/\.ts$/, "");
  return parts[0] === "src" ? parts[1] : parts[0];
}

function isTest(path: string): boolean {
  return /_test\.ts$|(^|\/)_(testing|conformance)\w*\.ts$/.test(path) ||
    /^(tests|bench)\//.test(path);
}

/** The paths below the root that a file imports from the tree, workers named by URL included. */
function importsOf(file: SourceFile): string[] {
  // examples in comments are not imports of the file
  const code = file.text.replace(/^\s*(\*|\/\*\*|\/\/).*$/gm, "");
  return [...code.matchAll(IMPORT)].map(([, specifier]) =>
    new URL(specifier, new URL(file.path, "file:///")).pathname.slice(1)
  );
}

function mayImport(from: string, to: string): boolean {
  if (from === to) return true;
  if (from === "client") return CLIENT_MAY_IMPORT.includes(to);
  if (to === "client") return CLIENT_MAY_BE_IMPORTED_BY.includes(from);
  return HEIGHT[to] < HEIGHT[from];
}

/** Everything in `files` that breaks a rule of the house, one line each. */
function breaches(files: readonly SourceFile[]): string[] {
  return files.filter((file) => !isTest(file.path)).flatMap((file) => {
    const room = roomOf(file.path);
    return importsOf(file).flatMap((target) => {
      if (isTest(target)) return [`${file.path} imports the test file ${target}`];
      if (mayImport(room, roomOf(target))) return [];
      return [`${file.path} imports ${target}: ${room} stands below ${roomOf(target)}`];
    });
  });
}

async function sourcesUnder(directory: string): Promise<SourceFile[]> {
  const files: SourceFile[] = [];
  for await (const entry of Deno.readDir(new URL(directory, ROOT))) {
    const path = `${directory}${entry.name}`;
    if (entry.isDirectory) files.push(...await sourcesUnder(`${path}/`));
    else if (/\.tsx?$/.test(path)) {
      files.push({ path, text: await Deno.readTextFile(new URL(path, ROOT)) });
    }
  }
  return files;
}

async function allSources(): Promise<SourceFile[]> {
  const rooms = ["client/", "src/", "wasm/", "tests/", "tools/", "bench/"];
  const main = { path: "main.ts", text: await Deno.readTextFile(new URL("main.ts", ROOT)) };
  return [main, ...(await Promise.all(rooms.map(sourcesUnder))).flat()];
}

/** The part of the tree that the order is about. */
function isHouse(file: SourceFile): boolean {
  return /^(src|client|main\.ts)/.test(file.path) || file.path === "wasm/mod.ts";
}

Deno.test("imports point one way through the rooms", async () => {
  const files = (await allSources()).filter(isHouse);
  assert.ok(files.length > 50, `Only ${files.length} files were found`);
  assert.deepEqual(breaches(files), []);
});

Deno.test("every room under src has its place in the order", async () => {
  const rooms = new Set((await sourcesUnder("src/")).map((file) => roomOf(file.path)));
  assert.deepEqual([...rooms].filter((room) => !(room in HEIGHT)), []);
});

Deno.test("no file is longer than 600 lines", async () => {
  const long = (await allSources())
    .filter((file) => !file.path.startsWith("wasm/build/"))
    .map((file) => ({ path: file.path, lines: file.text.split("\n").length - 1 }))
    .filter(({ lines }) => lines > FILE_LINES_MAX);
  assert.deepEqual(long, []);
});

const PLANTED: readonly (readonly [path: string, text: string, breach: RegExp | undefined])[] = [
  ["src/log/a.ts", `import { b } from "../metastore/b.ts";`, /log stands below metastore/],
  ["src/core/a.ts", `import type { B } from "../wire/b.ts";`, /core stands below wire/],
  ["src/core/a.ts", `export * from "../wire/b.ts";`, /core stands below wire/],
  ["src/core/a.ts", `await import("../wire/b.ts");`, /core stands below wire/],
  ["src/core/a.ts", `new Worker(new URL("../wire/b.ts", import.meta.url));`, /below wire/],
  ["src/core/a.ts", `import {\n  b,\n} from "../wire/b.ts";`, /core stands below wire/],
  ["src/cli/a.ts", `import { b } from "../console/b.ts";`, /cli stands below console/],
  ["client/a.ts", `import { b } from "../src/objects/b.ts";`, /client stands below objects/],
  ["src/server/a.ts", `import { b } from "../../client/b.ts";`, /server stands below client/],
  ["src/log/a.ts", `import { b } from "./b_test.ts";`, /imports the test file/],
  ["src/log/a.ts", `import { b } from "./_testing.ts";`, /imports the test file/],
  ["src/log/a.ts", `import { b } from "../../tests/harness/b.ts";`, /imports the test file/],
  ["src/log/a.ts", `import { b } from "../core/b.ts";`, undefined],
  ["src/core/a.ts", `import { b } from "../../wasm/mod.ts";`, undefined],
  ["src/core/a.ts", ` * import { b } from "../wire/b.ts";`, undefined],
  ["src/log/a_test.ts", `import { b } from "./_conformance.ts";`, undefined],
  ["client/a.ts", `import { b } from "../src/wire/b.ts";`, undefined],
  ["src/cli/a.ts", `import { b } from "../../client/mod.ts";`, undefined],
  ["main.ts", `import { b } from "./src/cli/b.ts";`, undefined],
];

for (const [path, text, breach] of PLANTED) {
  const verdict = breach === undefined ? "accepts" : "refuses";
  Deno.test(`the order ${verdict} in ${path}: ${text.replaceAll("\n", " ")}`, () => {
    const found = breaches([{ path, text }]);
    if (breach === undefined) assert.deepEqual(found, []);
    else assert.match(found.join("\n"), breach);
  });
}
