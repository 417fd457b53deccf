/**
 * Whether a database is whole.
 *
 * @module
 */

import type { DatabaseSync } from "node:sqlite";
import { GraftError } from "../../core/errors.ts";
import { sqliteError } from "./errors.ts";

/** Problems that are looked for and shown; the first tell enough. */
const PROBLEMS_MAX = 3;

/** How thoroughly: `quick_check` does not compare indexes with their tables, and takes an eighth of the time. */
export type IntegrityPragma = "integrity_check" | "quick_check";

/**
 * Runs a check, which reads the whole database.
 *
 * @param action What cannot be done with a damaged one, for the message: `import "app.db"`.
 * @throws {GraftError} `damaged` where something is wrong with it.
 */
export function checkIntegrity(
  database: DatabaseSync,
  pragma: IntegrityPragma,
  action: string,
): void {
  const problems = integrityProblems(database, pragma, action);
  if (problems.length === 0) return;
  throw new GraftError("damaged", `Cannot ${action}: it is damaged (${problems.join("; ")})`, {
    hint: "Mend it with: sqlite3 FILE .recover, or go on as it is with --no-check",
  });
}

function integrityProblems(
  database: DatabaseSync,
  pragma: IntegrityPragma,
  action: string,
): string[] {
  try {
    const rows = database.prepare(`PRAGMA ${pragma}(${PROBLEMS_MAX})`).all();
    const lines = rows.map((row) => String(row[pragma]).replaceAll("\n", " "));
    return lines.length === 1 && lines[0] === "ok" ? [] : lines;
  } catch (error) {
    throw sqliteError(action, error);
  }
}
