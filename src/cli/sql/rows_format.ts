/**
 * Rows of SQL as text.
 *
 * @module
 */

import { stringify } from "csv-stringify/sync";
import type { SqlTable, SqlValue } from "../../../client/sqlite/mod.ts";
import { formatTable } from "../support/output.ts";

/**
 * How rows are printed: `table` for people; `json`, an object a line; `csv`, with a line of names (RFC 4180).
 *
 * Blobs are hexadecimal in all of them (`x'00ff'`), null is empty in a table and in CSV. Integers beyond 2^53 - 1
 * stand in JSON with all their digits, and of columns of one name the later ones are `name:1`, `name:2` there, as
 * SQLite itself calls them in subqueries.
 */
export type RowsFormat = "table" | "json" | "csv";

/** Empty text is quoted, so that it can be told from null. */
const CSV = { record_delimiter: "\n", quoted_match: /^$/ } as const;

/** Rows with the names of their columns. */
export type AnsweredRows = Pick<SqlTable, "columns" | "rows">;

/** Lines of text for rows; none for no rows. */
export function formatRows({ columns, rows }: AnsweredRows, format: RowsFormat): string[] {
  if (rows.length === 0) return [];
  if (format === "json") {
    const names = distinct(columns).map((name) => JSON.stringify(name));
    return rows.map((row) => `{${row.map((value, at) => `${names[at]}:${toJson(value)}`)}}`);
  }
  if (format === "csv") {
    const cells = rows.map((row) => row.map((value) => value === null ? null : toText(value)));
    // without the end of the last line, which is printed with it
    return [stringify([columns, ...cells], CSV).slice(0, -1)];
  }
  const layout = columns.map((title, at) => ({
    title: oneLine(title),
    cell: (row: readonly SqlValue[]) => oneLine(toText(row[at])),
    alignRight: rows.every((row) => isNumber(row[at])),
  }));
  return formatTable(rows, layout);
}

/** An object has one value of a name. */
function distinct(names: readonly string[]): string[] {
  const taken = new Set(names);
  const seen = new Set<string>();
  return names.map((name) => {
    let own = name;
    for (let count = 1; seen.has(own) || own !== name && taken.has(own); count++) {
      own = `${name}:${count}`;
    }
    seen.add(own);
    return own;
  });
}

function toJson(value: SqlValue): string {
  return typeof value === "bigint" ? `${value}` : JSON.stringify(toPlain(value));
}

function toPlain(value: SqlValue): unknown {
  return value instanceof Uint8Array ? toText(value) : value;
}

function toText(value: SqlValue): string {
  if (value === null) return "";
  if (value instanceof Uint8Array) return `x'${value.toHex()}'`;
  return String(value);
}

const ESCAPES: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };
// deno-lint-ignore no-control-regex -- these are what a terminal would obey
const CONTROL = /[\x00-\x1f\x7f-\x9f]/g;

/** What breaks lines would break the table, and what commands a terminal is not for a database to say. */
export function oneLine(text: string): string {
  return text.replaceAll(CONTROL, (character) => {
    const code = character.charCodeAt(0).toString(16).padStart(2, "0");
    return ESCAPES[character] ?? `\\x${code}`;
  });
}

function isNumber(value: SqlValue): boolean {
  return value === null || typeof value === "number" || typeof value === "bigint";
}
