/**
 * Rows of SQL as text.
 *
 * @module
 */

import { stringify } from "csv-stringify/sync";
import type { SqlRow, SqlValue } from "../../../client/sqlite/mod.ts";
import { formatTable } from "../support/output.ts";

/**
 * How rows are printed: `table` for people; `json`, an object a line; `csv`, with a line of names (RFC 4180).
 *
 * Blobs are hexadecimal in all of them (`x'00ff'`), null is empty in a table and in CSV. Integers beyond 2^53 - 1
 * stand in JSON with all their digits.
 */
export type RowsFormat = "table" | "json" | "csv";

/** Empty text is quoted, so that it can be told from null. */
const CSV = { record_delimiter: "\n", quoted_match: /^$/ } as const;

/** Lines of text for rows; none for no rows. */
export function formatRows(rows: readonly SqlRow[], format: RowsFormat): string[] {
  if (rows.length === 0) return [];
  if (format === "json") return rows.map(toJson);
  const names = Object.keys(rows[0]);
  if (format === "csv") {
    const cells = rows.map((row) =>
      names.map((name) => row[name] === null ? null : toText(row[name]))
    );
    // without the end of the last line, which is printed with it
    return [stringify([names, ...cells], CSV).slice(0, -1)];
  }
  const isNumeric = (name: string) => rows.every((row) => isNumber(row[name]));
  return formatTable(
    rows,
    names.map((name) => ({
      title: name,
      cell: (row: SqlRow) => oneLine(toText(row[name])),
      alignRight: isNumeric(name),
    })),
  );
}

function toJson(row: SqlRow): string {
  const fields = Object.entries(row).map(([name, value]) => {
    const json = typeof value === "bigint" ? `${value}` : JSON.stringify(toPlain(value));
    return `${JSON.stringify(name)}:${json}`;
  });
  return `{${fields.join(",")}}`;
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
