/**
 * `deno task bundle`: makes the client one file, `dist/graft.js`, for browsers, Node, Bun and Deno alike, and the client
 * with SQLite another, `dist/graft_sqlite.js`; and the types of both. It proves that they need nothing else (each is
 * imported in an empty directory, with an empty cache and no permission), and that they are no larger than they may be.
 *
 * `--check` proves it on temporary files and leaves none.
 *
 * @module
 */

import { bundle, checkSize, inEmptyDirectory, measure, proveSelfContained } from "./bundle_file.ts";
import { makeAndProveSqlite } from "./bundle_sqlite.ts";
import { bundleTypes, checkTypes } from "./bundle_types.ts";

const ENTRY = new URL("../client/mod.ts", import.meta.url).pathname;
const OUTPUT = new URL("../dist", import.meta.url).pathname;
/** What a page may have to load for the client, gzipped. */
const GZIPPED_BYTES_MAX = 60_000;

async function makeAndProve(folder: string): Promise<void> {
  const output = `${folder}/graft.js`;
  await bundle(ENTRY, output);
  await proveSelfContained(output);
  const types = `${folder}/graft.d.ts`;
  await bundleTypes(ENTRY, types);
  checkTypes(types, `export { GraftClient, openReplica, type Replica } from "./graft.js";`);
  console.log(`The client is one file: ${checkSize(await measure(output), GZIPPED_BYTES_MAX)}`);
  await makeAndProveSqlite(folder);
}

if (import.meta.main) {
  if (Deno.args.includes("--check")) await inEmptyDirectory(makeAndProve);
  else await makeAndProve(OUTPUT);
}
