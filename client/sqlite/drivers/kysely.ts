/**
 * Kysely on Graft.
 *
 * @example
 * ```ts
 * import { Kysely } from "kysely";
 * import { startServer } from "../../../src/server/mod.ts";
 * import { openDatabase } from "../mod.ts";
 * import { GraftDialect } from "./kysely.ts";
 *
 * interface Tables {
 *   posts: { id: number; title: string };
 * }
 *
 * const server = await startServer({ listen: ["127.0.0.1:0"], log: "memory:", objects: "memory:" });
 * const db = await openDatabase(server.urls[0]);
 * const kysely = new Kysely<Tables>({ dialect: new GraftDialect(db) });
 * await kysely.schema.createTable("posts").addColumn("id", "integer").addColumn("title", "text").execute();
 * await kysely.insertInto("posts").values({ id: 1, title: "Hello" }).execute();
 * console.log(await kysely.selectFrom("posts").select("title").execute()); // [ { title: "Hello" } ]
 * await kysely.destroy();
 * await db.close();
 * await server.close();
 * ```
 *
 * @module
 */

import {
  type CompiledQuery,
  type DatabaseConnection,
  type DatabaseIntrospector,
  type Dialect,
  type DialectAdapter,
  type Driver,
  type Kysely,
  type QueryCompiler,
  type QueryResult,
  SelectQueryNode,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
  type TransactionSettings,
} from "kysely";
import type { Database } from "../database.ts";
import type { SqlParameter } from "../engine/values.ts";
import type { SqlTransaction } from "../sql_transaction.ts";
import type { OpenTransaction } from "../open_transaction.ts";

/**
 * A dialect for a database that is open. `kysely.destroy()` leaves it open.
 *
 * A transaction of Kysely's cannot run again by itself: where it loses against others it fails with the code
 * `conflict`, and is the caller's to repeat.
 */
export class GraftDialect implements Dialect {
  readonly #database: Database;

  /** On a database. */
  constructor(database: Database) {
    this.#database = database;
  }

  /** What runs queries. */
  createDriver(): Driver {
    return new GraftDriver(this.#database);
  }

  /** What makes SQL of queries: SQLite's. */
  createQueryCompiler(): QueryCompiler {
    return new SqliteQueryCompiler();
  }

  /** What SQLite can do. */
  createAdapter(): DialectAdapter {
    return new GraftAdapter();
  }

  /** What reads the schema. */
  // deno-lint-ignore no-explicit-any -- Kysely's own signature: a schema that nobody knows
  createIntrospector(kysely: Kysely<any>): DatabaseIntrospector {
    return new SqliteIntrospector(kysely);
  }
}

/** SQLite's, with connections for several at once. */
class GraftAdapter extends SqliteAdapter {
  override get supportsMultipleConnections(): boolean {
    return true;
  }
}

class GraftDriver implements Driver {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  async init(): Promise<void> {}

  acquireConnection(): Promise<DatabaseConnection> {
    return Promise.resolve(new GraftConnection(this.#database));
  }

  async beginTransaction(connection: GraftConnection, settings: TransactionSettings) {
    await connection.begin(settings.accessMode === "read only");
  }

  async commitTransaction(connection: GraftConnection): Promise<void> {
    await connection.commit();
  }

  async rollbackTransaction(connection: GraftConnection): Promise<void> {
    await connection.rollback();
  }

  async savepoint(connection: GraftConnection, name: string): Promise<void> {
    await connection.run(`savepoint ${quote(name)}`);
  }

  async rollbackToSavepoint(connection: GraftConnection, name: string): Promise<void> {
    await connection.run(`rollback to ${quote(name)}`);
  }

  async releaseSavepoint(connection: GraftConnection, name: string): Promise<void> {
    await connection.run(`release ${quote(name)}`);
  }

  async releaseConnection(): Promise<void> {}

  async destroy(): Promise<void> {}
}

/** Runs queries on the database, or in the transaction that was begun. */
class GraftConnection implements DatabaseConnection {
  readonly #database: Database;
  #open: OpenTransaction | undefined;

  constructor(database: Database) {
    this.#database = database;
  }

  async begin(readOnly: boolean): Promise<void> {
    this.#open = await this.#database.begin({ readOnly });
  }

  async commit(): Promise<void> {
    await this.#takeOpen()?.commit();
  }

  async rollback(): Promise<void> {
    // one that failed to commit is rolled back already
    await this.#takeOpen()?.rollback();
  }

  async run(sql: string): Promise<void> {
    await this.#executor.execute(sql);
  }

  async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    const parameters = query.parameters as readonly SqlParameter[];
    if (answersRows(query)) {
      return { rows: await this.#executor.query<R>(query.sql, parameters) };
    }
    const { rowsAffected, lastInsertRowid } = await this.#executor.execute(query.sql, parameters);
    return { rows: [], numAffectedRows: BigInt(rowsAffected), insertId: lastInsertRowid };
  }

  async *streamQuery<R>(query: CompiledQuery): AsyncIterableIterator<QueryResult<R>> {
    const parameters = query.parameters as readonly SqlParameter[];
    if (this.#open !== undefined) {
      yield await this.executeQuery(query);
      return;
    }
    for await (const row of this.#database.iterate<R>(query.sql, parameters)) yield { rows: [row] };
  }

  get #executor(): Database | SqlTransaction {
    return this.#open?.tx ?? this.#database;
  }

  #takeOpen(): OpenTransaction | undefined {
    const open = this.#open;
    this.#open = undefined;
    return open;
  }
}

/** Whether a query answers rows: a `select`, whatever is `returning`, and SQL of the user's own. */
function answersRows({ query }: CompiledQuery): boolean {
  return SelectQueryNode.is(query) || query.kind === "RawNode" || "returning" in query;
}

function quote(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
