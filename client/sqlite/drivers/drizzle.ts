/**
 * Drizzle on Graft.
 *
 * @example
 * ```ts
 * import { integer, sqliteTable, text } from "drizzle-orm/sqlite-core";
 * import { startServer } from "../../../src/server/mod.ts";
 * import { openDatabase } from "../mod.ts";
 * import { drizzle } from "./drizzle.ts";
 *
 * const posts = sqliteTable("posts", { id: integer().primaryKey(), title: text() });
 *
 * const server = await startServer({ listen: ["127.0.0.1:0"], log: "memory:", objects: "memory:" });
 * const db = await openDatabase(server.urls[0]);
 * await db.script("create table posts (id integer primary key, title text)");
 * const orm = drizzle(db);
 * await orm.insert(posts).values({ title: "Hello" });
 * console.log(await orm.select().from(posts)); // [ { id: 1, title: "Hello" } ]
 * await db.close();
 * await server.close();
 * ```
 *
 * @module
 */

import {
  createTableRelationsHelpers,
  extractTablesRelationalConfig,
  type RelationalSchemaConfig,
  type TablesRelationalConfig,
} from "drizzle-orm";
import { DefaultLogger, type Logger } from "drizzle-orm/logger";
import { SQLiteAsyncDialect } from "drizzle-orm/sqlite-core";
import { type AsyncRemoteCallback, SqliteRemoteDatabase } from "drizzle-orm/sqlite-proxy";
import { SQLiteProxyTransaction, SQLiteRemoteSession } from "drizzle-orm/sqlite-proxy/session";
import type { Database } from "../database.ts";
import type { SqlParameter } from "../engine/values.ts";
import type { SqlTransaction } from "../sql_transaction.ts";

/** How Drizzle is set up. */
export interface DrizzleOptions<Schema extends Record<string, unknown>> {
  /** Tables and relations, for `query`. */
  readonly schema?: Schema;
  /** Where queries are logged; true: on the console. */
  readonly logger?: boolean | Logger;
  /** How columns without a name are called. */
  readonly casing?: "snake_case" | "camelCase";
}

/**
 * Drizzle's queries on a database that is open.
 *
 * A transaction has a connection of its own, and runs again where its snapshot has become stale, as
 * {@linkcode Database.transaction} does.
 */
export function drizzle<Schema extends Record<string, unknown> = Record<string, never>>(
  database: Database,
  { schema, logger, casing }: DrizzleOptions<Schema> = {},
): SqliteRemoteDatabase<Schema> {
  const dialect = new SQLiteAsyncDialect({ casing });
  const relational = schema && toRelational(schema);
  const log = logger === true ? new DefaultLogger() : logger || undefined;
  const session = new GraftSession(database, database, dialect, relational, log);
  return new SqliteRemoteDatabase<Schema>("async", dialect, session as never, relational as never);
}

/** Drizzle's own session for callbacks, with transactions that have a connection each. */
class GraftSession extends SQLiteRemoteSession<Record<string, unknown>, TablesRelationalConfig> {
  readonly #database: Database;
  readonly #dialect: SQLiteAsyncDialect;
  readonly #schema: RelationalSchemaConfig<TablesRelationalConfig> | undefined;
  readonly #logger: Logger | undefined;

  constructor(
    database: Database,
    executor: Database | SqlTransaction,
    dialect: SQLiteAsyncDialect,
    schema: RelationalSchemaConfig<TablesRelationalConfig> | undefined,
    logger: Logger | undefined,
  ) {
    super(callbackOf(executor), dialect, schema, undefined, { logger });
    this.#database = database;
    this.#dialect = dialect;
    this.#schema = schema;
    this.#logger = logger;
  }

  override async transaction<T>(
    run: (
      tx: SQLiteProxyTransaction<Record<string, unknown>, TablesRelationalConfig>,
    ) => Promise<T>,
  ): Promise<T> {
    return await this.#database.transaction(async (tx) => {
      const schema = this.#schema;
      const session = new GraftSession(this.#database, tx, this.#dialect, schema, this.#logger);
      return await run(new SQLiteProxyTransaction("async", this.#dialect, session, schema));
    });
  }
}

function callbackOf(executor: Database | SqlTransaction): AsyncRemoteCallback {
  return async (sql, parameters: SqlParameter[], method) => {
    if (method === "run") {
      return { rows: [], ...await executor.execute(sql, parameters) };
    }
    const rows = await executor.values(sql, parameters);
    // of one row Drizzle takes the row itself
    return { rows: method === "get" ? rows[0] as unknown[] : rows };
  };
}

function toRelational(
  schema: Record<string, unknown>,
): RelationalSchemaConfig<TablesRelationalConfig> {
  const { tables, tableNamesMap } = extractTablesRelationalConfig(
    schema,
    createTableRelationsHelpers,
  );
  return { fullSchema: schema, schema: tables, tableNamesMap };
}
