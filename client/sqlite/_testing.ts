// Databases on a server of their own.

import { startServer } from "../../src/server/mod.ts";
import type { Database } from "./database.ts";
import { openDatabase, type OpenDatabaseOptions } from "./open_database.ts";

/** A server, and databases on it that are closed with it. */
export async function withServer(
  run: (open: (vid?: string, options?: OpenDatabaseOptions) => Promise<Database>) => Promise<void>,
): Promise<void> {
  await using server = await startServer({
    listen: ["127.0.0.1:0"],
    log: "memory:",
    objects: "memory:",
  });
  const opened: Database[] = [];
  try {
    await run(async (vid, options) => {
      const database = await openDatabase(server.urls[0], vid, options);
      opened.push(database);
      return database;
    });
  } finally {
    for (const database of opened) await database.close();
  }
}
