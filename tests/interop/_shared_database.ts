/**
 * One database that two write: the official extension, and `openDatabase`.
 *
 * @module
 */

import assert from "node:assert/strict";
import { type Database, openDatabase, type OpenDatabaseOptions } from "../../client/sqlite/mod.ts";
import { Device } from "./_official_client.ts";

/** A database as both tell of it: each table's rows as literals, by name. */
export type Contents = Readonly<Record<string, readonly unknown[]>>;

const PRAGMAS = ["page_count", "freelist_count", "foreign_key_check", "integrity_check"]
  .map((name) => `pragma ${name}`);

type Rows = (sql: string) => Promise<readonly (readonly unknown[])[]>;

/** How a database is shared. */
export interface SharedDatabaseOptions {
  /** The server. */
  readonly url: string;
  /** Who makes it. */
  readonly createdBy: "ours" | "theirs";
  /** What it begins with; at least one table. */
  readonly schema: string;
  /** The token of both. */
  readonly token?: string;
  /** What ours is opened with besides. */
  readonly options?: OpenDatabaseOptions;
}

/** A database that both have open. */
export class SharedDatabase {
  /** Ours. */
  readonly ours: Database;
  /** The official client. */
  readonly theirs: Device;

  readonly #shared: SharedDatabaseOptions;

  private constructor(shared: SharedDatabaseOptions, ours: Database, theirs: Device) {
    this.#shared = shared;
    this.ours = ours;
    this.theirs = theirs;
  }

  /** One of both makes it, the other opens what was pushed. */
  static async create(shared: SharedDatabaseOptions): Promise<SharedDatabase> {
    const { url, createdBy, schema, token } = shared;
    const options = { ...shared.options, token };
    if (createdBy === "ours") {
      const ours = await openDatabase(url, undefined, options);
      await ours.script(schema, { isAtomic: false });
      await ours.sync();
      const theirs = await Device.start({ metastore: url, volume: ours.vid, token });
      await theirs.untilAt(lsnOf(ours));
      return new SharedDatabase(shared, ours, theirs);
    }
    const theirs = await Device.start({ metastore: url, volume: "random", token });
    await theirs.sql(schema);
    await theirs.untilPushed();
    const ours = await openDatabase(url, await theirs.volume(), options);
    return new SharedDatabase(shared, ours, theirs);
  }

  /** Ours runs statements, and both have them. */
  async byOurs(sql: string): Promise<void> {
    await this.ours.script(sql, { isAtomic: false });
    await this.toTheirs();
  }

  /** Theirs runs statements, and both have them. */
  async byTheirs(sql: string): Promise<void> {
    await this.theirs.sql(sql);
    await this.toOurs();
  }

  /** Waits until theirs has what ours committed. */
  async toTheirs(): Promise<void> {
    await this.ours.sync();
    await this.theirs.untilAt(lsnOf(this.ours));
  }

  /** Waits until ours has what theirs committed. */
  async toOurs(): Promise<void> {
    const { remoteLsn } = await this.theirs.untilPushed();
    await this.ours.sync();
    assert.equal(lsnOf(this.ours), remoteLsn);
  }

  /** What both answer to a query, asserted to be the same. */
  async rows(sql: string): Promise<readonly (readonly unknown[])[]> {
    const [ours, theirs] = await Promise.all([this.ours.values(sql), this.theirs.sql(sql)]);
    assert.deepEqual(ours, theirs, sql);
    return ours;
  }

  /** Asserts that both have the same schema, rows and size, and find them whole; returns the rows. */
  async assertSame(): Promise<Contents> {
    const [ours, theirs] = await Promise.all([
      // all on one connection
      this.ours.transaction((tx) => readContents((sql) => tx.values(sql)), { readOnly: true }),
      readContents((sql) => this.theirs.sql(sql)),
    ]);
    assert.deepEqual(ours, theirs);
    assert.deepEqual(ours["pragma integrity_check"], [["ok"]]);
    assert.deepEqual(ours["pragma foreign_key_check"], []);
    return ours;
  }

  /** Asserts that who opens it now, with nothing of it, finds the same. */
  async assertSameAnew(): Promise<void> {
    const { url, token, options } = this.#shared;
    const contents = await this.assertSame();
    await using ours = await openDatabase(url, this.ours.vid, { ...options, token });
    await using theirs = await Device.start({ metastore: url, volume: this.ours.vid, token });
    await theirs.untilAt(lsnOf(this.ours));
    assert.deepEqual(await readContents((sql) => theirs.sql(sql)), contents);
    const read = ours.transaction((tx) => readContents((sql) => tx.values(sql)), {
      readOnly: true,
    });
    assert.deepEqual(await read, contents);
  }

  /** Closes both. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.ours.close();
    await this.theirs[Symbol.asyncDispose]();
  }
}

function lsnOf(database: Database): number {
  return Number(database.status().lsn ?? 0);
}

async function readContents(rows: Rows): Promise<Contents> {
  const schema = await rows("select type, name, tbl_name, sql from sqlite_schema order by 1, 2");
  const contents: Record<string, readonly unknown[]> = { schema };
  for (const [type, name] of schema) {
    if (type === "table") contents[String(name)] = await readTable(rows, String(name));
  }
  // FTS5's check takes what others wrote for damage until its table has been read (SQLite 3.53, 3.54)
  for (const pragma of PRAGMAS) contents[pragma] = await rows(pragma);
  return contents;
}

async function readTable(rows: Rows, table: string): Promise<readonly unknown[]> {
  const columns = await rows(`select name from pragma_table_info('${table}')`);
  const literals = columns.map(([name]) => `quote("${name}")`).join(" || ',' || ");
  return await rows(`select ${literals} as row from "${table}" order by row`);
}
