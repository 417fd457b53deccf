/**
 * Queries that run again when what they read has changed.
 *
 * @module
 */

import type { Replica, ReplicaChange } from "../replica/replica.ts";
import { atRest, requireReadOnly } from "./_runs.ts";
import type { Connection } from "./connection.ts";
import type { ConnectionPool } from "./connection_pool.ts";
import type { SqlParameters } from "./engine/statement.ts";

/** Rows, and what they depend on. */
interface Answer<Row> {
  readonly rows: Row[];
  readonly pages: ReadonlySet<number>;
}

/** The rows of a statement, and again whenever pages changed that it had read. */
export async function* watchQuery<Row>(
  replica: Replica,
  pool: ConnectionPool,
  sql: string,
  parameters: SqlParameters,
): AsyncGenerator<Row[]> {
  // from before the first run on, so that no change is lost
  const changes = replica.changes();
  try {
    let { rows, pages } = await pool.use((connection) => run<Row>(connection, sql, parameters));
    yield rows;
    for await (const change of changes) {
      if (!touches(change, pages)) continue;
      ({ rows, pages } = await pool.use((connection) => run<Row>(connection, sql, parameters)));
      yield rows;
    }
  } finally {
    await changes.return?.();
  }
}

/** Runs it with an empty cache, so that every page that it reads is seen. */
async function run<Row>(
  connection: Connection,
  sql: string,
  parameters: SqlParameters,
): Promise<Answer<Row>> {
  await requireReadOnly(connection, sql, "watch");
  connection.forgetCache();
  connection.pages.record();
  try {
    const rows = await atRest(connection, () => connection.all(sql, parameters)) as Row[];
    // an empty database has no page that could be read, and gets page 1 with its first table
    return { rows, pages: new Set(connection.pages.takeRecord()).add(1) };
  } catch (error) {
    connection.pages.takeRecord();
    throw error;
  }
}

function touches({ pages: changed }: ReplicaChange, read: ReadonlySet<number>): boolean {
  for (const pageIdx of read) {
    if (changed.has(pageIdx)) return true;
  }
  return false;
}
