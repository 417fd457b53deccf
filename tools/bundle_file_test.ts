import assert from "node:assert/strict";
import { bundle, checkSize, measure, proveSelfContained } from "./bundle_file.ts";

async function withModule(source: string, use: (entry: string) => Promise<void>) {
  const directory = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${directory}/part.ts`, "export const part: number = 7;");
    await Deno.writeTextFile(`${directory}/entry.ts`, source);
    await use(`${directory}/entry.ts`);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

Deno.test("bundle() makes one file that needs nothing else", async () => {
  await withModule(`export { part } from "./part.ts";`, async (entry) => {
    await bundle(entry, `${entry}.js`);
    await proveSelfContained(`${entry}.js`);
  });
});

Deno.test("bundle() keeps WebAssembly as it is, in digits that compress", async () => {
  const wasm = Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0);
  const source = `import * as none from "./none.wasm"; export const names = Object.keys(none);`;
  await withModule(source, async (entry) => {
    await Deno.writeFile(entry.replace("entry.ts", "none.wasm"), wasm);
    await bundle(entry, `${entry}.js`);
    assert.match(await Deno.readTextFile(`${entry}.js`), /"0061736d01000000"/);
    await proveSelfContained(`${entry}.js`);
  });
});

Deno.test("bundle() says what is wrong with the source", async () => {
  await withModule(`export { part } from "./nowhere.ts";`, async (entry) => {
    await assert.rejects(bundle(entry, `${entry}.js`), /Cannot bundle the client: .*nowhere/s);
  });
});

Deno.test("proveSelfContained() refuses a file that imports another", async () => {
  await withModule(`export { part } from "./part.ts";`, async (entry) => {
    await assert.rejects(proveSelfContained(entry), /it imports \.\/part\.ts/);
  });
});

Deno.test("proveSelfContained() lets a file import later what lies beside it", async () => {
  await withModule(`export const later = () => import("./part.js");`, async (entry) => {
    await bundle(entry, `${entry}.js`, "./part.js");
    await proveSelfContained(`${entry}.js`, ["part.js"]);
    await assert.rejects(proveSelfContained(`${entry}.js`, ["other.js"]), /imports \.\/part\.js/);
  });
});

Deno.test("proveSelfContained() refuses a file that imports what a browser lacks", async () => {
  const source = `export const zlib = () => import("node:zlib");`;
  await withModule(source, async (entry) => {
    await bundle(entry, `${entry}.js`);
    await assert.rejects(proveSelfContained(`${entry}.js`), /it imports node:zlib/);
  });
});

Deno.test("proveSelfContained() refuses a file that needs a permission", async () => {
  await withModule(`export const home = Deno.env.get("HOME");`, async (entry) => {
    await assert.rejects(proveSelfContained(entry), /Cannot import the bundle: .*NotCapable/s);
  });
});

Deno.test("proveSelfContained() refuses a file that exports nothing", async () => {
  await withModule("export {};", async (entry) => {
    await assert.rejects(proveSelfContained(entry), /exports nothing/);
  });
});

Deno.test("measure() tells both sizes of a file", async () => {
  await withModule("x".repeat(10_000), async (entry) => {
    const { bytes, gzippedBytes } = await measure(entry);
    assert.equal(bytes, 10_000);
    assert.ok(gzippedBytes > 20 && gzippedBytes < 200, `${gzippedBytes}`);
  });
});

Deno.test("checkSize() refuses what is too large, and says by how much", () => {
  assert.match(checkSize({ bytes: 90_000, gzippedBytes: 60_000 }, 60_000), /^90\.0 kB, gzipped/);
  assert.throws(
    () => checkSize({ bytes: 90_000, gzippedBytes: 60_100 }, 60_000),
    /gzipped 60\.1 kB, of 60\.0 kB allowed/,
  );
});
