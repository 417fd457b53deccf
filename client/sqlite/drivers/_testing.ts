// A database on a server of its own.

import { startServer } from "../../../src/server/mod.ts";
import type { Database } from "../database.ts";
import { openDatabase } from "../open_database.ts";

/** Runs a test on two databases of one volume. */
export async function withDatabases(
  setup: string,
  run: (db: Database, other: Database) => Promise<void>,
): Promise<void> {
  await using server = await startServer({
    listen: ["127.0.0.1:0"],
    log: "memory:",
    objects: "memory:",
  });
  await using db = await openDatabase(server.urls[0]);
  await db.script(setup);
  await db.sync();
  await using other = await openDatabase(server.urls[0], db.vid);
  await run(db, other);
}
