// What a database does, on the sources, with both builds of the engine.

import { openDatabase } from "../../client/sqlite/open_database.ts";
import type { EngineBuild } from "../../client/sqlite/engine/load_engine.ts";
import { startServer } from "../../src/server/mod.ts";
import { KEPT_CASES, SQLITE_CASES } from "./_suite.ts";

const BUILDS: readonly EngineBuild[] = ["jspi", "asyncify"];

for (const build of BUILDS) {
  for (const [name, run] of Object.entries({ ...SQLITE_CASES, ...KEPT_CASES })) {
    Deno.test(`${build}: ${name}`, async () => {
      await using server = await startServer({
        listen: ["127.0.0.1:0"],
        log: "memory:",
        objects: "memory:",
      });
      const folder = await Deno.makeTempDir({ prefix: "graft-sqlite-" });
      const storage = `sqlite:${folder}/kept.db`;
      try {
        await run({ openDatabase, url: server.urls[0], engine: { build }, storage });
      } finally {
        await Deno.remove(folder, { recursive: true });
      }
    });
  }
}
