/**
 * The lines that were typed into the shell.
 *
 * @module
 */

import { printNote } from "../support/output.ts";
import { readVariable } from "../support/variables.ts";

const LINES_MAX = 1000;

/** The lines of earlier shells, the newest first; none where there is no file. */
export async function readHistory(): Promise<string[]> {
  const path = historyPath();
  if (path === undefined) return [];
  try {
    const lines = (await Deno.readTextFile(path)).split("\n").filter((line) => line !== "");
    return lines.slice(-LINES_MAX).reverse();
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) tellOnce(path, error);
    return [];
  }
}

/** Adds a line, for the user alone to read. */
export function appendHistory(line: string): void {
  const path = historyPath();
  if (path === undefined || line.trim() === "") return;
  try {
    Deno.mkdirSync(path.slice(0, path.lastIndexOf("/")), { recursive: true, mode: 0o700 });
    Deno.writeTextFileSync(path, `${line}\n`, { append: true, mode: 0o600 });
  } catch (error) {
    tellOnce(path, error);
  }
}

let isTold = false;

/** A shell is of use without its history, too. */
function tellOnce(path: string, error: unknown): void {
  if (isTold) return;
  isTold = true;
  const state = error instanceof Error ? error.message : String(error);
  printNote(`note: the lines are not kept in ${path}: ${state}`);
}

/** Where they are kept; undefined where there is no home. */
function historyPath(): string | undefined {
  const home = readVariable("HOME");
  const state = readVariable("XDG_STATE_HOME") ?? (home && `${home}/.local/state`);
  return state && `${state}/graft/sql_history`;
}
