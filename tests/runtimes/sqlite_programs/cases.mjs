/**
 * The cases of tests/sqlite/_suite.ts, bundled beside this file, with the bundled client: see `run.mjs` of the
 * other programs for the context.
 */

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";

// made beside this file before it runs: a literal would be looked for here
const SUITE = "./sqlite_suite.js";
const { KEPT_CASES, SQLITE_CASES } = await import(SUITE);

/** What a runtime has, and so which build of the engine is loaded. */
const hasPromiseIntegration = "Suspending" in WebAssembly;
/** Node 20 has no storage that is kept. */
const hasStorage = process.versions.bun !== undefined || !process.version.startsWith("v20.");

const adapt = (run) => async ({ graft, url, tokens, directory }) => {
  const storage = hasStorage ? `sqlite:${directory}/kept.db` : undefined;
  await run({ openDatabase: graft.openDatabase, url, token: tokens.all, storage });
};

const adaptAll = (cases) =>
  Object.fromEntries(Object.entries(cases).map(([name, run]) => [name, adapt(run)]));

export const CASES = {
  async "the engine may be handed in"({ graft }) {
    const build = hasPromiseIntegration ? "jspi" : "asyncify";
    const file = hasPromiseIntegration ? "wa-sqlite-jspi.wasm" : "wa-sqlite-async.wasm";
    const wasm = await WebAssembly.compile(await readFile(new URL(file, import.meta.url)));
    const db = await graft.openDatabase("http://127.0.0.1:9", undefined, {
      engine: { build, wasm },
    });
    assert.deepEqual(await db.values("select 6 * 7"), [[42]]);
    await db.close();
  },
  async "a build that the runtime cannot run is refused"({ graft }) {
    const open = () =>
      graft.openDatabase("http://127.0.0.1:9", undefined, { engine: { build: "jspi" } });
    if (hasPromiseIntegration) await (await open()).close();
    else await assert.rejects(open(), { code: "invalid", name: "GraftError" });
  },
  ...adaptAll(SQLITE_CASES),
  ...hasStorage ? adaptAll(KEPT_CASES) : {},
};
