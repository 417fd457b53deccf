// What tests of imports and exports share: databases of many kinds.

import { DatabaseSync } from "node:sqlite";

/** Makes a directory, and removes it afterwards. */
export async function inDirectory(work: (directory: string) => Promise<void>): Promise<void> {
  const directory = await Deno.makeTempDir({ prefix: "graft-sqlite-" });
  try {
    await work(directory);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

/** Pragmas before the first table, by what they make. */
export const KINDS: Readonly<Record<string, string>> = {
  "pages of 512": "PRAGMA page_size = 512",
  "pages of 1024": "PRAGMA page_size = 1024",
  "pages of 4096": "PRAGMA page_size = 4096",
  "pages of 8192": "PRAGMA page_size = 8192",
  "pages of 65536": "PRAGMA page_size = 65536",
  "auto_vacuum": "PRAGMA auto_vacuum = FULL",
  "incremental auto_vacuum": "PRAGMA auto_vacuum = INCREMENTAL",
  "UTF-16": "PRAGMA encoding = 'UTF-16le'",
  "a WAL": "PRAGMA journal_mode = WAL",
  "a WAL and pages of 1024": "PRAGMA page_size = 1024; PRAGMA journal_mode = WAL",
};

/** Fills a database: a table, an index, a full-text index and a view. */
export function fill(database: DatabaseSync, rows: number): void {
  database.exec(`
    CREATE TABLE entries (id INTEGER PRIMARY KEY, name TEXT NOT NULL, body BLOB);
    CREATE INDEX entries_name ON entries (name);
    CREATE VIRTUAL TABLE texts USING fts5(body);
    CREATE VIEW names AS SELECT name FROM entries;
    WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ${rows})
    INSERT INTO entries SELECT n, 'name ' || (n * 7919 % 10007) || ' äöü', zeroblob(n % 900) FROM numbers;
    INSERT INTO texts SELECT name FROM entries WHERE id % 10 = 0;
  `);
}

/** Makes a database of one of the {@linkcode KINDS}. */
export function makeDatabase(path: string, pragmas = "", rows = 300): void {
  const database = new DatabaseSync(path);
  database.exec(pragmas);
  fill(database, rows);
  database.close();
}

/** Everything that can be read of a database. */
export function dump(path: string): unknown {
  const database = new DatabaseSync(path, { readOnly: true });
  try {
    const all = (sql: string) => database.prepare(sql).all();
    return {
      schema: all("SELECT type, name, sql FROM sqlite_schema ORDER BY name"),
      entries: all("SELECT id, name, hex(body) FROM entries ORDER BY id"),
      found: all("SELECT rowid FROM texts WHERE texts MATCH 'name' ORDER BY rowid"),
      encoding: all("PRAGMA encoding"),
      autoVacuum: all("PRAGMA auto_vacuum"),
      integrity: all("PRAGMA integrity_check"),
    };
  } finally {
    database.close();
  }
}
