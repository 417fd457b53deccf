// The cases of tests/sqlite/_suite.ts, with the bundle of the client, as a page loads it.

import type { EngineBuild } from "../../../client/sqlite/engine/load_engine.ts";
import { KEPT_CASES, SQLITE_CASES } from "../../sqlite/_suite.ts";
import { serveCalls } from "../page/calls.ts";

const BUNDLE = "/files/graft_sqlite.js";
const CASES = { ...SQLITE_CASES, ...KEPT_CASES };

/** Runs a case against the server at a URL. */
async function run(
  name: string,
  url: string,
  storage: string,
  build?: EngineBuild,
): Promise<void> {
  const { openDatabase }: typeof import("../../../client/with_sqlite.ts") = await import(BUNDLE);
  await CASES[name]({ openDatabase, url, storage, engine: { build } });
}

/** The files of the bundle that were loaded. */
function loaded(): string[] {
  return performance.getEntriesByType("resource")
    .map(({ name }) => new URL(name).pathname)
    .filter((path) => path.startsWith("/files/"))
    .sort();
}

serveCalls((name, args) => {
  const [url, storage, build] = args as unknown as [string, string, EngineBuild?];
  return name === "loaded" ? loaded() : run(name, url, storage, build);
});
