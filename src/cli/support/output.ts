/**
 * What commands print.
 *
 * @module
 */

import { GraftError } from "../../core/errors.ts";

/**
 * Writes a line to stdout, which carries results and nothing else.
 *
 * @throws {GraftError} `internal` when it cannot be written, to a full disk for example.
 */
export function printLine(line: string): void {
  try {
    writeAll(Deno.stdout, `${line}\n`);
  } catch (cause) {
    const state = cause instanceof Error ? cause.message : String(cause);
    throw new GraftError("internal", `Cannot write the output: ${state}`, { cause });
  }
}

/** Writes a line to stderr, for people. */
export function printNote(line: string): void {
  writeAll(Deno.stderr, `${line}\n`);
}

function writeAll(stream: { writeSync(bytes: Uint8Array): number }, text: string): void {
  let rest = new TextEncoder().encode(text);
  try {
    while (rest.length > 0) rest = rest.subarray(stream.writeSync(rest));
  } catch (error) {
    // whoever read the output has seen enough: `graft volume ls | head -1`
    if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
  }
}

/** One column of a table. */
export interface Column<Row> {
  /** Its heading. */
  readonly title: string;
  /** What stands in it. */
  cell(row: Row): string;
  /** Numbers stand at the right. */
  readonly alignRight?: boolean;
}

/**
 * Lays rows out in columns of equal width, under headings.
 *
 * @returns The lines.
 *
 * @example
 * ```ts
 * import { formatTable } from "./output.ts";
 *
 * const columns = [{ title: "LSN", cell: (row: { lsn: number }) => String(row.lsn), alignRight: true }];
 * console.log(formatTable([{ lsn: 12 }], columns)); // [ "LSN", " 12" ]
 * ```
 */
export function formatTable<Row>(rows: readonly Row[], columns: readonly Column<Row>[]): string[] {
  const cells = rows.map((row) => columns.map((column) => column.cell(row)));
  const lines = [columns.map(({ title }) => title), ...cells];
  const widths = columns.map((_, at) => Math.max(...lines.map((line) => line[at].length)));
  return lines.map((line) =>
    line.map((cell, at) =>
      columns[at].alignRight ? cell.padStart(widths[at]) : cell.padEnd(widths[at])
    ).join("  ").trimEnd()
  );
}

/** Prints rows for people, as a table, or for programs, as one line of JSON each. */
export function printRows<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  asJson: boolean,
): void {
  for (const line of asJson ? rows.map((row) => JSON.stringify(row)) : formatTable(rows, columns)) {
    printLine(line);
  }
}

/** Prints named values, one a line, or as one JSON value. */
export function printFields(value: object, asJson: boolean): void {
  if (asJson) return printLine(JSON.stringify(value));
  const entries = Object.entries(value).filter(([, field]) => field !== undefined);
  const width = Math.max(...entries.map(([name]) => name.length));
  for (const [name, field] of entries) {
    printLine(`${name.padEnd(width)}  ${Array.isArray(field) ? field.join(", ") : field}`);
  }
}
